"""Which way scores are read: by the user's own function, or from the class output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.explain import predictions
from ovxai_convert.explain.loading import LoadedModel


def scores_reader(
    loaded: LoadedModel, postprocess_fn: Callable[[Any], NDArray[Any]] | None
) -> predictions.ReadScores:
    """The way of a model; a UsageError where neither tells which numbers are its scores."""
    scores = loaded.scores
    if postprocess_fn is not None:
        return predictions.PostprocessedScores(postprocess_fn)
    if isinstance(scores, Refusal):
        unclear = "which output holds the classes is not clear"
        raise UsageError(
            f"{unclear}, so give a postprocess_fn: {scores.reason}", f"{unclear}: {scores.reason}"
        )
    if scores.answer.probabilities == "rank":
        return predictions.BestClassesOutput(scores.output_index, scores.class_count)
    return predictions.ScoresOutput(scores.output_index, scores.answer)
