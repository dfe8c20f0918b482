"""What shall be inserted, and where; and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from openvino import Model

from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.errors import Refusal
from ovxai_convert.methods import Method, WhiteBoxMethod
from ovxai_convert.methods.class_selection import ALL_CLASSES, ClassSelection
from ovxai_convert.mosaic.cost import Cost
from ovxai_convert.mosaic.rewriting import WrittenOut

DEFAULT_MAX_BRANCH_BYTES: Final = 2 * 2**30


@dataclass(frozen=True)
class Request:
    """What shall be inserted, and where.

    Attributes:
        method: the method; None tries all in their order and takes the first that is possible.
        target_layer: friendly name, tensor name or ``NAME:PORT`` of the feature map; None searches.
        scores_output: tensor name or index of the output that holds the classes; None takes the only one.
        embed_scaling: scale each map to grey levels inside the graph.
        selection: the classes that get a map.
        max_branch_bytes: the largest tensor that a branch may build.
        options: of the method, by name; those not given have their defaults.
    """

    method: Method | None = None
    target_layer: str | None = None
    scores_output: str | None = None
    embed_scaling: bool = True
    selection: ClassSelection = ALL_CLASSES
    max_branch_bytes: int = DEFAULT_MAX_BRANCH_BYTES
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a method's branch stands; tensors are those of the model as it was read.

    Attributes:
        method: the method.
        scores: its class tensor.
        target: its feature map, or the tokens of a block.
    """

    method: WhiteBoxMethod
    scores: Scores
    target: Target


@dataclass(frozen=True)
class Insertion:
    """A model with a branch.

    Attributes:
        model: a copy that has the output ``saliency_map``.
        place: where its branch stands.
        map_index: index of the output ``saliency_map``; ``saliency_classes`` follows it if there is one.
        cost: what the branch adds to an inference.
        refusals: why methods before this one were not possible.
        written_out: ops at which copies had to be written out, which is what makes a branch dear.
    """

    model: Model
    place: Place
    map_index: int
    cost: Cost
    refusals: tuple[Refusal, ...] = ()
    written_out: tuple[WrittenOut, ...] = ()
