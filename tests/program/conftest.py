"""The programs as fixtures, one model in every form, and a photograph."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from fixtures.broken_files import onnx_classifier
from ovxai_convert.cli import child
from ovxai_convert.cli.convert import convert_command
from ovxai_convert.cli.evaluate import evaluate_command
from ovxai_convert.cli.explain import explain_command
from ovxai_convert.cli.inspect import inspect_command
from ovxai_convert.source.reading import sha256_of_file
from tests.program.invocation import Convert, Outcome, call


@pytest.fixture(autouse=True)
def _without_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that are called here work in this process; those that are started, in a child of theirs."""
    monkeypatch.setattr(child._State, "inside", True)


@pytest.fixture
def run_convert(capfd: pytest.CaptureFixture[str]) -> Convert:
    """``ovxai-convert`` in this process."""

    def run(*arguments: object) -> Outcome:
        return call(convert_command, arguments, capfd)

    return run


@pytest.fixture
def run_inspect(capfd: pytest.CaptureFixture[str]) -> Convert:
    """``ovxai-inspect`` in this process."""

    def run(*arguments: object) -> Outcome:
        return call(inspect_command, arguments, capfd)

    return run


@pytest.fixture
def run_explain(capfd: pytest.CaptureFixture[str]) -> Convert:
    """``ovxai-explain`` in this process."""

    def run(*arguments: object) -> Outcome:
        return call(explain_command, arguments, capfd)

    return run


@pytest.fixture
def run_evaluate(capfd: pytest.CaptureFixture[str]) -> Convert:
    """``ovxai-evaluate`` in this process."""

    def run(*arguments: object) -> Outcome:
        return call(evaluate_command, arguments, capfd)

    return run


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """``photos/photo.png``, 30 rows and 56 columns of random pixels."""
    path = tmp_path / "photos" / "photo.png"
    path.parent.mkdir()
    pixels = np.random.default_rng(5).integers(0, 256, (30, 56, 3), np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return path


@pytest.fixture
def onnx_model(tmp_path: Path) -> Path:
    """A whole ONNX classifier, ``models/classifier.onnx``."""
    path = tmp_path / "models" / "classifier.onnx"
    path.parent.mkdir()
    onnx.save(onnx_classifier(), path)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output folder that is not there yet, in a folder that is not there either."""
    return tmp_path / "made" / "out"


@pytest.fixture
def without_description() -> Callable[[Path], None]:
    """Takes out what stands in a converted model, and lets its sidecar fit again."""

    def take_out(xml: Path) -> None:
        text = xml.read_text(encoding="utf-8")
        assert "<ovxai " in text
        xml.write_text(re.sub(r"<ovxai value=.*/>", "", text), encoding="utf-8")
        sidecar = xml.with_suffix(".json")
        data = json.loads(sidecar.read_text(encoding="utf-8"))
        data["model"]["xml_sha256"] = sha256_of_file(xml)
        sidecar.write_text(json.dumps(data), encoding="utf-8")

    return take_out
