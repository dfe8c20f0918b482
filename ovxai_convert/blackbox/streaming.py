"""Scoring as a stream: batches of altered images out, their scores back, checked on arrival."""

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
    """Maps ``[K', H, W]``, one per target in the order asked; larger speaks for the class.

    ``evaluations`` counts the inputs whose scores were used; ``converged`` tells whether the method stopped
    because the maps no longer changed, before its limit.
    """

    maps: NDArray[np.float32]
    evaluations: int
    converged: bool


def scored(
    score_stream: ScoreStream, batches: Batches, classes: int | None = None
) -> Generator[NDArray[np.float32], None, None]:
    """Scores of each batch, float32 ``(B, K)``, with K the same for all, and as given where it is known.

    Closing this generator closes the stream; whatever either raises goes through untouched. Scores that do
    not fit the batches, or are not finite numbers, are a UsageError.
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
    """Indices of the classes that get a map: the targets (None: all); a UsageError for others or none."""
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


@dataclass(frozen=True)
class Subject:
    """One image as the model takes it, without the batch axis, in the input's element type.

    ``spatial_axes`` of it are rows and columns: ``(1, 2)`` for CHW, ``(0, 1)`` for HWC.
    """

    image: NDArray[Any]
    spatial_axes: tuple[int, int]

    def __post_init__(self) -> None:
        rows, columns = self.spatial_axes
        if not 0 <= rows < columns < self.image.ndim:
            raise UsageError(
                f"an image of shape {self.image.shape} has no rows and columns at axes {self.spatial_axes}"
            )
        if self.image.size == 0:
            raise UsageError(f"the image is empty: its shape is {self.image.shape}")
        if not (np.issubdtype(self.image.dtype, np.floating) or np.issubdtype(self.image.dtype, np.integer)):
            raise UsageError(f"the image must hold integers or floats, not {self.image.dtype}")

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns, H and W."""
        rows, columns = self.spatial_axes
        return self.image.shape[rows], self.image.shape[columns]

    def aligned(self, per_pixel: NDArray[Any]) -> NDArray[Any]:
        """A view of ``[H, W]`` that broadcasts against the image."""
        rows, columns = self.spatial_axes
        return per_pixel.reshape(
            [extent if axis in (rows, columns) else 1 for axis, extent in enumerate(self.image.shape)]
        )

    def mask_into(self, out: NDArray[Any], mask: NDArray[np.float32]) -> None:
        """``out = image * mask``, with a mask ``[H, W]`` of 0..1; rounded where the image holds integers."""
        if np.issubdtype(self.image.dtype, np.floating):
            np.multiply(self.image, self.aligned(mask), out=out, casting="same_kind")
        else:
            product = np.multiply(self.image, self.aligned(mask), dtype=np.float32)
            np.copyto(out, np.rint(product, out=product), casting="unsafe")


@dataclass(frozen=True)
class Trial(Subject):
    """An image, and the model that is asked what it makes of altered ones, at most so many in a batch."""

    score_stream: ScoreStream
    batch_size: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size < 1:
            raise UsageError(f"the batch size must be at least 1, not {self.batch_size}")

    def scores(
        self, count: int, fill: Callable[[int, NDArray[Any]], None], classes: int | None = None
    ) -> Generator[NDArray[np.float32], None, None]:
        """Scores, see :func:`scored`; ``fill`` gets the number of each altered image, and an array for it."""

        def batches() -> Batches:
            for start in range(0, count, self.batch_size):
                batch = np.empty((min(self.batch_size, count - start), *self.image.shape), self.image.dtype)
                for number, altered in enumerate(batch, start):
                    fill(number, altered)
                yield batch

        return scored(self.score_stream, batches(), classes)
