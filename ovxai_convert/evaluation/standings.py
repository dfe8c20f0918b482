"""How contenders stand after some photographs: means, differences on the same photographs, mean curves.

A photograph counts once, however many of its classes are measured: its value is the mean over them. Nothing
is kept of single photographs, so that there may be any number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.metrics import ScoreCurve
from ovxai_convert.evaluation.intervals import (
    Interval,
    Moments,
    mean_interval,
    paired_share_interval,
    share_interval,
)
from ovxai_convert.evaluation.measurements import Contender, Measurement
from ovxai_convert.evaluation.measures import MEASURES, Measure
from ovxai_convert.explain.baselines import RANDOM

Values = Mapping[tuple[Contender, str], Mapping[str, float]]
"""Of a photograph, by contender and measure: values by class."""


@dataclass(frozen=True)
class Estimate:
    """A mean over so many photographs, and where that over all others may lie; None: one does not tell."""

    mean: float
    count: int
    interval: Interval | None


@dataclass(frozen=True)
class Difference:
    """By how much one contender's mean is above another's, on photographs that both were measured on."""

    one: Contender
    other: Contender
    measure: Measure
    estimate: Estimate

    @property
    def better(self) -> Contender | None:
        """The one that is better; None where it may be chance: the interval holds 0."""
        interval = self.estimate.interval
        if interval is None or interval.low <= 0 <= interval.high:
            return None
        return self.one if (interval.low > 0) == self.measure.higher_is_better else self.other


class _Curve:
    """The mean of curves of as many points each."""

    def __init__(self) -> None:
        self.count = 0
        self.total: NDArray[np.float64] | None = None

    def add(self, scores: Sequence[float]) -> None:
        """Take one more in; others than the first one's number of points are left out."""
        if self.total is None:
            self.total = np.zeros(len(scores))
        if len(scores) == len(self.total):
            self.count += 1
            self.total += scores


class Standings:
    """What has come of the photographs up to now.

    Attributes:
        photographs: how many were measured.
        unmeasured: how many were not at all.
        reasons: why something could not be measured, and how often.
        classes: how many classes of photographs were measured.
    """

    def __init__(self, contenders: Sequence[Contender] = ()) -> None:
        self.photographs = self.unmeasured = self.classes = 0
        self.reasons: Counter[str] = Counter()
        self._contenders = dict.fromkeys(contenders)
        self._values: dict[tuple[Contender, str], Moments] = {}
        self._differences: dict[tuple[Contender, Contender, str], Moments] = {}
        self._curves: dict[tuple[Contender, str], _Curve] = {}
        self._seconds: dict[Contender, Moments] = {}

    @property
    def contenders(self) -> list[Contender]:
        """All that were measured or are to be."""
        return list(self._contenders)

    @property
    def measures(self) -> list[Measure]:
        """Those of which there are values."""
        found = {name for _, name in self._values}
        return [measure for name, measure in MEASURES.items() if name in found]

    def add(self, rows: Iterable[Measurement]) -> None:
        """Take in the rows of one photograph."""
        values: dict[tuple[Contender, str], dict[str, float]] = {}
        timed: dict[tuple[Contender, str], float] = {}
        for row in rows:
            if row.error is not None:
                self.reasons[row.error] += 1
            contender = row.contender
            if contender is None or row.metric is None or row.label is None or row.value is None:
                continue
            self._contenders.setdefault(contender)
            values.setdefault((contender, row.metric), {})[row.label] = row.value
            if row.curve is not None:
                self._curves.setdefault((contender, row.metric), _Curve()).add(row.curve)
            if row.seconds is not None:
                timed[contender, row.label] = row.seconds
        if not values:
            self.unmeasured += 1
            return
        self.photographs += 1
        self.classes += len({label for by_class in values.values() for label in by_class})
        for key, by_class in values.items():
            self._values.setdefault(key, Moments()).add(_mean(by_class.values()))
        for (contender, _), seconds in timed.items():
            self._seconds.setdefault(contender, Moments()).add(seconds)
        self._add_differences(values)

    def _add_differences(self, values: Values) -> None:
        for name in {name for _, name in values}:
            measured = [contender for contender in self._contenders if (contender, name) in values]
            for one, other in combinations(measured, 2):
                mine, others = values[one, name], values[other, name]
                if both := mine.keys() & others.keys():
                    moments = self._differences.setdefault((one, other, name), Moments())
                    moments.add(_mean(mine[label] - others[label] for label in sorted(both)))

    def estimate(self, contender: Contender, measure: Measure) -> Estimate | None:
        """A contender's mean; None where it was never measured."""
        moments = self._values.get((contender, measure.name))
        if moments is None:
            return None
        is_hit = measure.is_share and contender.method != RANDOM  # whose value is a chance
        interval = share_interval(moments) if is_hit else mean_interval(moments)
        return Estimate(moments.mean, moments.count, interval)

    def differences(self, measure: Measure) -> list[Difference]:
        """Those of pairs that differ in one thing: method, layer, model; those to baselines come last."""
        found = []
        for one, other in combinations(self._contenders, 2):
            moments = self._differences.get((one, other, measure.name))
            if moments is not None and _are_compared(one, other):
                interval = paired_share_interval(moments) if measure.is_share else mean_interval(moments)
                found.append(Difference(one, other, measure, Estimate(moments.mean, moments.count, interval)))
        return sorted(found, key=lambda difference: difference.other.is_baseline)

    def curve(self, contender: Contender, measure: Measure) -> ScoreCurve | None:
        """The mean of a contender's curves; None where the measure has none."""
        found = self._curves.get((contender, measure.name))
        if found is None or found.total is None:
            return None
        scores = np.asarray(found.total / found.count, np.float32)
        return ScoreCurve(np.linspace(0, 1, len(scores)), scores)

    def seconds(self, contender: Contender) -> float | None:
        """Mean of what a map took; None of baselines."""
        moments = self._seconds.get(contender)
        return None if moments is None else moments.mean


def _mean(values: Iterable[float]) -> float:
    several = list(values)
    return sum(several) / len(several)


def _are_compared(one: Contender, other: Contender) -> bool:
    """Whether a pair tells of one thing: a method or a layer in one model, or models; not of two baselines.

    A method without a layer is compared with all of its model.
    """
    if one.is_baseline and other.is_baseline:
        return False
    if one.model != other.model:
        return one[1:] == other[1:]
    alike = one.method == other.method or one.target_layer == other.target_layer
    return alike or one.target_layer is None or other.target_layer is None
