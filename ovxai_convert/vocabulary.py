"""The words of the field that appear in the interface: tasks, outputs and what they mean, indices, truth."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import Final, Literal, TypeVar

from ovxai_convert.errors import UsageError, did_you_mean

SALIENCY_MAP: Final = "saliency_map"
"""Tensor name of the output that a branch adds."""

SALIENCY_CLASSES: Final = "saliency_classes"
"""Tensor name of the output that tells which classes the maps of a sample belong to, if that varies."""

FEATURE_VECTOR: Final = "feature_vector"
"""Tensor name of the output that holds the mean of the target over its cells, if that is asked for."""

MODEL_API_TRUE: Final = ("True", "YES")
"""The words in ``model_info`` that Model API takes for true; of all others it makes false."""

Range = tuple[int, int]
"""The first of some classes, and the first behind them."""
Activation = Literal["none", "softmax", "log_softmax", "sigmoid", "argmax", "joined"]
"""What a graph puts between its class tensor and the output that shows it."""
AnswerMeaning = Literal["classes", "binary", "quantity", "ordinal", "detections"]
"""What a class tensor's numbers are. ``"binary"``: one speaks for the second of two classes; ``"quantity"``:
one that is measured (an age) and no class; ``"ordinal"``: each says if a scale's next step is reached;
``"detections"``: classes of what may be at each of many places."""

_MOST_DIGITS: Final = 18
_LONGEST_QUOTED: Final = 40

Word = TypeVar("Word", bound=Enum)
"""An enum whose members are words."""


def index_in(text: str) -> int | None:
    """The index that a user writes; None for what is none, or has more digits than one can have."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


class Task(Enum):
    """What the model is for."""

    CLASSIFICATION = "classification"
    DETECTION = "detection"


class OutputFormat(Enum):
    """In which form a converted model is written."""

    IR = "ir"
    ONNX = "onnx"
    BOTH = "both"

    @property
    def ir(self) -> bool:
        """Whether as IR."""
        return self is not OutputFormat.ONNX

    @property
    def onnx(self) -> bool:
        """Whether as ONNX."""
        return self is not OutputFormat.IR


def member_of(kind: type[Word], given: object, what: str, among: Collection[Word] | None = None) -> Word:
    """The member of an enum that a user means: itself, or its value or name as text.

    Case, hyphens and the like do not matter, and a member of another package's enum of the same name counts
    by its own name.

    Args:
        kind: the enum.
        given: what the user gives.
        what: the argument, as the user knows it.
        among: the members to choose from; None: all.

    Raises:
        UsageError: nothing of the kind, with what there is.
    """
    members = list(kind if among is None else among)
    if isinstance(given, kind) and given in members:
        return given
    foreign = isinstance(given, Enum) and type(given).__name__ == kind.__name__
    text = given.name if isinstance(given, Enum) and foreign else given
    known = {_plain(word): member for member in members for word in (member.name, str(member.value))}
    if isinstance(text, str) and _plain(text) in known:
        return known[_plain(text)]
    names = [str(member.value) for member in members]
    there = f"; there {'is' if len(names) == 1 else 'are'} {', '.join(names)}"
    if not isinstance(text, str):
        raise UsageError(f"{what}: {value_in_words(given)} is none{there}")
    meant = did_you_mean(text, names, there) if _plain(text) else there
    raise UsageError(f"{what}: no '{text[:_LONGEST_QUOTED]}'{meant}")


def layer_name(given: object) -> str | None:
    """The name of a layer, None where none is named; a UsageError for what is no text, such as a node."""
    if given is not None and not isinstance(given, str):
        raise UsageError(f"target_layer: {value_in_words(given)} is none; give the layer's friendly name")
    return given


def value_in_words(given: object) -> str:
    """What a user gave, in a few words: None, an enum's member or a number as it is, else its type's name."""
    if given is None or isinstance(given, Enum | bool | int | float):
        return str(given)[:_LONGEST_QUOTED]
    return f"a {type(given).__qualname__}"


def _plain(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())
