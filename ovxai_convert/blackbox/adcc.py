"""ADCC: whether what a map shows is enough for the score, explained in the same way again, and small.

The measure of S. Poppi, M. Cornia, L. Baraldi, R. Cucchiara, "Revisiting The Evaluation of Class Activation
Mapping for Explainability" (CVPR workshops 2021, arXiv 2104.10252): average drop, coherency and complexity,
in one number their harmonic mean. Maps are of 0 to 1 here, ``(H, W)``; the image "multiplied with its map"
is the caller's to make and to have explained again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError


def average_drop(before: float, after: float) -> float:
    """The share of a class's score that is lost where only what the map shows is seen; less is better.

    0 where the score has grown. A UsageError for a score that is not above 0, of which no share can be lost.
    """
    if not before > 0:
        raise UsageError(f"the class scores {before:g}, of which no share can be lost")
    return max(0.0, before - after) / before


def coherency(saliency_map: NDArray[Any], again: NDArray[Any]) -> float:
    """How alike a map is to that of the image multiplied with it, 0 to 1; more is better.

    Pearson's correlation r as ``(r + 1) / 2``; 0.5 where either map is the same everywhere.
    """
    one, other = (np.asarray(each, np.float64).ravel() for each in (saliency_map, again))
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.5
    return (float(np.corrcoef(one, other)[0, 1]) + 1) / 2


def complexity(saliency_map: NDArray[Any]) -> float:
    """The mean of a map of 0 to 1, the paper's L1 norm over its pixels; less is better."""
    return float(np.mean(saliency_map, dtype=np.float64))


def adcc(drop: float, coherent: float, complex_: float) -> float:
    """The harmonic mean of coherency and what drop and complexity leave of 1, 0 to 1; more is better.

    0 where one of the three is 0.
    """
    shares = coherent, 1 - complex_, 1 - drop
    return 3 / sum(1 / share for share in shares) if min(shares) > 0 else 0.0
