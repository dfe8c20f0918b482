"""Explaining one photograph of many: from where it is to rows of a table and the bytes of its pictures."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any

import numpy as np

from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.datasets.remote import read_remote
from ovxai_convert.datasets.rows import Row, written_path
from ovxai_convert.datasets.sources import Item
from ovxai_convert.datasets.truths import Truths, no_truth
from ovxai_convert.errors import reason_of
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.explain.files import ExplainedImage, FileExplainer
from ovxai_convert.explain.report import ReportEntry, report_entries
from ovxai_convert.photographs.given import Photograph
from ovxai_convert.photographs.image_files import image_content, picture_in
from ovxai_convert.pictures.captions import Caption
from ovxai_convert.pictures.picture_files import PictureOptions
from ovxai_convert.pictures.rendering import grey_levels
from ovxai_convert.source.labels import Targets

Watch = Callable[[Item], AbstractContextManager[Progress]]
"""Watches a black-box method at work on a photograph."""


@dataclass(frozen=True)
class Asked:
    """What is to come of each photograph.

    Attributes:
        targets: the classes to explain.
        pictures: how pictures look; None: there are none.
        raw: whether each map is a file, too.
        entries: whether to make entries of a report that holds its pictures.
        run: digest that stands in each row.
        boxes: of a detector, which boxes are explained, each by itself.
    """

    targets: Targets = None
    pictures: PictureOptions | None = None
    raw: bool = False
    entries: bool = False
    run: str | None = None
    boxes: str | None = None


@dataclass(frozen=True)
class MapFacts:
    """What is said of one map: its class, as index or word, and as text; whether it shows nothing."""

    target: int | str
    label: str
    caption: Caption
    constant: bool


@dataclass(frozen=True)
class HeadAnswer:
    """What came of a photograph for one class output; ``files`` are by name below the output folder."""

    head: str | None
    method: str
    seconds: float
    maps: tuple[MapFacts, ...]
    notes: tuple[str, ...]
    unsaid: tuple[str, ...]
    rows: tuple[Row, ...]
    files: dict[str, bytes]
    entries: tuple[ReportEntry, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a photograph: an answer, or an error and the row that tells it, for each class output.

    A photograph that cannot be read has one error.
    """

    item: Item
    results: tuple[HeadAnswer | Failure, ...]

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        answers = (each for each in self.results if isinstance(each, HeadAnswer))
        return sum(len(content) for each in answers for content in each.files.values())


@dataclass(frozen=True)
class Failure:
    """Why there is no answer."""

    error: Exception
    row: Row


@dataclass(frozen=True)
class PhotographExplainer:
    """Explains photographs of a data set, each for every class output in question; threads may share it.

    Attributes:
        explainers: one for each class output.
        asked: what is to come of a photograph.
        truths: what photographs show, for each class output.
        watch: watches black-box methods, of which one is at work at a time.
        stopping: once set, such a method gives up.
    """

    explainers: Sequence[FileExplainer]
    asked: Asked
    truths: Sequence[Truths] = ()
    watch: Watch = lambda item: nullcontext(silent)
    stopping: Event = field(default_factory=Event)
    _one_at_a_time: Lock = field(default_factory=Lock)

    @property
    def is_black_box(self) -> bool:
        """Whether a photograph keeps the device busy by itself."""
        methods = (each.method for each in self.explainers)
        return any(method is not None and method.is_black_box for method in methods)

    def __call__(self, item: Item) -> Outcome:
        """All that came of a photograph; never an exception of its own, which is a failure."""
        told: dict[str, Any] = {"path": written_path(item.shown), "run": self.asked.run}
        try:
            content = image_content(item.path) if item.url is None else read_remote(item.url)
            told["sha256"] = hashlib.sha256(content).hexdigest()
            photograph = Photograph(picture_in(content, item.shown, self.explainers[0].channels))
        except Exception as error:  # whatever it is, the others go on
            return Outcome(item, (_failure(item, told, error),))
        results = [self._result(item, told, photograph, number) for number in range(len(self.explainers))]
        return Outcome(item, tuple(results))

    def failure(self, item: Item, reason: str) -> Row:
        """The row of a photograph of which nothing more is known than why it failed."""
        return Row(written_path(item.shown), error=reason, run=self.asked.run)

    def _result(
        self, item: Item, told: Mapping[str, Any], photograph: Photograph, number: int
    ) -> HeadAnswer | Failure:
        explainer = self.explainers[number]
        known = (self.truths[number] if self.truths else no_truth)(item)
        told = {**told, "truth": None if known is None else known.text, "head": explainer.head}
        try:
            return self._answer(
                item, told, photograph, explainer, None if known is None else known.class_index
            )
        except Exception as error:  # likewise
            return _failure(item, told, error)

    def _answer(
        self,
        item: Item,
        told: Mapping[str, Any],
        photograph: Photograph,
        explainer: FileExplainer,
        truth: int | None,
    ) -> HeadAnswer:
        explanation, seconds = self._explained(item, photograph, explainer)
        asked = self.asked
        files = explainer.files_of(explanation, written_path(item.name), asked.pictures, raw=asked.raw)
        pictures = list(files)[: len(explanation.targets)] if asked.pictures is not None else []
        height, width = photograph.pixels.shape[:2]
        told = {**told, "height": height, "width": width, "seconds": seconds}
        image = ExplainedImage(
            item.path, explainer.shown(photograph), explanation, seconds, (), explainer.head
        )
        return HeadAnswer(
            explainer.head,
            explanation.method_name,
            seconds,
            tuple(_facts(explanation)),
            explanation.notes,
            tuple(explainer.unsaid(image)),
            tuple(_rows(told, explanation, pictures, truth)),
            files,
            tuple(report_entries(image)) if asked.entries else (),
        )

    def _explained(
        self, item: Item, photograph: Photograph, explainer: FileExplainer
    ) -> tuple[Explanation, float]:
        with self._one_at_a_time if self.is_black_box else nullcontext(), self.watch(item) as watching:

            def on_progress(done: int, total: int | None) -> None:
                if self.stopping.is_set():
                    raise StoppedError
                watching(done, total)

            started = time.perf_counter()
            asked = self.asked
            explanation = explainer.explanation_of(
                photograph, asked.targets, asked.pictures, on_progress, asked.boxes
            )
            return explanation, time.perf_counter() - started


class StoppedError(Exception):
    """A method gave up, since nobody waits for it any more."""


def _failure(item: Item, told: Mapping[str, Any], error: Exception) -> Failure:
    return Failure(error, Row(**told, error=reason_of(error, item.shown)))


def _rows(
    told: Mapping[str, Any], explanation: Explanation, pictures: Sequence[str], truth: int | None
) -> Iterator[Row]:
    """A row for each explained class."""
    scores = explanation.scores
    assert scores is not None, "an explainer gives them"
    best = int(scores.argmax())
    for number, (target, saliency) in enumerate(explanation.raw.items()):
        prediction = explanation.prediction_of(target)
        index = best if prediction is None else prediction.label
        levels = saliency if saliency.dtype == np.uint8 else grey_levels(saliency)
        score = float(scores[index]) if prediction is None else prediction.score
        yield Row(
            **told,
            class_index=index,
            label=explanation.label_of(index),
            score=score,
            rank=1 + int(np.count_nonzero(scores > score) + np.count_nonzero(scores[:index] == score)),
            correct=None if truth is None else best == truth,
            picture=Path(pictures[number]).as_posix() if pictures else None,
            map=levels.tobytes(),
            map_shape=(levels.shape[0], levels.shape[1]),
            **_box(explanation, target),
            target_layer=explanation.target_layer,
            method=explanation.method_name,
        )


def _box(explanation: Explanation, target: int | str) -> dict[str, Any]:
    """The edges of the box that a map is of, or of the best one of a class; nothing of a classifier's."""
    numbers = explanation.boxes.get(target)
    if not numbers or explanation.detections is None:
        return {}
    edges = explanation.detections.boxes[numbers[0]]
    names = ("box_left", "box_top", "box_right", "box_bottom")
    return {name: round(float(edge), 2) for name, edge in zip(names, edges, strict=True)}


def _facts(explanation: Explanation) -> Iterator[MapFacts]:
    constant = explanation.constant
    for target, caption in explanation.captions.items():
        yield MapFacts(target, explanation.label_of(target), caption, target in constant)
