"""The words of the field that appear in the interface: tasks, methods, output names."""

from __future__ import annotations

from enum import Enum
from typing import Final

SALIENCY_MAP: Final = "saliency_map"
"""Tensor name of the output that a branch adds."""

SALIENCY_CLASSES: Final = "saliency_classes"
"""Tensor name of the output that tells which classes the maps of a sample belong to, if that varies."""


class Task(Enum):
    """What the model is for. Only classification is explained today."""

    CLASSIFICATION = "classification"


class Method(Enum):
    """Explanation methods: white-box ones, whose map a branch of the model gives, and black-box ones.

    RECIPROCAM: one map per class, Recipro-CAM (arXiv 2209.14074).
    ACTIVATIONMAP: one map for all classes, the channel mean of the feature map.
    RISE: black-box, randomly masked images (arXiv 1806.07421).
    AISE: black-box, gaussian windows placed by optimisation.
    """

    RECIPROCAM = "reciprocam"
    ACTIVATIONMAP = "activationmap"
    RISE = "rise"
    AISE = "aise"

    @property
    def is_black_box(self) -> bool:
        """Whether it treats the model as a black box."""
        return self in (Method.RISE, Method.AISE)


DEFAULT_BLACK_BOX: Final = Method.RISE
"""The black-box method where none is named."""
