"""The words of the field that appear in the interface: tasks, names of outputs, indices, what means true."""

from __future__ import annotations

from enum import Enum
from typing import Final

SALIENCY_MAP: Final = "saliency_map"
"""Tensor name of the output that a branch adds."""

SALIENCY_CLASSES: Final = "saliency_classes"
"""Tensor name of the output that tells which classes the maps of a sample belong to, if that varies."""

FEATURE_VECTOR: Final = "feature_vector"
"""Tensor name of the output that holds the mean of the target over its cells, if that is asked for."""

MODEL_API_TRUE: Final = ("True", "YES")
"""The words in ``model_info`` that Model API takes for true; of all others it makes false."""

_MOST_DIGITS: Final = 18


def index_in(text: str) -> int | None:
    """The index that a user writes; None for what is none, or has more digits than one can have."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


class Task(Enum):
    """What the model is for. Only classification is explained today."""

    CLASSIFICATION = "classification"
