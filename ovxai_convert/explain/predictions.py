"""From a model's results to the scores of its classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError

Results: TypeAlias = Mapping[Any, NDArray[Any]]
"""What an inference gives: arrays by output, index or tensor name."""
ReadScores: TypeAlias = Callable[[Results, int], NDArray[np.float32]]
"""From the results of so many samples to scores ``(N, K)``."""
_SUM_TOLERANCE: Final = 1e-3
"""By which the probabilities of a thousand classes may miss a sum of 1 in half precision."""


class Prediction(NamedTuple):
    """A class and its score."""

    label: int
    score: float


@dataclass(frozen=True)
class ScoresOutput:
    """Reads an output as probabilities, ``(N, K)`` float32 in 0 to 1.

    An output behind a Softmax or Sigmoid is taken as it is, a logarithm is undone, and logits get a softmax:
    the classes are taken to exclude each other. Rows that are probabilities already (the mean of two heads
    behind a Softmax each) are kept: they lie in 0 to 1 and add up to 1. So is a single logit, whatever its
    range, and an answer that is NaN or infinite. ``activation`` is what the output ends in.
    """

    index: int
    activation: str

    def __call__(self, results: Results, samples: int) -> NDArray[np.float32]:
        """Probabilities of the classes."""
        values = results[self.index].reshape(samples, -1).astype(np.float32)
        if self.activation in ("softmax", "sigmoid") or values.shape[1] == 1 or not np.isfinite(values.max()):
            return values
        if self.activation == "log_softmax":
            return np.exp(values)
        if values.min() >= 0 and np.allclose(values.sum(axis=1), 1, rtol=0, atol=_SUM_TOLERANCE):
            return values
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True)
class BestClassesOutput:
    """Reads an output that names the best classes alone, as scores ``(N, K)`` that keep their order.

    The class that is named first has the score 1, the next ones 1/2, 1/3, ..., all others 0. What the model
    itself makes of them is not among its outputs. ``class_count`` is K.
    """

    index: int
    class_count: int

    def __call__(self, results: Results, samples: int) -> NDArray[np.float32]:
        """Reciprocals of the ranks."""
        best = results[self.index].reshape(samples, -1).astype(np.int64)
        ranks = 1 / np.arange(1, best.shape[1] + 1, dtype=np.float32)
        scores = np.zeros((samples, self.class_count), np.float32)
        np.put_along_axis(scores, best, np.broadcast_to(ranks, best.shape), axis=1)
        return scores


@dataclass(frozen=True)
class PostprocessedScores:
    """Reads scores, ``(N, K)`` or ``(K,)`` of one sample, by a user's function; K may be not known."""

    postprocess_fn: Callable[[Any], NDArray[Any]]
    class_count: int | None = None

    def __call__(self, results: Results, samples: int) -> NDArray[np.float32]:
        """The user's scores; a UsageError if not numbers, one row per sample and one column per class."""
        scores = np.asarray(self.postprocess_fn(results))
        rows = scores[np.newaxis] if scores.ndim == 1 else scores
        fits = rows.ndim == 2 and len(rows) == samples and rows.size > 0
        if not fits or self.class_count not in (None, rows.shape[1]) or scores.dtype.kind not in "biuf":
            raise UsageError(
                f"postprocess_fn returned {scores.dtype} of shape {scores.shape}; "
                f"scores of {samples} sample(s) are numbers of shape ({samples}, {self.class_count or 'K'})"
            )
        return rows.astype(np.float32)
