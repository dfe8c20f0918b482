"""Class outputs of every meaning: what a network gives, and the probabilities that it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import Draw, Tensor, named, reshaped
from tests.endings import best, model_of, trunk

Numbers: TypeAlias = NDArray[np.float64]
Read = Callable[[Numbers], Numbers]
"""From the numbers of the output ``(K,)`` to what is shown of the classes, in float64."""


def softmax(values: Numbers) -> Numbers:
    """Of one row."""
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum())


def sigmoid(values: Numbers) -> Numbers:
    """Of each number."""
    return np.asarray(1 / (1 + np.exp(-values)))


def both(share: Numbers) -> Numbers:
    """No and yes, of the probability of yes."""
    return np.array([1 - share[0], share[0]])


def as_it_is(values: Numbers) -> Numbers:
    """The numbers themselves."""
    return values


def _ranks(values: Numbers) -> Numbers:
    scores = np.zeros(4)
    scores[values.astype(int)] = 1 / np.arange(1, len(values) + 1)
    return scores


@dataclass(frozen=True)
class Ending:
    """What follows the pooled map ``[N, C]``, under which name, and how it is read.

    ``best``: the classes that the answer consists of, given what is shown; None: the highest.
    """

    build: Callable[[Draw, Tensor], Node]
    read: Read
    name: str = "scores"
    best: Callable[[Numbers], set[int]] | None = None


def _joined(draw: Draw, pooled: Tensor) -> Node:
    parts = [ops.softmax(draw.linear(pooled, 2), 1), ops.softmax(draw.linear(pooled, 3), -1)]
    return ops.concat([*parts, ops.sigmoid(draw.linear(pooled, 2))], 1)


def _pairs(draw: Draw, pooled: Tensor) -> Node:
    grouped = ops.softmax(reshaped(draw.linear(pooled, 6), [-1, 3, 2]), 2)
    return reshaped(grouped, [-1, 6])


def _of_groups(*bounds: tuple[int, int]) -> Callable[[Numbers], set[int]]:
    def chosen(shown: Numbers) -> set[int]:
        inside = {index for group in bounds for index in range(*group)}
        picked = {first + int(np.argmax(shown[first:behind])) for first, behind in bounds}
        return picked | {index for index in range(len(shown)) if index not in inside and shown[index] > 0.5}

    return chosen


def _above_half(shown: Numbers) -> set[int]:
    return {index for index, share in enumerate(shown) if share > 0.5} or {int(np.argmax(shown))}


def _ordinal(draw: Draw, pooled: Tensor) -> Node:
    steps = ops.constant(np.array([[0.6, 0.1, -0.5]], np.float32))
    return ops.sigmoid(ops.add(draw.linear(pooled, 1), steps))


ANSWERS: Final[Mapping[str, Ending]] = {
    "logits": Ending(lambda draw, pooled: draw.linear(pooled, 4), softmax),
    "softmax": Ending(lambda draw, pooled: ops.softmax(draw.linear(pooled, 4), 1), as_it_is),
    "log-softmax": Ending(lambda draw, pooled: ops.log_softmax(draw.linear(pooled, 4), 1), np.exp),
    "one logit": Ending(lambda draw, pooled: draw.linear(pooled, 1), lambda values: both(sigmoid(values))),
    "one sigmoid": Ending(lambda draw, pooled: ops.sigmoid(draw.linear(pooled, 1)), both),
    "several sigmoids": Ending(
        lambda draw, pooled: ops.sigmoid(draw.linear(pooled, 4)), as_it_is, best=_above_half
    ),
    "joined heads": Ending(_joined, as_it_is, best=_of_groups((0, 2), (2, 5))),
    "joined sigmoids": Ending(
        lambda draw, pooled: ops.concat([ops.sigmoid(draw.linear(pooled, 1)) for _ in range(3)], 1),
        as_it_is,
        best=_above_half,
    ),
    "softmax pairs": Ending(_pairs, as_it_is, best=_of_groups((0, 2), (2, 4), (4, 6))),
    "ordinal": Ending(_ordinal, as_it_is, best=_above_half),
    "quantity": Ending(lambda draw, pooled: draw.linear(pooled, 1), as_it_is, "age"),
    "never negative": Ending(lambda draw, pooled: ops.relu(draw.linear(pooled, 1)), as_it_is),
    "scaled sigmoid": Ending(
        lambda draw, pooled: ops.multiply(ops.sigmoid(draw.linear(pooled, 1)), np.float32(100)), as_it_is
    ),
    "top 3": Ending(lambda draw, pooled: draw.linear(pooled, 4), _ranks, "indices"),
}
"""By what they are called."""


def answering(kind: str, seed: int = 5) -> Model:
    """A small network with one class output of a kind, whose image is ``[1, 3, 4, 6]``."""
    draw, ending = Draw(seed), ANSWERS[kind]
    image, _, pooled = trunk(1, draw)
    if kind == "top 3":
        return model_of({ending.name: best(named(draw.linear(pooled, 4), "logits"), 3).output(1)}, image)
    return model_of({ending.name: ending.build(draw, pooled)}, image)
