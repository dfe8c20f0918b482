"""The words of the field that appear in the interface: tasks, outputs and what they mean, indices, truth."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal

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
AnswerMeaning = Literal["classes", "binary", "quantity", "ordinal"]
"""What a class tensor's numbers are. ``"binary"``: one speaks for the second of two classes; ``"quantity"``:
one that is measured (an age) and no class; ``"ordinal"``: each says if a scale's next step is reached."""

_MOST_DIGITS: Final = 18


def index_in(text: str) -> int | None:
    """The index that a user writes; None for what is none, or has more digits than one can have."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


class Task(Enum):
    """What the model is for. Only classification is explained today."""

    CLASSIFICATION = "classification"
