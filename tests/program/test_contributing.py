"""What the guides tell a contributor to write is written, into a copy of the package, and works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np
import openvino as ov
import pytest

from fixtures.networks import CnnSpec, cnn

ROOT: Final = Path(__file__).resolve().parents[2]
GUIDE: Final = (ROOT / "docs" / "adding-a-method.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, its schemas, and the method of the guide."""
    folder = tmp_path_factory.mktemp("copy")
    package = folder / "ovxai_convert"
    shutil.copytree(ROOT / "ovxai_convert", package, ignore=shutil.ignore_patterns("__pycache__", "schemas"))
    shutil.copytree(ROOT / "schemas", package / "schemas")
    method, importing, member, row = BLOCKS
    (package / "methods" / "channelpeak.py").write_text(method, encoding="utf-8")
    table = package / "methods" / "__init__.py"
    text = table.read_text(encoding="utf-8")
    last = re.findall(r"^    \w+ = activationmap\.METHOD\n", text, re.MULTILINE)[-1]
    text = text.replace(last, last + member).replace(
        "\nfrom ovxai_convert", f"\n{importing}from ovxai_convert", 1
    )
    table.write_text(text, encoding="utf-8")
    choices = package / "cli" / "choices.py"
    text = choices.read_text(encoding="utf-8")
    assert text.count('    "activationmap": (),\n') == 1
    choices.write_text(text.replace('    "activationmap": (),\n', '    "activationmap": (),\n' + row))
    ov.save_model(cnn(CnnSpec(batch=None)), folder / "net.xml", compress_to_fp16=False)
    return folder


def run(copy: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the copy in its folder."""
    code = f"from ovxai_convert.cli.{command} import {command}_command; {command}_command()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("strength", ["peak", "length"])
def test_the_method_of_the_guide(copy: Path, strength: str) -> None:
    done = run(
        copy, "convert", "net.xml", "--method", "channelpeak", "--strength", strength, "-o", strength,
        "--no-embed-scaling",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sidecar = json.loads((copy / strength / "net_xai.json").read_text(encoding="utf-8"))
    assert (sidecar["method"], sidecar["parameters"]) == ("channelpeak", {"strength": strength})
    assert sidecar["verification"]["saliency_map"]["positions_checked"] > 0
    model = ov.Core().read_model(copy / strength / "net_xai.xml")
    features = next(node for node in model.get_ops() if node.get_friendly_name() == "target").output(0)
    model.add_outputs(features)
    image = np.random.default_rng(0).standard_normal((2, 3, 10, 14)).astype(np.float32)
    *_, saliency_map, values = ov.Core().compile_model(model, "CPU")([image]).to_tuple()
    expected = values.max(axis=1) if strength == "peak" else np.sqrt((values**2).sum(axis=1))
    np.testing.assert_allclose(saliency_map, expected, rtol=1e-5)


def test_it_is_listed_and_explains(copy: Path) -> None:
    shown = run(copy, "inspect", "net.xml")
    assert "channelpeak: possible" in shown.stdout.splitlines(), shown.stderr
    assert "--strength" in run(copy, "convert", "--help").stdout
    done = run(
        copy, "explain", "net.xml", str(ROOT / "docs" / "demo.png"), "--method", "channelpeak", "-o", "e"
    )
    assert done.returncode == 0, done.stderr
    assert "channelpeak" in done.stdout


def test_an_option_needs_its_method(copy: Path) -> None:
    refused = run(copy, "convert", "net.xml", "--strength", "peak", "-o", "refused")
    assert refused.returncode == 2
    assert "--strength: an option of --method channelpeak" in refused.stderr


def test_the_proof_holds_it_to_its_definition(copy: Path, tmp_path: Path) -> None:
    """With the smallest channel instead of the largest, nothing is written."""
    shutil.copytree(copy, tmp_path / "wrong")
    method = tmp_path / "wrong" / "ovxai_convert" / "methods" / "channelpeak.py"
    method.write_text(
        method.read_text(encoding="utf-8").replace("reduce_max", "reduce_min"), encoding="utf-8"
    )
    failed = run(tmp_path / "wrong", "convert", "net.xml", "--method", "channelpeak", "-o", "wrong")
    assert failed.returncode == 5, failed.stderr
    assert "the saliency map is wrong at cell" in failed.stderr
    assert not (tmp_path / "wrong" / "wrong").exists()
