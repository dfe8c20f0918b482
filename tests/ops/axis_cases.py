"""Heads for every op type that reduces, moves, joins or mixes axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from openvino import Node, Shape, Type
from openvino import opset15 as ops
from openvino.op import Constant
from openvino.utils.node_factory import NodeFactory

from fixtures.networks import reshaped, transposed
from tests.ops.heads import (
    CHANNELS,
    COLUMNS,
    ROWS,
    Build,
    OpCase,
    Start,
    above,
    on_x,
    whole,
)

_REDUCES: Final[dict[str, Build]] = {
    "ReduceMean": on_x(ops.reduce_mean, [2], False),
    "ReduceSum": on_x(ops.reduce_sum, [1], False),
    "ReduceMax": on_x(ops.reduce_max, [-1, 1], True),
    "ReduceMin": on_x(ops.reduce_min, [3], True),
    "ReduceProd": on_x(ops.reduce_prod, [2], True),
    "ReduceL1": on_x(ops.reduce_l1, [1], True),
    "ReduceL2": on_x(ops.reduce_l2, [2, 3], False),
    "ReduceLogicalAnd": lambda s: ops.reduce_logical_and(above(s.target, -0.5), [2], False),
    "ReduceLogicalOr": lambda s: ops.reduce_logical_or(above(s.target, 0.5), [2], True),
}


def _binary_convolution(s: Start) -> Node:
    """On eight channels: the runtime packs bits by eight and reads past fewer."""
    bits = np.random.default_rng(5).integers(0, 2, 8 * 8).tolist()
    weights = Constant(Type.u1, Shape([8, 8, 1, 1]), bits)
    x = s.draw.convolution(s.target, 8, kernel=1)
    return ops.binary_convolution(x, weights, [1, 1], [0, 0], [0, 0], [1, 1], "xnor-popcount", 0.0)


def _deformable(s: Start) -> Node:
    offsets = s.draw.convolution(s.skip, 8)
    weights = s.draw.numbers(3, CHANNELS, 2, 2)
    return ops.deformable_convolution(s.target, offsets, weights, [1, 1], [0, 0], [1, 1], [1, 1])


_WINDOWS: Final[dict[str, Build]] = {
    "Convolution": lambda s: ops.convolution(
        s.target, s.draw.numbers(5, CHANNELS, 2, 3), [1, 2], [1, 0], [0, 1], [1, 1]
    ),
    "GroupConvolution": lambda s: ops.group_convolution(
        s.target, s.draw.numbers(2, 3, 2, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1]
    ),
    "ConvolutionBackpropData": lambda s: ops.convolution_backprop_data(
        s.target, s.draw.numbers(CHANNELS, 3, 2, 2), [2, 2]
    ),
    "GroupConvolutionBackpropData": lambda s: ops.group_convolution_backprop_data(
        s.target, s.draw.numbers(2, 2, 3, 2, 2), [2, 2]
    ),
    "DeformableConvolution": _deformable,
    "MaxPool": lambda s: ops.max_pool(s.target, [1, 2], [1, 1], [1, 0], [0, 0], [2, 2]).output(0),
    "AvgPool": lambda s: ops.avg_pool(s.target, [1, 1], [1, 1], [1, 1], [3, 3], True),
    "AdaptiveMaxPool": lambda s: ops.adaptive_max_pool(s.target, whole(3, 2), "i32").output(0),
    "AdaptiveAvgPool": lambda s: ops.adaptive_avg_pool(s.target, whole(3, 2)),
    "BatchNormInference": lambda s: s.draw.batch_norm(s.target),
    "GroupNormalization": lambda s: ops.group_normalization(
        s.target, s.draw.numbers(CHANNELS), s.draw.numbers(CHANNELS), 2, 1e-3
    ),
    "DepthToSpace": on_x(ops.depth_to_space, "blocks_first", 2),
    "SpaceToDepth": on_x(ops.space_to_depth, "depth_first", 2),
}


def _along(function: Callable[..., Node], *arguments: object, port: int = 0) -> Build:
    return lambda s: function(s.target, *arguments).output(port)


_ALONG_AXES: Final[dict[str, Build]] = {
    "Softmax": _along(ops.softmax, 1),
    "LogSoftmax": _along(ops.log_softmax, -1),
    "ShuffleChannels": _along(ops.shuffle_channels, 1, 2),
    "NormalizeL2": _along(ops.normalize_l2, whole(1), 1e-4, "add"),
    "LRN": lambda s: ops.lrn(s.target, whole(1), 0.5, 0.75, 1.0, 3),
    "CumSum": _along(ops.cum_sum, np.int64(2), True, True),
    "Split": _along(ops.split, np.int64(3), 3, port=1),
    "VariadicSplit": _along(ops.variadic_split, np.int64(1), whole(1, -1), port=1),
    "MVN": _along(ops.mvn, whole(2, 3), True, 1e-3, "inside_sqrt"),
}


def _merged_rows(s: Start) -> Node:
    rows = ops.tanh(s.draw.linear(reshaped(s.target, [-1, COLUMNS]), COLUMNS))
    return reshaped(rows, [s.batch_entry, CHANNELS, ROWS, COLUMNS])


def _second_axis(s: Start) -> Node:
    """``[N, C, H, W] -> [C, N, HW] -> [C, N * H, W] -> ... -> [N, C, H, W]``."""
    merged = reshaped(transposed(s.target, [1, 0, 2, 3]), [CHANNELS, -1, COLUMNS])
    apart = reshaped(ops.softmax(merged, 2), [CHANNELS, s.batch_entry, ROWS, COLUMNS])
    return transposed(apart, [1, 0, 2, 3])


def _columns_of_copies(s: Start) -> Node:
    flat = transposed(reshaped(s.target, [0, CHANNELS * ROWS * COLUMNS]), [1, 0])
    return transposed(ops.tanh(ops.matmul(s.draw.numbers(5, 96, scale=0.2), flat, False, False)), [1, 0])


def _strided(s: Start) -> Node:
    end = [s.batch or 2**31 - 1, 4, 3, 2**31 - 1]
    bounds = (whole(*each) for each in ([0, 0, 1, 0], end, [1, 1, 1, 2]))
    return ops.strided_slice(s.target, *bounds, begin_mask=[0, 1, 0, 0], end_mask=[0, 1, 0, 0])


def _broadcast(s: Start) -> Node:
    one_row = ops.reduce_max(s.target, [2], True)
    shape = [s.batch, CHANNELS, ROWS, COLUMNS] if s.batch else None
    pattern = whole(*shape) if shape else ops.shape_of(s.target)
    return ops.broadcast(one_row, pattern)


def _per_sample_constant(s: Start) -> Node:
    return ops.multiply(s.target, s.draw.numbers(s.batch or 1, CHANNELS, 1, COLUMNS))


def _slice(s: Start) -> Node:
    return ops.slice(s.target, whole(3, 0), whole(0, 4), whole(-1, 2), whole(2, 3))


def _stacked(s: Start) -> Node:
    """As several heads are averaged: each ``[N, ...] -> [1, N, ...]``, all behind each other, their sum."""
    apart = [ops.unsqueeze(each, np.int64(0)) for each in (s.target, ops.tanh(s.target), s.skip)]
    return ops.reduce_sum(ops.concat(apart, 0), [0], False)


def _gathered_in_order(s: Start) -> Node:
    """``as_strided`` as exporters write it: a vector of all numbers, picked in order into the old shape."""
    shape = (s.batch or 1, CHANNELS, ROWS, COLUMNS)
    numbers = np.arange(np.prod(shape), dtype=np.int64).reshape(shape)
    return ops.gather(reshaped(s.target, [-1]), ops.constant(numbers), np.int64(0))


def _pad(s: Start, mode: str) -> Node:
    return ops.pad(s.target, whole(0, 0, 1, 2), whole(0, 0, 0, 1), mode, np.float32(0.5))


def _written(s: Start, what: str) -> Node:
    """``x[0, 1:3, :2] += y`` as exporters write it: an index for every entry, that of the sample first."""
    places = np.stack(np.meshgrid([0], [1, 2], [0, 1], range(COLUMNS), indexing="ij"), -1).astype(np.int64)
    data = s.skip if what == "updates" else s.target
    added = s.skip if what == "data" else ops.tanh(s.target)
    updates = ops.slice(added, whole(0, 2), whole(2, 4), whole(1, 1), whole(1, 2))
    return ops.scatter_nd_update(data, ops.constant(places), updates)


def _rows_written(s: Start) -> Node:
    """Whole rows of channels: the indices name sample and channel."""
    places = np.array([[[0, 2], [0, 0]]], np.int64)
    updates = ops.slice(ops.tanh(s.target), whole(1), whole(3), whole(1), whole(1))
    return ops.scatter_nd_update(s.target, ops.constant(places), updates)


def _batch_to_the_end(s: Start) -> Node:
    moved = ops.einsum([s.draw.numbers(CHANNELS, 3), s.target], "cd,nchw->hwdn")
    return transposed(ops.tanh(moved), [3, 0, 1, 2])


def _token_of_choice(s: Start) -> Node:
    """A single token ``[1, 1, C]``, whose copies come to lie on its second axis."""
    flat = reshaped(s.target, [1, CHANNELS, ROWS * COLUMNS])
    token = ops.unsqueeze(ops.reduce_max(flat, [2], False), np.int64(0))
    others = transposed(reshaped(s.skip, [1, CHANNELS, ROWS * COLUMNS]), [0, 2, 1])
    return ops.concat([token, others], 1)


def _resized(s: Start) -> Node:
    """Twice the rows and half the columns."""
    return ops.interpolate(s.target, whole(8, 3), "linear_onnx", "sizes", axes=whole(2, 3))


def _resized_by_version_4(s: Start) -> Node:
    """With sizes, scales and axes."""
    sizes, scales = whole(8, 3), ops.constant(np.array([2, 0.5], np.float32))
    inputs = [s.target.output(0), sizes.output(0), scales.output(0), whole(2, 3).output(0)]
    attributes = {"mode": "linear_onnx", "shape_calculation_mode": "sizes"}
    return NodeFactory("opset4").create("Interpolate", inputs, attributes)


def _best_columns(s: Start) -> Node:
    """The two largest of every row, and where they stand; no two of a row are equal."""
    best = ops.topk(ops.add(s.target, s.skip), np.int64(2), 3, "max", "value")
    return ops.add(best.output(0), ops.convert(best.output(1), "f32"))


_OTHERS: Final = (
    OpCase("Interpolate", _resized),
    OpCase("Interpolate", _resized_by_version_4, "version_4"),
    OpCase("Roll", lambda s: ops.roll(s.target, whole(1, 2), whole(2, -1)), "rows_and_columns"),
    OpCase("TopK", _best_columns, "values_and_places"),
    OpCase(
        "ScaledDotProductAttention",
        lambda s: ops.scaled_dot_product_attention(s.target, s.target, s.target),
        "itself",
    ),
    OpCase(
        "ScaledDotProductAttention",
        lambda s: ops.scaled_dot_product_attention(s.skip, s.target, s.target),
        "asked",
    ),
    OpCase(
        "ScaledDotProductAttention",
        lambda s: ops.scaled_dot_product_attention(s.target, s.skip, s.skip, s.draw.numbers(ROWS, ROWS)),
        "asking_with_a_mask",
    ),
    OpCase(
        "Einsum",
        lambda s: ops.einsum([s.target, s.draw.numbers(2, COLUMNS, 3)], "nchw,kwd->nckhd"),
        "constant",
    ),
    OpCase("Einsum", _batch_to_the_end, "moved_batch"),
    OpCase("Einsum", lambda s: ops.einsum([s.target, s.skip], "nchw,ndhw->ncd"), "per_sample"),
    OpCase(
        "Einsum",
        lambda s: ops.einsum([s.target, ops.tanh(s.target)], "nchw,ndhw->ncdh"),
        "copies_with_themselves",
    ),
    OpCase("ScatterNDUpdate", lambda s: _written(s, "both"), "both", one_sample=True),
    OpCase("ScatterNDUpdate", lambda s: _written(s, "data"), "data", one_sample=True),
    OpCase("ScatterNDUpdate", lambda s: _written(s, "updates"), "updates", one_sample=True),
    OpCase("ScatterNDUpdate", _rows_written, "whole_rows", one_sample=True),
    OpCase("Concat", _token_of_choice, "token_among_others", one_sample=True),
    OpCase("BinaryConvolution", _binary_convolution, runs_dynamic=False),
    OpCase("Reshape", lambda s: ops.softmax(reshaped(s.target, [0, CHANNELS, ROWS * COLUMNS]), 2), "tokens"),
    OpCase(
        "Reshape", lambda s: reshaped(s.target, [s.batch_entry, CHANNELS * ROWS * COLUMNS]), "baked_batch"
    ),
    OpCase("Reshape", _merged_rows, "rows_into_batch"),
    OpCase("Reshape", _second_axis, "rows_into_batch_on_second_axis"),
    OpCase(
        "Squeeze", lambda s: ops.squeeze(ops.softmax(ops.unsqueeze(s.target, np.int64(0)), 2), np.int64(0))
    ),
    OpCase("Unsqueeze", lambda s: ops.softmax(ops.unsqueeze(s.target, np.int64(2)), 1)),
    OpCase("Transpose", lambda s: ops.softmax(transposed(s.target, [0, 3, 1, 2]), 1), "columns_first"),
    OpCase(
        "Transpose",
        lambda s: transposed(ops.tanh(transposed(s.target, [1, 2, 3, 0])), [3, 0, 1, 2]),
        "batch_last",
    ),
    OpCase(
        "MatMul", lambda s: ops.matmul(s.target, s.draw.numbers(COLUMNS, 5), False, False), "constant_right"
    ),
    OpCase("MatMul", lambda s: ops.matmul(s.draw.numbers(3, ROWS), s.target, False, False), "constant_left"),
    OpCase("MatMul", lambda s: ops.matmul(s.target, s.skip, False, True), "per_sample_right"),
    OpCase("MatMul", lambda s: ops.matmul(s.skip, s.target, True, False), "per_sample_left"),
    OpCase("MatMul", lambda s: ops.matmul(s.target, s.target, False, True), "copies_with_themselves"),
    OpCase("MatMul", _columns_of_copies, "copies_are_columns"),
    OpCase("Concat", lambda s: ops.concat([s.skip, ops.tanh(s.target), s.target], 1), "per_sample"),
    OpCase("Concat", lambda s: ops.concat([s.target, ops.tanh(s.target)], -1), "copies"),
    OpCase("Concat", _stacked, "stacked"),
    OpCase("Gather", lambda s: ops.gather(s.target, whole(3, 0), np.int64(-1)), "two_columns"),
    OpCase("Gather", lambda s: ops.gather(s.target, np.int64(2), np.int64(2)), "one_row"),
    OpCase("Gather", _gathered_in_order, "all_in_order", runs_dynamic=False),
    OpCase("Slice", _slice),
    OpCase("StridedSlice", _strided),
    OpCase("Broadcast", _broadcast),
    OpCase("Tile", lambda s: ops.tile(s.target, whole(1, 2, 1, 3))),
    OpCase("Pad", lambda s: _pad(s, "constant"), "constant"),
    OpCase("Pad", lambda s: _pad(s, "reflect"), "reflect"),
    OpCase("Multiply", _per_sample_constant, "per_sample_constant"),
    OpCase("MVN", lambda s: ops.mvn(s.target, whole(1), True, 1e-3, "inside_sqrt"), "channels"),
)

AXIS_CASES: Final = (
    *(OpCase(op, build) for op, build in (_REDUCES | _WINDOWS | _ALONG_AXES).items()),
    *_OTHERS,
)
