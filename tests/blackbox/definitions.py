"""The slow definitions of the black-box maps, from the papers, in float64 and one sample at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Predict = Callable[[NDArray[Any]], NDArray[np.float32]]


def enlarge(grid: Doubles, rows: int, columns: int) -> Doubles:
    """Bilinear upsampling with pixel centres at half units, constant beyond the outermost cells' centres."""
    enlarged = np.empty((rows, columns))
    for y in range(rows):
        for x in range(columns):
            v = min(max((y + 0.5) * grid.shape[0] / rows - 0.5, 0), grid.shape[0] - 1)
            u = min(max((x + 0.5) * grid.shape[1] / columns - 0.5, 0), grid.shape[1] - 1)
            top, left = int(v), int(u)
            bottom, right = min(top + 1, grid.shape[0] - 1), min(left + 1, grid.shape[1] - 1)
            upper = grid[top, left] * (1 - (u - left)) + grid[top, right] * (u - left)
            lower = grid[bottom, left] * (1 - (u - left)) + grid[bottom, right] * (u - left)
            enlarged[y, x] = upper * (1 - (v - top)) + lower * (v - top)
    return enlarged


def rise_masks(size: tuple[int, int], num_masks: int, cells: int, prob: float, seed: int) -> Doubles:
    """RISE, section 3.2, from the numbers that ``GridMasks.draw`` promises to draw: ``[N, H, W]``."""
    height, width = size
    cell_rows, cell_columns = -(-height // cells), -(-width // cells)
    masks = np.empty((num_masks, height, width))
    for i, numbers in enumerate(np.random.default_rng(seed).random((num_masks, cells * cells + 2))):
        grid = (numbers[: cells * cells].reshape(cells, cells) < prob).astype(float)
        large = enlarge(grid, (cells + 1) * cell_rows, (cells + 1) * cell_columns)
        top, left = int(numbers[-2] * cell_rows), int(numbers[-1] * cell_columns)
        masks[i] = large[top : top + height, left : left + width]
    return masks


def rise(image: NDArray[np.float32], predict: Predict, masks: Doubles, prob: float) -> Doubles:
    """RISE, equation 6, for a CHW image: ``S(x) = 1 / (E[M] N) sum_i f(I * M_i) M_i(x)``, ``[K, H, W]``."""
    maps: Doubles = np.zeros(())
    for mask in masks:
        scores = predict((image * mask)[np.newaxis].astype(np.float32))[0]
        maps = maps + scores.astype(float)[:, np.newaxis, np.newaxis] * mask
    return maps / (prob * len(masks))


def rise_centred(image: NDArray[np.float32], predict: Predict, masks: Doubles, prob: float) -> Doubles:
    """The same with each class's mean score taken out of the sum and put back."""
    scores = [predict((image * mask)[np.newaxis].astype(np.float32))[0].astype(float) for mask in masks]
    mean = np.mean(scores, axis=0)
    total = sum(
        (each - mean)[:, np.newaxis, np.newaxis] * mask for each, mask in zip(scores, masks, strict=True)
    )
    centred: Doubles = total / (prob * len(masks)) + mean[:, np.newaxis, np.newaxis]
    return centred


def gaussian(size: tuple[int, int], row: float, column: float, width: float) -> Doubles:
    """A Gaussian of height 1 around a point of the unit square; corner pixels' centres are the corners."""
    mask = np.empty(size)
    for y in range(size[0]):
        for x in range(size[1]):
            v, u = y / max(size[0] - 1, 1), x / max(size[1] - 1, 1)
            mask[y, x] = np.exp(-((v - row) ** 2 + (u - column) ** 2) / (2 * width**2))
    return mask
