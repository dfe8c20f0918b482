"""``examples/onnx_saliency.py`` gives what the package gives, with ONNX Runtime and the description."""

from __future__ import annotations

import ast
import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import pytest
from onnx import helper

from fixtures.fetch import fetch
from fixtures.planted_object import MODEL
from ovxai_convert import convert
from ovxai_convert.photographs.image_files import read_image
from tests.examples.cases import CASES, NORMALISED, SIZES, Given, Package, Run, photograph
from tests.examples.onnx_cases import as_onnx, converted_as_onnx
from tests.special_networks import perceptron

pytest.importorskip("onnxruntime")
EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"
PROGRAM: Final = EXAMPLES / "onnx_saliency.py"
MAIN: Final = runpy.run_path(str(PROGRAM))["main"]
CHOSEN: Final = (
    *("crop", "letterbox", "own size", "NHWC", "u8", "batch of 3"),
    *("top_k", "classes", "activationmap", "raw scores", "no"),
)


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The example as a program."""
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def assert_gave(run: Run, expected: Given) -> None:
    """The same input to the last bit, and the same map: two runtimes may round one level apart."""
    given = np.load(run.input)
    assert given.dtype == expected.input.dtype
    np.testing.assert_array_equal(given, expected.input)
    found = np.load(run.map)
    assert found.dtype == expected.map.dtype
    apart = np.abs(found.astype(float) - expected.map)
    assert apart.max() <= (1 if found.dtype == np.uint8 else 1e-5)
    assert np.ptp(expected.map) > 0, "a constant map says nothing"


@pytest.mark.parametrize("name", CHOSEN)
def test_input_and_map_are_those_of_the_package(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    model = converted_as_onnx(case, tmp_path)
    package = Package(model, tmp_path / "explained")
    for rows, columns in SIZES[:2]:
        run = Run(model, photograph(tmp_path, rows, columns), tmp_path, case.wanted)
        monkeypatch.setattr(sys, "argv", [str(PROGRAM), *run.arguments])
        MAIN()
        assert_gave(run, package.gives(run.photo, case.wanted))
        assert read_image(run.overlay).shape == (rows, columns, 3)


@pytest.mark.parametrize("described", ["beside it", "in the model", "beside it and of another"])
def test_description(described: str, tmp_path: Path) -> None:
    model = convert(MODEL, tmp_path / "out", preprocessing="unit", output_format="onnx").onnx
    run = Run(model, fetch("chelsea"), tmp_path)
    expected = Package(model, tmp_path / "explained").gives(run.photo)
    sidecar = model.with_suffix(".json")
    if described == "in the model":
        run = Run(tmp_path / "renamed.onnx", run.photo, tmp_path)
        shutil.copy(model, run.xml)
    elif described == "beside it and of another":
        found = json.loads(sidecar.read_text())
        found["onnx"]["sha256"], found["preprocessing"]["resize"] = "0" * 64, "stretch"
        sidecar.write_text(json.dumps(found))
    outcome = call(*run.arguments)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("class ")
    assert_gave(run, expected)


def test_sidecar_of_this_very_file_is_the_one_that_is_read(tmp_path: Path) -> None:
    """What the comparisons rest on."""
    model = converted_as_onnx(CASES["stretch"], tmp_path)
    run = Run(model, photograph(tmp_path, 61, 43), tmp_path)
    expected = Package(model, tmp_path / "explained").gives(run.photo)
    sidecar = json.loads(model.with_suffix(".json").read_text())
    sidecar["preprocessing"]["resize"] = "crop"
    model.with_suffix(".json").write_text(json.dumps(sidecar))
    assert call(*run.arguments).returncode == 0
    with pytest.raises(AssertionError, match="not equal"):
        assert_gave(run, expected)


def _refused(model: Path, folder: Path) -> str:
    outcome = call(model, photograph(folder, 61, 43), folder / "overlay.png")
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr.count("\n") == 1, outcome.stderr
    return outcome.stderr


def test_what_cannot_be_explained_is_said_in_a_line(tmp_path: Path) -> None:
    assert "is no converted model" in _refused(MODEL, tmp_path)
    silent = convert(MODEL, tmp_path / "silent", output_format="onnx").onnx
    assert "does not say how a photograph becomes its input" in _refused(silent, tmp_path)
    onnx.save(as_onnx(perceptron()), tmp_path / "black.onnx")
    black = convert(tmp_path / "black.onnx", tmp_path, preprocessing=NORMALISED, output_format="onnx").onnx
    assert "has no map: it is to be explained as a black box" in _refused(black, tmp_path)


def test_other_input_than_described(tmp_path: Path) -> None:
    """A file whose description is of another size."""
    model = onnx.load(converted_as_onnx(CASES["stretch"], tmp_path))
    entries = {each.key: each.value for each in model.metadata_props}
    entries["ovxai"] = entries["ovxai"].replace('"size":[10,14]', '"size":[14,10]')
    del model.metadata_props[:]
    helper.set_model_props(model, entries)
    onnx.save(model, tmp_path / "changed.onnx")
    said = _refused(tmp_path / "changed.onnx", tmp_path)
    assert "has been given another input than its description tells of" in said


def test_needs_neither_openvino_nor_the_package() -> None:
    modules: set[str] = set()
    for path in (PROGRAM, *(EXAMPLES / "by_description").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules.update(each.name.partition(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                modules.add(str(node.module).partition(".")[0])
    assert modules - sys.stdlib_module_names == {"by_description", "cv2", "numpy", "onnxruntime"}
