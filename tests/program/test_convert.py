"""Conversions that succeed: what is written, what the sidecar says of it, and that it is always the same."""

from __future__ import annotations

import hashlib
import inspect
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
import pytest

import ovxai_convert
from fixtures.broken_files import onnx_classifier, save_ir, save_with_external_data, text_as_onnx
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Method, Task, convert, insert_xai
from ovxai_convert.artifact.parsing import read_sidecar_file
from tests import oracle
from tests.program.invocation import Convert, but_unsaid, call_process, snapshot
from tests.running import CORE, random_inputs, run

NAMES = ["classifier_xai.bin", "classifier_xai.json", "classifier_xai.xml"]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_three_files_are_written(onnx_model: Path, out: Path, run_convert: Convert) -> None:
    outcome = run_convert(onnx_model, "-o", out, "--reference", "none")
    assert outcome.exit_code == 0
    assert but_unsaid(outcome.stderr.splitlines()) == [f"[1/1] {onnx_model}: converting ..."]
    assert outcome.stdout == (
        f"{out / 'classifier_xai.xml'}: reciprocam at 'target' [?,4,10,14] NCHW; "
        f"outputs bit-exact on 3 inputs, {_cells(out)} map cells checked\n"
    )
    assert sorted(snapshot(out) or {}) == NAMES


def test_default_folder_is_the_current_one(onnx_model: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    assert call_process("ovxai-convert", [onnx_model, "-q"], cwd=work).exit_code == 0
    assert sorted(snapshot(work) or {}) == NAMES


def test_report_and_sidecar_are_equal(onnx_model: Path, out: Path) -> None:
    report = convert(onnx_model, out)
    assert (report.xml, report.sidecar_path) == (out / "classifier_xai.xml", out / "classifier_xai.json")
    assert read_sidecar_file(report.sidecar_path) == report.sidecar
    assert report.sidecar.to_json() == report.sidecar_path.read_text(encoding="utf-8")
    assert but_unsaid(report.warnings) == []


def test_every_value_of_the_sidecar(onnx_model: Path, out: Path) -> None:
    report = convert(onnx_model, out, reference="none")
    content = json.loads(report.sidecar_path.read_text(encoding="utf-8"))
    positions = content["verification"]["saliency_map"].pop("positions_checked")
    difference = content["verification"]["saliency_map"].pop("max_abs_diff")
    assert 6 <= positions // 3 <= 10 * 14
    assert content["verification"].pop("saliency_map") == {
        "maps_checked": 9,
        "maps_varied": 9,
        "maps_compared": 9,
        "unchecked": None,
    }
    assert 0 <= difference <= 1
    (reshape,) = content.pop("reshapes")
    assert reshape.pop("saliency_map")["positions_checked"] >= 6
    assert reshape == {"shapes": [[1, 3, 42, 78]], "result": "proved", "bit_exact": True}
    assert content == {
        "schema_version": "1.3",
        "detection": None,
        "generator": {
            "name": "ovxai-convert",
            "version": version("ovxai-convert"),
            "openvino": ov.get_version(),
        },
        "source": {
            "file": "classifier.onnx",
            "format": "onnx",
            "sha256": sha256(onnx_model),
            "files": [{"file": "classifier.onnx", "sha256": sha256(onnx_model)}],
        },
        "model": {
            "xml": "classifier_xai.xml",
            "bin": "classifier_xai.bin",
            "xml_sha256": sha256(report.xml),
            "bin_sha256": sha256(report.xml.with_suffix(".bin")),
        },
        "onnx": None,
        "mode": "whitebox",
        "method": "reciprocam",
        "task": "classification",
        "inputs": [{"name": "image", "shape": [-1, 3, 10, 14], "element_type": "f32", "layout": "NCHW"}],
        "outputs": [{"name": "output", "index": 0, "shape": [-1, 3], "element_type": "f32"}],
        "target_layer": {
            "name": "target",
            "port": 0,
            "type": "Relu",
            "shape": [-1, 4, 10, 14],
            "layout": "NCHW",
            "selected_by": "auto",
        },
        "scores": {
            "output": "output",
            "node": "scores",
            "port": 0,
            "class_count": 3,
            "activation": "softmax",
            "probabilities": "as_is",
            "groups": [],
            "multilabel": False,
            "confidence_threshold": 0.5,
            "meaning": "classes",
        },
        "saliency_map": {
            "output": "saliency_map",
            "index": 1,
            "shape": [-1, 3, 10, 14],
            "element_type": "u8",
            "axes": ["batch", "class", "height", "width"],
            "scaling": "minmax_per_map",
            "value_range": [0, 255],
            "classes": "all",
            "upsampling": {"interpolation": "cubic", "place_of_value": "centre"},
        },
        "saliency_classes": None,
        "feature_vector": None,
        "more_heads": [],
        "labels": None,
        "parameters": None,
        "preprocessing": None,
        "verification": {
            "device": "CPU",
            "inputs": 3,
            "outputs": [{"name": "output", "bit_exact": True, "max_abs_diff": 0.0}],
            "reference": None,
        },
        "refusals": [],
    }


def test_names_of_the_sidecar_are_in_the_written_model(onnx_model: Path, out: Path) -> None:
    report = convert(onnx_model, out)
    names = {node.get_friendly_name() for node in CORE.read_model(report.xml).get_ordered_ops()}
    target = report.sidecar.target_layer
    assert target is not None
    assert {target.name, report.sidecar.scores.node} <= names


def test_channel_last_model(tmp_path: Path) -> None:
    path = save_ir(cnn(CnnSpec(layout="NHWC", ending="sigmoid", batch=None)), tmp_path / "last.xml")
    sidecar = convert(path, tmp_path / "out").sidecar
    assert (sidecar.inputs[0].layout, sidecar.inputs[0].shape) == ("NHWC", (-1, 10, 14, 3))
    assert sidecar.target_layer is not None
    assert (sidecar.target_layer.layout, sidecar.target_layer.shape) == ("NHWC", (-1, 5, 7, 4))
    assert sidecar.scores.activation == "sigmoid"
    assert sidecar.saliency_map is not None
    assert sidecar.saliency_map.shape == (-1, 3, 5, 7)


def test_open_image_size(tmp_path: Path) -> None:
    path = save_ir(cnn(CnnSpec(dynamic_size=True)), tmp_path / "open.xml")
    report = convert(path, tmp_path / "out")
    assert report.sidecar.inputs[0].shape == (1, 3, -1, -1)
    assert report.sidecar.saliency_map is not None
    assert report.sidecar.saliency_map.shape == (1, 3, -1, -1)
    assert run(CORE.read_model(report.xml), random_inputs(CORE.read_model(path)))[-1].shape == (1, 3, 5, 7)


def test_again_gives_the_same_bytes(onnx_model: Path, tmp_path: Path) -> None:
    other = save_ir(cnn(CnnSpec(residual=True, head="flatten")), tmp_path / "other.xml")
    command = [onnx_model, "-q", "-o"]
    assert call_process("ovxai-convert", [*command, tmp_path / "fresh"]).exit_code == 0
    convert(other, tmp_path / "other")
    convert(onnx_model, tmp_path / "after_another")
    convert(onnx_model, tmp_path / "after_another", force=True)
    convert(onnx_model, tmp_path / "twice")
    fresh = snapshot(tmp_path / "fresh")
    assert fresh is not None
    assert sorted(fresh) == NAMES
    assert snapshot(tmp_path / "after_another") == snapshot(tmp_path / "twice") == fresh


def test_force_replaces(onnx_model: Path, out: Path) -> None:
    out.mkdir(parents=True)
    for name in NAMES:
        (out / name).write_text("old")
    (out / "notes.txt").write_text("not ours")
    convert(onnx_model, out, force=True)
    assert (out / "notes.txt").read_text() == "not ours"
    assert sorted(snapshot(out) or {}) == [*NAMES, "notes.txt"]
    assert CORE.read_model(out / "classifier_xai.xml").outputs[-1].get_names() == {"saliency_map"}


def test_output_beside_the_source(onnx_model: Path) -> None:
    before = onnx_model.read_bytes()
    convert(onnx_model, onnx_model.parent)
    assert sorted(snapshot(onnx_model.parent) or {}) == ["classifier.onnx", *NAMES]
    assert onnx_model.read_bytes() == before


def test_several_models_of_which_one_fails(onnx_model: Path, tmp_path: Path, run_convert: Convert) -> None:
    broken, last = text_as_onnx(tmp_path), save_ir(cnn(CnnSpec()), tmp_path / "last.xml")
    out = tmp_path / "out"
    outcome = run_convert(onnx_model, broken, last, "-o", out)
    assert outcome.exit_code == 3
    assert len(outcome.errors) == 1
    assert outcome.stderr.splitlines()[-1] == "2 of 3 converted"
    assert f"[3/3] {last}: converting ..." in outcome.stderr
    expected = [
        f"{stem}_xai.{suffix}" for stem in ("classifier", "last") for suffix in ("bin", "json", "xml")
    ]
    assert sorted(snapshot(out) or {}) == expected


def test_first_failure_gives_the_exit_code(onnx_model: Path, tmp_path: Path, run_convert: Convert) -> None:
    broken = text_as_onnx(tmp_path)
    out = tmp_path / "out"
    assert run_convert(onnx_model, broken, "-o", out, "-q", "--target-layer", "no").exit_code == 2
    assert run_convert(broken, onnx_model, "-o", out, "-q", "--target-layer", "no").exit_code == 3
    assert not out.exists()


def test_model_with_external_data(onnx_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "external"
    folder.mkdir()
    path = folder / "classifier.onnx"
    save_with_external_data(onnx_classifier(), path)
    assert path.stat().st_size < onnx_model.stat().st_size
    inside, outside = convert(onnx_model, tmp_path / "a"), convert(path, tmp_path / "b")
    assert outside.xml.read_bytes() == inside.xml.read_bytes()
    assert outside.xml.with_suffix(".bin").read_bytes() == inside.xml.with_suffix(".bin").read_bytes()


def test_no_embed_scaling(onnx_model: Path, out: Path, run_convert: Convert) -> None:
    assert run_convert(onnx_model, "-o", out, "-q", "--no-embed-scaling").exit_code == 0
    described = read_sidecar_file(out / "classifier_xai.json").saliency_map
    assert described is not None
    assert (described.scaling, described.value_range, described.element_type) == ("none", None, "f32")
    source, converted = CORE.read_model(onnx_model), CORE.read_model(out / "classifier_xai.xml")
    inputs = random_inputs(source)
    expected = oracle.reciprocam(source, oracle.Port("target"), oracle.Port("scores"), "NCHW", inputs)
    oracle.assert_maps_equal(run(converted, inputs)[-1], expected)


@pytest.mark.parametrize(("method", "rank"), [("auto", 4), ("reciprocam", 4), ("activationmap", 3)])
def test_method(method: str, rank: int, onnx_model: Path, out: Path, run_convert: Convert) -> None:
    assert run_convert(onnx_model, "-o", out, "-q", "--method", method).exit_code == 0
    sidecar = read_sidecar_file(out / "classifier_xai.json")
    assert sidecar.method == ("reciprocam" if method == "auto" else method)
    assert sidecar.saliency_map is not None
    assert len(sidecar.saliency_map.axes) == len(sidecar.saliency_map.shape) == rank
    source, converted = CORE.read_model(onnx_model), CORE.read_model(out / "classifier_xai.xml")
    inputs = random_inputs(source)
    if method == "activationmap":
        expected = oracle.activation_map(source, oracle.Port("target"), "NCHW", inputs)
    else:
        expected = oracle.reciprocam(source, oracle.Port("target"), oracle.Port("scores"), "NCHW", inputs)
    oracle.assert_grey_levels_equal(run(converted, inputs)[-1], expected)


def test_target_layer_by_tensor_name(onnx_model: Path, out: Path, run_convert: Convert) -> None:
    assert run_convert(onnx_model, "-o", out, "-q", "--target-layer", "conv:0").exit_code == 0
    target = read_sidecar_file(out / "classifier_xai.json").target_layer
    assert target is not None
    assert (target.selected_by, target.port) == ("user", 0)
    assert target.name != "target"


def test_quiet_says_nothing(onnx_model: Path, out: Path) -> None:
    outcome = call_process("ovxai-convert", [onnx_model, "-o", out, "--quiet", "--preprocess", "unit"])
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, "", "")


def test_exact_is_met_by_an_ordinary_model(onnx_model: Path, out: Path, run_convert: Convert) -> None:
    assert run_convert(onnx_model, "-o", out, "-q", "--exact").exit_code == 0


@pytest.mark.parametrize("element_type", ["f32", "u8", "i8"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_verify_with_photographs(
    layout: Any, element_type: str, tmp_path: Path, run_convert: Convert
) -> None:
    path = save_ir(_with_input_type(cnn(CnnSpec(layout=layout)), element_type), tmp_path / "net.xml")
    photograph = tmp_path / "photograph.png"
    pixels = np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8)
    assert cv2.imwrite(str(photograph), pixels)
    options = ["--verify-with", photograph, "--verify-with", photograph]
    assert run_convert(path, "-o", tmp_path / "out", "-q", *options).exit_code == 0
    assert read_sidecar_file(tmp_path / "out" / "net_xai.json").verification.inputs == 5


def test_vocabulary_of_insert_xai() -> None:
    parameters = inspect.signature(insert_xai).parameters
    assert list(parameters) == ["model", "task", "explain_method", "target_layer", "embed_scaling"]
    model = cnn(CnnSpec())
    converted = insert_xai(
        model,
        task=Task.CLASSIFICATION,
        explain_method=Method.RECIPROCAM,
        target_layer="target",
        embed_scaling=True,
    )
    assert (len(model.outputs), len(converted.outputs)) == (1, 2)
    with pytest.raises(ovxai_convert.UsageError, match="no layer named 'targte'; did you mean 'target'"):
        insert_xai(model, target_layer="targte")


def _cells(out: Path) -> int:
    check = read_sidecar_file(out / "classifier_xai.json").verification.saliency_map
    assert check is not None
    return check.positions_checked


def _with_input_type(model: ov.Model, element_type: str) -> ov.Model:
    steps = ov.preprocess.PrePostProcessor(model)
    steps.input().tensor().set_element_type(getattr(ov.Type, element_type))
    return steps.build()
