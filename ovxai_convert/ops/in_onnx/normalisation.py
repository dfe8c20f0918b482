"""Ops that keep the shape and work along some axes, in ONNX; what no operator set has, in its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ovxai_convert.onnx_graph import forms
from ovxai_convert.onnx_graph.graph import CannotSay
from ovxai_convert.ops.in_onnx.call import OnnxCall, by_type, cannot


def _softmax(call: OnnxCall) -> list[str]:
    rank = call.rank()
    return [forms.softmax_along(call.graph, call.kind, call.input(0), int(call.attributes["axis"]), rank)]


def _shuffled(call: OnnxCall) -> list[str]:
    """``[.., G * C, ..] -> [.., G, C, ..] -> [.., C, G, ..] -> [.., C * G, ..]``."""
    graph, rank, groups = call.graph, call.rank(), int(call.attributes["group"])
    axis, shape = int(call.attributes["axis"]) % rank, call.shape()
    if shape[axis] is None or sum(each is None for each in shape) > 1:
        raise CannotSay("ShuffleChannels of a tensor whose extents are open has no form in ONNX")
    known = [-1 if each is None else each for each in shape]
    apart = [*known[:axis], groups, known[axis] // groups, *known[axis + 1 :]]
    order = [*range(axis), axis + 1, axis, *range(axis + 2, rank + 1)]
    dealt = graph.add("Reshape", call.input(0), graph.constant(apart))
    return [graph.add("Reshape", graph.add("Transpose", dealt, perm=order), graph.constant(known))]


def _axes(call: OnnxCall, index: int = 1) -> list[int]:
    rank = call.rank()
    return sorted({axis % rank for axis in call.numbers(index, "axes")})


def _unit_length(call: OnnxCall) -> list[str]:
    graph, data = call.graph, call.input(0)
    squares = forms.reduced_over(graph, "ReduceSum", graph.add("Mul", data, data), _axes(call), keep=True)
    least = call.number(float(call.attributes["eps"]))
    if str(call.attributes["eps_mode"]).lower() == "add":
        kept = graph.add("Add", squares, least)
    else:
        graph.since(8, "Max of tensors of different shapes")
        kept = graph.add("Max", squares, least)
    return [graph.add("Div", data, graph.add("Sqrt", kept))]


def _local_response(call: OnnxCall) -> list[str]:
    """Across channels, which ONNX has as the second axis."""
    axes, rank, graph, data = _axes(call), call.rank(), call.graph, call.input(0)
    if len(axes) != 1:
        raise CannotSay("LRN over several axes has no form in ONNX")
    order = list(range(rank))
    order[1], order[axes[0]] = order[axes[0]], order[1]
    turned = axes[0] != 1
    told = {name: float(call.attributes[name]) for name in ("alpha", "beta", "bias")}
    data = graph.add("Transpose", data, perm=order) if turned else data
    data = graph.add("LRN", data, size=int(call.attributes["size"]), **told)
    return [graph.add("Transpose", data, perm=order) if turned else data]


def _root_mean_square(call: OnnxCall) -> list[str]:
    graph, data = call.graph, call.input(0)
    mean = forms.reduced_over(graph, "ReduceMean", graph.add("Mul", data, data), [call.rank() - 1], keep=True)
    root = graph.add("Sqrt", graph.add("Add", mean, call.number(float(call.attributes["epsilon"]))))
    normal = graph.add("Div", data, root)
    return [graph.add("Mul", normal, call.input(1)) if call.count > 1 else normal]


def _mean_and_variance(call: OnnxCall) -> list[str]:
    attributes = call.attributes
    if call.count > 1:
        axes = _axes(call)
    else:
        axes = list(range(1 if attributes.get("across_channels", False) else 2, call.rank()))
    outside = str(attributes.get("eps_mode", "inside_sqrt")).lower() == "outside_sqrt"
    epsilon = call.number(float(attributes["eps"]))
    centred, deviation = _deviation(call, call.input(0), axes, epsilon, outside=outside)
    if not attributes.get("normalize_variance", True):
        return [centred]
    return [call.graph.add("Div", centred, deviation)]


def _deviation(
    call: OnnxCall, data: str, axes: Sequence[int], epsilon: str, *, outside: bool
) -> tuple[str, str]:
    graph = call.graph
    centred = graph.add("Sub", data, forms.reduced_over(graph, "ReduceMean", data, axes, keep=True))
    variance = forms.reduced_over(graph, "ReduceMean", graph.add("Mul", centred, centred), axes, keep=True)
    if outside:
        return centred, graph.add("Add", graph.add("Sqrt", variance), epsilon)
    return centred, graph.add("Sqrt", graph.add("Add", variance, epsilon))


def _batch_norm(call: OnnxCall) -> list[str]:
    """Data, scale, shift, mean and variance, in ONNX's order, too."""
    return [call.graph.add("BatchNormalization", *call.inputs(), epsilon=float(call.attributes["epsilon"]))]


def _group_norm(call: OnnxCall) -> list[str]:
    """``[N, C, ...] -> [N, G, rest]``, normalised, and a scale and a shift for each channel."""
    graph, data, rank = call.graph, call.input(0), call.rank()
    groups = int(call.attributes["num_groups"])
    dealt = graph.add("Reshape", data, graph.constant([0, groups, -1]))
    epsilon = call.number(float(call.attributes["epsilon"]))
    centred, deviation = _deviation(call, dealt, [2], epsilon, outside=False)
    back = graph.add("Reshape", graph.add("Div", centred, deviation), graph.add("Shape", data))
    behind = range(1, rank - 1)
    scale, shift = (forms.unsqueezed_at(graph, call.input(index), behind) for index in (1, 2))
    return [graph.add("Add", graph.add("Mul", back, scale), shift)]


def _running_sum(call: OnnxCall) -> list[str]:
    flags = {name: int(call.attributes[name]) for name in ("exclusive", "reverse")}
    axis = call.input(1)
    return [call.graph.add("CumSum", call.input(0), axis, **flags)]


normalisations_in_onnx: Final = by_type(
    {
        "BatchNormInference": _batch_norm,
        "CumSum": _running_sum,
        "GroupNormalization": _group_norm,
        "LRN": _local_response,
        "LogSoftmax": _softmax,
        "MVN": _mean_and_variance,
        "NormalizeL2": _unit_length,
        "RMS": _root_mean_square,
        "ShuffleChannels": _shuffled,
        "Softmax": _softmax,
    },
    otherwise=cannot,
)
"""Of every op of the family."""
