"""Confidence intervals, by the definitions that they are solutions of, and by how often they hold."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest

from ovxai_convert.evaluation.intervals import (
    Moments,
    mean_interval,
    paired_share_interval,
    share_interval,
    student_quantile,
)

Z = 1.959963984540054


def moments_of(values: Iterable[float]) -> Moments:
    found = Moments()
    for value in values:
        found.add(float(value))
    return found


def test_moments_are_those_of_all_numbers() -> None:
    values = np.random.default_rng(0).normal(1e6, 1, 1000)
    found = moments_of(values)
    assert found.count == 1000
    assert found.mean == pytest.approx(values.mean())
    assert found.deviation == pytest.approx(values.std(ddof=1))
    signed = moments_of([0.5, -0.25, 0, 2, -1])
    assert (signed.above, signed.below) == (2.5, 1.25)
    assert moments_of([3]).deviation == 0


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 8, 29, 30, 200, 999, 1500])
def test_student_by_integrating_its_density(freedom: int) -> None:
    quantile = student_quantile(freedom)
    t = np.linspace(0, quantile, 200_001)
    constant = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    density = np.exp(constant - (freedom + 1) / 2 * np.log1p(t * t / freedom))
    inside = 2 * float(np.mean((density[1:] + density[:-1]) / 2)) * quantile
    assert inside == pytest.approx(0.95, abs=1e-6)


def test_interval_of_a_mean() -> None:
    values = [0.1, 0.4, 0.35, 0.8]
    deviation = math.sqrt(sum((each - 0.4125) ** 2 for each in values) / 3)
    interval = mean_interval(moments_of(values))
    assert interval is not None
    half = 3.182446305284263 * deviation / 2
    assert interval == pytest.approx((0.4125 - half, 0.4125 + half))
    assert mean_interval(moments_of([0.5])) is None
    assert mean_interval(Moments()) is None


@pytest.mark.parametrize(("hits", "count"), [(0, 7), (7, 7), (3, 11), (95, 100), (1, 1)])
def test_wilson_ends_where_the_share_is_just_not_rejected(hits: int, count: int) -> None:
    interval = share_interval(moments_of([1] * hits + [0] * (count - hits)))
    assert interval is not None
    share = hits / count
    for edge in interval:
        if 1e-12 < edge < 1 - 1e-12:
            assert abs(share - edge) == pytest.approx(Z * math.sqrt(edge * (1 - edge) / count))
        else:
            assert edge == pytest.approx(share)
    assert interval.low < interval.high
    assert share_interval(Moments()) is None


@pytest.mark.parametrize(
    ("gained", "lost", "count"), [(0, 0, 9), (5, 1, 20), (9, 0, 9), (0, 4, 6), (30, 20, 400)]
)
def test_agresti_and_min_by_their_table(gained: int, lost: int, count: int) -> None:
    interval = paired_share_interval(moments_of([1] * gained + [-1] * lost + [0] * (count - gained - lost)))
    assert interval is not None
    b, c, n = gained + 0.5, lost + 0.5, count + 2
    middle = (b - c) / n
    half = Z * math.sqrt((b + c) - (b - c) ** 2 / n) / n
    assert interval == pytest.approx((max(-1, middle - half), min(1, middle + half)))
    assert interval.low < interval.high
    assert paired_share_interval(Moments()) is None


def test_intervals_hold_what_they_are_for() -> None:
    """Of 4000 samples of 10, nearly 95 % do; of normal intervals 2.26 / 1.96 as wide would not."""
    rng = np.random.default_rng(0)
    held = {"mean": 0, "share": 0, "difference": 0}
    for _ in range(4000):
        mean = mean_interval(moments_of(rng.normal(0.3, 0.1, 10)))
        share = share_interval(moments_of(rng.random(10) < 0.7))
        one = rng.random(10) < 0.8
        other = np.where(rng.random(10) < 0.5, one, rng.random(10) < 0.5)  # 0.65, and alike
        difference = paired_share_interval(moments_of(one.astype(float) - other))
        assert mean is not None
        assert share is not None
        assert difference is not None
        held["mean"] += mean.low <= 0.3 <= mean.high
        held["share"] += share.low <= 0.7 <= share.high
        held["difference"] += difference.low <= 0.15 <= difference.high
    assert held["mean"] / 4000 == pytest.approx(0.95, abs=0.011)
    assert held["share"] / 4000 == pytest.approx(0.95, abs=0.03)
    assert 0.93 <= held["difference"] / 4000 <= 0.99
