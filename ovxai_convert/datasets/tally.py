"""Photographs counted: by class, by what they show, by how the answer is, by why they failed."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ovxai_convert.datasets.shown import ShownPhotograph

_MOST_REASONS: Final = 500
"""So many are counted one by one: reasons that hold numbers could be as many as photographs."""

MOST_FIRST: Final = 100
"""So many failures are kept as they are."""
OTHER_REASONS: Final = "other reasons"


class ShownClass(NamedTuple):
    """A class as the model has it; without an index it stands for all of them."""

    class_index: int | None
    label: str


@dataclass
class ClassCount:
    """Photographs whose first map is of a class: all, and those whose answer is right or wrong, if known."""

    photographs: int = 0
    right: int = 0
    wrong: int = 0


@dataclass
class Tally:
    """What has been counted so far. Classes, truths and reasons have numbers in the order of their coming.

    It grows with the number of classes and of pairs that were mistaken, not with that of photographs.

    Attributes:
        photographs: files that were looked at.
        listed: the same, but for a model with several answers, each of which is listed by itself.
        failed: of them, those that were not explained.
        right: of the others, those whose answer is known to be right.
        wrong: likewise.
        classes: all classes that have a map, by which the others count.
        counts: of each class, by its number.
        answers: how often a truth got a class for an answer, by their numbers.
        mistakes: those of them that are wrong.
        failures: how often there was a reason.
        first_failures: the first photographs that could not be explained.
        layers: target layers of the maps.
        ranked_first: whether each photograph's first map is of the answer.
        lowest, highest: of the scores that are numbers.
    """

    photographs: int = 0
    listed: int = 0
    maps: int = 0
    failed: int = 0
    right: int = 0
    wrong: int = 0
    ranked_first: bool = True
    lowest: float = math.inf
    highest: float = -math.inf
    classes: dict[ShownClass, int] = field(default_factory=dict)
    counts: list[ClassCount] = field(default_factory=list)
    truths: dict[str, int] = field(default_factory=dict)
    answers: Counter[tuple[int, int]] = field(default_factory=Counter)
    mistakes: Counter[tuple[int, int]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    first_failures: list[ShownPhotograph] = field(default_factory=list)
    layers: dict[str, None] = field(default_factory=dict)

    def add(self, photograph: ShownPhotograph) -> None:
        """Count one more."""
        self.listed += 1
        self.photographs += not photograph.again
        truth = None if photograph.truth is None else self.number_of_truth(photograph.truth)
        if photograph.reason is not None:
            self._add_failure(photograph, photograph.reason)
            return
        self.maps += len(photograph.maps)
        if photograph.layer is not None:
            self.layers[photograph.layer] = None
        for each in photograph.maps:
            self.number_of_class(ShownClass(each.class_index, each.label))
            if math.isfinite(each.score):
                self.lowest, self.highest = min(self.lowest, each.score), max(self.highest, each.score)
        first = photograph.maps[0]
        self.ranked_first &= first.rank == 1
        number = self.number_of_class(ShownClass(first.class_index, first.label))
        self.counts[number].photographs += 1
        if photograph.correct is not None:
            self._judge(truth, number if first.rank == 1 else None, right=photograph.correct)

    def _judge(self, truth: int | None, answer: int | None, *, right: bool) -> None:
        """Count an answer as right or wrong; of which class it is may not be known."""
        self.right += right
        self.wrong += not right
        if answer is None:
            return
        self.counts[answer].right += right
        self.counts[answer].wrong += not right
        if truth is not None:
            self.answers[truth, answer] += 1
            self.mistakes[truth, answer] += not right

    def _add_failure(self, photograph: ShownPhotograph, reason: str) -> None:
        """Count a failure; one reason too many is among the other ones."""
        self.failed += 1
        if len(self.first_failures) < MOST_FIRST:
            self.first_failures.append(photograph)
        known = reason in self.failures or len(self.failures) < _MOST_REASONS
        self.failures[reason if known else OTHER_REASONS] += 1

    def number_of_class(self, shown: ShownClass) -> int:
        """The number of a class, a new one if it has not been seen before."""
        if shown not in self.classes:
            self.counts.append(ClassCount())
        return self.classes.setdefault(shown, len(self.classes))

    def number_of_truth(self, truth: str) -> int:
        """The number of what a photograph shows."""
        return self.truths.setdefault(truth, len(self.truths))

    @property
    def judged(self) -> int:
        """Photographs whose answer is known to be right or wrong."""
        return self.right + self.wrong

    @property
    def are_shares(self) -> bool:
        """Whether all scores lie in 0 to 1, so that a bar can show them."""
        return self.lowest >= 0 and self.highest <= 1

    def class_names(self) -> list[str]:
        """Labels of the classes; those that several classes have, with the class's index."""
        times = Counter(each.label for each in self.classes)
        return [
            label if index is None or times[label] == 1 else f"{label} ({index})"
            for index, label in self.classes
        ]

    def common_classes(self) -> list[int]:
        """Numbers of the classes that photographs have for their first map, the commonest first."""
        found = [number for number, count in enumerate(self.counts) if count.photographs]
        return sorted(found, key=lambda number: -self.counts[number].photographs)
