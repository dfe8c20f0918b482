"""Explaining a model by what it makes of altered images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, TypeAlias

import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.blackbox.aise import Aise
from ovxai_convert.blackbox.rise import Rise
from ovxai_convert.blackbox.streaming import Progress, silent
from ovxai_convert.errors import UsageError
from ovxai_convert.explain.observation import Choose, Seen
from ovxai_convert.explain.predictions import ReadScores
from ovxai_convert.explain.score_stream import ScoreStream
from ovxai_convert.photographs.model_input import ImageInput
from ovxai_convert.suggestions import did_you_mean
from ovxai_convert.vocabulary import Method

BlackBoxMethod: TypeAlias = Rise | Aise

_METHODS: Final[Mapping[Method, type[Rise] | type[Aise]]] = {Method.RISE: Rise, Method.AISE: Aise}


def black_box_method(method: Method, settings: Mapping[str, Any]) -> BlackBoxMethod:
    """A black-box method with a user's settings.

    Raises:
        UsageError: a setting that the method does not have, or one out of its range.
    """
    kind = _METHODS[method]
    known = [field.name for field in fields(kind)]
    for name in settings:
        if name not in known:
            raise UsageError(
                f"{method.value} has no setting '{name}'"
                + did_you_mean(name, known, f"; it has {', '.join(known)}")
            )
    return kind(**settings)


def check_settings(settings: Mapping[str, Any]) -> None:
    """Settings that a black-box method would take are let pass where none is needed.

    Raises:
        UsageError: one that no method has.
    """
    known = {field.name for kind in _METHODS.values() for field in fields(kind)}
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
        self._stream = ScoreStream(compiled, read_scores, image.batch)
        self._image = image

    def look(
        self, sample: NDArray[Any], choose: Choose, method: BlackBoxMethod, on_progress: Progress = silent
    ) -> Seen:
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
        return Seen(scores, dict(zip(classes, found.maps, strict=True)))
