from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.detections.boxes import Detections
from ovxai_convert.detections.forms import BoxForm
from ovxai_convert.detections.outputs import BoxHints
from ovxai_convert.detections.recognising import recognise
from ovxai_convert.errors import ModelReadError, Refusal
from tests.detections.answers import (
    CLASSES,
    FORMS,
    SIZE,
    Arrays,
    Form,
    candidates,
    centred,
    given,
    in_parts,
    known,
    scores_of,
    with_objectness,
)

each_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.title)


def recognised(form: Form, arrays: Arrays, *open_axes: int) -> BoxForm:
    found = recognise(form.outputs(arrays, *open_axes), form.hints)
    assert isinstance(found, BoxForm), found
    return found


def read(found: BoxForm, arrays: Arrays, samples: int = 1) -> list[Detections]:
    return found.read(dict(enumerate(arrays)), SIZE, samples)


def assert_same(found: Detections, expected: Detections, gives: tuple[str, ...]) -> None:
    assert len(found) == len(expected)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-3)
    assert (found.class_scores is not None) == ("classes" in gives)
    assert (found.objectness is not None) == ("objectness" in gives)
    if found.class_scores is not None:
        np.testing.assert_allclose(found.class_scores, scores_of(expected), atol=2e-6)
    scores = expected.scores
    if found.objectness is not None:
        np.testing.assert_allclose(found.objectness, given(expected.objectness), atol=2e-6)
        scores = scores * found.objectness
    np.testing.assert_allclose(found.scores, scores, atol=2e-6)
    np.testing.assert_array_equal(found.labels, expected.labels)
    types = [str(each.dtype) for each in (found.boxes, found.scores, found.labels)]
    assert types == ["float32", "float32", "int64"]


@each_form
def test_boxes_come_back(form: Form) -> None:
    boxes = known(form.count)
    arrays = form.answer([boxes])
    assert_same(read(recognised(form, arrays), arrays)[0], boxes, form.gives)


@pytest.mark.parametrize("form", [form for form in FORMS if form.batched], ids=lambda form: form.title)
def test_samples_of_a_batch_stay_apart(form: Form) -> None:
    pictures = [known(form.count, seed) for seed in (1, 2)]
    arrays = form.answer(pictures)
    found = read(recognised(form, arrays, 0), arrays, 2)
    for one, boxes in zip(found, pictures, strict=True):
        assert_same(one, boxes, form.gives)


@each_form
def test_other_samples_than_the_batch_are_refused(form: Form) -> None:
    arrays = form.answer([known(form.count)])
    with pytest.raises(ModelReadError, match="answers 3 images"):
        read(recognised(form, arrays), arrays, 3)


@each_form
def test_half_precision(form: Form) -> None:
    boxes = known(form.count)
    arrays = [each.astype(np.float16) if each.dtype == np.float32 else each for each in form.answer([boxes])]
    found = read(recognised(form, arrays), arrays)[0]
    np.testing.assert_allclose(found.boxes, boxes.boxes, atol=0.8)
    assert found.scores.dtype == np.float32


@pytest.mark.parametrize("open_axes", [(0, 1), (0, 2), (1,), (2,), (1, 2)])
@each_form
def test_whatever_is_open_nothing_is_read_wrongly(form: Form, open_axes: tuple[int, ...]) -> None:
    boxes = known(form.count)
    arrays = form.answer([boxes])
    found = recognise(form.outputs(arrays, *open_axes), form.hints)
    if isinstance(found, Refusal):
        assert "(outputs: " in found.reason
        return
    try:
        one = read(found, arrays)[0]
    except ModelReadError:
        return
    assert_same(one, boxes, form.gives)


def test_which_forms_are_read_where_the_number_of_candidates_is_open() -> None:
    refused = set()
    for form in FORMS:
        arrays = form.answer([known(form.count)])
        opened = [
            replace(
                output,
                shape=tuple(
                    None if extent == form.count or (axis == 0 and form.batched) else extent
                    for axis, extent in enumerate(output.shape)
                ),
            )
            for output in form.outputs(arrays)
        ]
        found = recognise(opened, form.hints)
        if isinstance(found, Refusal):
            refused.add(form.title)
        else:
            assert_same(read(found, arrays)[0], known(form.count), form.gives)
    assert refused == {"end-to-end without hints", "yolov5 by its anchors", "rt-detr by its queries"}


def detection_output(pictures: list[Detections], count: int) -> Arrays:
    rows = np.zeros((count, 7), np.float32)
    rows[:, 0] = -1
    at = 0
    for number, boxes in enumerate(pictures):
        part = rows[at : at + len(boxes)]
        part[:, 0], part[:, 1], part[:, 2] = number, boxes.labels, boxes.scores
        part[:, 3:] = in_parts(boxes.boxes)
        at += len(boxes)
    return [rows[np.newaxis, np.newaxis]]


DETECTION_OUTPUT = Form(
    "ssd", ("detection_out",), lambda boxes: detection_output([boxes], len(boxes)), ("scores",)
)


@pytest.mark.parametrize("open_axes", [(), (2,), (0, 1, 2)])
def test_detection_output(open_axes: tuple[int, ...]) -> None:
    pictures = [known(5, 1), known(9, 2)]
    arrays = detection_output(pictures, 20)
    found = read(recognised(DETECTION_OUTPUT, arrays, *open_axes), arrays, 2)
    for one, boxes in zip(found, pictures, strict=True):
        assert_same(one, boxes, ("scores",))


def test_what_stands_behind_the_end_of_a_detection_output_is_none() -> None:
    arrays = detection_output([known(5)], 9)
    arrays[0][0, 0, 7] = [0, 1, 0.9, 0.1, 0.1, 0.5, 0.5]  # left over from another picture
    assert len(read(recognised(DETECTION_OUTPUT, arrays), arrays)[0]) == 5
    arrays[0][0, 0, 0, 0] = -1
    assert len(read(recognised(DETECTION_OUTPUT, arrays), arrays)[0]) == 0


def softmax(numbers: NDArray[Any]) -> NDArray[Any]:
    powers = np.exp(numbers - numbers.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def with_background(count: int, at: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Logits with a column of background that is high for most, and the boxes; what the classes are."""
    random = np.random.default_rng(3)
    numbers = random.normal(-2, 2, (count, CLASSES))
    background = np.where(np.arange(count) < 5, -1.0, 9.0)
    numbers[:5, 2] = 6
    joined = np.insert(numbers, at, background, axis=1).astype(np.float32)
    probabilities = softmax(joined)
    return joined, np.delete(probabilities, at, 1), 1 - probabilities[:, at]


@pytest.mark.parametrize(
    "hints", [BoxHints(), BoxHints(CLASSES), BoxHints(background=-1, activation="softmax")]
)
def test_detr(hints: BoxHints) -> None:
    boxes = known(100)
    numbers, classes, objectness = with_background(100, CLASSES)
    arrays: Arrays = [numbers[np.newaxis], in_parts(centred(boxes.boxes))[np.newaxis]]
    form = Form("detr", ("pred_logits", "pred_boxes"), lambda _: [], ("classes",), hints)
    found = recognised(form, arrays)
    one = read(found, arrays)[0]
    np.testing.assert_allclose(one.boxes, boxes.boxes, atol=1e-3)
    np.testing.assert_allclose(scores_of(one), classes, atol=1e-6)
    np.testing.assert_allclose(given(one.objectness), objectness, atol=1e-6)
    np.testing.assert_allclose(one.scores, classes.max(1), atol=1e-6)
    assert found.picked


@pytest.mark.parametrize("at", [0, CLASSES])
@pytest.mark.parametrize("hints", [BoxHints(), BoxHints(CLASSES)])
@pytest.mark.parametrize("raw", [True, False])
def test_a_background_among_the_classes_of_a_pair(at: int, hints: BoxHints, raw: bool) -> None:
    boxes = known(100)
    numbers, classes, objectness = with_background(100, at)
    answered = numbers if raw else softmax(numbers)
    arrays: Arrays = [boxes.boxes[np.newaxis], answered[np.newaxis]]
    one = read(recognised(Form("", ("a", "b"), lambda _: [], (), hints), arrays), arrays)[0]
    np.testing.assert_allclose(scores_of(one), classes, atol=1e-6)
    np.testing.assert_allclose(given(one.objectness), objectness, atol=1e-6)


def test_a_class_that_is_likely_everywhere_is_no_background() -> None:
    """As people are in a photograph of a crowd, to a model whose classes do not exclude each other."""
    boxes = known(100)
    numbers = np.full((100, CLASSES), -7, np.float32)
    numbers[:, 0] = -3
    numbers[:10, 0] = 2
    arrays: Arrays = [boxes.boxes[np.newaxis], numbers[np.newaxis]]
    one = read(recognised(Form("", ("a", "b"), lambda _: [], ()), arrays), arrays)[0]
    assert scores_of(one).shape == (100, CLASSES)
    np.testing.assert_allclose(one.scores[:10], 1 / (1 + np.exp(-2)), atol=1e-6)


def test_objectness_that_the_graph_has_multiplied_is_not_multiplied_again() -> None:
    boxes = known()
    arrays: Arrays = [with_objectness(boxes)[np.newaxis]]
    once = read(recognised(Form("", ("o",), lambda _: [], (), BoxHints(CLASSES)), arrays), arrays)[0]
    hints = BoxHints(CLASSES, multiplied=True)
    never = read(recognised(Form("", ("o",), lambda _: [], (), hints), arrays), arrays)[0]
    np.testing.assert_allclose(once.scores, boxes.scores * given(boxes.objectness), atol=1e-6)
    np.testing.assert_allclose(never.scores, boxes.scores, atol=1e-6)


def test_masks_and_prototypes_are_left_out() -> None:
    boxes = known()
    masks = np.random.default_rng(0).normal(0, 400, (len(boxes), 32)).astype(np.float32)
    arrays: Arrays = [
        np.hstack([candidates(boxes), masks]).T[np.newaxis],
        np.zeros((1, 32, 80, 160), np.float32),
    ]
    for hints in (BoxHints(CLASSES), BoxHints(size=SIZE)):
        form = Form("", ("output0", "output1"), lambda _: [], (), hints)
        assert_same(read(recognised(form, arrays), arrays)[0], boxes, ("scores", "classes"))
    picked = known(300)
    rows = np.hstack([picked.boxes, picked.scores[:, None], picked.labels[:, None], masks[:300]])
    arrays[0] = rows.astype(np.float32)[np.newaxis]
    for hints in (BoxHints(CLASSES), BoxHints(size=SIZE)):
        form = Form("", ("output0", "output1"), lambda _: [], (), hints)
        assert_same(read(recognised(form, arrays), arrays)[0], picked, ("scores",))


def test_one_class() -> None:
    boxes = known()
    one = Detections(boxes.boxes, boxes.scores, np.zeros(len(boxes), np.int64), boxes.scores[:, None])
    joined = np.hstack([centred(one.boxes), one.scores[:, None]])
    for arrays in ([joined.T[np.newaxis]], [joined[np.newaxis]]):
        for hints in (BoxHints(1), BoxHints(size=SIZE), BoxHints(1, size=SIZE)):
            form = Form("", ("output0",), lambda _: [], (), hints)
            found = read(recognised(form, arrays), arrays)[0]
            np.testing.assert_allclose(found.boxes, one.boxes, atol=1e-3)
            np.testing.assert_allclose(found.scores, one.scores)
            assert not found.labels.any()
    rows: Arrays = [np.hstack([one.boxes, one.scores[:, None]])]
    found = read(recognised(Form("", ("boxes",), lambda _: [], ()), rows), rows)[0]
    np.testing.assert_allclose(found.boxes, one.boxes)
