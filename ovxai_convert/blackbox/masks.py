"""RISE's random masks: drawn as small grids, made large one by one, summed up without being made large.

A mask is linear in its grid, and its two axes are independent of each other:

    mask_i = U_y[a_i : a_i + H] . grid_i . U_x[b_i : b_i + W]^T

with U_y, U_x the bilinear upsampling of one axis and (a_i, b_i) the mask's indents. A weighted sum of masks
hence needs no large masks: those with the same vertical indent a share the factor to the left, so that their
half-upsampled grids are summed first, by one product with the weights, and a product over all indents
follows, in which a few rows need but a few of the cells. For 1000 masks of 224 x 224 and 8 x 8 cells this
takes a ninth of the multiplications of the plain sum, for 5000 masks a nineteenth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SMALL_PRODUCT: Final = 1 << 18
"""Multiplications of one product of matrices: so few that OpenBLAS computes it in the calling thread. Its
other threads spin while they wait for more, and on a processor that has other work, a device's, that takes
several times as long as the product."""
_CLASSES: Final = 32
"""Classes at a time: few, so that their half-enlarged sums stay in the processor's cache."""
_ROWS: Final = 16
"""Rows of a mask at a time: few, so that they hang on a few rows of cells only."""


@dataclass(frozen=True)
class GridMasks:
    """N random masks of RISE (arXiv 1806.07421, section 3.2), each with values of 0..1.

    A grid of ``h x h`` cells, each 1 with probability p and else 0, is enlarged bilinearly (pixel centres at
    half units, constant beyond the outer centres) to ``(h + 1) C_y`` rows by ``(h + 1) C_x`` columns, where a
    cell has ``C_y = ceil(H / h)`` rows and ``C_x = ceil(W / h)`` columns. The mask is cut out of it at random
    indents of 0..C_y - 1 and 0..C_x - 1.

    ``size`` is (H, W); ``grids`` are ``[N, h, h]`` of 0 and 1, ``indents`` ``[N, 2]``: rows and columns.
    """

    size: tuple[int, int]
    grids: Floats
    indents: NDArray[np.intp]

    @classmethod
    def draw(cls, size: tuple[int, int], num_masks: int, num_cells: int, prob: float, seed: int) -> GridMasks:
        """Masks drawn from NumPy's ``default_rng(seed)``.

        Mask i is row i of ``default_rng(seed).random((N, h * h + 2))``: the first h * h numbers u are the
        grid's cells row by row, 1 where ``u < prob``, and the last two are the indents, ``floor(u * C)``. So
        mask i depends on the seed and on i, and neither on N nor on how masks are batched.
        """
        drawn = np.random.default_rng(seed).random((num_masks, num_cells * num_cells + 2))
        grids = (drawn[:, :-2] < prob).astype(np.float32).reshape(num_masks, num_cells, num_cells)
        cell = [-(-extent // num_cells) for extent in size]
        return cls(size, grids, (drawn[:, -2:] * cell).astype(np.intp))

    def __len__(self) -> int:
        return len(self.grids)

    @property
    def num_cells(self) -> int:
        """Cells along either axis, h."""
        return int(self.grids.shape[1])

    def mask(self, index: int) -> Floats:
        """One mask, ``[H, W]``: a view of the enlarged grid."""
        height, width = self.size
        top, left = self.indents[index]
        size = _enlarged(width, self.num_cells), _enlarged(height, self.num_cells)
        enlarged: Floats = cv2.resize(self.grids[index], size, interpolation=cv2.INTER_LINEAR)
        return enlarged[top : top + height, left : left + width]

    def sampled(self, start: int, stop: int, points: int) -> Floats:
        """Masks ``start..stop - 1`` at about ``points x points`` evenly spread pixels, ``[n, pixels]``."""
        left, right = (
            _windows(extent, self.num_cells)[self.indents[start:stop, axis], :: max(1, extent // points)]
            for axis, extent in enumerate(self.size)
        )
        sampled = left @ self.grids[start:stop] @ right.transpose(0, 2, 1)
        return np.asarray(sampled.reshape(stop - start, -1), np.float32)

    def weighted_sums(self, weights: Floats) -> Floats:
        """``sum_i weights[i, k] * mask_i``, ``[K, H, W]``, over the first n masks for weights ``[n, K]``."""
        count, classes = weights.shape
        height, width = self.size
        to_rows, to_columns = (_windows(extent, self.num_cells) for extent in self.size)
        indents = np.unique(self.indents[:count, 0])
        sharing = [np.flatnonzero(self.indents[:count, 0] == indent) for indent in indents]
        bands = _bands(to_rows[indents])
        sums = np.empty((classes, height, width), np.float32)
        half = np.empty((min(_CLASSES, classes), self.num_cells, len(indents), width), np.float32)
        for first in range(0, classes, _CLASSES):
            part = weights[:, first : first + _CLASSES].T
            halves = half[: len(part)]
            for place, masks in enumerate(sharing):
                wide = to_columns[self.indents[masks, 1]] @ self.grids[masks].transpose(0, 2, 1)
                by_cell = np.ascontiguousarray(wide.transpose(2, 0, 1))  # [h, masks, W]
                sums_by_cell = halves[:, :, place].transpose(1, 0, 2)  # [h, K, W]
                _multiply(np.ascontiguousarray(part[:, masks]), by_cell, out=sums_by_cell)
            for band in bands:
                out = sums[first : first + _CLASSES, band.rows]
                _multiply(band.left, halves[:, band.cells].reshape(len(part), -1, width), out)
        return sums


@dataclass(frozen=True)
class _Band:
    """Some rows of a mask, and the rows of cells of the grid that reach them under any indent.

    ``left`` is how much each of these cells, under each indent, counts: ``[rows, cells * indents]``.
    """

    rows: slice
    cells: slice
    left: Floats


def _bands(to_rows: Floats) -> list[_Band]:
    """All rows of ``to_rows``, ``[indents, H, h]``, where a row hangs on two cells of a column only."""
    bands = []
    for top in range(0, to_rows.shape[1], _ROWS):
        rows = slice(top, top + _ROWS)
        reaching = np.flatnonzero(to_rows[:, rows].any((0, 1)))
        cells = slice(int(reaching[0]), int(reaching[-1]) + 1)
        left = np.ascontiguousarray(to_rows[:, rows, cells].transpose(1, 2, 0))
        bands.append(_Band(rows, cells, left.reshape(len(left), -1)))
    return bands


def _multiply(left: Floats, right: Floats, out: Floats) -> None:
    """``out = left @ right``, a matrix by each of a stack of matrices, a few columns at a time."""
    step = max(1, _SMALL_PRODUCT // left.size)
    for start in range(0, right.shape[-1], step):
        columns = slice(start, start + step)
        np.matmul(left, right[..., columns], out=out[..., columns])


def _enlarged(extent: int, num_cells: int) -> int:
    return (num_cells + 1) * -(-extent // num_cells)


def _windows(extent: int, num_cells: int) -> Floats:
    """OpenCV's upsampling of an axis for each indent, ``[C, extent, h]``: what each cell counts, by row."""
    size = num_cells, _enlarged(extent, num_cells)
    one_by_one: Floats = np.eye(num_cells, dtype=np.float32)
    whole = cv2.resize(one_by_one, size, interpolation=cv2.INTER_LINEAR)
    windows = np.lib.stride_tricks.sliding_window_view(whole, extent, axis=0)[: -(-extent // num_cells)]
    return np.asarray(windows.transpose(0, 2, 1), np.float32)
