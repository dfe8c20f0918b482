"""When a map made of random samples has settled: its sampling noise, from two halves of the samples."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_RESOLUTION: Final = float(np.finfo(np.float32).eps)


class HalfSamples:
    """Two maps of each class, of the samples at even and at odd places, at a few pixels.

    Both estimate the same map, so their difference is noise alone. With a and b the two maps, the map of all
    samples is (a + b) / 2 and its noise has the variance of (a - b) / 2 (over pixels, as everything here).
    The

        noise share = var(a - b) / var(a + b)

    is the part of the map's variance that is noise; the map's correlation with the one of infinitely many
    samples is about sqrt(1 - noise share). It does not depend on the scores' unit or offset.
    """

    def __init__(self) -> None:
        self._count = 0
        self._largest: Doubles | float = 0.0
        self._counts = np.zeros(2)
        self._scores: list[Doubles | float] = [0.0, 0.0]
        self._coverage: list[Doubles | float] = [0.0, 0.0]
        self._products: list[Doubles | float] = [0.0, 0.0]

    def add(self, scores: NDArray[np.float32], masks: NDArray[np.float32]) -> None:
        """Take the next samples: scores ``[n, K]`` and masks ``[n, pixels]``."""
        for half in range(2):
            mine = slice((half - self._count) % 2, None, 2)
            part, visible = scores[mine].astype(np.float64), masks[mine].astype(np.float64)
            self._counts[half] += len(part)
            self._scores[half] = self._scores[half] + part.sum(0)
            self._coverage[half] = self._coverage[half] + visible.sum(0)
            self._products[half] = self._products[half] + part.T @ visible
        self._count += len(scores)
        self._largest = np.maximum(self._largest, np.abs(scores).max(0).astype(np.float64))

    def noise_shares(self) -> Doubles:
        """The noise share of each class, ``[K]``; infinite where the map is flat to float32's resolution."""
        a, b = (self._covariance(half) for half in range(2))
        noise, whole = np.var(a - b, axis=1), np.var(a + b, axis=1)
        flat = whole <= np.square(_RESOLUTION * self._largest)
        return np.where(flat, np.inf, noise / np.where(flat, 1.0, whole))

    def _covariance(self, half: int) -> Doubles:
        """Of score and mask at each pixel, ``[K, pixels]``: the map without a constant score's part."""
        count = self._counts[half]
        mean, coverage = np.asarray(self._scores[half]) / count, np.asarray(self._coverage[half]) / count
        return np.asarray(self._products[half] / count - np.outer(mean, coverage))
