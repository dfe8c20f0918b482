"""What the numbers of a class output mean: how they become probabilities, which classes are the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ovxai_convert.errors import UsageError
from ovxai_convert.vocabulary import MODEL_API_TRUE

Probabilities = Literal["as_is", "softmax", "sigmoid", "exp", "rank", "groups"]
READ_BY_ACTIVATION: Final[Mapping[str, Probabilities]] = {
    "softmax": "as_is",
    "sigmoid": "as_is",
    "log_softmax": "exp",
    "argmax": "rank",
}
"""How numbers behind these activations are read, whatever is said of the answer."""
DEFAULT_THRESHOLD: Final = 0.5
Range = tuple[int, int]


@dataclass(frozen=True)
class AnswerHints:
    """What user or model say of a classifier's answer; None where they say nothing.

    Attributes:
        multilabel: whether several classes may hold at once, each with a probability of its own.
        groups: ranges ``(first, behind the last)`` of classes that exclude each other; the others may hold at
            once.
        threshold: the probability from which on a class that may hold with others belongs to the answer.

    Raises:
        UsageError: a threshold outside 0 to 1.
    """

    multilabel: bool | None = None
    groups: tuple[Range, ...] | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"a confidence threshold lies between 0 and 1; {self.threshold:g} does not")

    def or_else(self, other: AnswerHints) -> AnswerHints:
        """These, and what another source says where these say nothing."""
        return AnswerHints(
            other.multilabel if self.multilabel is None else self.multilabel,
            other.groups if self.groups is None and self.multilabel is None else self.groups,
            other.threshold if self.threshold is None else self.threshold,
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
        groups: see :class:`AnswerHints`; empty but for ``"groups"``.
        multilabel: several classes may be the answer.
        threshold: from which probability on.
    """

    probabilities: Probabilities
    groups: tuple[Range, ...] = ()
    multilabel: bool = False
    threshold: float = DEFAULT_THRESHOLD


def answer_of(activation: str, class_count: int, hints: AnswerHints) -> Answer:
    """How an output that ends in an activation is read, given what is said of it.

    Raises:
        UsageError: groups of classes that the output does not have.
    """
    threshold = DEFAULT_THRESHOLD if hints.threshold is None else hints.threshold
    several = bool(hints.multilabel or hints.groups)
    if activation in READ_BY_ACTIVATION:
        return Answer(READ_BY_ACTIVATION[activation], (), several, threshold)
    if hints.groups:
        if max(last for _, last in hints.groups) > class_count:
            raise UsageError(
                f"the groups of hierarchical_config name more than the {class_count} classes there are"
            )
        return Answer("groups", hints.groups, True, threshold)
    if hints.multilabel:
        return Answer("sigmoid", (), True, threshold)
    return Answer("as_is" if class_count == 1 else "softmax", (), False, threshold)


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
