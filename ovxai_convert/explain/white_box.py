"""Reading the maps that a converted model gives with its scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.artifact.sidecar import SaliencyMapInfo
from ovxai_convert.errors import UsageError
from ovxai_convert.explain.observation import PER_IMAGE_MAP, Choose, Observation
from ovxai_convert.explain.predictions import ReadScores
from ovxai_convert.photographs.model_input import ImageInput


class WhiteBox:
    """A compiled model that has the output ``saliency_map``.

    Args:
        compiled: the model.
        image: its input.
        read_scores: from its results to scores.
        saliency: what the sidecar says of the map.
    """

    def __init__(
        self,
        compiled: ov.CompiledModel,
        image: ImageInput,
        read_scores: ReadScores,
        saliency: SaliencyMapInfo,
    ) -> None:
        self._request = compiled.create_infer_request()
        self._image = image
        self._read_scores = read_scores
        self._saliency = saliency

    def observe(self, sample: NDArray[Any], choose: Choose) -> Observation:
        """Run the model on one sample, ``(1, ...)`` as its input has it.

        Raises:
            UsageError: the model was converted to give no map of a class.
        """
        batch = self._image.batch or 1
        self._request.reset_state()
        results = self._request.infer([np.repeat(sample, batch, axis=0)])
        scores = self._read_scores(results, batch)[0]
        targets = choose(scores)
        found = np.array(results[self._saliency.index][0])
        if "class" not in self._saliency.axes:
            return Observation(scores, {PER_IMAGE_MAP: found})
        maps = dict(zip(self._classes(results, len(found)), found, strict=True))
        return Observation(scores, _maps_of(maps, targets))

    def _classes(self, results: Any, count: int) -> list[int]:
        classes = self._saliency.classes
        if isinstance(classes, str):
            return list(range(count))
        if "indices" in classes:
            return [int(index) for index in classes["indices"]]
        return [int(index) for index in results[classes["indices_output"]][0]]


def _maps_of(maps: Mapping[int, NDArray[Any]], targets: list[int] | None) -> dict[int | str, NDArray[Any]]:
    missing = [target for target in targets or () if target not in maps]
    if missing:
        known = ", ".join(map(str, list(maps)[:8])) + (", ..." if len(maps) > 8 else "")
        raise UsageError(f"the model gives no map of class {missing[0]}; it was converted for {known}")
    return {target: maps[target] for target in (maps if targets is None else targets)}
