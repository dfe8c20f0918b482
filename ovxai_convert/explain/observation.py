"""What looking at one sample yields, whatever the method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

PER_IMAGE_MAP: Final = "per_image_map"
"""In place of a class, where one map stands for all."""

Choose: TypeAlias = Callable[[NDArray[np.float32]], list[int] | None]
"""From the scores ``(K,)`` of a sample to the classes to explain; None: all."""


@dataclass(frozen=True)
class Observation:
    """One sample's scores and maps.

    Attributes:
        scores: ``(K,)`` float32.
        maps: by class, ``(h, w)`` u8 grey levels, or raw scores in the model's float type.
    """

    scores: NDArray[np.float32]
    maps: dict[int | str, NDArray[Any]]
