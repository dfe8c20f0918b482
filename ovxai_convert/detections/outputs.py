"""What is known of a detector before it has run: its outputs, and hints on what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from ovxai_convert.errors import Refusal

BoxOrder: TypeAlias = Literal["xyxy", "yxyx", "cxcywh", "xywh"]
"""What the four numbers of a box are: two corners (``"yxyx"``: vertical before horizontal), the centre and
width and height, or the left upper corner and width and height."""
ToProbability: TypeAlias = Literal["none", "sigmoid", "softmax"]
"""What makes probabilities of the numbers that the model gives: ``"none"`` where they are such."""
CandidateLayout: TypeAlias = Literal["channels_first", "channels_last"]
"""Where one output holds all of a candidate: ``[N, C, A]`` or ``[N, A, C]`` of A candidates."""


@dataclass(frozen=True)
class OutputShape:
    """An output of a model: its names, its extents (None where open), and its element type."""

    names: tuple[str, ...]
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]

    @property
    def rank(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def is_real(self) -> bool:
        """Whether its numbers are floats."""
        return self.dtype.kind == "f"

    def named(self, *words: str) -> bool:
        """Whether one of its names has one of some words in it, in lower case or not."""
        return any(word in name.lower() for name in self.names for word in words)

    def __str__(self) -> str:
        """In words: its first name, and its extents."""
        extents = ", ".join("?" if extent is None else str(extent) for extent in self.shape)
        return f"{self.names[0] if self.names else 'unnamed'} [{extents}]"


@dataclass(frozen=True)
class BoxHints:
    """What is known of a detector beside its outputs; None: not known.

    Attributes:
        class_count: K, without a background.
        objectness: whether a number for objectness stands between a box and its classes.
        multiplied: whether the graph has multiplied the classes' numbers by the objectness already.
        size: rows and columns of the model's input.
        layout: where candidates stand in an output that holds all of them.
        activation: what makes probabilities of the classes' numbers.
        background: the column of the classes that is none; a negative one is counted from the end.
        order: what the four numbers of a box are.
        normalised: whether boxes are in parts of the input's size, and not in its pixels.
    """

    class_count: int | None = None
    objectness: bool | None = None
    multiplied: bool = False
    size: tuple[int, int] | None = None
    layout: CandidateLayout | None = None
    activation: ToProbability | None = None
    background: int | None = None
    order: BoxOrder | None = None
    normalised: bool | None = None


def no_boxes(outputs: Sequence[OutputShape], why: str) -> Refusal:
    """A refusal that names the outputs, and says why no boxes are read from them and what to do."""
    listed = "; ".join(map(str, outputs)) or "none"
    return Refusal(f"{why} (outputs: {listed})")
