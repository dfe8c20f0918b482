from __future__ import annotations

import numpy as np
import pytest

from ovxai_convert.detections.grids import anchors_per_cell, decoded
from tests.detections.definitions import yolox_box


@pytest.mark.parametrize(
    ("candidates", "size", "anchors"),
    [
        (8400, (640, 640), 1),
        (25200, (640, 640), 3),
        (3549, (416, 416), 1),
        (102000, (1280, 1280), 3),
        (33600, (1280, 1280), 1),
        (34000, (1280, 1280), 1),
        (4200, (320, 640), 1),
        (2535, (416, 416), 3),
        (300, (640, 640), None),
        (8400, (320, 320), None),
        (8401, (640, 640), None),
        (84, (640, 640), None),
    ],
)
def test_cells_of_common_detectors(candidates: int, size: tuple[int, int], anchors: int | None) -> None:
    assert anchors_per_cell(candidates, size) == anchors


def test_boxes_told_from_their_cell() -> None:
    size = (64, 96)
    cells = [
        (stride, row, column)
        for stride in (8, 16, 32)
        for row in range(64 // stride)
        for column in range(96 // stride)
    ]
    numbers = np.random.default_rng(0).normal(0.5, 1, (len(cells), 4)).astype(np.float32)
    expected = [
        yolox_box(each.tolist(), (row, column), stride)
        for each, (stride, row, column) in zip(numbers, cells, strict=True)
    ]
    np.testing.assert_allclose(decoded(numbers, size), expected, rtol=1e-5)
