"""The compact rules: ops on ``D[p] = B + onehot(p) * (V[p] - B)`` that need not write all copies out.

A rule looks at an op and its inputs and answers with the outputs, or with None when its equation does not
hold there; the next rule is then asked, and in the end the default, which writes the copies out.
"""

from __future__ import annotations

from ovxai_convert.mosaic.rules import axis_moves, contractions, pointwise, pooling
from ovxai_convert.mosaic.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    pointwise.UNARY_RULE,
    pointwise.BROADCAST_RULE,
    pointwise.CHANNEL_RULE,
    pointwise.CHANNEL_REDUCTION_RULE,
    contractions.POINTWISE_CONVOLUTION_RULE,
    contractions.CHANNEL_MATMUL_RULE,
    contractions.FLATTENED_MATMUL_RULE,
    contractions.FULL_MAP_CONVOLUTION_RULE,
    pooling.GLOBAL_REDUCTION_RULE,
    pooling.GLOBAL_POOLING_RULE,
    pooling.TILED_POOLING_RULE,
    axis_moves.TRANSPOSE_RULE,
    axis_moves.RESHAPE_RULE,
)

if len({rule.name for rule in RULES}) != len(RULES):
    raise ValueError("two rules have the same name")

__all__ = ["RULES", "Rule"]
