"""Cases of the equations for pooling, of the whole map and of tiles."""

from __future__ import annotations

from typing import Final

import numpy as np
from openvino import Node
from openvino import opset15 as ops

from fixtures.networks import Tensor, extent_of, transposed
from tests.ops.equation_cases import (
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

HIGH, LOW = 0.6, -0.6
"""Offsets that lift the background above most values, or below."""


def pooled(x: Tensor, kind: str, rows: int = 2, columns: int = 2) -> Tensor:
    """Tiles that do not overlap."""
    return _window(x, kind, [rows, columns], [rows, columns])


def _window(x: Tensor, kind: str, size: list[int], steps: list[int], pad: int = 0, grow: int = 1) -> Tensor:
    pads = [pad, pad]
    if kind == "max":
        node = op(ops.max_pool(x, steps, [grow, grow], pads, pads, size))
    else:
        node = op(ops.avg_pool(x, steps, pads, pads, size, False))
    return node.output(0)


def _all_cells(x: Tensor, kind: str) -> Tensor:
    size = [extent_of(x, 2), extent_of(x, 3)]
    return _window(x, kind, size, [1, 1])


def _total(s: Start, x: Tensor) -> Node:
    """The sum, scaled to the size of a mean."""
    return ops.multiply(op(ops.reduce_sum(x, [2, 3], False)), np.float32(1 / s.cells))


_GLOBAL_REDUCTION: Final = (
    Case("global reduction", "mean", lambda s: op(ops.reduce_mean(biased(s), [2, 3], False))),
    Case("global reduction", "mean that keeps axes", lambda s: op(ops.reduce_mean(shifted(s), [2, 3], True))),
    Case(
        "global reduction",
        "axes from the end",
        lambda s: op(ops.reduce_mean(squashed(s), [-1, -2], False)),
        channels=2,
    ),
    Case("global reduction", "mean of an embedding", lambda s: op(mean(embedded(s)))),
    Case("global reduction", "mean of a skip path", lambda s: op(ops.reduce_mean(skipped(s), [2, 3], True))),
    Case("global reduction", "mean per sample", lambda s: op(mean(gated(s)))),
    Case("global reduction", "mean channel last", lambda s: op(mean(transposed(biased(s), TO_NHWC), 1, 2))),
    Case(
        "global reduction",
        "embedding channel last",
        lambda s: op(mean(transposed(embedded(s), TO_NHWC), 1, 2)),
    ),
    Case("global reduction", "mean of tokens", lambda s: op(mean(tokens(s, skipped(s)), 1)), channels=2),
    Case("global reduction", "mean of tokens channel first", lambda s: op(mean(_token_rows(s), 2))),
    Case("global reduction", "sum", lambda s: _total(s, biased(s))),
    Case("global reduction", "sum of an embedding", lambda s: _total(s, embedded(s))),
    Case(
        "global reduction",
        "largest",
        lambda s: op(ops.reduce_max(biased(s, offset=HIGH), [2, 3], False)),
        grid=(4, 6),
    ),
    Case("global reduction", "largest keeps axes", lambda s: op(ops.reduce_max(gated(s), [2, 3], True))),
    Case(
        "global reduction",
        "smallest",
        lambda s: op(ops.reduce_min(biased(s, offset=LOW), [-2, -1], False)),
        channels=2,
    ),
    Case("global reduction", "mean of tiles", lambda s: op(mean(_tile(s, "average"))), grid=(4, 6)),
    Case("global reduction", "sum of tiles", lambda s: _total(s, _tile(s, "max")), grid=(4, 6)),
    Case(
        "global reduction",
        "largest of tiles",
        lambda s: op(ops.reduce_max(_tile(s, "average"), [2, 3], True)),
        grid=(4, 6),
    ),
    Case("global reduction", "a single row", lambda s: op(mean(ops.exp(biased(s)))), grid=(1, 7)),
    left_alone(
        "global reduction",
        "largest of an embedding",
        lambda s: op(ops.reduce_max(embedded(s), [2, 3], False)),
    ),
    left_alone(
        "global reduction", "rows alone", lambda s: layer(s, op(ops.reduce_mean(biased(s), [2], False)))
    ),
    left_alone(
        "global reduction",
        "norm of all cells",
        lambda s: op(ops.reduce_l2(biased(s), [2, 3], False)),
        channels=2,
    ),
    left_alone(
        "global reduction",
        "largest of one tile",
        lambda s: op(ops.reduce_max(_one_tile(s), [2, 3], False)),
        grid=(2, 3),
    ),
)


def _token_rows(s: Start) -> Node:
    return transposed(tokens(s, biased(s)), [0, 2, 1])


def _tile(s: Start, kind: str) -> Tensor:
    return pooled(biased(s), kind)


def _one_tile(s: Start) -> Tensor:
    """All cells of the map pooled in two steps, which leave one."""
    return pooled(pooled(biased(s), "max", 2, 1), "average", 1, 3)


_GLOBAL_POOLING: Final = (
    Case("global pooling", "mean", lambda s: _all_cells(biased(s), "average")),
    Case("global pooling", "mean of an embedding", lambda s: _all_cells(embedded(s), "average"), channels=2),
    Case("global pooling", "mean of a skip path", lambda s: _all_cells(skipped(s), "average")),
    Case("global pooling", "largest", lambda s: _all_cells(biased(s, offset=HIGH), "max"), grid=(4, 6)),
    Case("global pooling", "largest per sample", lambda s: _all_cells(gated(s), "max")),
    Case("global pooling", "largest of tiles", lambda s: _all_cells(_tile(s, "average"), "max"), grid=(4, 6)),
    Case("global pooling", "mean of tiles", lambda s: _all_cells(_tile(s, "max"), "average"), grid=(4, 6)),
    left_alone("global pooling", "largest of an embedding", lambda s: _all_cells(embedded(s), "max")),
    left_alone(
        "global pooling",
        "border",
        lambda s: mean(_window(ops.exp(biased(s)), "average", [3, 5], [1, 1], pad=1)),
    ),
)


def _with_indices(s: Start) -> Node:
    """The places of the largest values, counted from the start of each map, are used too."""
    node = op(ops.max_pool(biased(s), [2, 2], [1, 1], [0, 0], [0, 0], [2, 2], axis=2))
    places = ops.convert(node.output(1), "f32")
    return mean(ops.multiply(node.output(0), ops.tanh(places)))


def _then_embedding(s: Start) -> Tensor:
    """Behind the tiles the cells are told apart, where the mosaic has to be written out."""
    y = ops.add(pooled(biased(s), "max", 2, 1), s.draw.numbers(1, s.channels, s.rows // 2, s.columns))
    return mean(ops.tanh(y))


_TILED: Final = (
    Case("tiled pooling", "largest then mean", lambda s: mean(pooled(biased(s), "max")), grid=(4, 6)),
    Case(
        "tiled pooling", "mean then mean", lambda s: mean(ops.exp(pooled(biased(s), "average"))), grid=(4, 6)
    ),
    Case("tiled pooling", "pairs of columns", lambda s: mean(pooled(squashed(s), "max", 1, 2)), grid=(3, 4)),
    Case(
        "tiled pooling",
        "mean of pairs of columns",
        lambda s: mean(ops.sigmoid(pooled(shifted(s), "average", 1, 2))),
        grid=(3, 6),
        channels=2,
    ),
    Case(
        "tiled pooling",
        "background above values",
        lambda s: mean(pooled(biased(s, offset=HIGH), "max")),
        grid=(4, 6),
    ),
    Case("tiled pooling", "twice", lambda s: mean(_twice(biased(s), "max", "max")), grid=(4, 6)),
    Case(
        "tiled pooling", "largest of means", lambda s: mean(_twice(gated(s), "average", "max")), grid=(4, 6)
    ),
    Case(
        "tiled pooling",
        "means of means",
        lambda s: layer(s, _twice(biased(s), "average", "average")),
        grid=(4, 6),
    ),
    Case("tiled pooling", "then Flatten", lambda s: layer(s, _tile(s, "max")), grid=(4, 6)),
    Case(
        "tiled pooling",
        "mean then Flatten",
        lambda s: layer(s, pooled(gated(s), "average", 1, 2)),
        grid=(3, 4),
    ),
    Case(
        "tiled pooling",
        "then a wide layer",
        lambda s: _wide(s, pooled(biased(s), "average", 2, 1)),
        grid=(4, 3),
    ),
    Case("tiled pooling", "then an embedding", _then_embedding, compact=False, grid=(4, 3)),
    Case("tiled pooling", "then rows", lambda s: flat(_rows(s)), compact=False, grid=(4, 6)),
    left_alone(
        "tiled pooling", "differs from cell to cell", lambda s: mean(pooled(embedded(s), "max")), grid=(4, 6)
    ),
    left_alone("tiled pooling", "overlap", lambda s: mean(_window(biased(s), "max", [2, 2], [1, 1]))),
    left_alone("tiled pooling", "rest of the columns", lambda s: mean(pooled(biased(s), "average", 3, 2))),
    left_alone("tiled pooling", "gaps", lambda s: mean(_window(biased(s), "max", [1, 1], [2, 2]))),
    left_alone(
        "tiled pooling",
        "border",
        lambda s: mean(_window(biased(s), "max", [2, 2], [2, 2], pad=1)),
        grid=(4, 6),
    ),
    left_alone(
        "tiled pooling",
        "spread out",
        lambda s: mean(_window(biased(s), "max", [2, 2], [2, 2], grow=2)),
        grid=(4, 6),
    ),
    left_alone("tiled pooling", "places are used", _with_indices, grid=(4, 6)),
)


def _twice(x: Tensor, first: str, second: str) -> Tensor:
    return pooled(ops.exp(pooled(x, first, 1, 2)), second, 2, 1)


def _wide(s: Start, x: Tensor) -> Node:
    """A convolution as large as the map."""
    weights = s.draw.numbers(5, extent_of(x, 1), extent_of(x, 2), extent_of(x, 3), scale=0.5)
    return ops.tanh(ops.convolution(x, weights, [1, 1], [0, 0], [0, 0], [1, 1]))


def _rows(s: Start) -> Node:
    """The largest of every row of tiles, which no equation covers."""
    return ops.squeeze(ops.reduce_max(_tile(s, "average"), [3], True), whole(3))


POOLING_CASES: Final = (*_GLOBAL_REDUCTION, *_GLOBAL_POOLING, *_TILED)
