"""Measuring one map: of a class of a photograph, all that is asked for, by whoever made the map."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.adcc import adcc, average_drop, coherency, complexity
from ovxai_convert.blackbox.metrics import ScoreCurve, deletion, insertion
from ovxai_convert.errors import UsageError
from ovxai_convert.evaluation.canvases import scaled_to_one, shown_by
from ovxai_convert.evaluation.inquiry import Inquiry
from ovxai_convert.evaluation.measures import METRICS
from ovxai_convert.evaluation.pointing import PointedAt
from ovxai_convert.evaluation.views import View

Again = Callable[[NDArray[Any]], "tuple[NDArray[np.float32], float]"]
"""Explains what a map shows, in the input's shape: its map in the input's size, and the class's score."""


class Finding(NamedTuple):
    """What came of a measure: its value, and the scores on the way; or why there is none."""

    value: float | None
    curve: tuple[float, ...] | None = None
    error: str | None = None


@dataclass(frozen=True)
class ClassInView:
    """One class of one photograph, of which maps are measured."""

    view: View
    target: int
    asked: Inquiry
    pointed: PointedAt | UsageError | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pointed", self._pointed())

    def _pointed(self) -> PointedAt | UsageError | None:
        if not self.asked.wants("pointing"):
            return None
        try:
            return self.view.pointed_at(self.target, self.asked)
        except UsageError as error:
            return error

    def measured(self, saliency: NDArray[np.float32], again: Again) -> dict[str, Finding]:
        """All that is asked for of a map in the input's size, by the names of measures."""
        found: dict[str, Finding] = {}
        for name, metric in (("deletion", deletion), ("insertion", insertion)):
            if self.asked.wants(name):
                found[name] = self._area(metric, saliency)
        if isinstance(self.pointed, PointedAt):
            found["pointing"] = Finding(self.pointed.hits(saliency))
        elif self.pointed is not None:
            found["pointing"] = Finding(None, None, str(self.pointed))
        return found | (self._adcc(saliency, again) if self.asked.wants("adcc") else {})

    def _area(self, metric: Callable[..., ScoreCurve], saliency: NDArray[np.float32]) -> Finding:
        trial = self.view.trial
        steps = min(self.asked.steps, saliency.size)
        of = trial.image, trial.spatial_axes, saliency, trial.score_stream, self.target, trial.batch_size
        curve = metric(*of, steps, self.view.canvas)
        return Finding(curve.auc, tuple(round(float(score), 6) for score in curve.scores))

    def _adcc(self, saliency: NDArray[np.float32], again: Again) -> dict[str, Finding]:
        share = scaled_to_one(saliency)
        other, after = again(shown_by(share, self.view.trial, self.view.canvas))
        alike, marked = coherency(share, scaled_to_one(other)), complexity(share)
        try:
            drop = average_drop(float(self.view.scores[self.target]), after)
            whole = Finding(adcc(drop, alike, marked)), Finding(drop)
        except UsageError as error:
            whole = (Finding(None, None, str(error)),) * 2
        return dict(zip(METRICS["adcc"], (*whole, Finding(alike), Finding(marked)), strict=True))


def averaged(several: Sequence[Mapping[str, Finding]]) -> dict[str, Finding]:
    """The means of what was found of several maps; what has no value for one of them has none."""
    means: dict[str, Finding] = {}
    for name, first in several[0].items():
        all_of_it = [each[name] for each in several]
        values = [each.value for each in all_of_it if each.value is not None]
        if len(values) < len(several):
            means[name] = next(each for each in all_of_it if each.value is None)
            continue
        curves = [each.curve for each in all_of_it if each.curve is not None]
        curve = tuple(round(float(score), 6) for score in np.mean(curves, axis=0)) if first.curve else None
        means[name] = Finding(float(np.mean(values)), curve)
    return means
