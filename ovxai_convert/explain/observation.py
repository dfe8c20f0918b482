"""Looking at one sample: the scores and maps that it yields, by a branch or as a black box."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.artifact.sidecar import SaliencyMapInfo
from ovxai_convert.blackbox.method import Perturbation
from ovxai_convert.blackbox.streaming import Progress
from ovxai_convert.detections.boxes import Detections
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.explain.detecting import DetectionScores, box_name, chosen_boxes
from ovxai_convert.explain.device import DeviceScores, InTheRuntime
from ovxai_convert.explain.predictions import ReadScores, Results
from ovxai_convert.explain.requests import Requests
from ovxai_convert.photographs.model_input import ImageInput

PER_IMAGE_MAP: Final = "per_image_map"
"""In place of a class, where one map stands for all."""

BoxesWanted: TypeAlias = "int | str | Sequence[int] | None"
"""Numbers of boxes from 1 on, ``"topN"``, ``"all"``; None: those of the classes to explain."""


@dataclass(frozen=True)
class Choose:
    """What is to be explained of a sample.

    Attributes:
        classes: from the scores ``(K,)`` of a sample to the classes; None: all.
        boxes: of a detector that is explained box by box, which.
        best_of_class: of each class its best box alone.
    """

    classes: Callable[[NDArray[np.float32]], list[int] | None]
    boxes: BoxesWanted = None
    best_of_class: bool = False

    def __call__(self, scores: NDArray[np.float32]) -> list[int] | None:
        """The classes; None: all."""
        return self.classes(scores)


class Observation(NamedTuple):
    """One sample's scores ``(K,)`` and maps ``(h, w)``: u8 levels, or raw scores in the model's type.

    Maps are by class, by ``PER_IMAGE_MAP``, or by the name of a box. ``found`` is of a detector what it finds
    in the sample, and ``boxes`` tells which of that each map is of; ``refusal`` why there is none.
    """

    scores: NDArray[np.float32]
    maps: dict[int | str, NDArray[Any]]
    found: Detections | None = None
    refusal: Refusal | None = None
    boxes: Mapping[int | str, list[int]] = MappingProxyType({})


@dataclass(frozen=True)
class WhiteBox:
    """A model that has the output ``saliency_map``, of which the sidecar says ``saliency``.

    ``binary``: its one map is that of the second of two classes; the first one's is the same reversed.
    """

    requests: Requests
    image: ImageInput
    read_scores: ReadScores
    saliency: SaliencyMapInfo
    binary: bool = False

    def observe(self, sample: NDArray[Any], choose: Choose) -> Observation:
        """Run the model on one sample ``(1, ...)``; a UsageError if it gives no map of a chosen class."""
        results = self._results(sample)
        scores, found = self._seen(results, sample)
        targets = choose(scores)
        given = np.array(results[self.saliency.index][0])
        if "class" not in self.saliency.axes:
            return Observation(scores, {PER_IMAGE_MAP: given}, found)
        maps = dict(zip(self._classes(results, len(given)), given, strict=True))
        if self.binary and len(scores) == 2:
            maps = {1: given[0], 0: reversed_map(given[0])}
        targets = list(maps) if targets is None else targets
        missing = [target for target in targets if target not in maps]
        if missing:
            known = ", ".join(map(str, list(maps)[:8])) + (", ..." if len(maps) > 8 else "")
            raise UsageError(f"the model gives no map of class {missing[0]}; it was converted for {known}")
        boxes: dict[int | str, list[int]] = {}
        if found is not None:
            boxes = {target: np.flatnonzero(found.labels == target).tolist() for target in targets}
        return Observation(scores, {target: maps[target] for target in targets}, found, None, boxes)

    def scores(self, sample: NDArray[Any]) -> NDArray[np.float32]:
        """The scores alone."""
        read = at_size(self.read_scores, self.image, sample)
        scores: NDArray[np.float32] = read(self._results(sample), self.image.batch or 1)[0]
        return scores

    def _results(self, sample: NDArray[Any]) -> Results:
        request = self.requests.take()
        try:
            request.reset_state()
            batch = self.image.batch or 1
            samples = sample if batch == len(sample) else np.repeat(sample, batch, axis=0)
            with InTheRuntime():  # which only looks at the sample, and gives arrays of their own
                results: Results = request.infer(samples, share_inputs=True)
        finally:
            self.requests.give_back(request)
        return results

    def _seen(self, results: Results, sample: NDArray[Any]) -> tuple[NDArray[np.float32], Detections | None]:
        """Scores, and what a detector finds."""
        read, samples = at_size(self.read_scores, self.image, sample), self.image.batch or 1
        if not isinstance(read, DetectionScores):
            return read(results, samples)[0], None
        scores, found = read.seen(results, samples)
        return scores[0], found[0]

    def _classes(self, results: Results, count: int) -> list[int]:
        classes = self.saliency.classes
        if isinstance(classes, str):
            return list(range(count))
        indices = classes["indices"] if "indices" in classes else results[classes["indices_output"]][0]
        return [int(index) for index in indices]


def at_size(read: ReadScores, image: ImageInput, sample: NDArray[Any]) -> ReadScores:
    """A reader for results of a sample: of a detector in pixels of that."""
    if not isinstance(read, DetectionScores):
        return read
    rows, columns = (sample.shape[1 + axis] for axis in image.spatial_axes)
    return read.at((rows, columns))


def reversed_map(saliency: NDArray[Any]) -> NDArray[Any]:
    """The map of the answer no, given that of yes ``(h, w)``: what speaks for one speaks against the other.

    Levels 0 to 255 are counted from above, scores change their sign (those of no are the negative ones of
    yes). A map that is the same everywhere says nothing of either.
    """
    if saliency.dtype != np.uint8:
        return -saliency
    return 255 - saliency if np.ptp(saliency) else saliency


@dataclass(frozen=True)
class BlackBox:
    """A model, compiled best for throughput, seen from outside."""

    stream: DeviceScores
    image: ImageInput

    def observe(
        self, sample: NDArray[Any], choose: Choose, method: Perturbation, on_progress: Progress
    ) -> Observation:
        """Scores of one sample, ``(1, ...)`` as the input has it, and maps ``(H, W)`` in the input's size.

        Of a detector, a map for each box, or a refusal where none is found.
        """
        read = at_size(self.stream.read_scores, self.image, sample)
        if isinstance(read, DetectionScores):
            return self._observe_boxes(read, sample, choose, method, on_progress)
        scores = self.scores(sample)
        targets = choose(scores)
        axes, batch_size = self.image.spatial_axes, self.image.batch or 1
        maps = method.explain(sample[0], axes, self.stream, targets, batch_size, on_progress).maps
        classes = range(len(maps)) if targets is None else targets
        return Observation(scores, dict(zip(classes, maps, strict=True)))

    def _observe_boxes(
        self,
        read: DetectionScores,
        sample: NDArray[Any],
        choose: Choose,
        method: Perturbation,
        on_progress: Progress,
    ) -> Observation:
        seen: list[tuple[DetectionScores, Detections]] = []

        def looked_at(given: Results, samples: int) -> NDArray[np.float32]:
            settled = read.settled(given, samples)
            scores, each = settled.seen(given, samples)
            seen.append((settled, each[0]))
            return scores

        (batch,) = self.stream.reading(looked_at)(iter([sample]))
        scores, (read, found) = batch[0], seen[0]
        wanted = _boxes_wanted(choose, scores, found, read.threshold)
        if isinstance(wanted, Refusal):
            return Observation(scores, {}, found, wanted)
        likeness = self.stream.reading(read.likeness_to(found.taken(np.array(wanted))))
        axes, batch_size = self.image.spatial_axes, self.image.batch or 1
        maps = method.explain(sample[0], axes, likeness, None, batch_size, on_progress).maps
        names = [box_name(number) for number in wanted]
        boxes: dict[int | str, list[int]] = {
            name: [number] for name, number in zip(names, wanted, strict=True)
        }
        return Observation(scores, dict(zip(names, maps, strict=True)), found, None, boxes)

    def scores(self, sample: NDArray[Any]) -> NDArray[np.float32]:
        """The scores alone."""
        read = at_size(self.stream.read_scores, self.image, sample)
        (batch,) = self.stream.reading(read)(iter([sample]))
        scores: NDArray[np.float32] = batch[0]
        return scores


def _boxes_wanted(
    choose: Choose, scores: NDArray[np.float32], found: Detections, threshold: float
) -> list[int] | Refusal:
    """Which of the boxes found are to be explained, or why there is none."""
    if choose.boxes is not None:
        wanted = chosen_boxes(choose.boxes, found)
    else:
        classes = choose(scores)
        wanted = [
            number
            for number, label in enumerate(found.labels)
            if (classes is None or label in classes)
            and not (choose.best_of_class and label in found.labels[:number])
        ]
    if not wanted:
        reason = f"no box has a score of {threshold:g} or more; a lower --confidence-threshold finds others"
        return Refusal(reason if not len(found) else "no box that is found is of the classes in question")
    return wanted
