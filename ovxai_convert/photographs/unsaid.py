"""Levels of a photograph of which nobody says how a model takes them, and what its graph lets one guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openvino import Model

from ovxai_convert.anatomy.own_levels import OwnLevels, own_levels
from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.photographs.model_input import ImageInput

_MEAN_OF_PIXELS: Final = 20.0
"""A graph that takes away so much, or divides by so much, is given pixels of 0 to 255."""
_NARROW: Final = 20.0
"""Levels that reach no further apart are normalised already; the widest recipe's are 4.9 apart."""
_WIDE: Final = 100.0
"""Levels that reach so far apart are none of 0 to 1, or of -1 to 1."""

_ROUNDED: Final = 1e-3
"""By which numbers that a graph computes miss those that it was made of."""


@dataclass(frozen=True)
class Unsaid:
    """Nobody says what is done to the levels of an input of floats.

    Attributes:
        graph: how the model begins, where that tells something.
        wanted: the recipe that fits to how it begins, if one does.
    """

    graph: OwnLevels | None = None
    wanted: str | None = None

    def __str__(self) -> str:
        """What is not known, without what would help."""
        text = "nothing says how levels of pixels become its input"
        if self.graph is None or self.wanted is None:
            return text
        takes = {"unit": "0 to 1", "inception": "-1 to 1"}[self.wanted]
        return f"{text}; its graph begins with {self.graph}, as for levels of {takes} ({self.wanted})"


def unsaid(model: Model, image: ImageInput, hints: PreprocessingHints) -> Unsaid | None:
    """What is left unsaid of the levels of a model's input; None where that does no harm.

    That is where somebody says a mean or a scale, for whole numbers, and where the graph itself normalises
    pixels of 0 to 255, since those are what it is given then.
    """
    if hints.mean is not None or hints.scale is not None or image.dtype.kind != "f":
        return None
    graph = own_levels(model)
    wanted = wanted_by(graph)
    return None if wanted == "raw" else Unsaid(graph, wanted)


def wanted_by(graph: OwnLevels | None) -> str | None:
    """The recipe whose levels a graph seems to be made for, by how it begins; None where that does not tell.

    ``raw`` where it takes away a mean of pixels or divides by their range; ``unit`` where it does what is
    done to 0 to 1; ``inception`` where it brings -1 to 1 to something else.
    """
    if graph is None:
        return None
    (low, high), (narrow, wide) = graph.mean, graph.scale
    if min(abs(narrow), abs(wide)) >= _MEAN_OF_PIXELS or (low >= _MEAN_OF_PIXELS and high < 256):
        return "raw"
    if low >= 0 and high <= 1 and narrow > 0 and wide <= 1 + _ROUNDED:
        return "unit"
    of_both_sides = (
        abs(low + 1) < _ROUNDED and abs(high + 1) < _ROUNDED and narrow > 0 and wide <= 2 + _ROUNDED
    )
    return "inception" if of_both_sides else None


def doubt_by_graph(model: Model, image: ImageInput, hints: PreprocessingHints) -> str | None:
    """Why levels that are told do not fit to how the graph begins, in words; None where nothing speaks so."""
    if hints.scale is None or image.dtype.kind != "f":
        return None
    graph = own_levels(model)
    wanted, apart = wanted_by(graph), max(255 / abs(number) for number in hints.scale)
    if wanted == "raw" and apart < _NARROW:
        return (
            f"its graph itself begins with {graph}, and is given levels that are normalised already; what "
            "fits to it is raw"
        )
    if wanted in ("unit", "inception") and apart > _WIDE:
        return (
            f"its graph begins with {graph}, as for levels of {wanted}, and is given some {apart:.4g} apart"
        )
    return None
