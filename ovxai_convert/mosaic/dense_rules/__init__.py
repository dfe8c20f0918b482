"""The default rule: re-create an op on the batch of all copies, once it is sure to keep them apart.

An op may be re-created on ``[N * P, ...]`` when it treats each index of the batch axis by itself. That is
known of the families below; each of their rules finds out where the copies stand afterwards. Shared inputs
that have samples of their own are repeated for every copy, and shapes that have the batch baked in
(``Reshape`` to ``[1, 1000]``) are scaled. Of everything else nothing is assumed: it is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openvino import Node

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.op_types import AXIS_REDUCING, BROADCASTING, CONVOLUTIONS, POOLINGS, UNARY
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.dense_rules import cellwise, joins, reshaping, scattering, selections
from ovxai_convert.mosaic.dense_rules.batched import Batched, Rule, refuse
from ovxai_convert.mosaic.kinds import Dense


def apply_dense(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Outputs of an op for all copies; ``inputs`` holds at least one Dense tensor.

    Args:
        node: the op, as it stands in the model.
        inputs: what it is to be computed from, one per input.
        copies: the copies of the mosaic.
    """
    rule = _RULES.get(node.get_type_name())
    if rule is None:
        return refuse(node, "is not known to keep the samples of a batch apart")
    return rule(node, inputs, copies)


_RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(BROADCASTING, cellwise.broadcasting),
    **dict.fromkeys(UNARY | {"PRelu"}, cellwise.unary),
    **dict.fromkeys(CONVOLUTIONS | POOLINGS, cellwise.leading_batch),
    **dict.fromkeys(
        ("BatchNormInference", "GroupNormalization", "DepthToSpace", "SpaceToDepth"), cellwise.leading_batch
    ),
    "Convolution": joins.convolution,
    **dict.fromkeys(AXIS_REDUCING, cellwise.reduction),
    **dict.fromkeys(
        ("Softmax", "LogSoftmax", "ShuffleChannels", "TopK"), cellwise.along_axes(cellwise.axis_attribute)
    ),
    **dict.fromkeys(
        ("NormalizeL2", "LRN", "CumSum", "Split", "VariadicSplit"), cellwise.along_axes(cellwise.axes_input)
    ),
    **dict.fromkeys(("Roll", "Interpolate"), cellwise.along_axes(cellwise.last_input_axes)),
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze"), reshaping.reshape),
    "MVN": cellwise.along_axes(cellwise.mvn_axes),
    "Transpose": selections.transpose,
    "MatMul": joins.matmul,
    "Einsum": joins.einsum,
    "ScaledDotProductAttention": joins.attention,
    "Concat": joins.concat,
    "Gather": selections.gather,
    "Slice": selections.slice_,
    "StridedSlice": selections.strided_slice,
    "Broadcast": selections.broadcast,
    "Tile": selections.tile,
    "Pad": selections.pad,
    "ScatterNDUpdate": scattering.scatter_nd_update,
}
