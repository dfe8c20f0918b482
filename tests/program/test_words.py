"""A command speaks in its options: nothing that it prints names an argument of Python."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest
from openvino import Layout, Model

import ovxai_convert
from fixtures.broken_files import perceptron, save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, ExplainMode, Method, UsageError
from ovxai_convert.errors import no_such_value
from ovxai_convert.insertion.insert import insert_xai
from ovxai_convert.methods import WHITE_BOX_METHODS
from ovxai_convert.photographs.model_input import image_input
from ovxai_convert.vocabulary import FEATURE_VECTOR
from tests.answers_for_places import anchors_like_classes, boxes_joined_with_classes, heatmaps
from tests.other_tasks import detector, landmark_pairs, landmarks, segmenter
from tests.program.invocation import Convert, Outcome
from tests.special_networks import two_class_outputs

ROOT: Final = Path(__file__).resolve().parents[2] / "ovxai_convert"


def _arguments() -> frozenset[str]:
    """Names of several words that arguments and settings of the public API have."""
    named = [getattr(ovxai_convert, name) for name in ovxai_convert.__all__]
    raised = [each for each in named if isinstance(each, type) and issubclass(each, Exception)]
    called: list[Callable[..., Any]] = [each for each in named if callable(each) and each not in raised]
    called += [Explainer.__call__, insert_xai]
    called += [method.black_box.make for method in Method if method.black_box]
    names = {name for each in called for name in inspect.signature(each).parameters}
    names |= {option.name for method in WHITE_BOX_METHODS for option in method.options}
    return frozenset(name for name in names if "_" in name) - {FEATURE_VECTOR}  # which an output is called


ARGUMENTS: Final = _arguments()


def named_in(text: str) -> set[str]:
    """Arguments of Python that a text names."""
    return set(re.findall(r"[A-Za-z_]+", text)) & ARGUMENTS


def test_the_arguments_are_known() -> None:
    assert {"preprocess_fn", "target_explain_labels", "explain_mode", "num_masks", "class_token"} <= ARGUMENTS
    assert named_in("so give a postprocess_fn: why") == {"postprocess_fn"}
    assert named_in("--num-masks must be at least 1") == set()


GIVEN: Final[Mapping[str, frozenset[str]]] = {
    "blackbox.aise": frozenset({"num_iterations_per_kernel", "kernel_widths", "solver_epsilon"}),
    "blackbox.rise": frozenset({"num_cells"}),
    "explain.explainer": frozenset({"preprocess_fn", "target_explain_labels"}),
    "explain.plan": frozenset({"device_name", "embed_scaling"}),
    "explain.predictions": frozenset({"postprocess_fn"}),
    "explain.samples": frozenset({"preprocess_fn"}),
    "vocabulary": frozenset({"target_layer"}),
}
"""Arguments that a message names when a caller has given them, which no command can, by module."""


def _errors(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls that make a message of a text, without what commands say otherwise."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            says_otherwise = name == "no_such_value" or (name == "UsageError" and len(node.args) > 1)
            if name.endswith(("Error", "Refusal", "warn", "TooBig", "append")) and not says_otherwise:
                yield node


def test_messages_that_name_an_argument_are_said_otherwise_in_commands() -> None:
    found: dict[str, frozenset[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        texts = [
            part.value
            for call in _errors(ast.parse(path.read_text(encoding="utf-8")))
            for argument in call.args
            for part in ast.walk(argument)
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value
        ]
        names = {
            name for text in texts if "model_info" not in text for name in named_in(text) - _keys_of_files()
        }
        if names and not module.startswith("ancestor."):  # which no command imports
            found[module] = frozenset(names)
    assert found == GIVEN


def _keys_of_files() -> set[str]:
    """Arguments that are called like entries of ``model_info``."""
    return {"confidence_threshold", "pad_value"}


@pytest.mark.parametrize("name", ["num_masks", "seed"])
def test_a_value_is_told_by_argument_and_by_option(name: str) -> None:
    error = no_such_value(name, "must be at least 1, not 0")
    assert str(error) == f"{name} must be at least 1, not 0"
    assert error.in_command == f"--{name.replace('_', '-')} must be at least 1, not 0"


def test_python_is_still_told_its_argument() -> None:
    with pytest.raises(UsageError, match="so give a postprocess_fn: output 'landmarks'") as caught:
        Explainer(landmarks(), explain_mode=ExplainMode.BLACKBOX)
    assert named_in(caught.value.in_command) == set()
    with pytest.raises(UsageError, match="resize it, or give a preprocess_fn") as caught:
        Explainer(cnn(CnnSpec()))(np.zeros((3, 5, 3), np.float32))
    assert named_in(caught.value.in_command) == set()
    with pytest.raises(UsageError, match="num_masks must be at least 1") as caught:
        Explainer(cnn(CnnSpec()), explain_mode=ExplainMode.BLACKBOX, num_masks=0)
    assert caught.value.in_command == "--num-masks must be at least 1, not 0"
    with pytest.raises(UsageError, match="name its layout") as caught:
        image_input(_without_layout()).known_layout()
    assert "--layout" in caught.value.in_command


def _without_layout() -> Model:
    model = cnn(CnnSpec())
    model.get_parameters()[0].set_layout(Layout("N???"))
    return model


MODELS: Final[Mapping[str, Callable[[], Model]]] = {
    build.__name__: build
    for build in (
        *(anchors_like_classes, boxes_joined_with_classes, heatmaps, detector, landmark_pairs, landmarks),
        *(segmenter, two_class_outputs),
    )
}
EXPLAINED: Final = (
    ["--method", "rise", "--mode", "whitebox"],
    ["--method", "reciprocam", "--mode", "blackbox"],
    ["--method", "aise", "--num-masks", "3"],
    ["--method", "aise", "--tolerance", "0.1"],
    ["--method", "rise", "--tolerance", "nan"],
    ["--method", "rise", "--num-masks", "0"],
    ["--method", "rise", "--seed", "-1"],
    ["--target-layer", "none"],
    ["--device", "NPU9"],
    ["--targets", "no such class"],
    ["--targets", "top99"],
    ["--size", "3"],
    ["--resize-to", "3"],
    ["--scale", "0"],
    ["--mean", "1,2"],
    ["--labels", "."],
    ["--labels", "no-such-file"],
    ["--overlay-weight", "2"],
    ["--method", "vitreciprocam", "--mode", "whitebox"],
    ["--mode", "whitebox", "--target-layer", "output"],
)
CONVERTED: Final = (
    ["--kernel", "single"],
    ["--top-k", "99"],
    ["--classes", "1", "--top-k", "2"],
    ["--classes", "1,1"],
    ["--classes", "cat"],
    ["--scores-output", "none"],
    ["--target-layer", "none"],
    ["--output-name", ""],
    ["--name", "{other}"],
    ["--verify-with", "."],
    ["--verify-with", "no-such-file"],
    ["--reference", "tflite"],
    ["--method", "vitreciprocam", "--block", "9"],
    ["--method", "vitreciprocam", "--class-token", "lose"],
    ["--max-branch-memory", "0"],
    ["--multilabel", "--confidence-threshold", "3"],
    ["--labels", "no-such-file"],
    ["--size", "3"],
)


def _said(outcome: Outcome) -> str:
    """What a command said, which must be an error."""
    assert outcome.exit_code not in (0, 70), outcome
    assert "Traceback" not in outcome.stderr
    text = outcome.stdout + outcome.stderr
    assert named_in(text) == set(), text
    return text


@pytest.mark.parametrize("name", MODELS)
def test_words_on_networks_without_one_class_output(
    name: str,
    tmp_path: Path,
    photograph: Path,
    run_convert: Convert,
    run_explain: Convert,
    run_inspect: Convert,
) -> None:
    path = save_ir(MODELS[name](), tmp_path / "net.xml")
    task = ("--task", "classification")
    _said(run_convert(path, "-o", tmp_path / "out", *task))
    for mode in ("auto", "whitebox", "blackbox"):
        _said(run_explain(path, photograph, "-o", tmp_path / "out", "--mode", mode, *task))
    outcome = run_inspect(path, *task)
    assert outcome.exit_code == 0
    assert named_in(outcome.stdout) == set()


@pytest.mark.parametrize("options", EXPLAINED, ids=" ".join)
def test_words_of_explaining(
    options: list[str], tmp_path: Path, photograph: Path, run_explain: Convert
) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    _said(run_explain(path, photograph, "-o", tmp_path / "out", *options))


@pytest.mark.parametrize("options", CONVERTED, ids=" ".join)
def test_words_of_converting(options: list[str], tmp_path: Path, run_convert: Convert) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    _said(run_convert(path, "-o", tmp_path / "out", *options))


def test_words_without_a_feature_map(tmp_path: Path, photograph: Path, run_explain: Convert) -> None:
    _said(run_explain(perceptron(tmp_path), photograph, "-o", tmp_path / "out", "--mode", "whitebox"))


def test_a_setting_that_a_method_lacks_is_told_as_an_option(
    tmp_path: Path, photograph: Path, run_explain: Convert
) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    options = ["--method", "aise", "--num-masks", "3"]
    said = _said(run_explain(path, photograph, "-o", tmp_path / "out", "-q", *options))
    assert said == f"Error: {path}: --num-masks: aise has no such option\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--num-masks", "9"], "--num-masks: without"),
        (["--target-layer", "x", "--mode", "blackbox"], "--target-l"),
    ],
    ids=["setting", "layer"],
)
def test_warnings_speak_in_options(
    options: list[str], said: str, tmp_path: Path, photograph: Path, run_explain: Convert
) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    outcome = run_explain(path, photograph, "-o", tmp_path / "out", *options)
    assert outcome.exit_code == 0
    assert said in outcome.stderr
    assert named_in(outcome.stderr) == set()


def test_folders_are_told_what_to_name(
    tmp_path: Path, photograph: Path, run_explain: Convert, run_convert: Convert, run_inspect: Convert
) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    out = ["-o", tmp_path / "out", "-q"]
    (tmp_path / "empty").mkdir()
    outcome = run_explain(path, tmp_path / "empty", *out)
    assert "there is no photograph in this folder" in outcome.stderr
    assert outcome.exit_code == 2
    for outcome in (
        run_convert(tmp_path, *out),
        run_explain(tmp_path, photograph, *out),
        run_inspect(tmp_path),
    ):
        assert f"a folder; name the model in it, as {path}" in _said(outcome)
        assert outcome.exit_code == 3


def test_model_and_photograph_the_wrong_way_round(
    tmp_path: Path, run_explain: Convert, photograph: Path
) -> None:
    assert cv2.imread(str(photograph)) is not None
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    outcome = run_explain(photograph, path, "-o", tmp_path / "out", "-q")
    assert outcome.exit_code == 3
    assert "this is a picture: the model comes first, then pictures" in _said(outcome)
