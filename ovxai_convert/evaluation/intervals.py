"""Means over photographs and how sure they are: confidence intervals, from sums that are kept one by one.

Intervals of means are Student's, which hold for few photographs, too. Shares (of hits) have intervals that
do not shrink to nothing where all photographs hit: Wilson's (1927), and for differences of two shares on the
same photographs that of A. Agresti and Y. Min, "Simple improved confidence intervals for comparing matched
proportions" (Statistics in Medicine 24, 2005): half a photograph is added to each of the four outcomes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final, NamedTuple

LEVEL: Final = 0.95
"""How often intervals hold what they are for, if photographs were drawn again and again."""

_MANY: Final = 1000
"""Degrees of freedom from which on Student's distribution is near enough to the normal one's expansion."""


class Interval(NamedTuple):
    """From where to where a mean may well lie."""

    low: float
    high: float


@dataclass
class Moments:
    """Numbers, of which only their count, their mean and what a spread needs are kept.

    Attributes:
        count: how many there are.
        mean: of them.
        squares: sum of the squared distances from the mean.
        above: sum of those above 0.
        below: sum of those below 0, without their sign.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    above: float = 0.0
    below: float = 0.0

    def add(self, value: float) -> None:
        """Take one more number in (B. P. Welford, 1962)."""
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.squares += step * (value - self.mean)
        self.above += max(value, 0.0)
        self.below += max(-value, 0.0)

    @property
    def deviation(self) -> float:
        """Standard deviation, of the population that the numbers are drawn from; 0 for a single one."""
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else 0.0


def mean_interval(moments: Moments) -> Interval | None:
    """Student's interval around a mean; None where there are fewer than two numbers."""
    if moments.count < 2:
        return None
    half = student_quantile(moments.count - 1) * moments.deviation / math.sqrt(moments.count)
    return Interval(moments.mean - half, moments.mean + half)


def share_interval(moments: Moments) -> Interval | None:
    """Wilson's interval of a share: of numbers of 0 to 1, most of them either; None where there is none."""
    if not moments.count:
        return None
    z, count, share = _normal_quantile(), moments.count, moments.mean
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def paired_share_interval(differences: Moments) -> Interval | None:
    """Agresti's and Min's interval of the difference of two shares, given that of every photograph, -1 to 1.

    None where there is none.
    """
    if not differences.count:
        return None
    count, above, below = differences.count + 2, differences.above + 0.5, differences.below + 0.5
    middle = (above - below) / count
    half = _normal_quantile() * math.sqrt(max(0.0, above + below - count * middle * middle)) / count
    return Interval(max(-1.0, middle - half), min(1.0, middle + half))


@lru_cache(maxsize=4096)
def student_quantile(freedom: int) -> float:
    """What Student's t of so many degrees of freedom exceeds, up or down, in one of twenty cases."""
    z = _normal_quantile()
    if freedom > _MANY:  # the first terms of Cornish's and Fisher's expansion
        return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < LEVEL else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """The probability that Student's t lies between -t and t, a finite sum for whole degrees of freedom.

    M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2 == 1
    term, total = (cosine if odd else 1.0), 0.0
    for power in range(2 if odd else 1, freedom, 2):
        total += term
        term *= cosine * cosine * power / (power + 1)
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


@lru_cache(maxsize=1)
def _normal_quantile() -> float:
    return NormalDist().inv_cdf((1 + LEVEL) / 2)
