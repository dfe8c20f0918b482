"""From a model's results to the scores of its classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import ModelReadError, UsageError
from ovxai_convert.source.answers import Answer

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
    """Reads an output as probabilities, ``(N, K)`` float32 in 0 to 1, by what its numbers mean.

    A quantity stays the number that it is; one number that is a yes or no becomes two columns.
    Of logits whose classes exclude each other rows that are probabilities already (the mean of two heads
    behind a Softmax each) are kept: they lie in 0 to 1 and add up to 1. So is an answer that is NaN or
    infinite. ``index``: of the output, or its tensor name.
    """

    index: int | str
    answer: Answer

    def __call__(self, results: Results, samples: int) -> NDArray[np.float32]:
        """Probabilities of the classes; a ModelReadError for numbers that are no rows of them."""
        numbers = results[self.index]
        if numbers.size == 0 or numbers.size % samples:
            raise ModelReadError(f"the model answers {samples} images with {list(numbers.shape)} numbers")
        values = self._read(numbers.reshape(samples, -1).astype(np.float32))
        return np.hstack([1 - values, values]) if self.answer.meaning == "binary" else values

    def _read(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        kind = self.answer.probabilities
        if kind == "as_is" or not np.isfinite(values.max()):
            return values
        if kind == "exp":
            return np.exp(values)
        if kind == "sigmoid":
            return _sigmoid(values)
        if kind == "softmax":
            return values if _are_distributions(values) else _softmax(values)
        return _by_groups(values, [slice(*group) for group in self.answer.groups])


def _by_groups(values: NDArray[np.float32], groups: Sequence[slice]) -> NDArray[np.float32]:
    """A softmax of each group and the sigmoid of what is in none; all as it is where it is that already."""
    alone = np.ones(values.shape[1], bool)
    for group in groups:
        alone[group] = False
    others = values[:, alone]
    shares = others.min(initial=0) >= 0 and others.max(initial=0) <= 1
    if shares and all(_are_distributions(values[:, group]) for group in groups):
        return values
    probabilities = _sigmoid(values)
    for group in groups:
        probabilities[:, group] = _softmax(values[:, group])
    return probabilities


def _are_distributions(values: NDArray[np.float32]) -> bool:
    """Whether every row lies in 0 to 1 and adds up to 1."""
    return bool(values.min() >= 0 and np.allclose(values.sum(axis=1), 1, rtol=0, atol=_SUM_TOLERANCE))


def _softmax(values: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values.astype(np.float64))), np.float32)


def answered_classes(probabilities: NDArray[np.float32], answer: Answer | None) -> list[int]:
    """The classes that a model answers with, given its probabilities ``(K,)``, the most probable first.

    The best one; of each group the best one, and those above the threshold, where several may hold at once.
    """
    best = int(probabilities.argmax())
    if answer is None or not answer.multilabel:
        return [best]
    chosen = [first + int(probabilities[first:behind].argmax()) for first, behind in answer.groups]
    grouped = {index for group in answer.groups for index in range(*group)}
    chosen += [
        index
        for index, probability in enumerate(probabilities)
        if index not in grouped and probability > answer.threshold
    ]
    return sorted(chosen, key=lambda index: -probabilities[index]) or [best]


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
