"""From the four numbers of a box to corners in pixels: what they are, told by the boxes themselves."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.detections.outputs import BoxOrder

_MOST_CONFIDENT: Final = 20
_FEWEST_PIXELS: Final = 8.0
"""That the boxes of a detector reach which gives pixels, if only a few of them lie beside a corner."""
_BEYOND: Final = 0.5
"""Of the input's size: as far outside lies an edge of a box whose centre is inside."""
_ROUNDING: Final = 1e-3

Unit = Literal["pixels", "parts", "neither"]


def confident(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """Indices of the 20 boxes of the highest scores; none of a score of 0, or that is all 0, or no box."""
    there = np.isfinite(boxes).all(1) & boxes.any(1) & (scores > 0)
    order = np.flatnonzero(there)
    return order[np.argsort(-scores[order], kind="stable")[:_MOST_CONFIDENT]]


def are_corners(boxes: NDArray[np.float32]) -> bool:
    """Whether in all boxes ``[n, 4]`` that are finite the second corner is not left of the first or above it.

    Of centre, width and height some box is not so: all would have to be wider than what lies to their left.
    """
    finite = boxes[np.isfinite(boxes).all(1)].astype(np.float64)
    slack = _ROUNDING * np.abs(finite).max(initial=0)
    return bool((finite[:, 2:] - finite[:, :2] >= -slack).all())


def unit_of(boxes: NDArray[np.float32], best: NDArray[np.intp], order: BoxOrder) -> Unit:
    """Whether boxes ``[n, 4]`` are in pixels or in parts of the input's size, by the most confident ones.

    In pixels where one of their numbers is above 8. In parts where all their edges lie within half of the
    picture's size around it, so that no number is above 2. Neither is what a model gives that leaves it to
    others to make boxes of its numbers (as YOLOX does), which are small, too: there, and in no other case
    where numbers are small, some width or height of all the boxes is negative.
    """
    reach = float(np.abs(boxes[best]).max(initial=0))
    if reach > _FEWEST_PIXELS:
        return "pixels"
    finite = boxes[np.isfinite(boxes).all(1)]
    edges = corners(boxes[best], order)
    inside = bool((edges >= -_BEYOND).all() and (edges <= 1 + _BEYOND).all())
    negative = order in ("cxcywh", "xywh") and bool((finite[:, 2:] < 0).any())
    return "parts" if inside and not negative else "neither"


def corners(boxes: NDArray[np.float32], order: BoxOrder) -> NDArray[np.float32]:
    """Left, top, right, bottom of boxes ``[n, 4]``, in the same unit, column by column in memory."""
    first, second, third, fourth = boxes.T
    made = np.empty((4, len(boxes)), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what is no box is dropped as not finite
        if order == "cxcywh":
            made[0], made[1] = first - third / 2, second - fourth / 2
            made[2], made[3] = first + third / 2, second + fourth / 2
        elif order == "xywh":
            made[:] = first, second, first + third, second + fourth
        elif order == "yxyx":
            made[:] = second, first, fourth, third
        else:
            made[:] = first, second, third, fourth
    return made.T


def in_pixels(edges: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Edges in parts of an input of rows and columns, in its pixels."""
    rows, columns = size
    with np.errstate(over="ignore"):
        return edges * np.array([columns, rows, columns, rows], np.float32)
