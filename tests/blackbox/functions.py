"""Functions that stand for models, and a stream that runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.streaming import Batches, ScoreStream

Floats = NDArray[np.float32]
Predict = Callable[[NDArray[Any]], Floats]
SIZE = (30, 43)
"""Rows and columns: neither a multiple of the cells nor equal to each other."""


def running(predict: Predict, ahead: int = 1) -> ScoreStream:
    """A stream that pulls ``ahead`` batches before it scores the first of them, one input at a time.

    One at a time because a matrix product's last bit depends on how many rows it has, as a device's scores do
    not.
    """

    def stream(batches: Batches) -> Iterator[Floats]:
        waiting: list[NDArray[Any]] = []
        for batch in batches:
            waiting.append(batch)
            if len(waiting) == ahead:
                yield one_by_one(predict, waiting.pop(0))
        for batch in waiting:
            yield one_by_one(predict, batch)

    return stream


def one_by_one(predict: Predict, batch: NDArray[Any]) -> Floats:
    return np.concatenate([predict(image[np.newaxis]) for image in batch])


def image(channels: int = 3, size: tuple[int, int] = SIZE, seed: int = 5) -> Floats:
    """A random CHW image of values 0.5 to 1.5."""
    return np.random.default_rng(seed).random((channels, *size), np.float32) + np.float32(0.5)


def windows(*boxes: tuple[slice, slice]) -> Predict:
    """Class k scores the mean of box k of a CHW image."""

    def predict(batch: NDArray[Any]) -> Floats:
        return np.stack([batch[:, :, rows, columns].mean((1, 2, 3)) for rows, columns in boxes], 1)

    return predict


UPPER_LEFT = (slice(3, 12), slice(4, 16))
LOWER_RIGHT = (slice(20, 28), slice(30, 40))
