"""What a branch is: a method, the meaning of its map's axes, and a function that builds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from openvino import Output

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.errors import Refusal
from ovxai_convert.methods.class_selection import ClassSelection
from ovxai_convert.mosaic.rewriting import WrittenOut
from ovxai_convert.vocabulary import DEFAULT_MASKING, Method, TokenMasking


@dataclass(frozen=True)
class Site:
    """Where a branch is built.

    Attributes:
        flow: data edges of the model that takes the branch.
        target: the feature map.
        taps: for every masked tensor the one that the branch reads instead (equal to it, computed again from
            a neighbour so that the runtime's fusions stay); the tensor itself as a rule.
        scores: the class tensor.
        selection: the classes that get a map.
        max_bytes: the largest tensor that the branch may build.
        masking: how tokens are masked, where the target is a transformer block.
    """

    flow: DataFlow
    target: Target
    taps: Mapping[Output, Output]
    scores: Scores
    selection: ClassSelection
    max_bytes: int
    masking: TokenMasking = DEFAULT_MASKING

    @property
    def tap(self) -> Output:
        """What the branch reads instead of the target."""
        return self.taps[self.target.port]


@dataclass(frozen=True)
class RawMaps:
    """What a branch computes.

    Attributes:
        maps: the unscaled maps; their last two axes are rows and columns.
        classes: ``[N, K']`` i64, the class of each map, where that depends on the input.
        written_out: ops at which copies had to be written out, which is what makes a branch dear.
    """

    maps: Output
    classes: Output | None = None
    written_out: tuple[WrittenOut, ...] = ()


@dataclass(frozen=True)
class Branch:
    """One white-box method.

    Attributes:
        method: its name.
        axes: what the axes of its map mean, the last two being rows and columns.
        build: makes the maps in the site's graph.
        on_tokens: it masks the tokens of a transformer block, not the cells of a feature map.
    """

    method: Method
    axes: tuple[str, ...]
    build: Callable[[Site], RawMaps | Refusal]
    on_tokens: bool = False
