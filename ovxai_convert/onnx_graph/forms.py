"""ONNX ops whose form depends on the operator set: attributes that became inputs, ops that came late.

Axes are counted from 0 or, negative, from the end; ``axes`` and the like are numbers known now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike
from onnx import NodeProto, TensorProto, helper, numpy_helper

from ovxai_convert.onnx_graph.graph import OnnxGraph

_AXES_ARE_AN_INPUT: Final = {"Squeeze": 13, "Unsqueeze": 13, "ReduceSum": 13}
"""From which operator set on; the other reductions: from 18 on."""


def squeezed_at(graph: OnnxGraph, data: str, axes: Sequence[int]) -> str:
    """Without some axes of extent one."""
    return _along(graph, "Squeeze", data, axes) if axes else data


def unsqueezed_at(graph: OnnxGraph, data: str, axes: Sequence[int]) -> str:
    """With new axes of extent one, at these places of the result."""
    return _along(graph, "Unsqueeze", data, axes) if axes else data


def reduced_over(graph: OnnxGraph, kind: str, data: str, axes: Sequence[int], *, keep: bool) -> str:
    """A reduction, as ``ReduceMean``; over no axis it is the identity."""
    return _along(graph, kind, data, axes, keepdims=int(keep)) if axes else data


def _along(graph: OnnxGraph, kind: str, data: str, axes: Sequence[int], **attributes: Any) -> str:
    if graph.opset < _AXES_ARE_AN_INPUT.get(kind, 18):
        if min(axes) < 0:
            graph.since(11, f"{kind} along an axis that is counted from the end")
        return graph.add(kind, data, axes=list(axes), **attributes)
    return graph.add(kind, data, graph.constant(list(axes)), **attributes)


def cut_out(
    graph: OnnxGraph,
    data: str,
    starts: Sequence[int] | str,
    stops: Sequence[int] | str,
    axes: Sequence[int],
    steps: Sequence[int] | str | None = None,
) -> str:
    """Some indices of some axes; bounds are numbers, or tensors of them."""
    in_steps = steps is not None and (isinstance(steps, str) or not set(steps) <= {1})
    bounds = [starts, stops, axes, *([steps] if steps is not None and in_steps else [])]
    if graph.opset >= 10:
        names = [each if isinstance(each, str) else graph.constant(list(each)) for each in bounds]
        return graph.add("Slice", data, *names)
    if any(isinstance(each, str) for each in bounds):
        graph.since(10, "Slice with bounds that are computed")
    if in_steps:
        graph.since(10, "Slice in steps")
    return graph.add("Slice", data, starts=list(starts), ends=list(stops), axes=list(axes))


def pieces_of(graph: OnnxGraph, data: str, axis: int, lengths: Sequence[int], count: int) -> list[str]:
    """Pieces along an axis: of these lengths, or ``count`` equal ones where ``lengths`` are empty."""
    if not lengths:
        equal = {"num_outputs": count} if graph.opset >= 18 else {}
        return graph.add_many("Split", [data], count, axis=axis, **equal)
    if graph.opset < 13:
        return graph.add_many("Split", [data], count, axis=axis, split=list(lengths))
    return graph.add_many("Split", [data, graph.constant(list(lengths))], count, axis=axis)


def best_of(
    graph: OnnxGraph, data: str, k: int | str, axis: int, *, largest: bool, by_value: bool
) -> list[str]:
    """The k largest or smallest values along an axis, and their indices as int64."""
    if graph.opset < 11:
        if not largest:
            graph.since(11, "TopK of the smallest")
        if isinstance(k, str) and graph.opset < 10:
            graph.since(10, "TopK of a number that is computed")
        if graph.opset < 10:
            return graph.add_many("TopK", [data], 2, axis=axis, k=k)
    count = k if isinstance(k, str) else graph.constant([k])
    more = {} if graph.opset < 11 else {"largest": int(largest), "sorted": int(by_value)}
    return graph.add_many("TopK", [data, count], 2, axis=axis, **more)


def clipped(graph: OnnxGraph, data: str, low: float, high: float, dtype: DTypeLike = np.float32) -> str:
    """Values limited to a range; ``dtype`` is their type."""
    if np.dtype(dtype).kind != "f":
        graph.since(12, "Clip of whole numbers")
    if graph.opset < 11:
        return graph.add("Clip", data, min=float(low), max=float(high))
    return graph.add("Clip", data, graph.constant(low, dtype), graph.constant(high, dtype))


def softmax_along(graph: OnnxGraph, kind: str, data: str, axis: int, rank: int) -> str:
    """``Softmax`` or ``LogSoftmax`` along one axis; up to set 12 they are over all axes from that one on."""
    axis %= rank
    if graph.opset >= 13 or axis == rank - 1:
        return graph.add(kind, data, axis=axis)
    order = [*(each for each in range(rank) if each != axis), axis]
    back = [order.index(each) for each in range(rank)]
    turned = graph.add(kind, graph.add("Transpose", data, perm=order), axis=rank - 1)
    return graph.add("Transpose", turned, perm=back)


def padded_by(
    graph: OnnxGraph,
    data: str,
    before: Sequence[int],
    after: Sequence[int],
    mode: str,
    value: str | float = 0.0,
) -> str:
    """More indices at the ends of every axis; ``value`` fills them in the mode ``constant``."""
    pads = [*before, *after]
    if graph.opset < 11:
        if isinstance(value, str):
            graph.since(11, "Pad with a value that is computed")
        fill = {"value": value} if mode == "constant" else {}
        return graph.add("Pad", data, mode=mode, pads=pads, **fill)
    if mode != "constant":
        return graph.add("Pad", data, graph.constant(pads), mode=mode)
    filling = value if isinstance(value, str) else graph.constant(value)
    return graph.add("Pad", data, graph.constant(pads), filling, mode=mode)


def rounded_to_even(graph: OnnxGraph, data: str, dtype: DTypeLike) -> str:
    """The nearest whole number, of two the even one; ``Round`` came with operator set 11."""
    if graph.opset >= 11:
        return graph.add("Round", data)
    half, two = (graph.constant(number, dtype) for number in (0.5, 2.0))
    floor = graph.add("Floor", data)
    rest = graph.add("Sub", data, floor)
    up, down = graph.add("Greater", rest, half), graph.add("Less", rest, half)
    tie = graph.add("Not", graph.add("Or", up, down))
    halved = graph.add("Floor", graph.add("Div", floor, two))
    odd = graph.add("Sub", floor, graph.add("Mul", halved, two))
    up, tie = (cast_to(graph, each, dtype) for each in (up, tie))
    return graph.add("Add", floor, graph.add("Add", up, graph.add("Mul", odd, tie)))


def cast_to(graph: OnnxGraph, data: str, dtype: DTypeLike) -> str:
    """Another element type, as NumPy calls it."""
    return graph.add("Cast", data, to=int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype))))


def reshaped_to(graph: OnnxGraph, data: str, shape: Sequence[int]) -> str:
    """With other extents, known now."""
    return graph.add("Reshape", data, graph.constant(list(shape)))


def matrix_transposed(graph: OnnxGraph, data: str, rank: int) -> str:
    """With its last two axes exchanged."""
    order = [*range(rank - 2), rank - 1, rank - 2]
    return graph.add("Transpose", data, perm=order)


def constant_nodes(value: TensorProto, opset: int) -> list[NodeProto]:
    """A constant as nodes; up to operator set 8 they make real numbers alone, of which others are cast."""
    name = value.name
    if opset >= 9 or value.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE):
        return [helper.make_node("Constant", [], [name], name, value=value)]
    numbers, real = numpy_helper.from_array(numpy_helper.to_array(value).astype(np.float64)), f"{name}/real"
    return [
        helper.make_node("Constant", [], [real], real, value=numbers),
        helper.make_node("Cast", [real], [name], name, to=value.data_type),
    ]
