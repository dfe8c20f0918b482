"""Explaining a model by what it makes of altered images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.blackbox.method import Perturbation
from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.errors import UsageError
from ovxai_convert.explain.device_scores import DeviceScores
from ovxai_convert.explain.observation import Choose, Observation
from ovxai_convert.explain.predictions import ReadScores
from ovxai_convert.methods import Method
from ovxai_convert.photographs.model_input import ImageInput
from ovxai_convert.suggestions import did_you_mean


def check_settings(settings: Mapping[str, Any]) -> None:
    """Settings that a black-box method would take are let pass where none is needed.

    Raises:
        UsageError: one that no method has.
    """
    methods = [method.black_box for method in Method if method.black_box is not None]
    known = {name for method in methods for name in method.settings}
    for name in settings:
        if name not in known:
            raise UsageError(f"there is no setting '{name}'{did_you_mean(name, known)}")


class BlackBox:
    """A compiled model, seen from outside.

    Args:
        compiled: the model, best compiled for throughput.
        image: its input.
        read_scores: from its results to scores.
    """

    def __init__(self, compiled: ov.CompiledModel, image: ImageInput, read_scores: ReadScores) -> None:
        self._stream = DeviceScores(compiled, read_scores, image.batch)
        self._image = image

    def observe(
        self, sample: NDArray[Any], choose: Choose, method: Perturbation, on_progress: Progress = silent
    ) -> Observation:
        """Scores of one sample, ``(1, ...)`` as the input has it, and maps ``(H, W)`` in the input's size."""
        scores = next(self._stream(iter([sample])))[0]
        targets = choose(scores)
        found = method.explain(
            sample[0],
            self._image.spatial_axes,
            self._stream,
            targets,
            batch_size=self._image.batch or 1,
            on_progress=on_progress,
        )
        classes = range(len(found.maps)) if targets is None else targets
        return Observation(scores, dict(zip(classes, found.maps, strict=True)))
