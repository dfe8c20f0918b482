"""Which way scores are read: by the user's own function, or from the class output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from ovxai_convert.artifact.box_reading import DetectorFacts
from ovxai_convert.detections.given_boxes import read_function
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.explain import predictions
from ovxai_convert.explain.detecting import DetectionScores
from ovxai_convert.explain.loading import LoadedModel


def scores_reader(
    loaded: LoadedModel, postprocess_fn: Callable[[Any], NDArray[Any]] | None
) -> predictions.ReadScores:
    """The way of a model; a UsageError where neither tells which numbers are its scores."""
    scores = loaded.scores
    if loaded.detector is not None:
        return _of_detector(loaded, loaded.detector, postprocess_fn)
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


def _of_detector(
    loaded: LoadedModel, facts: DetectorFacts, postprocess_fn: Callable[[Any], Any] | None
) -> predictions.ReadScores:
    """The way of a detector: by the user's function, or by the form in which its outputs hold boxes."""
    scores, form = loaded.scores, facts.form
    if isinstance(scores, Refusal):
        raise UsageError(scores.reason)
    count, threshold = scores.class_count, scores.answer.threshold
    if postprocess_fn is not None:
        return DetectionScores(read_function(postprocess_fn), False, count, threshold)
    if facts.scores_output is not None:
        return predictions.ScoresOutput(facts.scores_output, scores.answer)
    if isinstance(form, Refusal):
        unclear = "which boxes the outputs hold is not clear"
        function = "a postprocess_fn that returns boxes, scores and labels"
        raise UsageError(f"{unclear}, so give {function}: {form.reason}", f"{unclear}: {form.reason}")
    return DetectionScores(form.read, form.picked, count, threshold, facts.first_label, form=form)
