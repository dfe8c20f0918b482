"""The grids whose cells are a detector's candidates: how many there are, and boxes told from their cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

STRIDES: Final[Sequence[tuple[int, ...]]] = (
    (8, 16, 32),
    (8, 16, 32, 64),
    (8, 16, 32, 64, 128),
    (4, 8, 16, 32),
    (16, 32),
)
"""Pixels from one cell to the next, in the grids of detectors that have several."""
_ANCHORED: Final = 3


def anchors_per_cell(candidates: int, size: tuple[int, int]) -> int | None:
    """How many of so many candidates each cell of the grids has, for an input of rows and columns: 1 or 3.

    None where they are not the cells of such grids, as the queries of a transformer are not.
    """
    for strides in STRIDES:
        cells = sum(rows * columns for rows, columns in _extents(size, strides))
        for anchors in (1, _ANCHORED):
            if candidates == cells * anchors:
                return anchors
    return None


def decoded(boxes: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Boxes of YOLOX that are told from their cell, ``[A, 4]``, in pixels: centre, width and height.

    The centre is counted in cells from the cell's own corner; of width and height there are the logarithms,
    in cells, too (Ge et al., arXiv 2107.08430). Cells go row by row, grids from the finest on. ``A`` is what
    :func:`anchors_per_cell` gives 1 for.
    """
    strides = next(
        strides
        for strides in STRIDES
        if sum(rows * columns for rows, columns in _extents(size, strides)) == len(boxes)
    )
    corners, scales = [], []
    for stride, (rows, columns) in zip(strides, _extents(size, strides), strict=True):
        down, across = np.divmod(np.arange(rows * columns), columns)
        corners.append(np.stack([across, down], 1))
        scales.append(np.full((rows * columns, 1), stride, np.float32))
    scale = np.concatenate(scales)
    with np.errstate(over="ignore"):  # what is no box is dropped as not finite
        centres = (boxes[:, :2] + np.concatenate(corners).astype(np.float32)) * scale
        return np.concatenate([centres, np.exp(boxes[:, 2:]) * scale], 1).astype(np.float32)


def _extents(size: tuple[int, int], strides: Sequence[int]) -> list[tuple[int, int]]:
    """Rows and columns of cells of each grid."""
    rows, columns = size
    return [(-(-rows // stride), -(-columns // stride)) for stride in strides]
