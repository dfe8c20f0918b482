"""From the numbers that a detector gives of classes to probabilities: what they are, which is no class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.detections.outputs import ToProbability

_TOLERANCE: Final = 0.01
"""By which a probability in half precision may lie beyond 0 or 1, or the sum of many miss 1."""
_LARGEST_LOGIT: Final = 100.0
"""Above which a number is no logit, but a coordinate."""


def are_probabilities(numbers: NDArray[np.float32]) -> bool:
    """Whether all that are finite lie in 0 to 1."""
    low, high = _range(numbers)
    return low >= -_TOLERANCE and high <= 1 + _TOLERANCE


def are_no_scores(numbers: NDArray[np.float32]) -> bool:
    """Whether some are too large for logits."""
    return _range(numbers)[1] > _LARGEST_LOGIT


def background_of(numbers: NDArray[np.float32], columns: Sequence[int], *, certain: bool) -> int | None:
    """Which of some columns of ``[n, columns]`` holds the background, None where none does, or it is alone.

    Most candidates of a detector are background. So it is the column that is the largest of its row in more
    rows than the others are; unless it is ``certain`` that one is, in more than half of them, and only where
    classes exclude each other: where rows add up to 1, or where its numbers there are logits above 0, as
    those of one class that excludes no other are not in most boxes of a picture.
    """
    if numbers.shape[1] < 2:
        return None
    finite = numbers[np.isfinite(numbers).all(1)]
    largest = finite.argmax(1)
    counts = [int((largest == column % numbers.shape[1]).sum()) for column in columns]
    best = columns[int(np.argmax(counts))]
    if certain or 2 * max(counts) <= len(finite):
        return best if certain else None
    if are_probabilities(finite):
        sums = finite.sum(1, dtype=np.float64)
        return best if float(np.median(np.abs(sums - 1))) <= _TOLERANCE else None
    return best if 2 * int((finite[:, best] > 0).sum()) > len(finite) else None


def as_probabilities(numbers: NDArray[np.float32], activation: ToProbability) -> NDArray[np.float32]:
    """Numbers ``[n]`` or ``[n, columns]`` as probabilities; what is not a number stays none."""
    if activation == "none":
        return numbers
    with np.errstate(over="ignore", invalid="ignore"):
        if activation == "sigmoid":
            return np.asarray(1 / (1 + np.exp(-numbers)), np.float32)
        powers = np.exp(numbers - numbers.max(-1, keepdims=True))
        return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)


def best_classes(scores: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The highest of each row of ``[n, K]``, and its column, the first of equals; K is at least 1."""
    if scores.strides[0] >= scores.strides[1]:
        labels = scores.argmax(1)
        return scores[np.arange(len(scores)), labels], labels
    best: NDArray[np.float32] = scores.max(1)
    # Where columns lie in one piece each, argmax would turn it all first, and take four times as long.
    labels = np.zeros(len(scores), np.int64)
    for column in range(scores.shape[1] - 1, -1, -1):
        np.copyto(labels, column, where=scores[:, column] == best)
    return best, labels


def _range(numbers: NDArray[np.float32]) -> tuple[float, float]:
    """The lowest and the highest that are finite; 0 where none are."""
    finite = numbers[np.isfinite(numbers)]
    return float(finite.min(initial=0)), float(finite.max(initial=0))
