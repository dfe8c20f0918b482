"""The words of the field that appear in the interface: tasks, methods, output names."""

from __future__ import annotations

from dataclasses import dataclass
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
    VITRECIPROCAM: one map per class, ViT-ReciproCAM (arXiv 2310.02588), for transformers with a class token.
    ACTIVATIONMAP: one map for all classes, the channel mean of the feature map.
    RISE: black-box, randomly masked images (arXiv 1806.07421).
    AISE: black-box, gaussian windows placed by optimisation.
    """

    RECIPROCAM = "reciprocam"
    VITRECIPROCAM = "vitreciprocam"
    ACTIVATIONMAP = "activationmap"
    RISE = "rise"
    AISE = "aise"

    @property
    def is_black_box(self) -> bool:
        """Whether it treats the model as a black box."""
        return self in (Method.RISE, Method.AISE)


DEFAULT_BLACK_BOX: Final = Method.RISE
"""The black-box method where none is named."""


class Kernel(Enum):
    """What a copy keeps of the tokens around its own.

    GAUSSIAN: the 3x3 neighbourhood, weighted ``[1 2 1; 2 4 2; 1 2 1] / 16``.
    SINGLE: its own token alone.
    """

    GAUSSIAN = "gaussian"
    SINGLE = "single"


class ClassToken(Enum):
    """What happens to the class token and all others that are no patches, in every copy."""

    KEEP = "keep"
    DROP = "drop"


@dataclass(frozen=True)
class TokenMasking:
    """The parameters of ViT-ReciproCAM.

    Attributes:
        kernel: what a copy keeps of the patches.
        class_token: whether it keeps the class token.
        block: the transformer block whose tokens are masked, counted from the end; 1 is the last.
    """

    kernel: Kernel = Kernel.GAUSSIAN
    class_token: ClassToken = ClassToken.KEEP
    block: int = 1


DEFAULT_MASKING: Final = TokenMasking()
