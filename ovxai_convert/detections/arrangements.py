"""Where the numbers of a box stand among the results of an inference: one class per arrangement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.detections.outputs import CandidateLayout
from ovxai_convert.errors import ModelReadError

_LARGEST_LABEL: Final = 2**31
_SEVEN: Final = 7


@dataclass(frozen=True, eq=False)
class RawBoxes:
    """What one sample's boxes are by the model's own numbers, all float32 but the labels; n of them.

    ``boxes`` are ``[n, 4]``. Of their classes there are either ``classes``, ``[n, columns]``, and maybe
    ``objectness``, ``[n]``; or ``scores`` ``[n]`` and ``labels``, int64 ``[n]``, -1 for what is none.
    """

    boxes: NDArray[np.float32]
    classes: NDArray[np.float32] | None = None
    objectness: NDArray[np.float32] | None = None
    scores: NDArray[np.float32] | None = None
    labels: NDArray[np.int64] | None = None

    @property
    def given_scores(self) -> NDArray[np.float32] | None:
        """Scores of what has a label: where a model fills up with rows that are no boxes, these have none."""
        if self.scores is None or self.labels is None:
            return None
        return self.scores[self.labels >= 0]


class Arrangement(Protocol):
    """Reads the numbers of every sample."""

    @property
    def picked(self) -> bool:
        """Whether the model has picked its boxes already, so that they need no suppression."""

    def raw(self, results: Mapping[Any, NDArray[Any]], samples: int) -> list[RawBoxes]:
        """One per sample; a ModelReadError for results that are of another form."""


@dataclass(frozen=True)
class SevenColumns:
    """``[1, 1, N, 7]`` of OpenVINO's DetectionOutput: image, label, score and two corners.

    Boxes of all samples stand one below the other; an image of -1 ends them. Labels are as the model counts
    them, which may be from 1 on, where 0 is its background.
    """

    index: int
    picked = True

    def raw(self, results: Mapping[Any, NDArray[Any]], samples: int) -> list[RawBoxes]:
        """See :class:`Arrangement`."""
        numbers = _checked(results, self.index, samples, (4,), last=_SEVEN, shared=True)
        rows = numbers.reshape(-1, _SEVEN)
        behind = np.flatnonzero(rows[:, 0] < 0)
        rows = rows[: behind[0]] if len(behind) else rows
        return [_with_scores(rows[rows[:, 0] == number], 3, 2, 1) for number in range(samples)]


@dataclass(frozen=True)
class RowsWithScore:
    """``[N, 5]`` or ``[B, N, 5]`` of two corners and a score, and labels ``[N]`` or ``[B, N]`` beside them.

    Without an output of labels (None) all boxes are of class 0, and maybe something else than corners.
    """

    boxes: int
    labels: int | None
    picked = True

    def raw(self, results: Mapping[Any, NDArray[Any]], samples: int) -> list[RawBoxes]:
        """See :class:`Arrangement`."""
        rows = _checked(results, self.boxes, samples, (2, 3), last=5)
        if self.labels is None:
            labels = np.zeros(rows.shape[:2], np.float32)
        else:
            labels = _checked(results, self.labels, samples, (1, 2), beside=rows)
        return [
            RawBoxes(each[:, :4], scores=each[:, 4], labels=whole_labels(label))
            for each, label in zip(rows, labels, strict=True)
        ]


@dataclass(frozen=True)
class SixColumns:
    """``[B, N, 6]`` of two corners, a score and a label, and maybe ``more`` numbers that are not read."""

    index: int
    more: int = 0
    picked = True

    def raw(self, results: Mapping[Any, NDArray[Any]], samples: int) -> list[RawBoxes]:
        """See :class:`Arrangement`."""
        numbers = _checked(results, self.index, samples, (3,), last=6 + self.more)
        return [_with_scores(rows, 0, 4, 5) for rows in numbers]


@dataclass(frozen=True)
class Apart:
    """Boxes ``[N, 4]``, scores ``[N]`` and labels ``[N]`` in outputs of their own, or each with a batch."""

    boxes: int
    scores: int
    labels: int
    picked = True

    def raw(self, results: Mapping[Any, NDArray[Any]], samples: int) -> list[RawBoxes]:
        """See :class:`Arrangement`."""
        boxes = _checked(results, self.boxes, samples, (2, 3), last=4)
        scores, labels = (
            _checked(results, index, samples, (1, 2), beside=boxes) for index in (self.scores, self.labels)
        )
        return [
            RawBoxes(box, scores=score, labels=whole_labels(label))
            for box, score, label in zip(boxes, scores, labels, strict=True)
        ]


@dataclass(frozen=True)
class BoxesAndClasses:
    """Boxes ``[B, A, 4]`` and the numbers of classes ``[B, A, K]``, or ``[B, K, A]`` if ``classes_first``.

    ``picked`` where they are the queries of a transformer, which do not repeat each other.
    """

    boxes: int
    classes: int
    classes_first: bool = False
    picked: bool = False

    def raw(self, results: Mapping[Any, NDArray[Any]], samples: int) -> list[RawBoxes]:
        """See :class:`Arrangement`."""
        boxes = _checked(results, self.boxes, samples, (2, 3), last=4)
        classes = _checked(results, self.classes, samples, (2, 3))
        classes = classes.transpose(0, 2, 1) if self.classes_first else classes
        if classes.shape[1] != boxes.shape[1] or classes.shape[2] == 0:
            raise ModelReadError(
                f"the model gives {boxes.shape[1]} boxes, and classes of shape {list(classes.shape)}"
            )
        return [RawBoxes(box, each) for box, each in zip(boxes, classes, strict=True)]


@dataclass(frozen=True)
class Joined:
    """All of a candidate in one output: four numbers of its box, maybe its objectness, its classes.

    ``[B, C, A]`` or ``[B, A, C]`` of A candidates, by ``layout``; what stands behind the ``class_count``
    classes is not read. Where the layout was ``guessed``, results of fewer candidates than numbers of each
    are refused.
    """

    index: int
    layout: CandidateLayout
    objectness: bool
    class_count: int
    picked: bool = False
    guessed: bool = False

    def raw(self, results: Mapping[Any, NDArray[Any]], samples: int) -> list[RawBoxes]:
        """See :class:`Arrangement`."""
        numbers = _checked(results, self.index, samples, (3,))
        rows = numbers.transpose(0, 2, 1) if self.layout == "channels_first" else numbers
        first = 5 if self.objectness else 4
        if self.guessed and rows.shape[1] < rows.shape[2]:
            raise ModelReadError(f"which axis of {list(numbers.shape)} holds candidates is not clear")
        if rows.shape[2] < first + self.class_count:
            raise ModelReadError(
                f"the model gives {rows.shape[2]} numbers of a candidate, "
                f"and not {first} and {self.class_count} classes"
            )
        classes = slice(first, first + self.class_count)
        return [RawBoxes(row[:, :4], row[:, classes], row[:, 4] if first == 5 else None) for row in rows]


def whole_labels(numbers: NDArray[Any]) -> NDArray[np.int64]:
    """Labels of numbers ``[n]``; -1 for what is none: not finite, or negative, or beyond 32 bits.

    A ModelReadError where one is not whole, as no label is.
    """
    fits = (numbers >= 0) & (numbers < _LARGEST_LABEL)
    broken = numbers[fits & (numbers != np.trunc(numbers))]
    if len(broken):
        raise ModelReadError(f"labels of boxes are whole numbers, and not {broken[0]:g}")
    return np.where(fits, numbers, -1).astype(np.int64)


def _with_scores(rows: NDArray[np.float32], box: int, score: int, label: int) -> RawBoxes:
    """Rows of numbers, by the columns where the parts begin."""
    return RawBoxes(rows[:, box : box + 4], scores=rows[:, score], labels=whole_labels(rows[:, label]))


def _checked(
    results: Mapping[Any, NDArray[Any]],
    index: int,
    samples: int,
    ranks: tuple[int, ...],
    *,
    last: int | None = None,
    beside: NDArray[Any] | None = None,
    shared: bool = False,
) -> NDArray[Any]:
    """An output with a batch in front, which has one of some ranks, and ``last`` numbers at its end.

    The smaller of two ranks lacks the batch, which is that of one sample then. ``beside``: it has one number
    for each of these rows. ``shared``: its rows are of all samples, whatever its batch.
    """
    numbers = np.asarray(results[index])
    if numbers.dtype.kind not in "iu":
        with np.errstate(over="ignore"):  # what float32 cannot hold is dropped as not finite
            numbers = numbers.astype(np.float32, copy=False)
    batched = numbers[np.newaxis] if len(ranks) > 1 and numbers.ndim == ranks[0] else numbers
    fits = numbers.ndim in ranks and (last is None or numbers.shape[-1] == last)
    if fits and beside is not None:
        fits = batched.shape == beside.shape[:2]
    if not fits:
        raise ModelReadError(f"output {index} has shape {list(numbers.shape)}, which is not that of its form")
    if len(batched) != samples and not shared:
        raise ModelReadError(f"the model answers {samples} images with boxes of {len(batched)}")
    return batched
