"""The slow definitions: overlap by counting, suppression by hand, D-RISE's likeness, YOLOX's cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.detections.boxes import Detections


def overlap_of_pixels(a: Sequence[int], b: Sequence[int], extent: int) -> float:
    """Intersection over union of two boxes of whole pixels, by counting those of a square picture."""
    pictures = []
    for left, top, right, bottom in (a, b):
        picture = np.zeros((extent, extent), bool)
        picture[top:bottom, left:right] = True
        pictures.append(picture)
    union = (pictures[0] | pictures[1]).sum()
    return float((pictures[0] & pictures[1]).sum() / union) if union else 0.0


def overlap(a: NDArray[Any], b: NDArray[Any]) -> float:
    """The same of any two boxes."""
    across = min(float(a[2]), float(b[2])) - max(float(a[0]), float(b[0]))
    down = min(float(a[3]), float(b[3])) - max(float(a[1]), float(b[1]))
    if across <= 0 or down <= 0:
        return 0.0
    areas = [(float(box[2]) - float(box[0])) * (float(box[3]) - float(box[1])) for box in (a, b)]
    return across * down / (areas[0] + areas[1] - across * down)


def suppressed(detections: Detections, iou_threshold: float, score_threshold: float, most: int) -> list[int]:
    """Indices of what non-maximum suppression keeps: take the best, strike what repeats it, and so on."""
    waiting = [index for index in range(len(detections)) if detections.scores[index] >= score_threshold]
    kept: list[int] = []
    while waiting and len(kept) < most:
        best = max(waiting, key=lambda index: (detections.scores[index], -index))
        kept.append(best)
        waiting = [
            index
            for index in waiting
            if index != best
            and (
                detections.labels[index] != detections.labels[best]
                or overlap(detections.boxes[index], detections.boxes[best]) <= iou_threshold
            )
        ]
    return kept


def likeness(targets: Detections, t: int, proposals: Detections, j: int) -> float:
    """D-RISE, equations 2 to 4: overlap times cosine times objectness."""
    if targets.class_scores is None or proposals.class_scores is None:
        cosine = float(targets.labels[t] == proposals.labels[j])
    else:
        one, other = targets.class_scores[t].tolist(), proposals.class_scores[j].tolist()
        lengths = math.hypot(*one) * math.hypot(*other)
        cosine = sum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else 0.0
    sure = proposals.scores[j] if proposals.objectness is None else proposals.objectness[j]
    return overlap(targets.boxes[t], proposals.boxes[j]) * cosine * float(sure)


def found_again(targets: Detections, proposals: Detections) -> list[float]:
    """The score of each target: the highest likeness to a proposal, 0 without any."""
    return [
        max((likeness(targets, t, proposals, j) for j in range(len(proposals))), default=0.0)
        for t in range(len(targets))
    ]


def yolox_box(
    numbers: Sequence[float], cell: tuple[int, int], stride: int
) -> tuple[float, float, float, float]:
    """Centre, width and height of what YOLOX says in one cell (row, column)."""
    x, y, width, height = numbers
    row, column = cell
    return (x + column) * stride, (y + row) * stride, math.exp(width) * stride, math.exp(height) * stride
