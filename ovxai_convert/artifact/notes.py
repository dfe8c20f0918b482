"""What is known of a model beside its graph: from its user, else from itself, and what is written into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import openvino as ov

from ovxai_convert.anatomy.interface import output_name
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.artifact.description import Notes
from ovxai_convert.artifact.remarks import remarks_on
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.photographs.described import described
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.model_api import hints_from_model_info, hints_from_ultralytics, to_model_info
from ovxai_convert.photographs.model_input import image_input, preprocessing_for, takes_image
from ovxai_convert.source.answers import (
    NO_ANSWER_HINTS,
    Answer,
    AnswerHints,
    ScoresForm,
    answer_hints,
    answer_of,
)
from ovxai_convert.source.metadata import MODEL_INFO, labels_of, model_info_of
from ovxai_convert.source.reading import SourceModel


@dataclass(frozen=True)
class UserNotes:
    """What a user tells of a model beside its file; where that is nothing, the model's own entries hold."""

    labels: tuple[str, ...] | None = None
    preprocessing: PreprocessingHints = NO_HINTS
    answer: AnswerHints = NO_ANSWER_HINTS

    def of_each(self, heads: Sequence[ScoresForm | Refusal]) -> list[UserNotes]:
        """The same for each of some heads; of several, labels are those of each that has so many classes.

        Raises:
            UsageError: labels fit none of several.
        """
        if self.labels is None or len(heads) == 1:
            return [self for _ in heads]
        each = [self if self._has_labels_for(scores) else replace(self, labels=None) for scores in heads]
        if all(one.labels is None for one in each):
            raise UsageError(f"{len(self.labels)} labels fit none of the {len(heads)} class outputs")
        return each

    def _has_labels_for(self, scores: ScoresForm | Refusal) -> bool:
        if self.labels is None or isinstance(scores, Refusal):
            return False
        counts = {scores.class_count, answer_of(scores, self.answer).class_count(scores.class_count)}
        return len(self.labels) in counts


NOTHING_TOLD: Final = UserNotes()


def own_hints(
    model: ov.Model, metadata: Mapping[str, str], told: PreprocessingHints = NO_HINTS
) -> PreprocessingHints | UsageError:
    """What a model itself says of its preprocessing, or which entry makes no sense.

    Entries are not looked at where something else is ``told``.
    """
    try:
        said = hints_from_model_info(model_info_of(model, metadata), told)
        return said.or_else(hints_from_ultralytics(metadata))
    except UsageError as error:
        return error


def own_answer(model: ov.Model, metadata: Mapping[str, str]) -> AnswerHints:
    """What a model itself says of its answer; a UsageError for entries that make no sense."""
    return answer_hints(model_info_of(model, metadata))


def known_labels(
    model: ov.Model, metadata: Mapping[str, str], numbers: int, answer: Answer
) -> tuple[str, ...] | None:
    """Labels of all classes that so many numbers of an output tell of, by the model itself."""
    labels = labels_of(model, metadata, numbers)
    if labels is None and answer.class_count(numbers) != numbers:
        return labels_of(model, metadata, answer.class_count(numbers))
    return answer.class_names(labels, numbers)


def answer_with_remarks(
    source: SourceModel, scores: Scores, told: AnswerHints = NO_ANSWER_HINTS
) -> tuple[Answer, list[str]]:
    """How a class output is read, and what the user should know of that, one line each.

    Raises:
        UsageError: what the user has ``told`` does not fit the output.
    """
    left_out = []
    try:
        answer = answer_of(scores, told.or_else(own_answer(source.model, source.metadata)))
    except UsageError as error:
        left_out.append(f"what the model says of its answer is left out: {error}")
        answer = answer_of(scores, told)
    name = output_name(source.model, scores.output_index)
    return answer, [*left_out, *remarks_on(scores, name, answer, told)]


def notes_on(source: SourceModel, scores: Scores, told: UserNotes) -> tuple[Notes, tuple[str, ...]]:
    """All that is known of a model, and what the user should know of that, one line each.

    Raises:
        UsageError: what the user tells does not fit the model.
    """
    answer, warnings = answer_with_remarks(source, scores, told.answer)
    count = scores.class_count
    labels = answer.class_names(told.labels, count)
    labels = labels or known_labels(source.model, source.metadata, count, answer)
    preprocessing = _in_numbers(source.model, told.preprocessing)
    own = own_hints(source.model, source.metadata, told.preprocessing)
    try:
        if isinstance(own, UsageError):
            raise own
        preprocessing = _in_numbers(source.model, told.preprocessing.or_else(own))
    except UsageError as error:
        warnings.append(f"what the model says of its preprocessing is left out: {error}")
    return Notes(labels, preprocessing, answer), tuple(warnings)


def model_info_for(
    source: SourceModel, told: UserNotes, notes: Notes
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Entries of ``model_info`` for an IR: the source's own, and what the user tells and it does not say.

    Returns:
        The entries, and what the user should know, one line each: entries of the source that say something
        else than the user, and stay.
    """
    own = model_info_of(source.model, source.metadata)
    if told == NOTHING_TOLD:
        return own, ()
    classifier = {} if notes.answer.meaning == "detections" else {"model_type": "Classification"}
    new = {**classifier, **told.answer.to_model_info()}
    if told.preprocessing != NO_HINTS:
        said = own_hints(source.model, source.metadata, told.preprocessing)
        hints = told.preprocessing if isinstance(said, UsageError) else told.preprocessing.or_else(said)
        taken, _ = preprocessing_for(image_input(source.model, hints.layout), hints)
        new.update(to_model_info(replace(taken.as_hints(), layout=told.preprocessing.layout)))
    # of a yes or no Model API knows one number, and has no word for the labels that are made up for it
    labels = told.labels if notes.answer.meaning == "binary" else notes.labels
    if labels is not None:
        new["labels"] = " ".join("_".join(label.split()) or "_" for label in labels)
    kept = [key for key in new if key in own and key != "model_type" and not _equal(own[key], new[key])]
    return {**new, **own}, tuple(
        f"the model keeps its own entry {key} '{_short(own[key])}', which Model API goes on reading"
        for key in kept
    )


def write_model_info(model: ov.Model, entries: Mapping[str, str]) -> None:
    """Add the entries of ``model_info`` that a model does not have."""
    for key, value in entries.items():
        if not model.has_rt_info([MODEL_INFO, key]):
            model.set_rt_info(value, [MODEL_INFO, key])


def _in_numbers(model: ov.Model, hints: PreprocessingHints) -> dict[str, object] | None:
    """Preprocessing in numbers; None where nobody has said anything, or the model takes no photograph."""
    if hints == NO_HINTS or not takes_image(model):
        return None
    image = image_input(model, hints.layout)
    return described(*preprocessing_for(image, hints))


def _equal(one: str, other: str) -> bool:
    try:
        return [float(word) for word in one.split()] == [float(word) for word in other.split()]
    except ValueError:
        return one.strip().lower() == other.strip().lower()


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
