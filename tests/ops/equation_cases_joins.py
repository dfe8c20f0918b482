"""Cases of the equations for pieces of tensors, tensors joined, attention, and sums of products by name."""

from __future__ import annotations

from typing import Final

import numpy as np
from openvino import Node
from openvino import opset15 as ops

from fixtures.networks import Tensor
from tests.ops.equation_cases import (
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
    tokens,
)
from tests.ops.heads import Start, whole


def _cut(x: Tensor, axis: int, first: int, last: int, step: int = 1) -> Node:
    return op(ops.slice(x, whole(first), whole(last), whole(step), whole(axis)))


def _strided(s: Start, x: Tensor, first: int) -> Node:
    """The same as OpenVINO's own readers write it, rows and columns named and taken whole."""
    begin, end = whole(0, first, 0, 0), whole(0, 4, s.rows, s.columns)
    return op(ops.strided_slice(x, begin, end, whole(1, 1, 1, 1), [1, 0, 0, 0], [1, 0, 0, 0], [], [], []))


_SLICE: Final = (
    Case("slice", "channels", lambda s: mean(ops.tanh(_cut(biased(s), 1, 1, 3)))),
    Case("slice", "channels of an embedding", lambda s: mean(ops.exp(_cut(embedded(s), 1, -2, 9)))),
    Case("slice", "all rows named", lambda s: mean(ops.tanh(_strided(s, biased(s), 1)))),
    Case(
        "slice",
        "tokens",
        lambda s: mean(ops.tanh(_cut(tokens(s, biased(s)), 1, 2, 2**31 - 1)), 1),
        compact=False,
    ),
    Case(
        "slice",
        "tokens of a skip",
        lambda s: mean(ops.tanh(_cut(tokens(s, skipped(s)), 1, 0, -3)), 1),
        compact=False,
    ),
    left_alone("slice", "every other channel", lambda s: mean(ops.tanh(_cut(biased(s), 1, 0, 9, 2)))),
    left_alone("slice", "rows of a map", lambda s: mean(ops.tanh(_cut(biased(s), 2, 1, 3)))),
)


def _pieces(x: Tensor, axis: int, *lengths: int) -> Node:
    """The pieces of an axis in turn, so that all of them are used."""
    pieces = op(ops.variadic_split(x, np.int64(axis), whole(*lengths))).outputs()
    return ops.concat([ops.tanh(pieces[-1]), *pieces[:-1]], axis)


_SPLIT: Final = (
    Case("split", "channels", lambda s: mean(ops.exp(_pieces(biased(s), 1, 1, 3)))),
    Case("split", "channels of tokens", lambda s: mean(_pieces(tokens(s, gated(s)), 2, 2, 2), 1)),
    left_alone("split", "rows", lambda s: mean(ops.exp(_pieces(biased(s), 2, 1, 2)))),
)


def _picked(x: Tensor, axis: int, *indices: int) -> Node:
    return op(ops.gather(x, whole(*indices), np.int64(axis)))


def _one_channel(s: Start) -> Node:
    """The axis of the channels vanishes before the positions."""
    one = op(ops.gather(biased(s), ops.constant(np.int64(2)), np.int64(1)))
    return layer(s, ops.tanh(one))


_GATHER: Final = (
    Case("gather", "channels in another order", lambda s: mean(ops.tanh(_picked(biased(s), 1, 3, 0, 0)))),
    Case("gather", "one channel", _one_channel),
    Case(
        "gather", "channels of tokens", lambda s: mean(ops.tanh(_picked(tokens(s, skipped(s)), -1, 1, 2)), 1)
    ),
    left_alone("gather", "rows", lambda s: mean(ops.tanh(_picked(biased(s), 2, 2, 0)))),
)


def _best(x: Tensor, axis: int) -> Node:
    """The largest two, and where they stand."""
    best = op(ops.topk(x, np.int64(2), axis, "max", "value"))
    return ops.add(best.output(0), ops.convert(best.output(1), "f32"))


_BEST: Final = (
    Case("best of each", "channels", lambda s: mean(_best(biased(s), 1))),
    Case("best of each", "channels of tokens", lambda s: mean(_best(tokens(s, embedded(s)), -1), 1)),
    left_alone("best of each", "columns", lambda s: layer(s, _best(embedded(s), 3))),
)


def _joined(axis: int, *parts: Tensor) -> Node:
    return op(ops.concat(list(parts), axis))


_CONCAT: Final = (
    Case("concat", "two maps", lambda s: mean(ops.tanh(_joined(1, biased(s), shifted(s))))),
    Case("concat", "a map that all copies share", lambda s: mean(ops.exp(_joined(1, s.skip, biased(s))))),
    Case("concat", "two backgrounds", lambda s: mean(ops.tanh(_joined(1, biased(s), embedded(s))))),
    Case(
        "concat",
        "tokens",
        lambda s: mean(_joined(2, tokens(s, gated(s)), tokens(s, biased(s))), 1),
        channels=2,
    ),
    left_alone("concat", "rows", lambda s: mean(ops.tanh(_joined(2, biased(s), shifted(s))))),
)


def _among_others(s: Start, x: Tensor) -> Node:
    """Tokens between three of the skip's and one."""
    rest = tokens(s, s.skip)
    before = ops.slice(rest, whole(0), whole(3), whole(1), whole(1))
    after = ops.slice(rest, whole(4), whole(5), whole(1), whole(1))
    return mean(ops.tanh(s.draw.linear(_joined(1, before, x, after), 5)), 1)


_TOKEN_JOIN: Final = (
    Case("token join", "among others", lambda s: _among_others(s, tokens(s, biased(s))), compact=False),
    Case("token join", "of a skip path", lambda s: _among_others(s, tokens(s, skipped(s))), compact=False),
    left_alone(
        "token join",
        "two sequences",
        lambda s: mean(ops.tanh(_joined(1, tokens(s, biased(s)), tokens(s, shifted(s)))), 1),
    ),
)


def _weights(s: Start, x: Tensor) -> Node:
    """``[N, 2, T]``: how much two learned queries attend to every token."""
    keys = s.draw.linear(x, 5)
    return ops.softmax(ops.matmul(s.draw.numbers(1, 2, 5), keys, False, True), 2)


def _attended(s: Start, x: Tensor, turned: bool = False) -> Node:
    values = s.draw.linear(x, 5)
    if turned:
        values = ops.transpose(values, whole(0, 2, 1))
    return ops.tanh(flat(op(ops.matmul(_weights(s, x), values, False, turned))))


def _attended_on_the_left(s: Start) -> Node:
    x = tokens(s, biased(s))
    values = ops.transpose(s.draw.linear(x, 5), whole(0, 2, 1))
    return ops.tanh(flat(op(ops.matmul(values, _weights(s, x), False, True))))


_ATTENTION: Final = (
    Case("attention", "learned queries", lambda s: _attended(s, tokens(s, biased(s))), compact=False),
    Case("attention", "turned values", lambda s: _attended(s, tokens(s, skipped(s)), True), compact=False),
    left_alone("attention", "values on the left", _attended_on_the_left),
)


def _by_name(equation: str, *operands: Tensor) -> Node:
    return op(ops.einsum(list(operands), equation))


def _attended_by_name(s: Start, x: Tensor, swapped: bool = False) -> Node:
    weights, values = _weights(s, x), s.draw.linear(x, 5)
    if swapped:
        return ops.tanh(flat(_by_name("ntc,nqt->nqc", values, weights)))
    return ops.tanh(flat(_by_name("nqt,ntc->nqc", weights, values)))


_EINSUM: Final = (
    Case(
        "einsum by weights",
        "channels",
        lambda s: mean(ops.tanh(_by_name("nchw,kc->nkhw", biased(s), s.draw.numbers(5, s.channels)))),
    ),
    Case(
        "einsum by weights",
        "weights of every cell",
        lambda s: mean(ops.tanh(_by_name("nchw,hkc->nkhw", gated(s), s.draw.numbers(s.rows, 5, s.channels)))),
    ),
    Case(
        "einsum by weights",
        "weights first",
        lambda s: mean(
            ops.tanh(_by_name("ck,ntc->ntk", s.draw.numbers(s.channels, 5), tokens(s, embedded(s)))), 1
        ),
    ),
    left_alone(
        "einsum by weights",
        "over rows",
        lambda s: layer(s, _by_name("nchw,h->ncw", ops.tanh(biased(s)), s.draw.numbers(s.rows))),
    ),
    Case(
        "einsum of values",
        "learned queries",
        lambda s: _attended_by_name(s, tokens(s, biased(s))),
        compact=False,
    ),
    Case(
        "einsum of values",
        "of a skip path",
        lambda s: _attended_by_name(s, tokens(s, skipped(s))),
        compact=False,
    ),
    left_alone(
        "einsum of values", "values first", lambda s: _attended_by_name(s, tokens(s, biased(s)), True)
    ),
)

JOIN_CASES: Final = (
    *_SLICE,
    *_SPLIT,
    *_GATHER,
    *_BEST,
    *_CONCAT,
    *_TOKEN_JOIN,
    *_ATTENTION,
    *_EINSUM,
)
