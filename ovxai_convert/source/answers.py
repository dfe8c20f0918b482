"""What the numbers of a class output mean: how they become probabilities, which classes are the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from ovxai_convert.errors import UsageError
from ovxai_convert.source.labels import checked_labels
from ovxai_convert.vocabulary import MODEL_API_TRUE, AnswerMeaning, Range

Probabilities = Literal["as_is", "softmax", "sigmoid", "exp", "rank", "groups"]
ToldActivation = Literal["none", "softmax", "sigmoid"]
READ_BY_ACTIVATION: Final[Mapping[str, Probabilities]] = {
    "softmax": "as_is",
    "sigmoid": "as_is",
    "joined": "as_is",
    "log_softmax": "exp",
    "argmax": "rank",
}
"""How numbers behind these activations are read, if nobody says otherwise."""
_AS_TOLD: Final[Mapping[ToldActivation, Probabilities]] = {
    "none": "as_is",
    "softmax": "softmax",
    "sigmoid": "sigmoid",
}
DEFAULT_THRESHOLD: Final = 0.5


@dataclass(frozen=True)
class AnswerHints:
    """What user or model say of a classifier's answer; None where they say nothing.

    Attributes:
        multilabel: whether several classes may hold at once, each with a probability of its own.
        groups: ranges ``(first, behind the last)`` of classes that exclude each other; the others may hold at
            once.
        threshold: the probability from which on a class that may hold with others belongs to the answer.
        activation: what the output's numbers still lack to be probabilities; ``"none"``: they are shown as
            they are, and a single one is a quantity.

    Raises:
        UsageError: a threshold outside 0 to 1, an activation that does not exist.
    """

    multilabel: bool | None = None
    groups: tuple[Range, ...] | None = None
    threshold: float | None = None
    activation: ToldActivation | None = None

    def __post_init__(self) -> None:
        if self.activation is not None and self.activation not in _AS_TOLD:
            raise UsageError(f"no activation '{self.activation}'; there are {', '.join(_AS_TOLD)}")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"a confidence threshold lies between 0 and 1; {self.threshold:g} does not")

    def or_else(self, other: AnswerHints) -> AnswerHints:
        """These, and what another source says where these say nothing."""
        return AnswerHints(
            other.multilabel if self.multilabel is None else self.multilabel,
            other.groups if self.groups is None and self.multilabel is None else self.groups,
            other.threshold if self.threshold is None else self.threshold,
            other.activation if self.activation is None else self.activation,
        )

    def to_model_info(self) -> dict[str, str]:
        """As entries of ``model_info``."""
        entries = {}
        if self.multilabel is not None:
            entries["multilabel"] = str(self.multilabel)
        if self.threshold is not None:
            entries["confidence_threshold"] = f"{self.threshold:g}"
        return entries


NO_ANSWER_HINTS: Final = AnswerHints()


@dataclass(frozen=True)
class Answer:
    """How the numbers of a class output are read.

    Attributes:
        probabilities: ``"as_is"``; ``"softmax"``, ``"sigmoid"``, ``"exp"`` of them; ``"groups"``: a softmax
            of each group and the sigmoid of the others; ``"rank"``: they are indices of the best classes.
        groups: see :class:`AnswerHints`.
        multilabel: several classes may be the answer.
        threshold: from which probability on.
        meaning: what the numbers are. Where one is ``"binary"``, it is the second class's probability, the
            first one has the rest, and its map is the second one's reversed.
    """

    probabilities: Probabilities
    groups: tuple[Range, ...] = ()
    multilabel: bool = False
    threshold: float = DEFAULT_THRESHOLD
    meaning: AnswerMeaning = "classes"

    def class_count(self, numbers: int) -> int:
        """How many classes so many numbers of the output tell of."""
        return 2 if self.meaning == "binary" else numbers

    def class_names(self, labels: Sequence[str] | None, numbers: int) -> tuple[str, ...] | None:
        """The labels of all classes; a UsageError unless there is one each.

        One label of a yes or no is that of yes.
        """
        if labels is not None and self.meaning == "binary" and len(labels) == 1:
            return f"not {labels[0]}", labels[0]
        return checked_labels(labels, self.class_count(numbers))


class ScoresForm(Protocol):
    """What an answer depends on of a class tensor, see :class:`~ovxai_convert.anatomy.scores.Scores`."""

    @property
    def activation(self) -> str:
        """What stands behind it."""

    @property
    def class_count(self) -> int:
        """How many numbers it holds."""

    @property
    def groups(self) -> tuple[Range, ...]:
        """Those of several softmaxes in it."""

    @property
    def meaning(self) -> AnswerMeaning:
        """What they are."""


def answer_of(form: ScoresForm, hints: AnswerHints) -> Answer:
    """How an output is read, given what is said of it.

    Raises:
        UsageError: groups of classes that the output does not have.
    """
    threshold = DEFAULT_THRESHOLD if hints.threshold is None else hints.threshold
    if form.meaning == "detections":
        return Answer("as_is", (), True, threshold, form.meaning)
    if hints.activation is not None:
        return _as_told(form, hints, hints.activation, threshold)
    if max((last for _, last in hints.groups or ()), default=0) > form.class_count:
        raise UsageError(
            f"the groups of hierarchical_config name more than the {form.class_count} classes there are"
        )
    by_itself = form.activation in ("sigmoid", "joined") or form.meaning == "ordinal"
    several = by_itself and form.class_count > 1 if hints.multilabel is None else hints.multilabel
    groups = hints.groups or (form.groups if hints.multilabel is None else ())
    if form.activation in READ_BY_ACTIVATION:
        groups = () if form.activation == "argmax" else groups
        return Answer(
            READ_BY_ACTIVATION[form.activation], groups, several or bool(groups), threshold, form.meaning
        )
    if groups:
        return Answer("groups", groups, True, threshold)
    if form.meaning == "quantity":
        return Answer("as_is", (), False, threshold, form.meaning)
    if several or form.meaning in ("binary", "ordinal"):
        return Answer("sigmoid", (), several, threshold, form.meaning)
    return Answer("as_is" if form.class_count == 1 else "softmax", (), False, threshold)


def _as_told(form: ScoresForm, hints: AnswerHints, activation: ToldActivation, threshold: float) -> Answer:
    """By the activation that a user names."""
    meaning: AnswerMeaning = "ordinal" if form.meaning == "ordinal" else "classes"
    if form.class_count == 1:
        share = activation == "sigmoid" or (activation == "none" and form.activation == "sigmoid")
        meaning = "binary" if share else "quantity"
    several = activation == "sigmoid" and form.class_count > 1
    several = several if hints.multilabel is None else hints.multilabel
    return Answer(_AS_TOLD[activation], (), several, threshold, meaning)


def answer_hints(entries: Mapping[str, str]) -> AnswerHints:
    """What ``multilabel``, ``hierarchical`` and ``confidence_threshold`` of ``model_info`` say.

    Where the first two are both true, the first holds, as in Model API.

    Raises:
        UsageError: an entry that makes no sense, by its name.
    """
    threshold = entries.get("confidence_threshold", "None").strip()
    try:
        least = None if threshold in ("None", "") else float(threshold)
    except ValueError:
        raise UsageError(
            f"model_info says '{threshold}' of confidence_threshold, which is no number"
        ) from None
    groups = _groups(entries) if _is_true(entries, "hierarchical") else None
    several = _is_true(entries, "multilabel") if "multilabel" in entries else None
    return AnswerHints(several, None if several else groups, least)


def _groups(entries: Mapping[str, str]) -> tuple[Range, ...]:
    """The ranges of classes of which one holds, by ``hierarchical_config``."""
    try:
        heads = json.loads(entries.get("hierarchical_config", ""))["cls_heads_info"]
        ranges = [heads["head_idx_to_logits_range"][str(i)] for i in range(heads["num_multiclass_heads"])]
        groups = tuple((int(first), int(last)) for first, last in ranges)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UsageError(
            f"model_info says hierarchical, but its hierarchical_config does not hold: {error!r}"
        ) from None
    if any(not 0 <= first < last for first, last in groups):
        raise UsageError("model_info's hierarchical_config has a group without classes")
    return groups


def _is_true(entries: Mapping[str, str], key: str) -> bool:
    return entries.get(key, "") in MODEL_API_TRUE
