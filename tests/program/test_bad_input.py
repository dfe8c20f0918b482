"""Mistakes of a user: one line that says what is wrong, the exit code, and an untouched folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from openvino import opset15 as ops

from fixtures.broken_files import UNREADABLE, onnx_classifier, perceptron, save_ir, text_as_onnx
from fixtures.networks import CnnSpec, Draw, classifier, cnn
from tests.program.invocation import Convert, assert_one_error, call_process, snapshot
from tests.special_networks import two_class_outputs

Build = Callable[[Path], Path]
each_unreadable = pytest.mark.parametrize(
    ("build", "text"), UNREADABLE, ids=[build.__name__ for build, _ in UNREADABLE]
)


@each_unreadable
def test_unreadable_model_is_told_in_one_line(
    build: Build, text: str, tmp_path: Path, run_convert: Convert
) -> None:
    path = build(tmp_path)
    before = snapshot(tmp_path)
    outcome = run_convert(path, "-o", tmp_path / "made" / "out", "-q")
    assert_one_error(outcome, 3, text)
    assert outcome.errors[0].startswith(f"Error: {path}: ")
    assert snapshot(tmp_path) == before


@each_unreadable
def test_inspect_tells_an_unreadable_model_too(
    build: Build, text: str, tmp_path: Path, run_inspect: Convert
) -> None:
    assert_one_error(run_inspect(build(tmp_path)), 3, text)


def test_model_without_feature_map_is_refused(tmp_path: Path, run_convert: Convert) -> None:
    path = perceptron(tmp_path)
    before = snapshot(tmp_path)
    outcome = run_convert(path, "-o", tmp_path / "out", "-q", "--require-whitebox")
    assert_one_error(outcome, 4, "no feature map")
    assert f"'ovxai-inspect {path}'" in outcome.errors[0]
    assert snapshot(tmp_path) == before


def test_folder_in_place_of_a_model(tmp_path: Path, out: Path, run_convert: Convert) -> None:
    folder = tmp_path / "folder.onnx"
    folder.mkdir()
    assert_one_error(run_convert(folder, "-o", out, "-q"), 3, "a folder without a model")
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("layer", "exit_code", "text"),
    [
        ("tarjet", 2, "no layer named 'tarjet'; did you mean 'target'"),
        ("TARGET", 2, "did you mean 'target'"),
        ("zzzzzzzz", 2, "no layer named 'zzzzzzzz'; ovxai-inspect lists the layers"),
        ("", 2, "no layer named ''"),
        ("target:9", 2, "no output port 9 in 'target:9': the node has 1"),
        ("target:-1", 2, "no layer named 'target:-1'"),
        ("target:", 2, "no layer named 'target:'; did you mean 'target'"),
        ("output", 4, "does not lead to the scores"),
        ("scores", 4, "does not lead to the scores"),
        ("flat", 4, "is no feature map"),
        ("pooled", 4, "is no feature map"),
        ("kernel", 4, "does not depend on the model's input"),
    ],
)
def test_wrong_target_layer(
    layer: str, exit_code: int, text: str, onnx_model: Path, out: Path, run_convert: Convert
) -> None:
    assert_one_error(run_convert(onnx_model, "-o", out, "-q", "--target-layer", layer), exit_code, text)
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("wanted", "exit_code", "text"),
    [
        ("frist", 2, "no output named 'frist'; the outputs are features, first, second"),
        ("3", 2, "no output named '3'"),
        ("-1", 2, "no output named '-1'"),
        ("features", 4, "output 'features' [1,4,4,6] is not a class tensor"),
        ("1", 4, "output 'features' [1,4,4,6] is not a class tensor"),
    ],
)
@pytest.mark.parametrize("program", ["convert", "inspect"])
def test_wrong_scores_output(
    wanted: str,
    exit_code: int,
    text: str,
    program: str,
    tmp_path: Path,
    run_convert: Convert,
    run_inspect: Convert,
) -> None:
    path = save_ir(two_class_outputs(), tmp_path / "two.xml")
    if program == "convert":
        outcome = run_convert(path, "-o", tmp_path / "out", "-q", "--scores-output", wanted)
        assert_one_error(outcome, exit_code, text)
        assert not (tmp_path / "out").exists()
    elif exit_code == 2:
        assert_one_error(run_inspect(path, "--scores-output", wanted), 2, text)
    else:  # looking at a model without scores is no failure: the answer says why there are none
        outcome = run_inspect(path, "--scores-output", wanted)
        assert outcome.exit_code == 0
        assert text in outcome.stdout


def test_several_class_outputs_need_a_choice(tmp_path: Path, run_convert: Convert) -> None:
    path = save_ir(two_class_outputs(), tmp_path / "two.xml")
    outcome = run_convert(path, "-o", tmp_path / "out", "-q")
    assert_one_error(outcome, 4, "several outputs are class tensors: 'first', 'second'")
    assert "--scores-output" in outcome.errors[0]
    assert not (tmp_path / "out").exists()
    assert run_convert(path, "-o", tmp_path / "out", "-q", "--scores-output", "second").exit_code == 0


def test_converted_model_is_not_converted_again(onnx_model: Path, out: Path, run_convert: Convert) -> None:
    assert run_convert(onnx_model, "-o", out, "-q").exit_code == 0
    before = snapshot(out)
    outcome = run_convert(out / "classifier_xai.xml", "-o", out, "-q")
    assert_one_error(outcome, 4, "it was converted already; convert the model that it was made from")
    assert snapshot(out) == before


@pytest.mark.parametrize("below", ["", "inner", "inner/deeper"])
def test_output_folder_that_is_a_file(
    below: str, onnx_model: Path, tmp_path: Path, run_convert: Convert
) -> None:
    blocker = tmp_path / "blocker"
    blocker.write_text("a file")
    before = snapshot(tmp_path)
    folder = blocker / below if below else blocker
    assert_one_error(run_convert(onnx_model, "-o", folder, "-q"), 6, f"{folder}: cannot write there")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("folder", ["/proc", "/proc/made"])
def test_output_folder_that_cannot_be_written(folder: str, onnx_model: Path, run_convert: Convert) -> None:
    outcome = run_convert(onnx_model, "-o", folder, "-q")  # a kernel's folder, which root cannot write either
    assert_one_error(outcome, 6, f"{folder}: cannot write there")
    assert not Path("/proc/made").exists()
    assert not list(Path("/proc").glob("*xai*"))


@pytest.mark.parametrize("suffix", [".xml", ".bin", ".json"])
def test_existing_output_is_kept_without_force(
    suffix: str, onnx_model: Path, tmp_path: Path, run_convert: Convert
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    existing = out / f"classifier_xai{suffix}"
    existing.write_text("mine")
    before = snapshot(tmp_path)
    outcome = run_convert(onnx_model, "-o", out, "-q")
    assert_one_error(outcome, 6, f"{existing} exists already; --force replaces it")
    assert snapshot(tmp_path) == before


def test_two_models_of_one_stem(onnx_model: Path, tmp_path: Path, run_convert: Convert) -> None:
    twin = save_ir(cnn(CnnSpec()), tmp_path / "classifier.xml")
    before = snapshot(tmp_path)
    outcome = run_convert(onnx_model, twin, "-o", tmp_path / "out")
    assert outcome.exit_code == 2
    assert outcome.errors == [
        f"Error: 2 models would be written to {tmp_path / 'out' / 'classifier_xai.xml'}; "
        "name them apart, as by --name '{folder}_{stem}_{suffix}'"
    ]
    assert outcome.stdout == ""
    assert snapshot(tmp_path) == before
    named = run_convert(onnx_model, twin, "-o", tmp_path / "out", "-q", "--name", "{stem}_{suffix}")
    assert named.exit_code == 0
    assert {path.name for path in (tmp_path / "out").glob("*.json")} == {
        "classifier_onnx.json",
        "classifier_xml.json",
    }


@pytest.mark.parametrize("name", ["a/b", "..", "{stem", "{other}", "{0}", "{stem.x}", "a\0"])
def test_names_that_are_none(name: str, onnx_model: Path, out: Path, run_convert: Convert) -> None:
    outcome = run_convert(onnx_model, "-o", out, "--name", name)
    assert outcome.exit_code == 2
    assert [line.startswith("Error: --name: ") for line in outcome.errors] == [True]
    assert not out.exists()


@pytest.mark.parametrize(
    ("content", "text"),
    [(None, "no such image"), (b"", "not an image"), (b"hello\n" * 99, "not an image")],
    ids=["missing", "empty", "text"],
)
def test_wrong_photograph(
    content: bytes | None, text: str, onnx_model: Path, out: Path, run_convert: Convert
) -> None:
    photograph = onnx_model.with_name("photograph.png")
    if content is not None:
        photograph.write_bytes(content)
    outcome = run_convert(onnx_model, "-o", out, "-q", "--verify-with", photograph)
    assert_one_error(outcome, 3, text)
    assert str(photograph) in outcome.errors[0]
    assert not out.parent.exists()


def test_truncated_photograph(onnx_model: Path, out: Path, run_convert: Convert) -> None:
    photograph = _photograph(onnx_model.with_name("photograph.png"))
    photograph.write_bytes(photograph.read_bytes()[:40])
    outcome = run_convert(onnx_model, "-o", out, "-q", "--verify-with", photograph)
    assert_one_error(outcome, 3, "not an image")


def test_photograph_for_a_model_that_takes_none(tmp_path: Path, run_convert: Convert) -> None:
    draw = Draw(2)
    sound = ops.parameter([1, 5, 4, 6], np.float32, name="sound")
    scores = draw.linear(ops.reduce_mean(draw.convolution(sound, 4), [2, 3], False), 3)
    path = save_ir(classifier(scores, [sound]), tmp_path / "sound.xml")
    photograph = _photograph(tmp_path / "photograph.png")
    outcome = run_convert(path, "-o", tmp_path / "out", "-q", "--verify-with", photograph)
    assert_one_error(outcome, 2, "does not take an image")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments", [[], ["--method", "gradcam", "model.onnx"], ["--nonsense", "model.onnx"]], ids=str
)
def test_usage(arguments: list[str], run_convert: Convert) -> None:
    outcome = run_convert(*arguments)
    assert outcome.exit_code == 2
    assert len(outcome.errors) == 1


def test_the_installed_program_exits_alike(tmp_path: Path) -> None:
    path = tmp_path / "whole.onnx"
    onnx.save(onnx_classifier(), path)
    (tmp_path / "file").touch()
    refused, unreadable = perceptron(tmp_path), text_as_onnx(tmp_path)
    before = snapshot(tmp_path)
    out = ["-q", "-o", tmp_path / "out"]
    assert_one_error(call_process("ovxai-convert", [path, *out, "--target-layer", "no"]), 2, "no layer named")
    assert_one_error(call_process("ovxai-convert", [unreadable, *out]), 3, "not an ONNX model")
    assert_one_error(
        call_process("ovxai-convert", [refused, *out, "--require-whitebox"]), 4, "no feature map"
    )
    assert_one_error(call_process("ovxai-convert", [path, "-q", "-o", tmp_path / "file"]), 6, "cannot write")
    assert_one_error(call_process("ovxai-inspect", [unreadable]), 3, "not an ONNX model")
    assert snapshot(tmp_path) == before


def _photograph(path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return path
