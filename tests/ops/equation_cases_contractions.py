"""Cases of the equations for products with weights, and for the same numbers under other axes."""

from __future__ import annotations

from typing import Final

import numpy as np
from openvino import Node
from openvino import opset15 as ops

from fixtures.networks import Tensor, extent_of, reshaped, transposed
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


def _tiles(x: Tensor, kind: str = "max", rows: int = 2, columns: int = 2) -> Tensor:
    size = [rows, columns]
    if kind == "max":
        return ops.max_pool(x, size, [1, 1], [0, 0], [0, 0], size).output(0)
    return ops.avg_pool(x, size, [0, 0], [0, 0], size, False)


def _convolution(
    s: Start, x: Tensor, kernel: tuple[int, int], stride: int = 1, pad: int = 0, auto_pad: str = "explicit"
) -> Node:
    weights = s.draw.numbers(5, extent_of(x, 1), *kernel, scale=0.5)
    return op(ops.convolution(x, weights, [stride] * 2, [pad] * 2, [pad] * 2, [1, 1], auto_pad))


def _grouped(s: Start, x: Tensor, groups: int) -> Node:
    weights = s.draw.numbers(groups, 3, extent_of(x, 1) // groups, 1, 1)
    return op(ops.group_convolution(x, weights, [1, 1], [0, 0], [0, 0], [1, 1]))


_POINTWISE: Final = (
    Case("pointwise convolution", "channels", lambda s: mean(ops.tanh(_convolution(s, biased(s), (1, 1))))),
    Case("pointwise convolution", "in groups", lambda s: mean(ops.sigmoid(_grouped(s, shifted(s), 2)))),
    Case("pointwise convolution", "depth-wise", lambda s: mean(ops.tanh(_grouped(s, skipped(s), 4)))),
    Case(
        "pointwise convolution",
        "on a pooled grid",
        lambda s: layer(s, ops.exp(_convolution(s, _tiles(squashed(s)), (1, 1)))),
        grid=(4, 6),
    ),
    left_alone(
        "pointwise convolution", "stride", lambda s: mean(ops.tanh(_convolution(s, biased(s), (1, 1), 2)))
    ),
    left_alone(
        "pointwise convolution", "pads", lambda s: mean(ops.exp(_convolution(s, biased(s), (1, 1), 1, 1)))
    ),
    left_alone(
        "pointwise convolution",
        "a larger kernel",
        lambda s: mean(ops.tanh(_convolution(s, biased(s), (3, 3), 1, 1))),
    ),
    left_alone(
        "pointwise convolution", "a row of cells", lambda s: mean(ops.exp(_convolution(s, biased(s), (1, 2))))
    ),
)


def _channel_matmul(s: Start, x: Tensor, *leading: int, swapped: bool = False) -> Node:
    channels = extent_of(x, -1)
    matrix = s.draw.numbers(*leading, *((5, channels) if swapped else (channels, 5)))
    return ops.tanh(op(ops.matmul(x, matrix, False, swapped)))


def _own_matrix(s: Start) -> Node:
    """Every sample is multiplied by a matrix of its own."""
    keys = tokens(s, s.skip)
    return ops.tanh(op(ops.matmul(tokens(s, biased(s)), keys, False, True)))


def _weights_first(s: Start) -> Node:
    """``W x`` on channels that lie before the positions."""
    rows = reshaped(biased(s), [0, s.channels, s.cells])
    product = op(ops.matmul(s.draw.numbers(5, s.channels), rows, False, False))
    return reshaped(ops.tanh(product), [0, 5, s.rows, s.columns])


_CHANNEL_MATMUL: Final = (
    Case("channel matmul", "tokens", lambda s: mean(_channel_matmul(s, tokens(s, biased(s))), 1)),
    Case(
        "channel matmul",
        "turned weights",
        lambda s: mean(_channel_matmul(s, tokens(s, embedded(s)), swapped=True), 1),
    ),
    Case(
        "channel matmul", "weights of rank 3", lambda s: mean(_channel_matmul(s, tokens(s, gated(s)), 1), 1)
    ),
    Case(
        "channel matmul",
        "channel last",
        lambda s: mean(_channel_matmul(s, transposed(biased(s), TO_NHWC), 1, 1), 1, 2),
        channels=2,
    ),
    Case("channel matmul", "a matrix per sample", lambda s: mean(_own_matrix(s), 1), batches=(2, 3, None)),
    Case("channel matmul", "weights on the left", lambda s: mean(_weights_first(s)), channels=2),
    left_alone(
        "channel matmul",
        "columns",
        lambda s: mean(_channel_matmul(s, biased(s)), 1, 2),
        grid=(3, 4),
        channels=4,
    ),
    left_alone(
        "channel matmul",
        "sparse one second",
        lambda s: mean(ops.tanh(op(ops.matmul(s.draw.numbers(5, s.rows), biased(s), False, False))), 2, 3),
    ),
)


def _dense_layer(s: Start, x: Tensor, swapped: bool = False, half: bool = False, rank: int = 2) -> Node:
    """A fully connected layer on a Flatten, without bias."""
    flattened = flat(x)
    width = extent_of(flattened, 1)
    shape = [*[1] * (rank - 2), *((5, width) if swapped else (width, 5))]
    weights: Node = s.draw.numbers(*shape, scale=0.4)
    if half:
        numbers = np.random.default_rng(3).standard_normal(shape).astype(np.float16)
        weights = ops.convert(ops.constant(numbers), "f32")
    product = op(ops.matmul(flattened, weights, False, swapped))
    return ops.tanh(reshaped(product, [-1, 5]) if rank > 2 else product)


def _twice(x: Tensor) -> Tensor:
    return _tiles(ops.tanh(_tiles(x, "average", 1, 2)), "max", 2, 1)


_FLATTENED: Final = (
    Case("flattened matmul", "channel first", lambda s: _dense_layer(s, biased(s))),
    Case("flattened matmul", "turned weights", lambda s: _dense_layer(s, squashed(s), swapped=True)),
    Case("flattened matmul", "channel last", lambda s: _dense_layer(s, transposed(biased(s), TO_NHWC))),
    Case("flattened matmul", "tokens", lambda s: _dense_layer(s, tokens(s, gated(s)), True), channels=2),
    Case("flattened matmul", "weights of half precision", lambda s: _dense_layer(s, shifted(s), half=True)),
    Case(
        "flattened matmul",
        "largest of tiles",
        lambda s: _dense_layer(s, _tiles(biased(s, offset=0.5))),
        grid=(4, 6),
    ),
    Case(
        "flattened matmul",
        "mean of tiles",
        lambda s: _dense_layer(s, _tiles(gated(s), "average", 1, 2), True),
        grid=(3, 6),
    ),
    Case("flattened matmul", "tiles of tiles", lambda s: _dense_layer(s, _twice(biased(s))), grid=(4, 6)),
    Case(
        "flattened matmul",
        "tiles channel last",
        lambda s: _dense_layer(s, transposed(_tiles(biased(s)), TO_NHWC)),
        grid=(4, 6),
        channels=3,
    ),
    left_alone("flattened matmul", "differs from cell to cell", lambda s: _dense_layer(s, embedded(s))),
    left_alone("flattened matmul", "weights of rank 3", lambda s: _dense_layer(s, biased(s), rank=3)),
)


def _whole_map(s: Start, x: Tensor, auto_pad: str = "explicit") -> Node:
    return ops.tanh(_convolution(s, x, (extent_of(x, 2), extent_of(x, 3)), auto_pad=auto_pad))


_FULL_MAP: Final = (
    Case("full-map convolution", "bias", lambda s: _whole_map(s, biased(s))),
    Case("full-map convolution", "background per sample", lambda s: _whole_map(s, gated(s)), channels=2),
    Case("full-map convolution", "largest of tiles", lambda s: _whole_map(s, _tiles(biased(s))), grid=(4, 6)),
    Case(
        "full-map convolution",
        "tiles of tiles",
        lambda s: _whole_map(s, _twice(ops.exp(biased(s)))),
        grid=(4, 6),
    ),
    left_alone("full-map convolution", "differs from cell to cell", lambda s: _whole_map(s, skipped(s))),
    left_alone(
        "full-map convolution", "padded to its size", lambda s: mean(_whole_map(s, biased(s), "same_upper"))
    ),
    left_alone(
        "full-map convolution", "all rows", lambda s: mean(_convolution(s, ops.exp(biased(s)), (3, 2)))
    ),
)


def _turned(s: Start) -> Node:
    return ops.tanh(op(transposed(biased(s), [0, 1, 3, 2])))


_TRANSPOSE: Final = (
    Case("transpose", "channel last", lambda s: mean(op(transposed(biased(s), TO_NHWC)), 1, 2), channels=2),
    Case(
        "transpose", "between rows and columns", lambda s: layer(s, op(transposed(biased(s), [0, 2, 1, 3])))
    ),
    Case("transpose", "differs from cell to cell", lambda s: mean(op(transposed(skipped(s), TO_NHWC)), 1, 2)),
    Case(
        "transpose",
        "pooled grid",
        lambda s: layer(s, op(transposed(_tiles(biased(s)), TO_NHWC))),
        grid=(4, 6),
    ),
    Case(
        "transpose",
        "tokens back",
        lambda s: mean(op(transposed(ops.exp(tokens(s, biased(s))), [0, 2, 1])), 2),
    ),
    left_alone("transpose", "columns before rows", lambda s: layer(s, _turned(s))),
    left_alone("transpose", "square columns before rows", lambda s: layer(s, _turned(s)), grid=(4, 4)),
    Case(
        "transpose",
        "samples move",
        lambda s: mean(transposed(ops.tanh(op(transposed(biased(s), [1, 0, 2, 3]))), [1, 0, 2, 3])),
    ),
)


def _windows(s: Start) -> Node:
    """Two windows of rows by two of columns, each pooled on its own."""
    apart = op(reshaped(biased(s), [0, s.channels, 2, s.rows // 2, 2, s.columns // 2]))
    return layer(s, ops.reduce_max(apart, [3, 5], False))


def _grouped_channels(s: Start) -> Node:
    """Softmax within each half of the channels."""
    apart = op(reshaped(biased(s), [0, 2, s.channels // 2, s.rows, s.columns]))
    return mean(reshaped(ops.softmax(apart, 2), [0, s.channels, s.rows, s.columns]))


_RESHAPE: Final = (
    Case("reshape", "positions merge", lambda s: mean(op(reshaped(skipped(s), [0, 0, -1])), 2)),
    Case("reshape", "tokens", lambda s: mean(op(tokens(s, embedded(s))), 1), channels=2),
    Case("reshape", "channels in groups", lambda s: _grouped_channels(s)),
    Case("reshape", "Unsqueeze", lambda s: flat(mean(op(ops.unsqueeze(biased(s), np.int64(2))), 3, 4))),
    Case(
        "reshape",
        "Unsqueeze at the end",
        lambda s: flat(mean(op(ops.unsqueeze(embedded(s), np.int64(-1))), 2, 3)),
    ),
    Case(
        "reshape",
        "Squeeze",
        lambda s: layer(s, op(ops.squeeze(ops.reduce_max(biased(s), [1], True), whole(1)))),
    ),
    Case("reshape", "Flatten", lambda s: s.draw.linear(op(flat(biased(s))), 5)),
    Case("reshape", "windows", _windows, compact=False, grid=(4, 6)),
    left_alone(
        "reshape",
        "channels and rows merge",
        lambda s: mean(ops.tanh(op(reshaped(biased(s), [0, s.channels * s.rows, s.columns]))), 2),
    ),
    left_alone("reshape", "pooled positions merge", lambda s: mean(_merged_tiles(s), 2), grid=(4, 6)),
    left_alone("reshape", "rows become samples", lambda s: mean(_rows_as_samples(s))),
)


def _merged_tiles(s: Start) -> Node:
    return op(reshaped(_tiles(biased(s)), [0, 0, -1]))


def _rows_as_samples(s: Start) -> Node:
    rows = ops.exp(op(reshaped(biased(s), [-1, s.columns])))
    return reshaped(rows, [s.batch or -1, s.channels, s.rows, s.columns])


_NCHW_AGAIN: Final = Case(
    "transpose", "channel first again", lambda s: mean(op(transposed(_last(s), TO_NCHW))), channels=2
)


def _last(s: Start) -> Node:
    return ops.softmax(transposed(embedded(s), TO_NHWC), 3)


CONTRACTION_CASES: Final = (*_POINTWISE, *_CHANNEL_MATMUL, *_FLATTENED, *_FULL_MAP)
AXIS_MOVE_CASES: Final = (*_TRANSPOSE, _NCHW_AGAIN, *_RESHAPE)
