"""The rows of an evaluation's table: one measure of one method on one class of a photograph, or why not."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, NamedTuple

from ovxai_convert.explain.baselines import BASELINES


class Contender(NamedTuple):
    """What is measured: a method in a model, with the layer that it masks, if one was named.

    In place of a method stands the name of a baseline for maps that know nothing.
    """

    model: str
    method: str
    target_layer: str | None = None

    @property
    def is_baseline(self) -> bool:
        """Whether its maps know nothing of model and photograph."""
        return self.method in BASELINES


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row; all but the first few are None where there is an ``error``.

    Attributes:
        path: of the photograph, as it was named or found; bytes that are no text in UTF-8 stand as escapes.
        model: path of the model, as it was named.
        method: name of the XAI method, or of a baseline; None where the photograph could not be measured.
        target_layer: the layer that was named for it.
        class_index: the class whose map and score are meant.
        label: its label; without labels, its index as text.
        score: of the class, for the photograph as it is.
        truth: what the photograph shows, where that is known: a label of the model, or an index as text.
        metric: name of the measure, see :data:`~ovxai_convert.evaluation.measures.MEASURES`.
        value: of the measure.
        curve: of deletion and insertion, the scores while pixels are covered or shown, in even steps.
        seconds: what the map took, without reading and preparing; of a baseline None.
        error: one line that says why there is no value.
    """

    path: str
    model: str | None = None
    method: str | None = None
    target_layer: str | None = None
    class_index: int | None = None
    label: str | None = None
    score: float | None = None
    truth: str | None = None
    metric: str | None = None
    value: float | None = None
    curve: tuple[float, ...] | None = None
    seconds: float | None = None
    error: str | None = None

    @property
    def contender(self) -> Contender | None:
        """What was measured; None where it did not come to that."""
        if self.model is None or self.method is None:
            return None
        return Contender(self.model, self.method, self.target_layer)


MEASURED_COLUMNS: Final = tuple(each.name for each in fields(Measurement))
"""Names of the columns, in the order of a table."""
