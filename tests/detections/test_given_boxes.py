from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ovxai_convert.detections.given_boxes import read_function
from ovxai_convert.errors import UsageError

BOXES = [[0, 0, 10, 10], [5, 5, 20.5, 30]]
SCORES, LABELS = [0.9, 0.25], [3, 0]
CLASSES = [[0.1, 0.9], [0.25, 0.0]]
ALL = {"boxes": BOXES, "scores": SCORES, "labels": LABELS}


def read(answer: Any, samples: int = 1) -> Any:
    return read_function(lambda _: answer)({}, (64, 64), samples)


@pytest.mark.parametrize(
    "kind", [list, np.array, lambda part: np.array(part, np.float16), lambda part: np.array([part])]
)
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("listed", [True, False])
def test_boxes_scores_and_labels(kind: Callable[[Any], Any], named: bool, listed: bool) -> None:
    parts = {name: kind(part) for name, part in ALL.items()}
    answer: Any = parts if named else tuple(parts.values())
    (found,) = read([answer] if listed else answer)
    np.testing.assert_array_equal(found.boxes, BOXES)
    np.testing.assert_allclose(found.scores, SCORES, rtol=1e-3)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert [str(each.dtype) for each in (found.boxes, found.scores, found.labels)] == [
        "float32",
        "float32",
        "int64",
    ]
    assert found.class_scores is None
    assert found.objectness is None


def test_what_a_model_gives_beside() -> None:
    (found,) = read({**ALL, "class_scores": CLASSES, "objectness": [1, 0.5]})
    np.testing.assert_allclose(found.class_scores, CLASSES)
    np.testing.assert_allclose(found.objectness, [1, 0.5])
    (found,) = read({**ALL, "class_scores": None, "objectness": None})
    assert found.class_scores is None


def test_samples_each_have_their_own() -> None:
    found = read([ALL, (BOXES[:1], SCORES[:1], LABELS[:1]), ([], [], [])], 3)
    assert [len(each) for each in found] == [2, 1, 0]
    assert found[2].boxes.shape == (0, 4)


def test_the_function_gets_the_results_as_they_are() -> None:
    results = {0: np.zeros(3)}
    seen = []

    def function(given: Any) -> Any:
        seen.append(given)
        return ALL

    read_function(function)(results, (8, 8), 1)
    assert seen[0] is results


def test_boxes_that_are_none_are_left_out() -> None:
    boxes = [[0, 0, 1, 1], [np.nan, 0, 1, 1], [0, 0, np.inf, 1], [0, 0, 2, 2], [0, 0, 3, 3]]
    scores = [0.5, 0.5, 0.5, np.nan, 0.5]
    classes = [[0.5], [0.5], [0.5], [0.5], [np.inf]]
    (found,) = read({"boxes": boxes, "scores": scores, "labels": np.zeros(5), "class_scores": classes})
    np.testing.assert_array_equal(found.boxes, [[0, 0, 1, 1]])
    assert len(found.class_scores) == 1


@pytest.mark.parametrize(
    "none",
    [
        ([], [], []),
        (np.zeros((0, 4)), np.zeros(0), np.zeros(0)),
        (np.zeros((1, 0, 4)), np.zeros((1, 0)), np.zeros((1, 0))),
    ],
)
def test_no_boxes(none: Any) -> None:
    (found,) = read(none)
    assert (len(found), found.boxes.shape) == (0, (0, 4))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "and not None"),
        ("abc", "and not a str"),
        (np.zeros((3, 4)), "and not a ndarray"),
        ((BOXES, SCORES), "and not a tuple of 2"),
        ({"boxes": BOXES, "scores": SCORES}, "its dictionary has no 'labels'"),
        ({**ALL, "score": SCORES}, "has 'score', which is none"),
        ((BOXES, SCORES, LABELS[:1]), r"its labels are int64 of shape \(1,\), and not \(2\)"),
        ((BOXES, [SCORES] * 2, LABELS), r"its scores are float64 of shape \(2, 2\), and not \(2\)"),
        ((np.zeros((2, 5)), SCORES, LABELS), r"its boxes are float64 of shape \(2, 5\), and not \(n, 4\)"),
        ((np.zeros((2, 2, 4)), SCORES, LABELS), r"its boxes are float64 of shape \(2, 2, 4\)"),
        (([[0, 0, 1, 1], [0, 0]], SCORES, LABELS), "its boxes are no array"),
        ((BOXES, ["a", "b"], LABELS), "its scores are <U1"),
        ((BOXES, SCORES, ["cat", "dog"]), "its labels are <U3"),
        ((BOXES, [0.5, 70], LABELS), "scores lie in 0 to 1"),
        ((BOXES, [0.5, -0.1], LABELS), "scores lie in 0 to 1"),
        ((BOXES, SCORES, [0.5, 1]), "labels are whole numbers from 0 on"),
        ((BOXES, SCORES, [-1, 1]), "labels are whole numbers from 0 on"),
        ((BOXES, SCORES, [np.nan, 1]), "labels are whole numbers from 0 on"),
        ((BOXES, SCORES, [1e30, 1]), "labels are whole numbers from 0 on"),
        (
            {**ALL, "class_scores": [0.5, 0.5]},
            r"its class_scores are float64 of shape \(2,\), and not \(2, n\)",
        ),
        ({**ALL, "class_scores": [[9], [1]]}, "class_scores lie in 0 to 1"),
        ({**ALL, "objectness": [1]}, r"its objectness are int64 of shape \(1,\)"),
        ([ALL, ALL], "a list of these: 1 were asked for, and not 2"),
        ([], "1 were asked for, and not 0"),
        ([BOXES, SCORES, LABELS], "a list of these: 1 were asked for, and not 3"),
    ],
)
def test_answers_that_are_none(answer: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as raised:
        read(answer)
    assert str(raised.value).startswith("postprocess_fn returns boxes, scores and labels")
    assert "\n" not in str(raised.value)


def test_one_answer_for_several_samples_is_refused() -> None:
    with pytest.raises(UsageError, match="2 were asked for, and not 1"):
        read(ALL, 2)


def test_an_error_of_the_function_goes_through() -> None:
    def broken(results: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        read_function(broken)({}, (8, 8), 1)
