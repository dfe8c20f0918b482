"""``ovxai-explain --engine ray`` where it cannot be: one line, and nothing is written."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.broken_files import save_ir
from ovxai_convert.cli.choices import ENGINES
from ovxai_convert.errors import UsageError
from ovxai_convert.on_ray import explain_dataset
from ovxai_convert.on_ray.cluster import cluster, ray_library, what_ray_says
from ovxai_convert.photographs.image_files import encode_image, write_file
from tests.program.invocation import call_process, snapshot
from tests.special_networks import labelled


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ray", "ray.data"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("without_ray")
def test_without_ray_the_extra_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"pip install 'ovxai-convert\[ray\]'"):
        ray_library()
    with pytest.raises(UsageError, match="Ray is not installed"), cluster(None):
        pass
    with pytest.raises(UsageError, match="Ray is not installed"):
        explain_dataset(None, tmp_path / "model.xml")


def test_the_command_says_so_before_it_does_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray is hidden by a module of its name that cannot be imported."""
    model = save_ir(labelled(), tmp_path / "net.xml")
    write_file(tmp_path / "photo.png", encode_image(np.zeros((10, 14, 3), np.uint8)))
    table, hidden = tmp_path / "table.jsonl", tmp_path / "hidden"
    table.write_text("", "utf-8")
    write_file(hidden / "ray" / "__init__.py", b"raise ImportError('hidden')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(hidden), os.environ.get("PYTHONPATH", "")]))
    before = snapshot(tmp_path)
    options = ["--engine", "ray", "--table", table, "-o", tmp_path / "out"]
    done = call_process("ovxai-explain", [model, tmp_path / "photo.png", *options])
    assert done.exit_code == 2
    assert "pip install 'ovxai-convert[ray]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ray-address", "auto"], "--engine ray"),
        (["--engine", "ray", "--timeout", "5"], "--timeout"),
        (["--engine", "ray", "--memory", "500"], "--memory"),
        (["--engine", "spark"], "'spark' is not one of"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, options: list[str], said: str) -> None:
    done = call_process("ovxai-explain", ["m.xml", "p.png", "-o", tmp_path / "out", *options])
    assert done.exit_code == 2
    assert said in done.stderr


class _Installed:
    """Ray, which is not reached."""


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:99999", "[::1]:1"])
def test_nobody_at_an_address_is_told_at_once(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    for name in ("pyarrow", "ray", "ray.data"):
        monkeypatch.setitem(sys.modules, name, _Installed())
    expected = f"^--ray-address {re.escape(address)}: no cluster of Ray answers there: "
    with pytest.raises(UsageError, match=expected), cluster(address):
        pass


def test_one_machine_is_the_default() -> None:
    assert ENGINES[0] == "local"


class _Ray:
    """Ray's exceptions, as far as they are looked at."""

    class exceptions:  # noqa: N801
        class RayError(Exception):
            cause: BaseException | None = None


def _raised(cause: BaseException | None) -> Any:
    error = _Ray.exceptions.RayError("Worker lost\nwith details")
    error.cause = cause
    raise error


def test_the_error_behind_rays_is_what_is_told() -> None:
    with pytest.raises(UsageError, match=r"^no such class$"):
        what_ray_says(_Ray, lambda: _raised(UsageError("no such class")))
    with pytest.raises(Exception, match=r"^Ray has given up: Worker lost$"):
        what_ray_says(_Ray, lambda: _raised(None))
