"""Scoring as a stream: batches of perturbed inputs out, their scores back, checked on arrival."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError

Batches = Iterator[NDArray[Any]]
"""Inputs ``(B, *shape of one input)`` in the image's element type; B is at most the batch size."""

ScoreStream = Callable[[Batches], Iterator[NDArray[np.float32]]]
"""Runs a model: scores ``(B, K)`` of each batch, in the order of the batches.

It may pull several batches before it yields the first scores. Each batch is an array of its own that nobody
writes to again. An iterator with a ``close`` method, as generators have, is closed when no more scores are
wanted.
"""

Progress = Callable[[int, int | None], None]
"""Told how many evaluations are done, and how many there will be, or None where that is not known."""


def silent(done: int, total: int | None) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class BlackboxMaps:
    """What a black-box method found.

    Attributes:
        maps: float32 ``[K', H, W]``, one map per target in the order asked; larger speaks for the class.
        evaluations: inputs that the model was run on and whose scores were used.
        converged: whether the method stopped because the maps no longer changed, before its limit.
    """

    maps: NDArray[np.float32]
    evaluations: int
    converged: bool


def scored(
    score_stream: ScoreStream, batches: Batches, classes: int | None = None
) -> Generator[NDArray[np.float32], None, None]:
    """Scores of each batch, float32 ``(B, K)``, with K the same for all, and as given where it is known.

    Closing this generator closes the stream; whatever either raises goes through untouched.

    Raises:
        UsageError: the stream's scores do not fit the batches, or are not finite numbers.
    """
    pulled: deque[int] = deque()

    def counted() -> Batches:
        for batch in batches:
            pulled.append(len(batch))
            yield batch

    stream = score_stream(counted())
    try:
        for scores in stream:
            if not pulled:
                raise UsageError("the model returned scores for a batch that it was not given")
            checked = _checked(scores, pulled.popleft(), classes)
            classes = checked.shape[1]
            yield checked
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
    if pulled or next(batches, None) is not None:
        raise UsageError("the model returned no scores for some batches")


def _checked(scores: NDArray[Any], rows: int, classes: int | None) -> NDArray[np.float32]:
    array = np.asarray(scores)
    if array.ndim != 2 or len(array) != rows or classes not in (None, array.shape[1]):
        wanted = "K" if classes is None else str(classes)
        raise UsageError(f"scores for {rows} inputs must have shape ({rows}, {wanted}), not {array.shape}")
    if array.shape[1] == 0:
        raise UsageError("scores must be of at least one class")
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise UsageError(f"scores must be numbers, not {array.dtype}")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as such
        single = array.astype(np.float32, copy=False)
    if not np.isfinite(single).all():
        raise UsageError("scores must be finite; the model or the postprocessing returned others")
    return single


def chosen(targets: Sequence[int] | None, classes: int) -> list[int]:
    """Indices of the classes that get a map: the targets, or all classes for None.

    Raises:
        UsageError: no target, or one that is not a class of the model.
    """
    if targets is None:
        return list(range(classes))
    if not targets:
        raise UsageError("no target was given")
    for target in targets:
        if not 0 <= target < classes:
            raise UsageError(
                f"class {target} is out of range: the model has {classes} classes, 0 to {classes - 1}"
            )
    return list(targets)


def require_batch_size(batch_size: int) -> None:
    """Refuse a batch of no inputs.

    Raises:
        UsageError: the batch size is below 1.
    """
    if batch_size < 1:
        raise UsageError(f"the batch size must be at least 1, not {batch_size}")
