"""The parts of ADCC, by sums that are written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ovxai_convert import UsageError
from ovxai_convert.blackbox.adcc import adcc, average_drop, coherency, complexity

MAPS = np.random.default_rng(0).random((2, 5, 7))


def slow_correlation(one: list[float], other: list[float]) -> float:
    """Covariance over the product of the deviations."""
    means = [sum(each) / len(each) for each in (one, other)]
    covariance = sum((a - means[0]) * (b - means[1]) for a, b in zip(one, other, strict=True))
    squares = [
        sum((value - mean) ** 2 for value in each) for each, mean in zip((one, other), means, strict=True)
    ]
    return covariance / math.sqrt(squares[0] * squares[1])


def test_coherency_is_the_correlation_as_a_share() -> None:
    expected = (slow_correlation(MAPS[0].ravel().tolist(), MAPS[1].ravel().tolist()) + 1) / 2
    assert coherency(MAPS[0], MAPS[1]) == pytest.approx(expected)
    assert coherency(MAPS[0], MAPS[0] * 3 + 2) == pytest.approx(1)
    assert coherency(MAPS[0], 1 - MAPS[0]) == pytest.approx(0)
    assert coherency(MAPS[0], np.full((5, 7), 0.25, np.float32)) == 0.5
    levels = np.arange(35, dtype=np.uint8).reshape(5, 7)
    assert coherency(levels, levels.astype(np.float64)) == pytest.approx(1)


def test_complexity_is_the_mean() -> None:
    assert complexity(MAPS[0]) == pytest.approx(sum(MAPS[0].ravel().tolist()) / 35)


@pytest.mark.parametrize(
    ("before", "after", "drop"), [(0.8, 0.2, 0.75), (0.8, 0.8, 0), (0.2, 0.9, 0), (0.5, 0, 1)]
)
def test_average_drop(before: float, after: float, drop: float) -> None:
    assert average_drop(before, after) == pytest.approx(drop)


@pytest.mark.parametrize("before", [0.0, -1.0, math.nan])
def test_of_no_score_no_share_is_lost(before: float) -> None:
    with pytest.raises(UsageError, match="no share can be lost"):
        average_drop(before, 0.5)


def test_harmonic_mean() -> None:
    shares = 0.9, 1 - 0.3, 1 - 0.2
    assert adcc(0.2, 0.9, 0.3) == pytest.approx(3 / sum(1 / share for share in shares))
    assert adcc(1.0, 0.9, 0.3) == 0
    assert adcc(0.0, 0.0, 0.3) == 0
    assert adcc(0, 1, 0) == 1
