"""Cases of the equations for ops that treat every cell by itself."""

from __future__ import annotations

from typing import Final

import numpy as np
from openvino import Node
from openvino import opset15 as ops

from fixtures.networks import Tensor, transposed
from tests.ops.equation_cases import (
    TO_NCHW,
    TO_NHWC,
    Case,
    biased,
    embedded,
    flat,
    gated,
    layer,
    left_alone,
    mean,
    op,
    shifted,
    skipped,
    squashed,
    tokens,
)
from tests.ops.heads import Start, whole


def _pooled(s: Start, x: Tensor) -> Tensor:
    return ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)


_UNARY: Final = (
    Case("unary", "hard sigmoid of zero", lambda s: mean(op(squashed(s)))),
    Case("unary", "sigmoid of zero", lambda s: mean(op(ops.sigmoid(s.target))), channels=2),
    Case("unary", "exponential of a bias", lambda s: mean(op(ops.exp(biased(s))))),
    Case("unary", "swish with a parameter", lambda s: mean(op(ops.swish(shifted(s), np.float32(1.7))))),
    Case("unary", "differs from cell to cell", lambda s: mean(op(ops.tanh(embedded(s))))),
    Case("unary", "differs from sample to sample", lambda s: mean(op(ops.sigmoid(gated(s))))),
    Case(
        "unary",
        "behind Flatten",
        lambda s: s.draw.linear(op(ops.sigmoid(flat(biased(s)))), 5),
        grid=(4, 6),
    ),
    Case(
        "unary",
        "on a pooled grid",
        lambda s: mean(op(ops.exp(_pooled(s, biased(s))))),
        grid=(4, 6),
    ),
    Case("unary", "to integers and back", lambda s: mean(ops.convert(op(_rounded(s)), "f32"))),
)


def _rounded(s: Start) -> Node:
    return ops.convert(ops.multiply(biased(s), np.float32(5)), "i32")


def _self_gate(s: Start) -> Node:
    x = biased(s)
    return op(ops.multiply(x, ops.sigmoid(s.draw.convolution(x, s.channels, kernel=1))))


def _quantized(s: Start) -> Node:
    low, high = (s.draw.numbers(1, s.channels, 1, 1, scale=0.1, offset=limit) for limit in (-1.0, 1.0))
    return op(ops.fake_quantize(biased(s), low, high, low, high, 16))


def _two_grids(s: Start) -> Node:
    """A pooled map on a map of the same extents that is not pooled."""
    coarse = ops.reduce_max(biased(s), [2, 3], True)
    return op(ops.multiply(biased(s), ops.sigmoid(coarse)))


def _two_rows(s: Start) -> Node:
    """A map of one row that becomes two: every copy keeps two cells."""
    return op(ops.multiply(biased(s), s.draw.numbers(1, s.channels, 2, s.columns)))


def _new_axis(s: Start) -> Node:
    """Tokens of two values per channel."""
    twice = op(ops.add(ops.unsqueeze(tokens(s, biased(s)), np.int64(3)), s.draw.numbers(1, 1, 1, 2)))
    return flat(mean(ops.tanh(twice), 1))


_BROADCAST: Final = (
    Case("broadcast", "bias", lambda s: mean(ops.tanh(op(biased(s))))),
    Case("broadcast", "position embedding", lambda s: mean(ops.tanh(op(embedded(s))))),
    Case("broadcast", "skip path", lambda s: mean(ops.sigmoid(op(skipped(s))))),
    Case("broadcast", "a value of each sample", lambda s: mean(ops.tanh(op(gated(s)))), channels=2),
    Case("broadcast", "shared one first", lambda s: mean(ops.exp(op(ops.subtract(s.skip, biased(s)))))),
    Case("broadcast", "two sparse ones", lambda s: mean(_self_gate(s))),
    Case(
        "broadcast",
        "embedding of rows alone",
        lambda s: mean(ops.tanh(op(ops.multiply(biased(s), s.draw.numbers(1, 1, s.rows, 1))))),
    ),
    Case(
        "broadcast",
        "choice between three",
        lambda s: mean(op(ops.select(ops.greater(biased(s), s.skip), shifted(s), s.skip))),
    ),
    Case("broadcast", "limits per channel", lambda s: mean(_quantized(s)), channels=2),
    Case(
        "broadcast",
        "factor per channel on a pooled grid",
        lambda s: mean(op(ops.multiply(_pooled(s, biased(s)), s.draw.numbers(s.channels, 1, 1)))),
        grid=(4, 6),
    ),
    left_alone(
        "broadcast",
        "embedding on a pooled grid",
        lambda s: mean(op(ops.add(_pooled(s, biased(s)), s.draw.numbers(1, s.channels, 2, 3)))),
        grid=(4, 6),
    ),
    Case("broadcast", "along a new axis", _new_axis),
    left_alone("broadcast", "one row becomes two", lambda s: mean(ops.tanh(_two_rows(s))), grid=(1, 5)),
    left_alone("broadcast", "one operand is a batch of copies", lambda s: mean(_two_grids(s))),
)


def _positional_slope(s: Start) -> Node:
    return op(ops.prelu(biased(s), s.draw.numbers(1, 1, s.rows, s.columns)))


def _slope_along_rows(s: Start) -> Node:
    """A slope of one axis belongs to the second axis, which holds rows here."""
    return op(ops.prelu(transposed(biased(s), TO_NHWC), s.draw.numbers(s.rows)))


_CHANNEL_WISE: Final = (
    Case("channel-wise", "BatchNorm", lambda s: mean(ops.tanh(op(shifted(s))))),
    Case(
        "slope",
        "slope per channel",
        lambda s: mean(op(ops.prelu(biased(s), s.draw.numbers(s.channels)))),
    ),
    Case("channel-wise", "softmax", lambda s: mean(op(ops.softmax(biased(s), 1)))),
    Case("channel-wise", "softmax of tokens", lambda s: mean(op(ops.softmax(tokens(s, skipped(s)), -1)), 1)),
    Case("channel-wise", "logarithm of softmax", lambda s: mean(op(ops.log_softmax(embedded(s), -3)))),
    Case(
        "channel-wise",
        "MVN",
        lambda s: mean(op(ops.mvn(biased(s), whole(1), True, 1e-3, "inside_sqrt"))),
    ),
    Case(
        "channel-wise",
        "L2 norm",
        lambda s: mean(op(ops.normalize_l2(gated(s), whole(1), 1e-3, "add"))),
        channels=2,
    ),
    left_alone(
        "channel-wise",
        "MVN over positions",
        lambda s: mean(ops.tanh(op(ops.mvn(biased(s), whole(2, 3), True, 1e-3, "inside_sqrt"))), 2, 3),
    ),
    left_alone("channel-wise", "softmax over tokens", lambda s: mean(_attention(s), 1)),
    left_alone(
        "channel-wise",
        "L2 norm over everything",
        lambda s: mean(op(ops.normalize_l2(biased(s), whole(1, 2, 3), 1e-3, "add"))),
    ),
    Case("channel-wise", "BatchNorm on a pooled grid", lambda s: layer(s, _pooled_norm(s)), grid=(4, 6)),
)


def _attention(s: Start) -> Node:
    x = tokens(s, biased(s))
    return ops.multiply(x, op(ops.softmax(x, 1)))


def _pooled_norm(s: Start) -> Node:
    return op(s.draw.batch_norm(_pooled(s, biased(s))))


def _layer_norm(s: Start, x: Node, axis: int) -> Node:
    """As exporters write it: mean, difference, variance, quotient."""
    centred = ops.subtract(x, op(ops.reduce_mean(x, [axis], True)))
    variance = ops.reduce_mean(ops.power(centred, np.float32(2)), [axis], True)
    return ops.divide(centred, ops.sqrt(ops.add(variance, np.float32(1e-3))))


_CHANNEL_REDUCTION: Final = (
    Case("channel reduction", "LayerNorm", lambda s: mean(_layer_norm(s, biased(s), 1))),
    Case(
        "channel reduction",
        "LayerNorm of tokens",
        lambda s: mean(_layer_norm(s, tokens(s, embedded(s)), -1), 1),
        channels=2,
    ),
    Case(
        "channel reduction",
        "LayerNorm channel last",
        lambda s: mean(transposed(_layer_norm(s, transposed(skipped(s), TO_NHWC), 3), TO_NCHW)),
    ),
    Case(
        "channel reduction",
        "axis vanishes before the positions",
        lambda s: layer(s, op(ops.reduce_max(biased(s), [1], False))),
    ),
    Case(
        "channel reduction",
        "axis vanishes behind the positions",
        lambda s: layer(s, op(ops.reduce_l2(transposed(biased(s), TO_NHWC), [-1], False))),
    ),
    Case(
        "channel reduction",
        "on a pooled grid",
        lambda s: layer(s, op(ops.reduce_sum(_pooled(s, biased(s)), [1], True))),
        grid=(4, 6),
    ),
    left_alone(
        "channel reduction",
        "rows and channels",
        lambda s: op(ops.reduce_max(ops.exp(biased(s)), [1, 2], False)),
    ),
    left_alone(
        "channel reduction", "columns alone", lambda s: layer(s, op(ops.reduce_max(biased(s), [3], True)))
    ),
)

POINTWISE_CASES: Final = (
    *_UNARY,
    *_BROADCAST,
    *_CHANNEL_WISE,
    *_CHANNEL_REDUCTION,
    Case("slope", "one slope", lambda s: mean(op(ops.prelu(skipped(s), s.draw.numbers(1))))),
    left_alone("slope", "slope per cell", lambda s: mean(_positional_slope(s))),
    left_alone("slope", "slope along rows", lambda s: mean(_slope_along_rows(s), 1, 2)),
)
