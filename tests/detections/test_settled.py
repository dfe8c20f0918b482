"""What is decided by numbers: once, by a picture that is not altered, and with a note."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.detections.boxes import Detections
from ovxai_convert.detections.class_numbers import as_probabilities
from ovxai_convert.detections.forms import BoxForm
from ovxai_convert.detections.outputs import BoxHints, OutputShape
from ovxai_convert.detections.recognising import recognise
from ovxai_convert.detections.similarity import similarities
from ovxai_convert.errors import ModelReadError, Refusal
from tests.detections.answers import (
    CELLS,
    CLASSES,
    SIZE,
    candidates,
    centred,
    given,
    in_parts,
    known,
    logits,
    queries,
    scores_of,
    with_objectness,
)
from tests.detections.definitions import yolox_box

FLOAT = np.dtype(np.float32)


def form_of(
    *arrays: NDArray[Any], names: tuple[str, ...] = ("a", "b", "c"), hints: BoxHints | None = None
) -> BoxForm:
    outputs = [
        OutputShape((name,), each.shape, each.dtype) for name, each in zip(names, arrays, strict=False)
    ]
    found = recognise(outputs, hints)
    assert isinstance(found, BoxForm), found
    return found


def settled(form: BoxForm, *arrays: NDArray[Any]) -> BoxForm:
    found = form.settled(dict(enumerate(arrays)), SIZE, 1)
    assert isinstance(found, BoxForm), found
    return found


def joined(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows[np.newaxis]


def test_what_is_settled_is_kept_for_pictures_that_would_decide_otherwise() -> None:
    """Of an altered picture all that is found may be small, and sure, and to the right of nothing."""
    boxes = known()
    plain = [joined(boxes.boxes), joined(logits(scores_of(boxes)))]
    form = form_of(*plain, hints=BoxHints(CLASSES))
    fixed = settled(form, *plain)
    assert (fixed.order, fixed.unit, fixed.activation, fixed.background) == (
        "xyxy",
        "pixels",
        "sigmoid",
        None,
    )
    altered = [np.array([[[0.5, 0.5, 1, 1]]], np.float32), np.full((1, 1, CLASSES), 0.5, np.float32)]
    kept = fixed.read(dict(enumerate(altered)), SIZE, 1)[0]
    np.testing.assert_allclose(kept.boxes, [[0.5, 0.5, 1, 1]])
    np.testing.assert_allclose(kept.scores, 1 / (1 + np.exp(-0.5)), rtol=1e-6)
    anew = form.read(dict(enumerate(altered)), SIZE, 1)[0]
    np.testing.assert_allclose(anew.boxes, [[320, 160, 640, 320]])
    np.testing.assert_allclose(anew.scores, 0.5)
    assert settled(fixed, *altered) == fixed


def test_notes_say_what_was_decided_and_nothing_else() -> None:
    boxes = known()
    arrays = [joined(in_parts(centred(boxes.boxes))), joined(logits(scores_of(boxes)))]
    assert settled(form_of(*arrays), *arrays).notes == (
        "no column of the classes is taken for the background, by its numbers",
        "scores outside of 0 to 1 are taken for logits: sigmoid",
        "boxes are taken for centre, width and height, by their numbers",
        "boxes are taken to be in parts of the input's size, by their numbers",
    )
    hints = BoxHints(CLASSES, activation="sigmoid", order="cxcywh", normalised=True)
    assert settled(form_of(*arrays, hints=hints), *arrays).notes == ()


@pytest.mark.parametrize(
    ("name", "order"), [("boxes_xyxy", "xyxy"), ("boxes_cxcywh", "cxcywh"), ("boxes", "open")]
)
def test_a_name_tells_what_a_box_is(name: str, order: str) -> None:
    arrays = [joined(known().boxes), joined(scores_of(known()))]
    assert form_of(*arrays, names=(name, "scores")).order == order


def test_a_name_that_leaves_it_open_is_refused_unless_it_is_said() -> None:
    boxes = known()
    upper_left = np.hstack([boxes.boxes[:, :2], boxes.boxes[:, 2:] - boxes.boxes[:, :2]])
    arrays = [joined(upper_left), joined(scores_of(boxes))]
    outputs = [
        OutputShape((name,), each.shape, FLOAT)
        for name, each in zip(("boxes_xywh", "scores"), arrays, strict=True)
    ]
    found = recognise(outputs)
    assert isinstance(found, Refusal)
    assert "left upper corner" in found.reason
    form = form_of(*arrays, names=("boxes_xywh", "scores"), hints=BoxHints(order="xywh"))
    np.testing.assert_allclose(form.read(dict(enumerate(arrays)), SIZE, 1)[0].boxes, boxes.boxes, atol=1e-3)


def test_hints_go_before_names_and_numbers() -> None:
    boxes = known(100)
    rows = np.zeros((1, 1, 100, 7), np.float32)
    rows[0, 0, :, 2] = 0.5
    rows[0, 0, :, 3:] = boxes.boxes
    form = form_of(rows, hints=BoxHints(normalised=False))
    np.testing.assert_array_equal(form.read({0: rows}, SIZE, 1)[0].boxes, boxes.boxes)
    arrays = [joined(candidates(boxes))]
    form = form_of(*arrays, hints=BoxHints(CLASSES, activation="sigmoid", normalised=True))
    one = form.read({0: arrays[0]}, SIZE, 1)[0]
    np.testing.assert_allclose(scores_of(one), as_probabilities(scores_of(boxes), "sigmoid"), rtol=1e-5)
    np.testing.assert_allclose(one.boxes, boxes.boxes * np.array([640, 320, 640, 320]), rtol=1e-4, atol=1)


@pytest.mark.parametrize("objectness", [True, False])
def test_yolox_without_its_decoding(objectness: bool) -> None:
    """Boxes counted in cells are small numbers, too, and are not read as parts of the picture."""
    random = np.random.default_rng(0)
    rows = random.random((CELLS, 5 + CLASSES)).astype(np.float32)
    rows[:, :4] = random.normal(0.4, 0.5, (CELLS, 4))
    if not objectness:
        rows = np.delete(rows, 4, 1)
    form = form_of(joined(rows), hints=BoxHints(CLASSES, size=SIZE))
    found = form.settled({0: joined(rows)}, SIZE, 1)
    if not objectness:
        assert isinstance(found, Refusal)
        assert "neither pixels nor parts" in found.reason
        with pytest.raises(ModelReadError, match="neither pixels nor parts"):
            form.read({0: joined(rows)}, SIZE, 1)
        return
    assert isinstance(found, BoxForm)
    assert found.unit == "cells"
    one = found.read({0: joined(rows)}, SIZE, 1)[0]
    for index, cell, stride in (
        (0, (0, 0), 8),
        (81, (1, 1), 8),
        (3200 + 45, (1, 5), 16),
        (4199, (9, 19), 32),
    ):
        expected = yolox_box(rows[index, :4].tolist(), cell, stride)
        np.testing.assert_allclose(centred(one.boxes)[index], expected, rtol=1e-4)


def test_few_pixels_are_no_parts() -> None:
    """Confident boxes of 3 to 7 pixels in a corner: a model that counts in something else."""
    rows = np.zeros((1, 50, 6), np.float32)
    rows[0, :, :4] = [3, 3, 7, 7]
    rows[0, :, 4] = 0.9
    found = form_of(rows, hints=BoxHints(CLASSES, size=SIZE)).settled({0: rows}, SIZE, 1)
    assert isinstance(found, Refusal)
    rows[0, 0, :4] = [3, 3, 70, 70]
    assert settled(form_of(rows, hints=BoxHints(CLASSES, size=SIZE)), rows).unit == "pixels"


def test_rows_that_fill_up_decide_nothing() -> None:
    rows = np.zeros((1, 50, 6), np.float32)
    form = form_of(rows, hints=BoxHints(CLASSES, size=SIZE))
    assert settled(form, rows).unit == "open"
    rows[0, 0] = [100, 100, 200, 200, 0.7, 3]
    assert settled(form, rows).unit == "pixels"
    labels = np.full((1, 50), -1)
    labels[0, 0] = 3
    five = rows[..., :5].copy()
    five[0, 1:, 4] = -1
    one = form_of(five, labels).read({0: five, 1: labels}, SIZE, 1)[0]
    assert (len(one), one.labels.tolist()) == (1, [3])


def test_numbers_that_are_no_scores() -> None:
    """Keypoints in pixels, where classes are expected."""
    rows = candidates(known())
    rows[:, 5:] *= 300
    found = form_of(joined(rows), hints=BoxHints(size=SIZE, objectness=False)).settled(
        {0: joined(rows)}, SIZE, 1
    )
    assert isinstance(found, Refusal)
    assert "neither probabilities nor logits" in found.reason
    percent = np.zeros((1, 30, 6), np.float32)
    percent[0, :, 4] = 70
    form = form_of(percent, hints=BoxHints(CLASSES, size=SIZE))
    assert isinstance(form.settled({0: percent}, SIZE, 1), Refusal)
    with pytest.raises(ModelReadError, match="neither probabilities"):
        form.read({0: percent}, SIZE, 1)


@pytest.mark.parametrize("background", [CLASSES, -CLASSES - 1])
def test_a_background_that_is_not_there_is_refused(background: int) -> None:
    arrays = [joined(known(100).boxes), joined(scores_of(known(100)))]
    form = form_of(*arrays, hints=BoxHints(background=background))
    with pytest.raises(ModelReadError, match="cannot be the background"):
        form.read(dict(enumerate(arrays)), SIZE, 1)


def test_one_column_is_no_background() -> None:
    scores = np.full((1, 100, 1), 3, np.float32)
    arrays = [joined(known(100).boxes), scores]
    one = form_of(*arrays).read(dict(enumerate(arrays)), SIZE, 1)[0]
    np.testing.assert_allclose(one.scores, 1 / (1 + np.exp(-3)), rtol=1e-6)


def spoiled(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = rows.copy()
    for at, number in enumerate((np.nan, np.inf, -np.inf, 3e38)):
        rows[at, at] = number
        rows[10 + at, 5 + at % 2] = number
    return rows


@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("encode", [candidates, with_objectness, queries])
def test_numbers_that_are_none_are_left_out(encode: Any, turned: bool) -> None:
    """Without a warning, and with no effect on others."""
    turned = turned and encode is not with_objectness
    boxes = known()

    def answer(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return joined(rows.T if turned else rows)

    plain = answer(encode(boxes))
    form = settled(form_of(plain, hints=BoxHints(CLASSES)), plain)
    one = form.read({0: answer(spoiled(encode(boxes)))}, SIZE, 1)[0]
    assert len(one) in (len(boxes) - 8, len(boxes) - 7, len(boxes) - 6), "3e38 is a number, if not in pixels"
    for part in (one.boxes, one.scores, one.class_scores):
        assert np.isfinite(given(part)).all()
    np.testing.assert_allclose(one.boxes[20 - CELLS :], boxes.boxes[20:], atol=1e-3)
    found = similarities(known(5).taken(np.arange(5)), one)
    assert np.isfinite(found).all()
    assert len(form.read({0: np.full_like(plain, np.nan)}, SIZE, 1)[0]) == 0


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_logits_that_are_none_are_left_out(activation: Any) -> None:
    boxes = known(100)
    numbers = logits(scores_of(boxes))
    numbers[0, 1], numbers[1] = np.nan, -np.inf
    numbers[2, 3] = 3e38
    arrays = [joined(boxes.boxes), joined(numbers)]
    form = form_of(*arrays, hints=BoxHints(CLASSES, activation=activation, order="xyxy", normalised=False))
    one = form.read(dict(enumerate(arrays)), SIZE, 1)[0]
    assert len(one) == (99 if activation == "sigmoid" else 98)
    assert np.isfinite(given(one.class_scores)).all()


def test_no_boxes_at_all() -> None:
    """As a graph with its own suppression gives for a picture without objects."""
    boxes, labels, scores = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.float32)
    outputs = [
        OutputShape((name,), (None, *each.shape[1:]), each.dtype)
        for name, each in (("boxes", boxes), ("labels", labels), ("scores", scores))
    ]
    form = recognise(outputs)
    assert isinstance(form, BoxForm)
    results: dict[int, NDArray[Any]] = {0: boxes, 1: labels, 2: scores}
    assert settled(form, boxes, labels, scores) == form
    one = form.read(results, SIZE, 1)[0]
    assert (len(one), one.boxes.shape) == (0, (0, 4))
    rows = np.zeros((1, 1, 0, 7), np.float32)
    assert [len(each) for each in form_of(rows).read({0: rows}, SIZE, 2)] == [0, 0]
    six = recognise([OutputShape(("output0",), (1, None, 6), FLOAT)], BoxHints(size=SIZE))
    assert isinstance(six, BoxForm)
    assert len(six.read({0: np.zeros((1, 0, 6), np.float32)}, SIZE, 1)[0]) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {0: np.zeros((1, 5, 4), np.float32), 1: np.zeros((1, 4, 3), np.float32)},
        {0: np.zeros((1, 5, 3), np.float32), 1: np.zeros((1, 5, 3), np.float32)},
        {0: np.zeros((1, 1, 5, 4), np.float32), 1: np.zeros((1, 5, 3), np.float32)},
        {0: np.zeros((1, 5, 4), np.float32), 1: np.zeros((1, 5, 0), np.float32)},
        {0: np.zeros(4, np.float32), 1: np.zeros((1, 5, 3), np.float32)},
    ],
)
def test_results_of_another_shape_than_was_said(wrong: dict[int, NDArray[Any]]) -> None:
    form = form_of(joined(known(100).boxes), joined(scores_of(known(100))))
    with pytest.raises(ModelReadError):
        form.read(wrong, SIZE, 1)


def test_scores_of_other_boxes_than_there_are() -> None:
    boxes, scores, labels = (
        np.zeros((1, 5, 4), np.float32),
        np.zeros((1, 5), np.float32),
        np.zeros((1, 5), int),
    )
    form = form_of(boxes, scores, labels)
    for wrong in ({1: scores[:, :4]}, {2: labels[:, :4]}):
        with pytest.raises(ModelReadError, match="which is not that of its form"):
            form.read({0: boxes, 1: scores, 2: labels} | wrong, SIZE, 1)


def test_scores_that_are_none_beside_labels() -> None:
    rows = np.zeros((1, 9, 6), np.float32)
    rows[0, :, :4], rows[0, :, 4] = [10, 10, 90, 90], 0.5
    rows[0, 0, 4], rows[0, 1, 4], rows[0, 2, 5], rows[0, 3, 5] = np.nan, np.inf, np.nan, -1
    one = form_of(rows, hints=BoxHints(CLASSES, size=SIZE)).read({0: rows}, SIZE, 1)[0]
    assert len(one) == 5
    np.testing.assert_array_equal(one.scores, 0.5)
    np.testing.assert_array_equal(one.labels, 0)


def test_results_with_fewer_numbers_than_classes() -> None:
    rows = joined(candidates(known()))
    form = form_of(rows, hints=BoxHints(CLASSES))
    with pytest.raises(ModelReadError, match="gives 10 numbers of a candidate, and not 4 and 7 classes"):
        form.read({0: rows[..., :10]}, SIZE, 1)


def test_labels_that_are_not_whole_are_refused() -> None:
    """Six numbers of a candidate with two classes, which look like a box with score and label."""
    boxes = known(300)
    rows = joined(np.hstack([in_parts(centred(boxes.boxes)), scores_of(boxes)[:, :2]]))
    form = form_of(rows, hints=BoxHints(size=SIZE))
    with pytest.raises(ModelReadError, match=r"whole numbers, and not 0\.\d+"):
        form.read({0: rows}, SIZE, 1)
    form = form_of(rows, hints=BoxHints(2, size=SIZE, objectness=False))
    one = form.read({0: rows}, SIZE, 1)[0]
    np.testing.assert_allclose(one.boxes, boxes.boxes, atol=1e-3)


def test_scores_stay_in_0_to_1() -> None:
    """Half precision may give a little more."""
    rows = np.zeros((1, 30, 6), np.float32)
    rows[0, :, :4], rows[0, :, 4] = [10, 10, 90, 90], 1.001
    one = form_of(rows, hints=BoxHints(CLASSES, size=SIZE)).read({0: rows}, SIZE, 1)[0]
    np.testing.assert_array_equal(one.scores, np.ones(30))


def test_detections_are_told_to_be_picked_or_not() -> None:
    boxes = known(300)
    assert not form_of(joined(candidates(known()).T), hints=BoxHints(CLASSES)).picked
    assert form_of(joined(queries(boxes)), hints=BoxHints(CLASSES, size=SIZE)).picked
    assert not form_of(joined(boxes.boxes), joined(scores_of(boxes))).picked
    assert form_of(boxes.boxes, boxes.labels, boxes.scores).picked


def test_a_form_is_what_it_is_made_of() -> None:
    form = form_of(joined(candidates(known()).T), hints=BoxHints(CLASSES))
    assert form == replace(form)
    assert isinstance(form.read({0: joined(candidates(known()).T)}, SIZE, 1)[0], Detections)
