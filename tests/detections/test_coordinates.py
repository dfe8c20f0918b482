from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.detections.coordinates import are_corners, confident, corners, in_pixels, unit_of


def floats(*rows: Any) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 4)


def unit(*boxes: list[float], order: Any = "cxcywh", best: int | None = None) -> str:
    rows = floats(*boxes)
    return unit_of(rows, np.arange(len(rows) if best is None else best), order)


def test_the_most_confident_boxes() -> None:
    boxes = np.tile(floats([1, 2, 3, 4]), (30, 1))
    scores = np.linspace(0.1, 1, 30).astype(np.float32)
    scores[29], boxes[28], boxes[27, 2] = 0, 0, np.nan
    assert confident(boxes, scores).tolist() == list(range(26, 6, -1))
    assert len(confident(boxes, np.zeros(30, np.float32))) == 0
    assert len(confident(np.zeros((30, 4), np.float32), scores)) == 0


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([[0, 0, 10, 10], [50, 50, 60, 70]], True),
        ([[5, 5, 5, 5]], True),
        ([[50, 50, 10, 90]], False),
        ([[50, 50, 90, 10]], False),
        ([[0, 0, 10, 10], [600, 50, 599.9, 70]], True),
        ([[0, 0, 10, 10], [600, 50, 590, 70]], False),
        ([[np.nan, 5, 1, 1], [1, 1, np.inf, 0]], True),
        ([], True),
    ],
)
def test_corners_are_told(boxes: list[list[float]], expected: bool) -> None:
    assert are_corners(floats(*boxes)) == expected


def test_pixels_parts_and_neither() -> None:
    assert unit([320, 200, 50, 60]) == "pixels"
    assert unit([0.5, 0.5, 0.9, 0.9]) == "parts"
    assert unit([0.9, 0.5, 1.1, 0.9]) == "parts", "it reaches beyond the picture a little"
    assert unit([0.9, 0.5, 1.5, 0.9]) == "neither", "it reaches beyond the picture by more than half of it"
    assert unit([0.1, 0.5, 1.5, 0.9]) == "neither"
    assert unit([0.9, 0.5, 1.5, 0.9], order="xyxy") == "parts"
    assert unit([0.5, 0.5, 2.5, 2.5], order="xyxy") == "neither"
    assert unit([1.0, 1.0, 1.2, 3.0], order="xyxy") == "neither"
    assert unit([-3, 0.5, 0.5, 0.5]) == "neither"
    assert unit([-9, 0.5, 0.5, 0.5]) == "pixels"
    assert unit([8, 8, 8, 8]) == "neither"


def test_the_most_confident_boxes_decide_but_for_what_is_negative() -> None:
    assert unit([0.5, 0.5, 0.9, 0.9], [99, 99, 9, 9], best=1) == "parts"
    assert unit([99, 99, 9, 9], [0.5, 0.5, -0.9, 0.9], best=1) == "pixels"
    assert unit([0.5, 0.5, 0.9, 0.9], [0.5, 0.5, 0.9, -0.1], best=1) == "neither"
    assert unit([0.5, 0.5, 0.9, 0.9], [0.5, 0.5, np.nan, -0.1], best=1) == "parts"
    assert unit([0.1, 0.1, 0.9, 0.9], [0.5, 0.5, -0.1, -0.1], best=1, order="xyxy") == "parts"


@pytest.mark.parametrize(
    ("order", "box"),
    [
        ("xyxy", [10, 20, 40, 80]),
        ("yxyx", [20, 10, 80, 40]),
        ("cxcywh", [25, 50, 30, 60]),
        ("xywh", [10, 20, 30, 60]),
    ],
)
def test_every_order_of_numbers(order: Any, box: list[float]) -> None:
    np.testing.assert_array_equal(corners(floats(box, [0, 0, 0, 0]), order), [[10, 20, 40, 80], [0] * 4])


def test_parts_of_the_input_in_pixels() -> None:
    np.testing.assert_array_equal(in_pixels(floats([0.25, 0.5, 1, 1]), (100, 400)), [[100, 50, 400, 100]])
    assert np.isinf(in_pixels(floats([3e38, 0, 0, 0]), (100, 400))[0, 0])
