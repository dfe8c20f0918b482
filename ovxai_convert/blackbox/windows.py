"""AISE's Gaussian windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.convergence import Doubles


@dataclass(frozen=True)
class GaussianWindows:
    """Windows of height 1 around points of the unit square, whose corners are the corner pixels' centres.

    Attributes:
        size: H and W.
        widths: standard deviations, as parts of the height along rows and of the width along columns.
    """

    size: tuple[int, int]
    widths: Sequence[float]

    def window(self, width: int, point: Doubles) -> NDArray[np.float32]:
        """``[H, W]``, for the index of a width and a point (row, column) in 0..1."""
        rows, columns = self._profiles(width, point[np.newaxis])
        return np.outer(rows[0].astype(np.float32), columns[0].astype(np.float32))

    def weighted_sum(self, width: int, points: Doubles, weights: Doubles) -> Doubles:
        """``sum_i weights[i] * window_i``, ``[H, W]``, for points ``[n, 2]``."""
        rows, columns = self._profiles(width, points)
        total: Doubles = (rows * weights[:, np.newaxis]).T @ columns
        return total

    def _profiles(self, width: int, points: Doubles) -> tuple[Doubles, Doubles]:
        """The two factors of each window, ``[n, H]`` and ``[n, W]``."""
        rows, columns = (
            np.exp(
                -0.5 * ((np.linspace(0, 1, extent) - points[:, axis, np.newaxis]) / self.widths[width]) ** 2
            )
            for axis, extent in enumerate(self.size)
        )
        return rows, columns
