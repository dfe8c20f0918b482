"""The Explainer: every kind of model and mode, at construction and per call, and readable refusals."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import openvino as ov
import pytest

from fixtures.broken_files import onnx_classifier, save_ir
from fixtures.networks import CnnSpec, Layout, cnn
from ovxai_convert import (
    Explainer,
    ExplainMode,
    Explanation,
    Method,
    PreprocessingWarning,
    ProofWarning,
    RefusedError,
    Task,
    UsageError,
    convert,
)
from ovxai_convert.insertion.request import Request
from ovxai_convert.photographs.hints import PreprocessingHints
from tests import oracle
from tests.endings import with_ending
from tests.oracle import Floats, Port
from tests.running import CORE, compile_f32, definition, insert_branch, run
from tests.special_networks import labelled, perceptron, stateful, two_class_outputs

AUTO, WHITEBOX, BLACKBOX = ExplainMode.AUTO, ExplainMode.WHITEBOX, ExplainMode.BLACKBOX
SPEC: Final = CnnSpec()
BATCH: Final = np.random.default_rng(0).standard_normal((1, 3, 10, 14)).astype(np.float32)
IMAGE: Final = BATCH[0].transpose(1, 2, 0)
PLAIN: Final[dict[str, Any]] = {"resize": False, "colormap": False}
FEW: Final[dict[str, Any]] = {"num_masks": 20}


def settings_of(mode: ExplainMode) -> dict[str, Any]:
    """Few masks, if they are for anything."""
    return FEW if mode is BLACKBOX else {}


def single(found: Explanation | list[Explanation]) -> Explanation:
    assert isinstance(found, Explanation)
    return found


def stacked(explanation: Explanation) -> Any:
    return np.stack(list(explanation.saliency_map.values()))[np.newaxis]


def expected_map(model: ov.Model, batch: Any = BATCH, target_layer: str | None = None) -> Floats:
    """The slow definition where a branch would stand: ``[1, K, h, w]``."""
    insertion = insert_branch(model, Request(Method.RECIPROCAM, target_layer))
    return definition(model, insertion, {model.inputs[0].get_any_name(): batch})


def probabilities(model: ov.Model, batch: Any = BATCH) -> Any:
    logits = compile_f32(model)([batch])[0][0].astype(np.float64)
    return np.exp(logits) / np.exp(logits).sum()


@pytest.mark.parametrize("form", ["memory", "ir", "ir as text", "onnx", "artifact", "artifact in memory"])
def test_every_form_of_a_model_gives_the_map_of_the_definition(form: str, tmp_path: Path) -> None:
    model: Any
    if form == "onnx":
        model = tmp_path / "net.onnx"
        onnx.save(onnx_classifier(batch=1), model)
        source = CORE.read_model(model)
    else:
        source = cnn(SPEC)
        model = save_ir(cnn(SPEC), tmp_path / "net.xml")
    if form == "memory":
        model = source
    elif form == "ir as text":
        model = str(model)
    elif form.startswith("artifact"):
        model = convert(model, tmp_path / "out").xml
        model = CORE.read_model(model) if "memory" in form else model
    said = pytest.warns(ProofWarning, match="in memory") if form == "artifact in memory" else nullcontext()
    with said:
        explainer = Explainer(model=model, task=Task.CLASSIFICATION)
    found = single(explainer(IMAGE, -1, **PLAIN))
    assert explainer.method is found.method is Method.RECIPROCAM
    assert explainer.refusals == ()
    assert found.targets == [0, 1, 2]
    oracle.assert_grey_levels_equal(stacked(found), expected_map(source))


@pytest.mark.parametrize("from_artifact", [False, True])
def test_raw_maps_and_a_layer_of_ones_own(from_artifact: bool, tmp_path: Path) -> None:
    """Options of a call are served by another branch where the artifact's own does not give that."""
    model: Any = cnn(SPEC)
    if from_artifact:
        model = convert(save_ir(model, tmp_path / "net.xml"), tmp_path / "out").xml
    explainer = Explainer(model)
    raw = single(explainer(IMAGE, -1, embed_scaling=False, **PLAIN))
    oracle.assert_maps_equal(stacked(raw), expected_map(cnn(SPEC)))
    earlier = single(explainer(IMAGE, -1, target_layer="block0", embed_scaling=False, **PLAIN))
    oracle.assert_maps_equal(stacked(earlier), expected_map(cnn(SPEC), target_layer="block0"))
    assert abs(stacked(raw) - stacked(earlier)).max() > 1e-3
    scaled = single(explainer(IMAGE, -1, **PLAIN))
    oracle.assert_grey_levels_equal(stacked(scaled), expected_map(cnn(SPEC)))
    at_construction = Explainer(model, target_layer="block0", embed_scaling=False)
    np.testing.assert_array_equal(stacked(single(at_construction(IMAGE, -1, **PLAIN))), stacked(earlier))


@pytest.mark.parametrize("from_artifact", [False, True])
def test_another_branch_on_request(from_artifact: bool, tmp_path: Path) -> None:
    model: Any = cnn(SPEC)
    if from_artifact:
        model = convert(save_ir(model, tmp_path / "net.xml"), tmp_path / "out").xml
    explainer = Explainer(model)
    found = single(explainer(IMAGE, explain_method=Method.ACTIVATIONMAP, embed_scaling=False, **PLAIN))
    assert found.method is explainer.method is Method.ACTIVATIONMAP
    assert found.targets == ["per_image_map"]
    expected = oracle.activation_map(cnn(SPEC), Port("target"), "NCHW", {"image": BATCH})
    oracle.assert_maps_equal(stacked(found)[0], expected)
    assert single(explainer(IMAGE)).method is Method.RECIPROCAM


def test_artifact_of_an_output_that_was_chosen_is_converted_anew(tmp_path: Path) -> None:
    path = save_ir(two_class_outputs(), tmp_path / "two.xml")
    explainer = Explainer(convert(path, tmp_path / "out", scores_output="second").xml)
    image = np.random.default_rng(1).standard_normal((4, 6, 3)).astype(np.float32)
    found = single(explainer(image, -1, embed_scaling=False, **PLAIN))
    assert explainer.refusals == ()
    insertion = insert_branch(two_class_outputs(), Request(Method.RECIPROCAM, None, "second"))
    batch = image.transpose(2, 0, 1)[np.newaxis]
    oracle.assert_maps_equal(stacked(found), definition(two_class_outputs(), insertion, {"image": batch}))


def test_predictions_and_the_best_class() -> None:
    expected = probabilities(cnn(SPEC))
    explainer = Explainer(cnn(SPEC))
    best = single(explainer(IMAGE))
    assert best.targets == [int(expected.argmax())]
    found = single(explainer(IMAGE, -1))
    assert [prediction.label for prediction in found.predictions.values()] == [0, 1, 2]
    np.testing.assert_allclose([each.score for each in found.predictions.values()], expected, rtol=1e-4)
    assert found.shape == (10, 14, 3)
    assert found.layout.name == "MULTIPLE_MAPS_PER_IMAGE_COLOR"


@pytest.mark.parametrize("at", ["construction", "call"])
@pytest.mark.parametrize(
    ("mode", "method"), [(AUTO, Method.RECIPROCAM), (WHITEBOX, Method.RECIPROCAM), (BLACKBOX, Method.RISE)]
)
def test_mode(at: str, mode: ExplainMode, method: Method) -> None:
    if at == "construction":
        explainer = Explainer(cnn(SPEC), explain_mode=mode, **settings_of(mode))
        found = single(explainer(IMAGE, [0, 2], **PLAIN))
    else:
        explainer = Explainer(cnn(SPEC))
        found = single(explainer(IMAGE, [0, 2], explain_mode=mode, **settings_of(mode), **PLAIN))
    assert (found.method, explainer.method, explainer.refusals) == (method, method, ())
    assert found.targets == [0, 2]
    assert found.shape == ((10, 14) if mode is BLACKBOX else (5, 7))
    expected = probabilities(cnn(SPEC))
    for index in (0, 2):
        assert found.predictions[index].score == pytest.approx(expected[index], rel=1e-4)
        assert np.ptp(found.saliency_map[index].astype(np.float64)) > 0


def test_another_black_box_method() -> None:
    explainer = Explainer(cnn(SPEC), explain_method=Method.AISE, num_iterations_per_kernel=3)
    found = single(explainer(IMAGE, [0, 2], **PLAIN))
    assert found.method is explainer.method is Method.AISE
    assert (found.targets, found.shape) == ([0, 2], (10, 14))
    assert (found.saliency_map[0] != found.saliency_map[2]).any()
    with pytest.raises(UsageError, match="aise has no setting 'num_masks'"):
        explainer(IMAGE, num_masks=3)


def test_auto_falls_back_and_says_why() -> None:
    explainer = Explainer(with_layout(perceptron()), **FEW)
    assert explainer.method is Method.RISE
    assert [str(each) for each in explainer.refusals] == [
        "no feature map: no tensor with rows and columns leads to the scores",
        "vitreciprocam: no attention over the tokens of an image leads to the scores",
    ]
    found = single(explainer(np.zeros((4, 6, 3), np.float32) + 1, -1, **PLAIN))
    assert found.method is Method.RISE
    assert explainer.refusals
    single(explainer(np.ones((4, 6, 3), np.float32), explain_mode=BLACKBOX, **PLAIN))
    assert explainer.refusals == (), "no branch was tried"
    with pytest.raises(RefusedError, match="no feature map"):
        explainer(np.ones((4, 6, 3), np.float32), explain_mode=WHITEBOX)
    with pytest.raises(RefusedError, match="no feature map"):
        Explainer(with_layout(perceptron()), explain_mode=WHITEBOX)


def with_layout(model: ov.Model) -> ov.Model:
    model.get_parameters()[0].set_layout(ov.Layout("NCHW"))
    return model


def test_method_of_another_mode() -> None:
    with pytest.raises(UsageError, match="rise is no whitebox method"):
        Explainer(cnn(SPEC), explain_mode=WHITEBOX, explain_method=Method.RISE)
    explainer = Explainer(cnn(SPEC), explain_method=Method.RECIPROCAM)
    with pytest.raises(UsageError, match="reciprocam is no blackbox method"):
        explainer(IMAGE, explain_mode=BLACKBOX, explain_method=Method.RECIPROCAM)
    assert single(explainer(IMAGE, explain_mode=BLACKBOX, **FEW)).method is Method.RISE
    assert single(explainer(IMAGE, explain_method=Method.RISE, **FEW)).method is Method.RISE


@pytest.mark.parametrize("options", [{"classes": [2, 0]}, {"top_k": 2}], ids=str)
def test_artifact_of_some_classes(options: dict[str, Any], tmp_path: Path) -> None:
    path = save_ir(labelled(), tmp_path / "net.xml")
    explainer = Explainer(convert(path, tmp_path / "out", **options).xml, preprocess_fn=lambda image: image)
    expected = expected_map(labelled())
    best_two = [int(index) for index in probabilities(labelled()).argsort()[::-1][:2]]
    has = options.get("classes", best_two)
    (missing,) = {0, 1, 2} - set(has)
    found = single(explainer(IMAGE, -1, **PLAIN))
    assert found.targets == has
    oracle.assert_grey_levels_equal(stacked(found), expected[:, has])
    alone = single(explainer(IMAGE, [has[1]], **PLAIN))
    np.testing.assert_array_equal(stacked(alone)[0, 0], stacked(found)[0, 1])
    known = ", ".join(map(str, has))
    with pytest.raises(UsageError, match=f"no map of class {missing}; it was converted for {known}"):
        explainer(IMAGE, [has[0], missing])
    with pytest.raises(UsageError, match=f"no map of class {missing}"):
        explainer(IMAGE, labelled_as(missing))
    other = single(explainer(IMAGE, [missing], explain_mode=BLACKBOX, **FEW))
    assert other.targets == [missing]


def labelled_as(index: int) -> str:
    return ("cat", "dog", "bird")[index]


@pytest.mark.parametrize("mode", [WHITEBOX, BLACKBOX])
@pytest.mark.parametrize("batch", [1, 3, None])
def test_batches(batch: int | None, mode: ExplainMode) -> None:
    images = np.random.default_rng(4).standard_normal((2, 3, 10, 14)).astype(np.float32)
    explainer = Explainer(cnn(CnnSpec(batch=batch)), explain_mode=mode, **settings_of(mode))
    for data in (images, images.transpose(0, 2, 3, 1)):
        found = explainer(data, -1, **PLAIN)
        assert isinstance(found, list)
        assert len(found) == 2
        for index, each in enumerate(found):
            alone = single(explainer(images[index], -1, **PLAIN))
            np.testing.assert_array_equal(stacked(each), stacked(alone))
        assert (stacked(found[0]) != stacked(found[1])).any()
        if mode is WHITEBOX:
            oracle.assert_grey_levels_equal(stacked(found[1]), expected_map(cnn(SPEC), images[1:]))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("mode", [WHITEBOX, BLACKBOX])
def test_layouts_of_data(layout: Layout, mode: ExplainMode) -> None:
    explainer = Explainer(cnn(CnnSpec(layout=layout)), explain_mode=mode, **settings_of(mode))
    forms = (IMAGE, IMAGE[np.newaxis], BATCH[0], BATCH)
    first, *others = (stacked(single(explainer(data, -1, **PLAIN))) for data in forms)
    for other in others:
        np.testing.assert_array_equal(other, first)
    with pytest.raises(UsageError, match="resize it, or give a preprocess_fn"):
        explainer(IMAGE[:9])
    with pytest.raises(UsageError, match="no 3 channels"):
        explainer(IMAGE[..., :2])


def test_uint8_and_float_data_of_the_same_numbers() -> None:
    pixels = np.random.default_rng(6).integers(0, 256, (10, 14, 3), np.uint8)
    explainer = Explainer(cnn(SPEC))
    with pytest.warns(PreprocessingWarning):
        found = single(explainer(pixels, -1, **PLAIN))
    np.testing.assert_array_equal(
        stacked(found), stacked(single(explainer(pixels.astype(np.float64), -1, **PLAIN)))
    )


def test_photographs_are_prepared_as_the_artifact_says(tmp_path: Path) -> None:
    hints = PreprocessingHints(mean=(100.0,), scale=(50.0,), colour="bgr", resize="stretch")
    path = save_ir(cnn(SPEC), tmp_path / "net.xml")
    explainer = Explainer(convert(path, tmp_path / "out", preprocessing=hints).xml)
    small = np.random.default_rng(7).integers(0, 256, (10, 14, 3), np.uint8)
    pixels = small.repeat(2, axis=0).repeat(2, axis=1)
    found = single(explainer(pixels, -1, **PLAIN))
    batch = ((small.astype(np.float32) - 100) / 50).transpose(2, 0, 1)[np.newaxis]
    oracle.assert_grey_levels_equal(stacked(found), expected_map(cnn(SPEC), batch))
    assert single(explainer(pixels, overlay=True)).shape == (20, 28, 3)


def test_functions_of_the_user() -> None:
    seen: list[tuple[int, ...]] = []

    def postprocess_fn(results: Any) -> Any:
        seen.append(results["output"].shape)
        return -results["output"]

    explainer = Explainer(
        cnn(SPEC), preprocess_fn=lambda image: image[::2, ::2][np.newaxis], postprocess_fn=postprocess_fn
    )
    large = IMAGE.repeat(2, axis=0).repeat(2, axis=1)
    found = single(explainer(large, **PLAIN))
    assert seen == [(1, 3)]
    logits = run(cnn(SPEC), {"image": BATCH})[0][0]
    assert found.targets == [int(logits.argmin())]
    assert found.predictions[found.targets[0]].score == pytest.approx(-logits.min(), rel=1e-4)  # type: ignore[index]
    oracle.assert_grey_levels_equal(stacked(single(explainer(large, -1, **PLAIN))), expected_map(cnn(SPEC)))
    assert single(explainer(large)).shape == (20, 28, 3)


@pytest.mark.parametrize("mode", [WHITEBOX, BLACKBOX])
@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda _: np.zeros((2, 3), np.float32), r"shape \(2, 3\); scores of 1 sample"),
        (lambda _: np.float32(0), r"shape \(\)"),
        (lambda _: None, "returned object"),
        (lambda results: results["output"][..., np.newaxis], r"shape \(1, 3, 1\)"),
    ],
    ids=["rows", "number", "nothing", "axes"],
)
def test_function_that_returns_something_else(mode: ExplainMode, wrong: Any, text: str) -> None:
    explainer = Explainer(cnn(SPEC), postprocess_fn=wrong, explain_mode=mode, **settings_of(mode))
    with pytest.raises(UsageError, match=text) as caught:
        explainer(IMAGE)
    assert "\n" not in str(caught.value)


def test_model_whose_classes_are_not_clear() -> None:
    with pytest.raises(UsageError, match="give a postprocess_fn: several outputs are class tensors"):
        Explainer(two_class_outputs())
    explainer = Explainer(two_class_outputs(), postprocess_fn=lambda results: results["second"], **FEW)
    assert explainer.method is Method.RISE
    assert "several outputs are class tensors" in explainer.refusals[0].reason
    assert single(explainer(np.ones((4, 6, 3), np.float32), -1)).targets == [0, 1]


@pytest.mark.parametrize("mode", list(ExplainMode))
def test_unknown_settings(mode: ExplainMode) -> None:
    with pytest.raises(UsageError, match="no setting 'num_mask'; did you mean 'num_masks'"):
        Explainer(cnn(SPEC), explain_mode=mode, num_mask=3)
    explainer = Explainer(cnn(SPEC), explain_mode=mode, **settings_of(mode))
    with pytest.raises(UsageError, match="no setting 'nonsense'"):
        explainer(IMAGE, nonsense=1)
    with pytest.raises(UsageError, match="did you mean 'num_masks'"):
        explainer(IMAGE, nummasks=1)


def test_settings_of_a_call_win() -> None:
    explainer = Explainer(cnn(SPEC), explain_mode=BLACKBOX, num_masks=10, seed=1)
    progress: list[tuple[int, int | None]] = []

    def map_of(**settings: Any) -> Any:
        return stacked(single(explainer(IMAGE, [0], **PLAIN, **settings)))

    base = map_of()
    np.testing.assert_array_equal(map_of(seed=1, num_masks=10), base)
    assert (map_of(seed=2) != base).any()
    map_of(num_masks=12, on_progress=lambda done, total: progress.append((done, total)))
    assert progress[-1] == (12, 12)
    np.testing.assert_array_equal(map_of(), base)
    with pytest.raises(UsageError, match="num_masks must be at least 1"):
        map_of(num_masks=0)


def test_labels() -> None:
    explainer = Explainer(labelled(), preprocess_fn=lambda image: image)
    assert explainer.label_names == ("cat", "dog", "bird")
    found = single(explainer(IMAGE, ["bird", "cat"]))
    assert (found.targets, found.label_names) == ([2, 0], ("cat", "dog", "bird"))
    mine = single(explainer(IMAGE, target_explain_labels=["c"], label_names=["a", "b", "c"]))
    assert (mine.targets, mine.label_names) == ([2], ("a", "b", "c"))
    with pytest.raises(UsageError, match="no class labelled 'cat'"):
        explainer(IMAGE, ["cat"], label_names=["a", "b", "c"])
    for wrong in (["a"], list("abcd")):
        with pytest.raises(UsageError, match=f"{len(wrong)} labels do not name 3 classes"):
            explainer(IMAGE, label_names=wrong)


def test_both_names_of_the_targets() -> None:
    explainer = Explainer(cnn(SPEC))
    assert single(explainer(IMAGE, targets=[1])).targets == [1]
    assert single(explainer(IMAGE, target_explain_labels=[1])).targets == [1]
    with pytest.raises(UsageError, match="mean the same; give one"):
        explainer(IMAGE, [1], target_explain_labels=[1])
    with pytest.raises(UsageError, match="no class 3: the model has 3, 0 to 2"):
        explainer(IMAGE, targets=[3])


def test_overlay_on_another_picture() -> None:
    explainer = Explainer(cnn(SPEC))
    original = np.random.default_rng(8).integers(0, 256, (50, 70, 3), np.uint8)
    bare: dict[str, Any] = {"overlay": True, "overlay_prediction": False}
    found = single(explainer(IMAGE, [0], original_input_image=original, overlay_weight=0.0, **bare))
    np.testing.assert_array_equal(found.saliency_map[0], original)
    assert single(explainer(IMAGE, [0], **bare)).shape == (10, 14, 3)
    sized = explainer(IMAGE, [0], original_input_image=original, output_size=(25, 35), **bare)
    assert single(sized).shape == (25, 35, 3)
    grey = single(explainer(IMAGE, [0], original_input_image=original, colormap=False))
    assert (grey.shape, grey.layout.name) == ((50, 70), "MULTIPLE_MAPS_PER_IMAGE_GRAY")
    with pytest.raises(UsageError, match="a picture has the shape"):
        explainer(IMAGE, [0], overlay=True, original_input_image=original[0, 0])


def test_layer_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="no layer named 'tarjet'; did you mean 'target'"):
        Explainer(cnn(SPEC), target_layer="tarjet")
    explainer = Explainer(cnn(SPEC))
    with pytest.raises(UsageError, match="no layer named 'tarjet'"):
        explainer(IMAGE, target_layer="tarjet")
    with pytest.raises(UsageError, match="no device 'nonsense'"):
        Explainer(cnn(SPEC), device_name="nonsense")


def test_model_in_memory_is_not_changed() -> None:
    model = cnn(SPEC)
    before = [node.get_friendly_name() for node in model.get_ordered_ops()]
    single(Explainer(model)(IMAGE))
    single(Explainer(model, explain_mode=BLACKBOX, **FEW)(IMAGE))
    assert [node.get_friendly_name() for node in model.get_ordered_ops()] == before
    assert len(model.outputs) == 1


@pytest.mark.parametrize("mode", [WHITEBOX, BLACKBOX])
def test_a_model_with_state_starts_anew_with_every_image(mode: ExplainMode) -> None:
    options: dict[str, Any] = FEW if mode is BLACKBOX else {"target_layer": "target"}
    explainer = Explainer(stateful(), explain_mode=mode, **options)
    small = np.ascontiguousarray(BATCH[:, :, :4, :6])
    first, second = (single(explainer(small, **PLAIN)) for _ in range(2))
    assert first.predictions == second.predictions
    for target in first.targets:
        np.testing.assert_array_equal(first.raw[target], second.raw[target])


def test_a_class_that_does_not_exist_has_no_map_of_all_classes_either() -> None:
    explainer = Explainer(cnn(SPEC), explain_method=Method.ACTIVATIONMAP)
    assert single(explainer(BATCH, 0)).targets == ["per_image_map"]
    with pytest.raises(UsageError, match="no class 99"):
        explainer(BATCH, 99)


@pytest.mark.parametrize("mode", [WHITEBOX, BLACKBOX])
def test_model_that_only_names_the_best_class(mode: ExplainMode) -> None:
    """The class tensor lies before the ArgMax; the class that the model names has the score 1."""
    model = with_ending("argmax")
    image = np.random.default_rng(3).standard_normal((4, 6, 3)).astype(np.float32)
    explainer = Explainer(model, explain_mode=mode, **settings_of(mode))
    best = int(compile_f32(model)([image.transpose(2, 0, 1)[np.newaxis]])[0][0])
    found = single(explainer(image, **PLAIN))
    assert found.targets == [best]
    assert found.predictions[best].score == 1
    if mode is WHITEBOX:
        batch = image.transpose(2, 0, 1)[np.newaxis]
        oracle.assert_grey_levels_equal(
            stacked(single(explainer(image, -1, **PLAIN))), expected_map(with_ending("argmax"), batch)
        )


def test_model_that_names_several_classes() -> None:
    """The first that it names is the best."""
    model = with_ending("top 3 indices")
    image = np.random.default_rng(4).standard_normal((4, 6, 3)).astype(np.float32)
    named = compile_f32(model)([image.transpose(2, 0, 1)[np.newaxis]])[0][0].tolist()
    assert named != sorted(named), "else the order would not be seen"
    explainer = Explainer(model)
    assert single(explainer(image, **PLAIN)).targets == named[:1]
    assert single(explainer(image, "top3", **PLAIN)).targets == named
