"""What a detector answers in an explanation: the best score of each class, boxes, how alike boxes are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.detections.boxes import Detections, best_by_class, nms
from ovxai_convert.detections.forms import BoxForm, ReadDetections
from ovxai_convert.detections.similarity import SimilarityScores
from ovxai_convert.errors import UsageError
from ovxai_convert.explain.predictions import ReadScores, Results

MOST_BOXES: Final = 100
"""How many boxes of a picture are looked at."""
OVERLAP: Final = 0.5
"""Intersection over union above which, of two boxes of a class, the better one is kept."""


@dataclass(frozen=True)
class DetectionScores:
    """Reads results of a detector as scores ``(N, K)``: of each class that of its best box, 0 without one.

    Attributes:
        read: makes detections of results.
        picked: whether the model itself has dropped boxes that repeat others.
        class_count: K.
        threshold: the score that a box has at least.
        first_label: what the model calls class 0, where its labels count the background.
        size: rows and columns of the input, in whose pixels boxes are.
        form: what ``read`` goes by, where that is no user's function.
    """

    read: ReadDetections
    picked: bool
    class_count: int
    threshold: float
    first_label: int = 0
    size: tuple[int, int] = (1, 1)
    form: BoxForm | None = None

    def at(self, size: tuple[int, int]) -> DetectionScores:
        """The same for an input of so many rows and columns."""
        return replace(self, size=size)

    def settled(self, results: Results, samples: int) -> DetectionScores:
        """The same, with what the numbers decide (units, activations) as it is in these results.

        Of altered images it might be decided otherwise.
        """
        found = None if self.form is None else self.form.settled(results, self.size, samples)
        return self if not isinstance(found, BoxForm) else replace(self, form=found, read=found.read)

    def __call__(self, results: Results, samples: int) -> NDArray[np.float32]:
        """The best score of each class; a ModelReadError for results that hold no boxes."""
        return self._best(self.proposals(results, self.size, samples))

    def seen(self, results: Results, samples: int) -> tuple[NDArray[np.float32], list[Detections]]:
        """The same, and of each sample the boxes that count.

        That is the best first, above the threshold, none of them repeating another.
        """
        each, overlap = self.proposals(results, self.size, samples), 1.0 if self.picked else OVERLAP
        return self._best(each), [nms(one, overlap, self.threshold, MOST_BOXES) for one in each]

    def _best(self, each: Sequence[Detections]) -> NDArray[np.float32]:
        return np.stack([best_by_class(one, self.class_count) for one in each])

    def proposals(self, results: Results, size: tuple[int, int], samples: int) -> list[Detections]:
        """All boxes of each sample."""
        found = self.read(results, size, samples)
        if not self.first_label:
            return found
        return [replace(one, labels=one.labels - self.first_label) for one in map(self._named, found)]

    def _named(self, found: Detections) -> Detections:
        return found.taken(found.labels >= self.first_label)

    def likeness_to(self, boxes: Detections) -> ReadScores:
        """Scores of boxes in place of classes: how well each is found again."""
        return SimilarityScores(boxes, self.proposals, self.size)


def chosen_boxes(wanted: int | str | Sequence[int] | None, found: Detections) -> list[int]:
    """Indices of the boxes that a user wants, of those found, the best first.

    Args:
        wanted: numbers, counted from 1, also as text with commas between; ``"all"`` and None: all;
            ``"topN"``: the N best.
        found: the boxes.

    Raises:
        UsageError: a box that does not exist, or is named twice.
    """
    text = wanted.strip().lower() if isinstance(wanted, str) else wanted
    if text is None or text == "all":
        return list(range(len(found)))
    if isinstance(text, str) and text.startswith("top") and text[3:].isdecimal():
        return list(range(min(int(text[3:]), len(found))))
    try:
        words = text.split(",") if isinstance(text, str) else np.atleast_1d(np.asarray(text)).tolist()
        numbers = [int(word) for word in words]
    except (TypeError, ValueError):
        raise UsageError(f"boxes: '{wanted}' is neither numbers from 1 on, nor topN, nor all") from None
    for number in numbers:
        if not 1 <= number <= len(found):
            raise UsageError(f"there is no box {number}; {len(found)} were found")
    if len(set(numbers)) < len(numbers):
        raise UsageError("a box is named twice")
    return [number - 1 for number in numbers]


def box_name(number: int) -> str:
    """What a box is called that is the so manieth best, counted from 0."""
    return f"box {number + 1}"
