"""What a branch is: a method, the meaning of its map's axes, and a function that builds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from openvino import Output

from ovxai_convert.branches.class_selection import ClassSelection
from ovxai_convert.errors import Refusal
from ovxai_convert.graph.cones import DataFlow
from ovxai_convert.graph.scores import Scores
from ovxai_convert.graph.target import Target
from ovxai_convert.vocabulary import Method


@dataclass(frozen=True)
class Site:
    """Where a branch is built.

    Attributes:
        flow: data edges of the model that takes the branch.
        target: the feature map.
        tap: the tensor that the branch reads instead of the target's own (equal to it, computed again from
            a neighbour so that the runtime's fusions stay); the target itself as a rule.
        scores: the class tensor.
        selection: the classes that get a map.
        max_bytes: the largest tensor that the branch may build.
    """

    flow: DataFlow
    target: Target
    tap: Output
    scores: Scores
    selection: ClassSelection
    max_bytes: int


@dataclass(frozen=True)
class RawMaps:
    """What a branch computes.

    Attributes:
        maps: the unscaled maps; their last two axes are rows and columns.
        classes: ``[N, K']`` i64, the class of each map, where that depends on the input.
    """

    maps: Output
    classes: Output | None = None


@dataclass(frozen=True)
class Branch:
    """One white-box method.

    Attributes:
        method: its name.
        axes: what the axes of its map mean, the last two being rows and columns.
        build: makes the maps in the site's graph.
    """

    method: Method
    axes: tuple[str, ...]
    build: Callable[[Site], RawMaps | Refusal]
