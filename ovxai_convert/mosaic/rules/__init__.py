"""The compact rules: ops on sparse maps and masked tokens that need not write all copies out.

A rule looks at an op and its inputs and answers with the outputs, or with None when its equation does not
hold there; the next rule is then asked, and in the end the default, which writes the copies out.
"""

from __future__ import annotations

from ovxai_convert.mosaic.rules import (
    axis_moves,
    contractions,
    pointwise,
    pooling,
    token_moves,
    token_products,
    token_wise,
)
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
"""On sparse maps: ``D[p] = B + onehot(p) * (V[p] - B)``."""

TOKEN_RULES: tuple[Rule, ...] = (
    token_wise.TOKEN_BROADCAST_RULE,
    token_wise.TOKEN_UNARY_RULE,
    token_wise.TOKEN_CHANNEL_RULE,
    token_wise.TOKEN_REDUCTION_RULE,
    token_wise.TOKEN_CONCAT_RULE,
    token_moves.TOKEN_TRANSPOSE_RULE,
    token_moves.TOKEN_RESHAPE_RULE,
    token_moves.TOKEN_SLICE_RULE,
    token_moves.TOKEN_JOIN_RULE,
    token_products.TOKEN_MATMUL_RULE,
    token_products.ATTENTION_RULE,
)
"""On masked tokens: ``D[p, t] = U(M[p, t])[t]``."""

if len({rule.name for rule in (*RULES, *TOKEN_RULES)}) != len(RULES) + len(TOKEN_RULES):
    raise ValueError("two rules have the same name")

__all__ = ["RULES", "TOKEN_RULES", "Rule"]
