"""The pointing game, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.evaluation.annotations import ObjectBox
from ovxai_convert.evaluation.pointing import PointedAt
from ovxai_convert.photographs.preprocessing import FieldOfView

GRID = (6, 9)
CASES = {
    "all of it": FieldOfView(0, 0, 90, 60),
    "the middle": FieldOfView(15, 0, 75, 60),
    "with padding": FieldOfView(0, -15, 90, 75),
}
BOXES = (ObjectBox("cat", 20, 5, 50.5, 30), ObjectBox("dog", 70, 40, 90, 60))


def slow_hits(saliency: NDArray[np.float32], region: FieldOfView, boxes: tuple[ObjectBox, ...]) -> float:
    """The share of the highest pixels within the photograph, 60 rows of 90, whose middles are in a box."""
    best: list[bool] = []
    highest = -np.inf
    for row in range(GRID[0]):
        for column in range(GRID[1]):
            x = region.left + (column + 0.5) / GRID[1] * (region.right - region.left)
            y = region.top + (row + 0.5) / GRID[0] * (region.bottom - region.top)
            if not (0 <= x <= 90 and 0 <= y <= 60):
                continue
            hit = any(box.left <= x <= box.right and box.top <= y <= box.bottom for box in boxes)
            if saliency[row, column] > highest:
                highest, best = saliency[row, column], [hit]
            elif saliency[row, column] == highest:
                best.append(hit)
    return sum(best) / len(best)


@pytest.mark.parametrize("region", CASES.values(), ids=CASES)
def test_by_every_pixel(region: FieldOfView) -> None:
    pointed = PointedAt((60, 90), region, GRID, BOXES)
    rng = np.random.default_rng(0)
    found = set()
    for _ in range(40):
        saliency = rng.integers(0, 12, GRID).astype(np.float32)
        expected = slow_hits(saliency, region, BOXES)
        assert pointed.hits(saliency) == pytest.approx(expected)
        found.add(expected)
    assert len(found) > 3, "hits, misses, and ties"
    assert pointed.chance == pytest.approx(slow_hits(np.zeros(GRID, np.float32), region, BOXES))


def test_a_map_that_is_the_same_everywhere_hits_by_chance() -> None:
    pointed = PointedAt((60, 90), CASES["all of it"], GRID, [ObjectBox("cat", 0, 0, 90, 30)])
    assert pointed.hits(np.full(GRID, 3, np.float32)) == pointed.chance == 0.5


def test_padding_is_no_place() -> None:
    saliency = np.zeros(GRID, np.float32)
    saliency[0] = 9  # above the photograph
    saliency[3, 4] = 1
    pointed = PointedAt((60, 90), CASES["with padding"], GRID, [ObjectBox("cat", 40, 20, 60, 50)])
    assert pointed.hits(saliency) == 1
    beyond = PointedAt((60, 90), CASES["with padding"], GRID, [ObjectBox("cat", -9, -9, 99, 99)])
    assert beyond.chance == 1, "a box may reach beyond the photograph"


def test_margin_makes_boxes_larger() -> None:
    saliency = np.zeros(GRID, np.float32)
    saliency[0, 0] = 1  # its middle is at (5, 5)
    for margin, hits in ((0, 0), (4.9, 0), (5, 1)):
        pointed = PointedAt((60, 90), CASES["all of it"], GRID, [ObjectBox("cat", 10, 10, 20, 20)], margin)
        assert pointed.hits(saliency) == hits


def test_box_that_is_not_seen_has_no_chance() -> None:
    assert PointedAt((60, 90), CASES["the middle"], GRID, [ObjectBox("cat", 0, 0, 15, 60)]).chance == 0
