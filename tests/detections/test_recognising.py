from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from ovxai_convert.detections.arrangements import (
    Apart,
    Arrangement,
    BoxesAndClasses,
    Joined,
    RowsWithScore,
    SevenColumns,
    SixColumns,
)
from ovxai_convert.detections.forms import BoxForm
from ovxai_convert.detections.outputs import BoxHints, OutputShape
from ovxai_convert.detections.recognising import recognise
from ovxai_convert.errors import Refusal

LARGE = (640, 640)
Shape = tuple[int | None, ...]
FIRST: Final = "channels_first"
LAST: Final = "channels_last"


def outputs(*given: tuple[str, Shape] | tuple[str, Shape, Any]) -> list[OutputShape]:
    """Outputs by name and shape, of floats unless a type is given."""
    return [
        OutputShape(
            (each[0],) if each[0] else (), each[1], np.dtype(each[2] if len(each) > 2 else np.float32)
        )
        for each in given
    ]


def form(*given: tuple[str, Shape] | tuple[str, Shape, Any], hints: BoxHints | None = None) -> BoxForm:
    found = recognise(outputs(*given), hints)
    assert isinstance(found, BoxForm), found
    return found


def why(*given: tuple[str, Shape] | tuple[str, Shape, Any], hints: BoxHints | None = None) -> str:
    """Why it is refused, which names every output."""
    listed = outputs(*given)
    found = recognise(listed, hints)
    assert isinstance(found, Refusal), found
    assert all(str(each) in found.reason for each in listed)
    assert "\n" not in found.reason
    return found.reason


@pytest.mark.parametrize(
    ("shape", "hints", "expected"),
    [
        ((1, 84, 8400), BoxHints(80), Joined(0, FIRST, False, 80)),
        ((1, 84, 8400), BoxHints(80, size=LARGE), Joined(0, FIRST, False, 80)),
        ((1, 84, 8400), BoxHints(size=LARGE), Joined(0, FIRST, False, 80)),
        ((None, 84, None), BoxHints(), Joined(0, FIRST, False, 80, guessed=True)),
        ((None, 84, None), BoxHints(80), Joined(0, FIRST, False, 80)),
        ((1, 84, 21), BoxHints(size=(32, 32)), Joined(0, FIRST, False, 80)),
        ((1, 85, 8400), BoxHints(80, objectness=True), Joined(0, FIRST, True, 80)),
        ((1, 5, 8400), BoxHints(size=LARGE), Joined(0, FIRST, False, 1)),
        ((1, 6, 8400), BoxHints(size=LARGE), Joined(0, FIRST, False, 2)),
        ((1, 8400, 84), BoxHints(80), Joined(0, LAST, False, 80)),
        ((1, 8400, 85), BoxHints(80), Joined(0, LAST, True, 80)),
        ((1, 8400, 85), BoxHints(81), Joined(0, LAST, False, 81)),
        ((1, 8400, 85), BoxHints(objectness=True), Joined(0, LAST, True, 80)),
        ((1, 8400, 85), BoxHints(objectness=False), Joined(0, LAST, False, 81)),
        ((1, 25200, 85), BoxHints(size=LARGE), Joined(0, LAST, True, 80)),
        ((None, None, 85), BoxHints(80), Joined(0, LAST, True, 80)),
        ((1, 8400, 6), BoxHints(2, size=LARGE), Joined(0, LAST, False, 2)),
        ((1, 8400, 6), BoxHints(1, size=LARGE), Joined(0, LAST, True, 1)),
        ((1, 8400, 6), BoxHints(objectness=True), Joined(0, LAST, True, 1)),
        ((1, 25200, 6), BoxHints(size=LARGE), Joined(0, LAST, True, 1)),
        ((1, 8400, 5), BoxHints(size=LARGE), Joined(0, LAST, False, 1)),
        ((1, 300, 84), BoxHints(80), Joined(0, LAST, False, 80)),
        ((1, 300, 84), BoxHints(size=LARGE), Joined(0, LAST, False, 80, picked=True)),
        ((1, 300, 369), BoxHints(365, size=LARGE), Joined(0, LAST, False, 365, picked=True)),
        ((1, 84, 84), BoxHints(80, layout="channels_last"), Joined(0, LAST, False, 80)),
        ((1, 300, 6), BoxHints(80), SixColumns(0)),
        ((1, 300, 6), BoxHints(size=LARGE), SixColumns(0)),
        ((1, 300, 6), BoxHints(), SixColumns(0)),
        ((1, None, 6), BoxHints(80), SixColumns(0)),
        ((1, None, 6), BoxHints(2, size=LARGE), SixColumns(0)),
        ((1, 8400, 6), BoxHints(80, size=LARGE), SixColumns(0)),
        ((1, 100, 5), BoxHints(size=LARGE), RowsWithScore(0, None)),
    ],
)
def test_one_output(shape: Shape, hints: BoxHints, expected: Arrangement) -> None:
    assert form(("output0", shape), hints=hints).arrangement == expected


@pytest.mark.parametrize(
    ("shape", "hints", "says"),
    [
        ((1, 8400, 85), BoxHints(), "the number of classes would tell"),
        (
            (1, 8400, 85),
            BoxHints(size=LARGE),
            "objectness or its first class cannot be told; the number of cl",
        ),
        ((1, 5000, 85), BoxHints(size=LARGE), "objectness or its first class"),
        (
            (1, 300, 1204),
            BoxHints(size=LARGE),
            "which axis of output0 [1, 300, 1204] holds candidates cannot",
        ),
        ((1, 84, 84), BoxHints(80), "which axis"),
        ((None, None, None), BoxHints(80), "is open"),
        ((None, None, 6), BoxHints(), "the size of the input would tell"),
        ((None, None, 6), BoxHints(2), "the size of the input would tell"),
        ((None, None, 5), BoxHints(1), "the size of the input would tell"),
        ((1, 8400, 6), BoxHints(size=LARGE), "objectness or its first class"),
        ((1, 84, 8400), BoxHints(20), "does not hold boxes of 20 classes"),
        ((1, 84, 8400), BoxHints(79), "does not hold boxes of 79 classes"),
        ((1, 20, 8400), BoxHints(15), "does not hold boxes of 15 classes"),
        ((1, 56, 8400), BoxHints(1), "does not hold boxes of one class"),
        ((1, 84, 8400), BoxHints(80, objectness=True), "does not hold boxes of 80 classes"),
        ((1, None, None), BoxHints(80, layout="channels_first"), "is open"),
        ((1, 255, 80, 80), BoxHints(80), "no output has a known form"),
        ((1, 4, 8400), BoxHints(), "no output has a known form"),
        ((8400, 85), BoxHints(80), "no output has a known form"),
        ((), BoxHints(), "no output has a known form"),
    ],
)
def test_one_output_that_is_not_clear(shape: Shape, hints: BoxHints, says: str) -> None:
    assert says in why(("output0", shape), hints=hints)


def test_rotated_boxes_are_no_boxes() -> None:
    """Ultralytics puts an angle behind the classes, which make one number more than was expected."""
    assert "15 classes" in why(("output0", (1, 20, 21504)), hints=BoxHints(15, size=(1024, 1024)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([("detection_out", (1, 1, 200, 7))], SevenColumns(0)),
        ([("", (None, None, None, 7)), ("features", (1, 256))], SevenColumns(0)),
        ([("boxes", (100, 5)), ("labels", (100,), "i4")], RowsWithScore(0, 1)),
        ([("labels", (None,), "i8"), ("boxes", (None, 5))], RowsWithScore(1, 0)),
        ([("boxes", (None, 5)), ("labels", (None,))], RowsWithScore(0, 1)),
        ([("dets", (1, 100, 5)), ("labels", (1, 100), "i8")], RowsWithScore(0, 1)),
        (
            [
                ("boxes", (1, None, 5)),
                ("labels", (1, None), "i8"),
                ("saliency_map", (1, 3, 7, 7)),
                ("feature_vector", (1, 256)),
            ],
            RowsWithScore(0, 1),
        ),
        ([("boxes", (100, 5))], RowsWithScore(0, None)),
        ([("a", (None, 4)), ("b", (None,), "i8"), ("c", (None,))], Apart(0, 2, 1)),
        (
            [
                ("num_dets", (1, 1), "i4"),
                ("det_boxes", (1, 100, 4)),
                ("det_scores", (1, 100)),
                ("det_classes", (1, 100), "i4"),
            ],
            Apart(1, 2, 3),
        ),
        ([("boxes", (1, 50, 4)), ("scores", (1, 50)), ("labels", (1, 50))], Apart(0, 1, 2)),
        (
            [("boxes", (None, 4)), ("labels", (None,), "i8"), ("ids", (None,), "i8"), ("scores", (None,))],
            Apart(0, 3, 1),
        ),
        (
            [
                ("detection_boxes:0", (1, 100, 4)),
                ("detection_classes:0", (1, 100)),
                ("detection_scores:0", (1, 100)),
                ("raw_detection_boxes:0", (1, 1917, 4)),
                ("raw_detection_scores:0", (1, 1917, 91)),
            ],
            Apart(0, 2, 1),
        ),
        ([("904", (1, 8400, 4)), ("913", (1, 8400, 80))], BoxesAndClasses(0, 1)),
        ([("913", (1, 80, 8400)), ("904", (1, 8400, 4))], BoxesAndClasses(1, 0, True)),
        ([("scores", (1, 4420, 2)), ("boxes", (1, 4420, 4))], BoxesAndClasses(1, 0)),
        ([("boxes", (8732, 4)), ("scores", (8732, 21))], BoxesAndClasses(0, 1)),
        ([("boxes", (None, None, 4)), ("scores", (None, None, 80))], BoxesAndClasses(0, 1)),
        ([("boxes", (None, None, 4)), ("scores", (None, 80, None))], BoxesAndClasses(0, 1, True)),
        ([("boxes", (1, 50, 4)), ("scores", (1, 50, 4))], BoxesAndClasses(0, 1)),
        (
            [("boxes", (1, 50, 4)), ("scores", (1, 50, 3)), ("landmarks", (1, 50, 10))],
            BoxesAndClasses(0, 1),
        ),
        (
            [("logits", (1, 100, 92)), ("pred_boxes", (1, 100, 4)), ("last_hidden_state", (1, 100, 256))],
            BoxesAndClasses(1, 0, picked=True),
        ),
        ([("pred_boxes", (1, 100, 4)), ("pred_logits", (1, 100, 4))], BoxesAndClasses(0, 1, picked=True)),
        ([("dets", (1, 300, 4)), ("labels", (1, 300, 91))], BoxesAndClasses(0, 1)),
        (
            [("output", (1, 25200, 85)), *[(f"{at}", (1, 3, at, at, 85)) for at in (80, 40, 20)]],
            Joined(0, LAST, True, 80),
        ),
        ([("output0", (1, 116, 8400)), ("output1", (1, 32, 160, 160))], Joined(0, FIRST, False, 80)),
        ([("output0", (1, 25200, 117)), ("output1", (1, 32, 160, 160))], Joined(0, LAST, True, 80)),
        ([("output0", (1, 300, 38)), ("output1", (1, 32, 160, 160))], SixColumns(0, 32)),
        ([("output0", (1, 84, 8400)), ("saliency_map", (1, 80, 20, 20))], Joined(0, FIRST, False, 80)),
    ],
)
def test_outputs_that_belong_together(given: Any, expected: Arrangement) -> None:
    assert form(*given, hints=BoxHints(size=LARGE)).arrangement == expected


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([("a", (1, 1, 9, 7)), ("b", (1, 1, 9, 7))], "several outputs hold boxes"),
        ([("a", (9, 5)), ("b", (9, 5)), ("c", (9,), "i8")], "which outputs hold boxes and labels"),
        (
            [("a", (9, 4)), ("b", (9,), "i8"), ("c", (9,), "i8"), ("d", (9,))],
            "scores and labels is not clear",
        ),
        ([("a", (1, 9, 4)), ("b", (1, 9, 4))], "which outputs hold boxes, and which their classes"),
        ([("boxes", (1, 9, 4)), ("b", (1, 9, 7)), ("c", (1, 9, 8))], "which their classes, is not clear"),
        ([("boxes", (1, None, 4)), ("b", (1, None, None))], "which axis of b [1, ?, ?] holds classes"),
        ([("boxes", (1, 9, 4)), ("scores", (1, 9, 9))], "which axis of scores"),
        ([("a", (1, 8400, 85)), ("b", (1, 8400, 85))], "which output holds boxes is not clear"),
        ([("boxes", (1, 9, 4)), ("scores", (1, 8, 20))], "which axis of scores"),
        ([("boxes", (1, 9, 4))], "no output has a known form"),
        ([("a", (1, 84, 8400), "i8")], "no output has a known form"),
        ([], "outputs: none"),
    ],
)
def test_outputs_that_are_not_clear(given: Any, says: str) -> None:
    assert says in why(*given)


@pytest.mark.parametrize("columns", [79, 82])
def test_classes_of_another_number_than_is_known(columns: int) -> None:
    why(("boxes", (1, 8400, 4)), ("scores", (1, 8400, columns)), hints=BoxHints(80))
    reason = why(("pred_boxes", (1, 100, 4)), ("logits", (1, 100, columns)), hints=BoxHints(80))
    assert f"has {columns} classes, and not 80" in reason


@pytest.mark.parametrize(
    ("columns", "count", "background"), [(92, 91, -1), (91, 91, None), (92, None, "open"), (None, 91, "open")]
)
def test_the_number_of_classes_tells_whether_detr_has_a_background(
    columns: int | None, count: int | None, background: Any
) -> None:
    found = form(("pred_boxes", (1, 100, 4)), ("logits", (1, 100, columns)), hints=BoxHints(count))
    assert found.background == background
    assert (found.order, found.unit) == ("cxcywh", "parts")


def test_a_background_that_is_said_goes_before_the_number_of_classes() -> None:
    for names in (("boxes", "scores"), ("pred_boxes", "logits")):
        for count in (None, 20, 21):
            shapes = (names[0], (1, 50, 4)), (names[1], (1, 50, 21))
            assert form(*shapes, hints=BoxHints(count, background=0)).background == 0


def test_the_number_of_classes_tells_whether_a_pair_has_a_background() -> None:
    for columns, background, certain in ((20, None, False), (21, "open", True)):
        found = form(("boxes", (1, 50, 4)), ("scores", (1, 50, columns)), hints=BoxHints(20))
        assert (found.background, found.has_background) == (background, certain)


def test_forms_whose_boxes_are_told() -> None:
    rows = form(("boxes", (100, 5)), ("labels", (100,), "i8"))
    assert (rows.order, rows.unit) == ("xyxy", "open")
    seven = form(("", (1, 1, 200, 7)))
    assert (seven.order, seven.unit) == ("xyxy", "parts")
    six = form(("", (1, 300, 6)))
    assert (six.order, six.unit) == ("xyxy", "open")
    joined = form(("", (1, 84, 8400)), hints=BoxHints(80))
    assert (joined.order, joined.unit, joined.background) == ("cxcywh", "open", None)
    tensorflow = form(
        *[
            (f"Detection_{part}", (1, 9, 4)[: 2 + (part == "boxes")])
            for part in ("boxes", "scores", "classes")
        ]
    )
    assert (tensorflow.order, tensorflow.unit) == ("yxyx", "parts")


def test_a_softmax_needs_the_numbers_of_all_classes() -> None:
    assert "softmax" in why(("", (1, 300, 6)), hints=BoxHints(activation="softmax"))
    assert form(("", (1, 300, 6)), hints=BoxHints(activation="sigmoid")).activation == "sigmoid"


def test_an_output_in_words() -> None:
    found = outputs(("boxes", (1, None, 4)), ("", ()))
    assert [str(each) for each in found] == ["boxes [1, ?, 4]", "unnamed []"]
