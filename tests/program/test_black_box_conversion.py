"""Converting a model in which no branch is possible: as it is, with a sidecar that says how and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, Draw, cnn, image_parameter
from ovxai_convert import Explainer, ExplainMode, Method, RefusedError, convert, read_sidecar
from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.scores import Scores, find_scores
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods import methods_for
from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.vocabulary import Task
from tests.program.invocation import Convert, assert_one_error, but_unsaid, snapshot
from tests.running import CORE, insert_branch, random_inputs, run
from tests.special_networks import perceptron, two_class_outputs

TRIED: Final = methods_for(Task.CLASSIFICATION)
NO_MAP: Final = "no feature map: no tensor with rows and columns leads to the scores"
NO_TOKENS: Final = "no attention over the tokens of an image leads to the scores"
NAMES: Final = ["net_xai.bin", "net_xai.json", "net_xai.xml"]


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A classifier without a feature map: no branch will ever be possible."""
    return save_ir(perceptron(), tmp_path / "net.xml")


def segmenter() -> ov.Model:
    """One number per class and pixel: no class tensor."""
    draw = Draw(3)
    image = image_parameter(CnnSpec())
    pixels = draw.convolution(ops.tanh(draw.convolution(image, 4)), 3)
    pixels.output(0).get_tensor().set_names({"output"})
    return ov.Model([ops.result(pixels)], [image], "segmenter")


def test_every_branch_is_refused() -> None:
    """What the tests here rest on; there are scores all the same."""
    model = perceptron()
    for method in TRIED:
        with pytest.raises(RefusedError):
            insert_branch(model, Request(Method(method.name)))
    assert isinstance(find_scores(Anatomy(model)), Scores)


def test_model_is_written_as_it_is(net: Path, out: Path, run_convert: Convert) -> None:
    outcome = run_convert(net, "-o", out)
    assert outcome.exit_code == 0
    assert outcome.stdout == (
        f"{out / 'net_xai.xml'}: as it was, outputs bit-exact on 3 inputs; to be explained by rise\n"
    )
    assert but_unsaid(outcome.stderr.splitlines()) == [
        f"[1/1] {net}: converting ...",
        f"Warning: {net}: no branch is possible, so it is to be explained as a black box (rise): "
        f"{NO_MAP}; vitreciprocam: {NO_TOKENS}; 'ovxai-inspect {net}' shows what was found",
    ]
    assert sorted(snapshot(out) or {}) == NAMES
    source, written = CORE.read_model(net), CORE.read_model(out / "net_xai.xml")
    assert [port.get_names() for port in written.outputs] == [{"output"}]
    inputs = random_inputs(source)
    (before,), (after,) = run(source, inputs), run(written, inputs)
    assert after.tobytes() == before.tobytes()


def test_sidecar(net: Path, out: Path) -> None:
    report = convert(net, out)
    content = json.loads(report.sidecar_path.read_text(encoding="utf-8"))
    assert (content["mode"], content["method"]) == ("blackbox", "rise")
    assert content["target_layer"] is None
    assert content["saliency_map"] is None
    assert content["refusals"] == [
        {"method": None, "reason": NO_MAP, "node": None},
        {"method": "vitreciprocam", "reason": NO_TOKENS, "node": None},
    ]
    assert content["verification"] == {
        "device": "CPU",
        "inputs": 3,
        "outputs": [{"name": "output", "bit_exact": True, "max_abs_diff": 0.0}],
        "saliency_map": None,
        "reference": None,
    }
    assert content["outputs"] == [{"name": "output", "index": 0, "shape": [1, 3], "element_type": "f32"}]
    assert content["scores"]["class_count"] == 3
    assert read_sidecar(report.sidecar_path) == report.sidecar
    assert len(but_unsaid(report.warnings)) == 1


def test_again_gives_the_same_bytes(net: Path, tmp_path: Path) -> None:
    convert(net, tmp_path / "first")
    convert(net, tmp_path / "second")
    assert snapshot(tmp_path / "first") == snapshot(tmp_path / "second")


@pytest.mark.parametrize("quiet", [False, True])
def test_refusal_of_every_method_is_recorded(
    quiet: bool, tmp_path: Path, out: Path, run_convert: Convert
) -> None:
    """A branch of 6 MiB where one MiB is allowed."""
    path = save_ir(cnn(CnnSpec(channels=8, strides=(1,), height=512, width=512)), tmp_path / "net.xml")
    outcome = run_convert(path, "-o", out, "--max-branch-memory", 1, *(["-q"] if quiet else []))
    assert outcome.exit_code == 0
    warning = [line for line in outcome.stderr.splitlines() if line.startswith("Warning:")]
    warning = but_unsaid(warning)
    assert len(warning) == 1
    sidecar = read_sidecar(out / "net_xai.json")
    assert sidecar.mode == "blackbox"
    assert [each.method for each in sidecar.refusals] == [method.name for method in TRIED]
    for refusal in sidecar.refusals:
        if refusal.method == "vitreciprocam":
            assert refusal.reason == NO_TOKENS
        else:
            assert "--max-branch-memory" in refusal.reason
        assert f"{refusal.method}: {refusal.reason}" in warning[0]


def test_requiring_a_branch(net: Path, out: Path, run_convert: Convert) -> None:
    assert_one_error(run_convert(net, "-o", out, "-q", "--require-whitebox"), 4, NO_MAP)
    assert not out.parent.exists()
    with pytest.raises(RefusedError, match="no feature map"):
        convert(net, out, require_whitebox=True)


def test_requiring_a_branch_where_there_is_one(onnx_model: Path, out: Path, run_convert: Convert) -> None:
    assert run_convert(onnx_model, "-o", out, "-q", "--require-whitebox").exit_code == 0
    assert read_sidecar(out / "classifier_xai.json").mode == "whitebox"


@pytest.mark.parametrize(
    "options",
    [
        ["--method", "reciprocam"],
        ["--method", "activationmap"],
        ["--target-layer", "hidden"],
        ["--classes", "0"],
        ["--top-k", "2"],
    ],
    ids=" ".join,
)
def test_asking_for_something_that_only_a_branch_has(
    options: list[str], net: Path, out: Path, run_convert: Convert
) -> None:
    outcome = run_convert(net, "-o", out, "-q", *options)
    assert_one_error(outcome, 4, "hidden" if "hidden" in options else NO_MAP)
    assert not out.parent.exists()


@pytest.mark.parametrize("options", [["--method", "auto"], ["--no-embed-scaling"], ["--exact"]], ids=" ".join)
def test_asking_for_nothing_in_particular(
    options: list[str], net: Path, out: Path, run_convert: Convert
) -> None:
    assert run_convert(net, "-o", out, "-q", *options).exit_code == 0
    assert sorted(snapshot(out) or {}) == NAMES


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (two_class_outputs, "several outputs are class tensors"),
        (segmenter, "this looks like a network for seg"),
    ],
)
def test_without_scores_nothing_can_be_explained(
    build: Any, text: str, tmp_path: Path, out: Path, run_convert: Convert
) -> None:
    path = save_ir(build(), tmp_path / "net.xml")
    before = snapshot(tmp_path)
    assert_one_error(run_convert(path, "-o", out, "-q"), 4, text)
    assert snapshot(tmp_path) == before


def test_converted_model_stays_refused(onnx_model: Path, out: Path, run_convert: Convert) -> None:
    assert run_convert(onnx_model, "-o", out, "-q").exit_code == 0
    outcome = run_convert(out / "classifier_xai.xml", "-o", out / "again", "-q")
    assert_one_error(outcome, 4, "it was converted already")


def test_existing_files_are_kept(net: Path, out: Path, run_convert: Convert) -> None:
    out.mkdir(parents=True)
    (out / "net_xai.bin").write_text("mine")
    before = snapshot(out)
    assert_one_error(run_convert(net, "-o", out, "-q"), 6, "exists already; --force replaces it")
    assert snapshot(out) == before
    assert run_convert(net, "-o", out, "-q", "--force").exit_code == 0


def test_wrongly_written_model_is_not_kept(net: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other weights under the model's name fail the proof."""

    def write_another(_: ov.Model, xml: Path) -> None:
        other = perceptron()
        (weights,) = [
            node
            for node in other.get_ordered_ops()
            if node.get_type_name() == "Constant" and list(node.get_output_shape(0)) == [5, 3]
        ]
        bent = ops.constant(np.asarray(weights.data) * np.float32(1.01))
        for user in weights.output(0).get_target_inputs():
            user.replace_source_output(bent.output(0))
        ov.serialize(other, xml, xml.with_suffix(".bin"))

    monkeypatch.setattr("ovxai_convert.artifact.writing.write_ir", write_another)
    with pytest.raises(Exception, match="the written model is not the original"):
        convert(net, out)
    assert not out.parent.exists()


def test_explain_obeys_the_sidecar(
    net: Path, out: Path, photograph: Path, run_convert: Convert, run_explain: Convert
) -> None:
    """All it needs stands there: the layout that nothing else tells, the labels, the preprocessing."""
    labels = photograph.with_name("labels.txt")
    labels.write_text("cat\ndog\nbird\n")
    told = ["--layout", "NCHW", "--mean", "127", "--scale", "128", "--bgr", "--resize", "stretch"]
    assert run_convert(net, "-o", out, "-q", "--labels", labels, *told).exit_code == 0
    shown = out / "shown"
    command = [out / "net_xai.xml", photograph, "-o", shown, "--num-masks", 20]
    outcome = run_explain(*command, "--targets", "dog,cat")
    assert outcome.exit_code == 0
    assert sorted(snapshot(shown) or {}) == ["photo_cat.png", "photo_dog.png"]
    assert outcome.stdout.count(", rise, ") == 2
    assert outcome.stderr.splitlines() == [
        f"Warning: {out / 'net_xai.xml'}: explained as a black box: {reason}"
        for reason in (NO_MAP, f"vitreciprocam: {NO_TOKENS}")
    ]
    assert_one_error(run_explain(*command, "-q", "--mode", "whitebox"), 4, NO_MAP)


def test_sidecar_is_obeyed_where_a_branch_would_be_possible(
    tmp_path: Path, out: Path, photograph: Path, run_explain: Convert
) -> None:
    xml = convert(save_ir(cnn(CnnSpec()), tmp_path / "net.xml"), out, max_branch_memory=1).xml
    command = [xml, photograph, "-o", out / "shown", "-q"]
    obeyed = run_explain(*command, "--num-masks", 20)
    assert obeyed.exit_code == 0
    assert "explained as a black box: reciprocam: " in obeyed.stderr
    explainer = Explainer(xml, num_masks=20)
    assert explainer.method is Method.RISE
    assert [each.method for each in explainer.refusals] == [method.name for method in TRIED]
    for asked in ({"explain_mode": ExplainMode.WHITEBOX}, {"explain_method": Method.RECIPROCAM}):
        assert Explainer(xml, **asked).method is Method.RECIPROCAM


HINTS: Final = PreprocessingHints((10, 14), (1.0, 2.0, 3.0), (4.5,), "bgr", "stretch", "NCHW")
RECORDED: Final = {
    "size": [10, 14],
    "resize": "stretch",
    "resize_to": None,
    "interpolation": "area",
    "rounded": True,
    "pad": None,
    "colour": "bgr",
    "channels": 3,
    "clip": None,
    "mean": [1.0, 2.0, 3.0],
    "scale": [4.5],
    "layout": "NCHW",
    "element_type": "f32",
    "order": ["resize", "colour", "clip", "mean", "scale", "layout", "element_type"],
    "embedded": None,
    "assumed": [],
}
OPTIONS: Final = ["--size", "10x14", "--mean", "1,2,3", "--scale", "4.5", "--bgr", "--resize", "stretch"]
each_mode = pytest.mark.parametrize("memory", [2**31, 1], ids=["whitebox", "blackbox"])


@each_mode
def test_labels_and_preprocessing_are_recorded(memory: int, tmp_path: Path, out: Path) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    labels = ("Bär", "猫", "dog")
    sidecar = convert(path, out, labels=labels, preprocessing=HINTS, max_branch_memory=memory).sidecar
    assert sidecar.mode == ("whitebox" if memory > 1 else "blackbox")
    assert sidecar.labels == labels
    assert sidecar.preprocessing == RECORDED
    assert read_sidecar(out / "net_xai.json") == sidecar


@each_mode
def test_what_the_user_says_wins_over_the_model(memory: int, tmp_path: Path, out: Path) -> None:
    model = cnn(CnnSpec())
    for key, text in {"labels": "a b c", "mean_values": "9", "scale_values": "8"}.items():
        model.set_rt_info(text, ["model_info", key])
    path = save_ir(model, tmp_path / "net.xml")
    untold = convert(path, out, max_branch_memory=memory).sidecar
    assert untold.labels == ("a", "b", "c")
    assert untold.preprocessing is not None
    assert (untold.preprocessing["mean"], untold.preprocessing["scale"]) == ([9.0], [8.0])
    assert untold.preprocessing["assumed"] == ["colour", "resize"]
    hints = PreprocessingHints(mean=(100.0,))
    report = convert(
        path, out, labels=["x", "y", "z"], preprocessing=hints, max_branch_memory=memory, force=True
    )
    told = report.sidecar
    assert told.labels == ("x", "y", "z")
    assert told.preprocessing is not None
    assert (told.preprocessing["mean"], told.preprocessing["scale"]) == ([100.0], [8.0])
    assert "the model keeps its own entry mean_values '9', which Model API goes on reading" in report.warnings
    assert "the model keeps its own entry labels 'a b c', which Model API goes on reading" in report.warnings


def test_options_of_the_program_are_recorded(
    onnx_model: Path, tmp_path: Path, out: Path, run_convert: Convert
) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text('["cat", "dog", "bird"]')
    options = ["--labels", labels, *OPTIONS, "--layout", "NCHW", "--classes", "bird"]
    assert run_convert(onnx_model, "-o", out, "-q", *options).exit_code == 0
    sidecar = read_sidecar(out / "classifier_xai.json")
    assert sidecar.labels == ("cat", "dog", "bird")
    assert sidecar.preprocessing == RECORDED
    assert sidecar.saliency_map is not None
    assert sidecar.saliency_map.classes == {"indices": [2]}


@pytest.mark.parametrize("model", ["whitebox", "blackbox"])
@pytest.mark.parametrize(
    ("content", "options", "exit_code", "text"),
    [
        ("one\ntwo\n", [], 2, "2 labels do not name 3 classes"),
        ("", [], 2, "0 labels do not name 3 classes"),
        (None, [], 3, "cannot be read"),
        ("a\nb\nc\n", ["--size", "99", "--layout", "NCHW"], 2, "takes no image of 99x99"),
        ("a\nb\nc\n", ["--mean", "1,2"], 2, "the mean is one number, or one per channel: 2 are told of 3"),
        ("a\nb\nc\n", ["--scale", "0"], 2, "a scale of 0 divides by zero"),
    ],
    ids=["few", "none", "missing", "size", "mean", "scale"],
)
def test_what_does_not_fit_the_model(
    model: str,
    content: str | None,
    options: list[str],
    exit_code: int,
    text: str,
    net: Path,
    onnx_model: Path,
    tmp_path: Path,
    out: Path,
    run_convert: Convert,
) -> None:
    labels = tmp_path / "labels.txt"
    if content is not None:
        labels.write_text(content)
    path = onnx_model if model == "whitebox" else net
    assert_one_error(run_convert(path, "-o", out, "-q", "--labels", labels, *options), exit_code, text)
    assert not out.parent.exists()
