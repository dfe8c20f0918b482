"""Detections of one picture: boxes, scores and labels, what they overlap, and the best of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import ModelReadError

_FARTHEST: Final = 1e9


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes that a detector gives for one picture, n of them, finite numbers all.

    Arrays may be views of the results of an inference; :meth:`taken` makes copies.

    Attributes:
        boxes: float32 ``[n, 4]``: left, top, right, bottom, in pixels of the model's input. The left upper
            corner of the input is (0, 0); boxes may reach beyond it. One whose right edge lies left of its
            left edge has no area.
        scores: float32 ``[n]``, 0 to 1: how sure the model is of an object of the label in the box; where
            there is an objectness, that times the class's.
        labels: int64 ``[n]``, not negative: the class of the highest score.
        class_scores: float32 ``[n, K]``, 0 to 1: of each class, without the background, or None where the
            model gives none. Whether the objectness is a factor of them depends on the model.
        objectness: float32 ``[n]``, 0 to 1: how sure the model is of an object of any class; None where
            it does not say.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    class_scores: NDArray[np.float32] | None = None
    objectness: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def taken(self, which: NDArray[Any]) -> Detections:
        """Those at some indices, in their order, or where a mask ``[n]`` is true; in arrays of their own."""
        return Detections(
            self.boxes[which],
            self.scores[which],
            self.labels[which],
            None if self.class_scores is None else self.class_scores[which],
            None if self.objectness is None else self.objectness[which],
        )


def iou(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float32]:
    """Intersection over union of boxes ``[n, 4]`` with boxes ``[m, 4]``: ``[n, m]``, 0 to 1.

    Boxes are left, top, right, bottom, in any unit; those without an area overlap nothing. Edges beyond a
    billion count as that.
    """
    left, top, right, bottom = _edges(a)[..., np.newaxis]
    lefts, tops, rights, bottoms = _edges(b)
    common = _length(np.maximum(left, lefts), np.minimum(right, rights))
    common *= _length(np.maximum(top, tops), np.minimum(bottom, bottoms))
    areas = _length(lefts, rights) * _length(tops, bottoms)
    union = _length(left, right) * _length(top, bottom) + areas
    union -= common
    ratio: NDArray[np.float32] = np.divide(common, union, out=np.zeros_like(common), where=common > 0)
    return ratio


def _edges(boxes: NDArray[Any]) -> NDArray[np.float32]:
    """Boxes ``[n, 4]`` edge by edge, ``[4, n]``, so small that areas are finite numbers."""
    return np.asarray(np.clip(boxes.T, -_FARTHEST, _FARTHEST), np.float32, order="C")


def _length(start: NDArray[np.float32], end: NDArray[np.float32]) -> NDArray[np.float32]:
    """From the start to the end, 0 where that lies before it."""
    return np.asarray(np.maximum(end - start, 0), np.float32)


def nms(
    detections: Detections, iou_threshold: float = 0.5, score_threshold: float = 0.25, most: int = 100
) -> Detections:
    """The best detections without those that repeat a better one: non-maximum suppression, class by class.

    Of detections whose score is at least ``score_threshold``, from the highest score down (the earlier one of
    equals first), each is kept that overlaps none that is kept of its label by more than ``iou_threshold``,
    until there are ``most``. They are sorted so, in arrays of their own.
    """
    order = np.argsort(-detections.scores, kind="stable")
    ranked = order[detections.scores[order] >= score_threshold]
    boxes, labels = detections.boxes[ranked], detections.labels[ranked]
    left = np.ones(len(ranked), bool)
    kept: list[int] = []
    for place in range(len(ranked)):
        if len(kept) == most:
            break
        if not left[place]:
            continue
        kept.append(place)
        overlaps = iou(boxes[place : place + 1], boxes[place + 1 :])[0] > iou_threshold
        left[place + 1 :] &= ~(overlaps & (labels[place + 1 :] == labels[place]))
    return detections.taken(ranked[kept])


def best_by_class(detections: Detections, class_count: int) -> NDArray[np.float32]:
    """The highest score of the detections of each label, ``[class_count]``; 0 where there is none.

    Raises:
        ModelReadError: a label that is not below ``class_count``.
    """
    if len(detections) and detections.labels.max() >= class_count:
        raise ModelReadError(
            f"the model answers with class {detections.labels.max()}, where there are {class_count} classes, "
            f"0 to {class_count - 1}"
        )
    best = np.zeros(class_count, np.float32)
    np.maximum.at(best, detections.labels, detections.scores)
    return best
