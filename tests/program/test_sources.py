"""Files of every framework that OpenVINO reads: bit-exact, the map as defined; others get one line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from fixtures.exports import FOLDER, PADDLE, TENSORFLOW, TENSORFLOW_LITE
from ovxai_convert.artifact.parsing import read_sidecar_file
from ovxai_convert.source.reading import read_source
from tests.program.invocation import Convert, assert_one_error, snapshot
from tests.running import check_reciprocam

FORMATS: Final = {
    **dict.fromkeys(TENSORFLOW, ("tensorflow", "NHWC")),
    **dict.fromkeys(TENSORFLOW_LITE, ("tflite", "NHWC")),
    **dict.fromkeys(PADDLE, ("paddle", "NCHW")),
}


@pytest.mark.parametrize("name", FORMATS)
def test_conversion(name: str, out: Path, run_convert: Convert) -> None:
    outcome = run_convert(FOLDER / name, "-o", out)
    assert (outcome.exit_code, outcome.errors[1:]) == (0, [])
    sidecar = read_sidecar_file(out / f"{Path(name).stem}_xai.json")
    source, layout = FORMATS[name]
    assert (sidecar.source.format, sidecar.source.file) == (source, name)
    assert sidecar.inputs[0].layout == layout
    assert (sidecar.mode, sidecar.method) == ("whitebox", "reciprocam")
    assert (sidecar.scores.activation, sidecar.scores.class_count) == ("softmax", 4)
    assert [check.bit_exact for check in sidecar.verification.outputs] == [True]
    assert sidecar.target_layer is not None
    assert sidecar.target_layer.shape[1:] == (8, 10, 14)


@pytest.mark.parametrize("name", FORMATS)
def test_map(name: str) -> None:
    insertion = check_reciprocam(read_source(FOLDER / name).model)
    assert (insertion.place.target.layout, insertion.place.target.grid) == ("NCHW", (10, 14))


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("net.pt", "a PyTorch file: export the model with torch.onnx.export"),
        ("net.PTH", "a PyTorch file"),
        ("net.keras", "a Keras file: write a folder with model.export()"),
        ("net.h5", "a Keras file"),
        ("net.safetensors", "a file of weights alone"),
        ("net.engine", "an engine of TensorRT"),
        ("net.bin", "the weights of an IR: give the .xml beside it"),
        ("net_xai.json", "a JSON file: of a sidecar the model is the .xml beside it"),
    ],
)
def test_files_of_others_are_named(name: str, what: str, tmp_path: Path, run_convert: Convert) -> None:
    (tmp_path / name).write_bytes(b"PK\3\4 something")
    before = snapshot(tmp_path)
    outcome = run_convert(tmp_path / name, "-o", tmp_path / "out", "-q")
    assert_one_error(outcome, 3, f"{tmp_path / name}: OpenVINO does not read {what}")
    assert snapshot(tmp_path) == before


def test_folder_that_is_no_saved_model(tmp_path: Path, run_convert: Convert) -> None:
    (tmp_path / "folder").mkdir()
    assert_one_error(
        run_convert(tmp_path / "folder", "-o", tmp_path / "out", "-q"), 3, "a folder without a model"
    )
