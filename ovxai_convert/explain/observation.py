"""Looking at one sample: the scores and maps that it yields, by a branch or as a black box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.artifact.sidecar import SaliencyMapInfo
from ovxai_convert.blackbox.method import Perturbation
from ovxai_convert.blackbox.streaming import Progress
from ovxai_convert.errors import UsageError
from ovxai_convert.explain.device import DeviceScores, InTheRuntime
from ovxai_convert.explain.predictions import ReadScores, Results
from ovxai_convert.explain.requests import Requests
from ovxai_convert.photographs.model_input import ImageInput

PER_IMAGE_MAP: Final = "per_image_map"
"""In place of a class, where one map stands for all."""

Choose: TypeAlias = Callable[[NDArray[np.float32]], list[int] | None]
"""From the scores ``(K,)`` of a sample to the classes to explain; None: all."""


class Observation(NamedTuple):
    """One sample's scores ``(K,)`` and maps ``(h, w)``: u8 levels, or raw scores in the model's type."""

    scores: NDArray[np.float32]
    maps: dict[int | str, NDArray[Any]]


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
        scores = self._read(results)
        targets = choose(scores)
        given = np.array(results[self.saliency.index][0])
        if "class" not in self.saliency.axes:
            return Observation(scores, {PER_IMAGE_MAP: given})
        maps = dict(zip(self._classes(results, len(given)), given, strict=True))
        if self.binary and len(scores) == 2:
            maps = {1: given[0], 0: reversed_map(given[0])}
        targets = list(maps) if targets is None else targets
        missing = [target for target in targets if target not in maps]
        if missing:
            known = ", ".join(map(str, list(maps)[:8])) + (", ..." if len(maps) > 8 else "")
            raise UsageError(f"the model gives no map of class {missing[0]}; it was converted for {known}")
        return Observation(scores, {target: maps[target] for target in targets})

    def scores(self, sample: NDArray[Any]) -> NDArray[np.float32]:
        """The scores alone."""
        return self._read(self._results(sample))

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

    def _read(self, results: Results) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = self.read_scores(results, self.image.batch or 1)[0]
        return scores

    def _classes(self, results: Results, count: int) -> list[int]:
        classes = self.saliency.classes
        if isinstance(classes, str):
            return list(range(count))
        indices = classes["indices"] if "indices" in classes else results[classes["indices_output"]][0]
        return [int(index) for index in indices]


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
        """Scores of one sample, ``(1, ...)`` as the input has it, and maps ``(H, W)`` in the input's size."""
        scores = self.scores(sample)
        targets = choose(scores)
        axes, batch_size = self.image.spatial_axes, self.image.batch or 1
        maps = method.explain(sample[0], axes, self.stream, targets, batch_size, on_progress).maps
        classes = range(len(maps)) if targets is None else targets
        return Observation(scores, dict(zip(classes, maps, strict=True)))

    def scores(self, sample: NDArray[Any]) -> NDArray[np.float32]:
        """The scores alone."""
        (batch,) = self.stream(iter([sample]))
        scores: NDArray[np.float32] = batch[0]
        return scores
