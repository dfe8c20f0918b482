"""``ovxai-convert --json``: an object for each model on stdout, whatever becomes of it, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from fixtures.broken_files import save_ir
from fixtures.endless import save_endless
from ovxai_convert.cli.work import convert as work
from tests.program.invocation import Convert, Outcome, start
from tests.special_networks import labelled, perceptron

KEYS = {
    "path",
    "xml",
    "onnx",
    "sidecar",
    "mode",
    "method",
    "target_layer",
    "bit_exact",
    "warnings",
    "error",
    "exit_code",
}


def told(stdout: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in stdout.splitlines()]
    assert all(set(each) == KEYS for each in found)
    return found


def test_one_of_each_kind(onnx_model: Path, tmp_path: Path, out: Path, run_convert: Convert) -> None:
    good = save_ir(labelled(), tmp_path / "net.xml")
    flat = save_ir(perceptron(), tmp_path / "flat.xml")
    broken = tmp_path / "broken.onnx"
    broken.write_text("hello")
    outcome = run_convert(good, broken, flat, onnx_model, "-o", out, "--json", "--preprocess", "raw")
    assert outcome.exit_code == 3
    first, second, third, fourth = told(outcome.stdout)
    assert first == {
        "path": str(good),
        "xml": str(out / "net_xai.xml"),
        "onnx": None,
        "sidecar": str(out / "net_xai.json"),
        "mode": "whitebox",
        "method": "reciprocam",
        "target_layer": "target",
        "bit_exact": True,
        "warnings": first["warnings"],
        "error": None,
        "exit_code": 0,
    }
    assert (second["xml"], second["exit_code"]) == (None, 3)
    assert "not an ONNX model" in second["error"]
    assert outcome.errors == [f"Error: {broken}: {second['error']}"]
    assert (third["mode"], third["method"], third["target_layer"]) == ("blackbox", "rise", None)
    assert any("no feature map" in warning for warning in third["warnings"])
    assert (fourth["path"], fourth["exit_code"], fourth["bit_exact"]) == (str(onnx_model), 0, True)


def test_refusal(tmp_path: Path, out: Path, run_convert: Convert) -> None:
    flat = save_ir(perceptron(), tmp_path / "flat.xml")
    outcome = run_convert(flat, "-o", out, "--json", "-q", "--require-whitebox")
    (found,) = told(outcome.stdout)
    assert (outcome.exit_code, found["exit_code"], found["xml"]) == (4, 4, None)
    assert "no feature map" in found["error"]


def test_interrupt(
    onnx_model: Path, out: Path, run_convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "convert", interrupted)
    outcome = run_convert(onnx_model, "-o", out, "--json", "-q")
    (found,) = told(outcome.stdout)
    assert (outcome.exit_code, found["exit_code"]) == (130, 130)
    assert found["error"] == "interrupted, nothing was written"


def test_process_that_breaks_down(onnx_model: Path, tmp_path: Path, out: Path) -> None:
    """The one that takes its place goes on with the next model."""
    endless = save_endless(tmp_path / "endless.onnx")
    process = start("ovxai-convert", [endless, onnx_model, "-o", out, "--json", "-q", "--timeout", 8])
    stdout, stderr = process.communicate(timeout=120)
    outcome = Outcome(process.returncode, stdout, stderr)
    first, second = told(outcome.stdout)
    assert outcome.exit_code == first["exit_code"] == 3
    assert first["path"] == str(endless)
    assert first["error"].startswith("it took longer than 8 s while")
    assert (second["path"], second["exit_code"]) == (str(onnx_model), 0)


def test_process_that_has_to_be_killed(tmp_path: Path, out: Path) -> None:
    endless = save_endless(tmp_path / "endless.onnx")
    process = start("ovxai-convert", [endless, "-o", out, "--json", "-q"])
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    end = time.monotonic() + 60
    while not (children.read_text().split() and _seconds(children.read_text().split()[0]) > 2.5):
        assert time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=60)
    (found,) = told(stdout)
    assert (process.returncode, found["exit_code"]) == (130, 130)


def _seconds(pid: str) -> float:
    """Of the processor that a process has used; beyond some it is in the runtime."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
