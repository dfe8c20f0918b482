"""Ops that treat every value by itself, in ONNX."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ovxai_convert.onnx_graph import forms
from ovxai_convert.ops.in_onnx.call import OnnxCall, by_type, cannot, named
from ovxai_convert.tensors.ports import constant_value, extents

_NAMES: Final = {
    "Ceiling": "Ceil",
    "Divide": "Div",
    "LogicalAnd": "And",
    "LogicalNot": "Not",
    "LogicalOr": "Or",
    "LogicalXor": "Xor",
    "Multiply": "Mul",
    "Negative": "Neg",
    "SoftPlus": "Softplus",
    "SoftSign": "Softsign",
    "Subtract": "Sub",
}
"""Ops that are the same under another name."""


def _converted(call: OnnxCall) -> list[str]:
    return [call.cast(call.input(0), call.node.output(0))]


def _clamped(call: OnnxCall) -> list[str]:
    low, high = (call.attributes[end] for end in ("min", "max"))
    dtype = call.dtype()
    if not call.is_float():
        limits = np.iinfo(dtype)
        low, high = max(math.ceil(low), limits.min), min(math.floor(high), limits.max)
    return [forms.clipped(call.graph, call.input(0), low, high, dtype)]


def _elu(call: OnnxCall) -> list[str]:
    return [call.graph.add("Elu", call.input(0), alpha=float(call.attributes["alpha"]))]


def _selu(call: OnnxCall) -> list[str]:
    alpha, gamma = (float(np.ravel(call.value(index, "parameters"))[0]) for index in (1, 2))
    return [call.graph.add("Selu", call.input(0), alpha=alpha, gamma=gamma)]


def _hard_sigmoid(call: OnnxCall) -> list[str]:
    alpha, beta = (float(np.ravel(call.value(index, "parameters"))[0]) for index in (1, 2))
    return [call.graph.add("HardSigmoid", call.input(0), alpha=alpha, beta=beta)]


def _sixth(call: OnnxCall) -> list[str]:
    """``min(max(x + 3, 0), 6) / 6``."""
    return [call.graph.add("HardSigmoid", call.input(0), alpha=1 / 6, beta=0.5)]


def _hard_swish(call: OnnxCall) -> list[str]:
    if call.graph.opset >= 14:
        return [call.graph.add("HardSwish", call.input(0))]
    return [call.graph.add("Mul", call.input(0), *_sixth(call))]


def _swish(call: OnnxCall) -> list[str]:
    graph, data = call.graph, call.input(0)
    scaled = graph.add("Mul", data, call.input(1)) if call.count > 1 else data
    return [graph.add("Mul", data, graph.add("Sigmoid", scaled))]


def _mish(call: OnnxCall) -> list[str]:
    graph, data = call.graph, call.input(0)
    return [graph.add("Mul", data, graph.add("Tanh", graph.add("Softplus", data)))]


def _gelu(call: OnnxCall) -> list[str]:
    graph, data, number = call.graph, call.input(0), call.number
    by_tanh = str(call.attributes.get("approximation_mode", "ERF")).upper() == "TANH"
    if graph.opset >= 20:
        return [graph.add("Gelu", data, approximate="tanh" if by_tanh else "none")]
    if by_tanh:
        cube = graph.add("Mul", graph.add("Mul", data, data), data)
        inner = graph.add("Add", data, graph.add("Mul", cube, number(0.044715)))
        part = graph.add("Tanh", graph.add("Mul", inner, number(math.sqrt(2 / math.pi))))
    else:
        part = graph.add("Erf", graph.add("Div", data, number(math.sqrt(2))))
    return [graph.add("Mul", graph.add("Mul", data, number(0.5)), graph.add("Add", part, number(1.0)))]


def _rounded(call: OnnxCall) -> list[str]:
    graph, data = call.graph, call.input(0)
    if str(call.attributes["mode"]).lower() == "half_to_even":
        return [forms.rounded_to_even(graph, data, call.dtype())]
    away = graph.add("Floor", graph.add("Add", graph.add("Abs", data), call.number(0.5)))
    return [graph.add("Mul", graph.add("Sign", data), away)]


def _finite(call: OnnxCall) -> list[str]:
    graph, data = call.graph, call.input(0)
    return [graph.add("Not", graph.add("Or", graph.add("IsInf", data), graph.add("IsNaN", data)))]


def _infinite(call: OnnxCall) -> list[str]:
    signs = {name: int(call.attributes[name]) for name in ("detect_negative", "detect_positive")}
    return [call.graph.add("IsInf", call.input(0), **signs)]


def _extreme(call: OnnxCall) -> list[str]:
    """Without broadcasting up to operator set 7, and of real numbers up to 11."""
    kind = {"Maximum": "Max", "Minimum": "Min"}[call.kind]
    if call.graph.opset < 8 and extents(call.node.input_value(0)) != extents(call.node.input_value(1)):
        call.graph.since(8, f"{kind} of tensors of different shapes")
    if not call.is_float():
        call.graph.since(12, f"{kind} of whole numbers")
    return [call.graph.add(kind, *call.broadcast())]


def _squared_difference(call: OnnxCall) -> list[str]:
    difference = call.graph.add("Sub", *call.broadcast())
    return [call.graph.add("Mul", difference, difference)]


def _remainder(call: OnnxCall) -> list[str]:
    """``Mod`` has the sign of the dividend, ``FloorMod`` that of the divisor."""
    graph = call.graph
    if call.kind == "Mod":
        return [graph.add("Mod", *call.broadcast(), fmod=1)]
    if not call.is_float():
        return [graph.add("Mod", *call.broadcast())]
    data, divisor = call.broadcast()
    whole = graph.add("Floor", graph.add("Div", data, divisor))
    return [graph.add("Sub", data, graph.add("Mul", whole, divisor))]


def _compared(call: OnnxCall) -> list[str]:
    if not call.is_float():
        call.graph.since(9, f"{call.kind} of whole numbers")
    return [call.graph.add(call.kind, *call.broadcast())]


def _equal(call: OnnxCall) -> list[str]:
    if call.is_float():
        call.graph.since(11, "Equal of real numbers")
    return [call.graph.add("Equal", *call.broadcast())]


def _not_equal(call: OnnxCall) -> list[str]:
    return [call.graph.add("Not", *_equal(call))]


def _or_equal(call: OnnxCall) -> list[str]:
    strictly = {"LessEqual": "Less", "GreaterEqual": "Greater"}[call.kind]
    if call.graph.opset >= 12:
        return [call.graph.add(f"{strictly}OrEqual", *call.broadcast())]
    if not call.is_float():
        call.graph.since(9, f"{strictly} of whole numbers")
    return [call.graph.add("Or", call.graph.add(strictly, *call.broadcast()), *_equal(call))]


def _selected(call: OnnxCall) -> list[str]:
    """``Where``; before it came, with operator set 9, by products of numbers that are kept finite."""
    graph = call.graph
    if graph.opset >= 9 or call.dtype(1) != np.float32:
        return [graph.add("Where", *call.broadcast())]
    condition, *values = call.inputs()
    largest = float(np.finfo(np.float32).max)
    yes, no = (forms.clipped(graph, value, -largest, largest) for value in values)
    shown = forms.cast_to(graph, condition, "float32")
    hidden = graph.add("Sub", call.number(1.0, 1), shown)
    return [graph.add("Add", graph.add("Mul", shown, yes), graph.add("Mul", hidden, no))]


def _quantised(call: OnnxCall) -> list[str]:
    """``round((clamp(x) - il) / (ih - il) * (levels - 1)) / (levels - 1) * (oh - ol) + ol``."""
    graph, number = call.graph, call.number
    data, low, high, new_low, new_high = call.inputs()
    if graph.opset < 8:
        graph.since(8, "limits of a quantisation")
    steps = number(float(call.attributes["levels"]) - 1)
    kept = graph.add("Min", graph.add("Max", data, low), high)
    gain = graph.add("Div", steps, graph.add("Sub", high, low))
    level = forms.rounded_to_even(graph, graph.add("Mul", graph.add("Sub", kept, low), gain), call.dtype())
    step = graph.add("Div", graph.add("Sub", new_high, new_low), steps)
    return [graph.add("Add", graph.add("Mul", level, step), new_low)]


def _sloped(call: OnnxCall) -> list[str]:
    """PRelu; a vector of slopes belongs to the second axis."""
    slope, rank = call.input(1), call.rank()
    if call.rank(1) == 1 and call.shape(1)[0] != 1 and rank > 2:
        slope = forms.unsqueezed_at(call.graph, slope, range(1, rank - 1))
    return [call.graph.add("PRelu", call.input(0), slope)]


def _powered(call: OnnxCall) -> list[str]:
    """The exponent 2 as a product, which every runtime computes alike."""
    exponent = constant_value(call.node.input_value(1))
    if exponent is not None and exponent.size == 1 and float(np.ravel(exponent)[0]) == 2 and not call.rank(1):
        return [call.graph.add("Mul", call.input(0), call.input(0))]
    if not call.is_float():
        call.graph.since(12, "Pow of whole numbers")
    return [call.graph.add("Pow", *call.broadcast())]


elementwise_in_onnx: Final = by_type(
    {
        "Clamp": _clamped,
        "Convert": _converted,
        "ConvertLike": _converted,
        "Elu": _elu,
        "Equal": _equal,
        "FakeConvert": cannot,
        "FakeQuantize": _quantised,
        "FloorMod": _remainder,
        "Gelu": _gelu,
        "Greater": _compared,
        "GreaterEqual": _or_equal,
        "HSigmoid": _sixth,
        "HSwish": _hard_swish,
        "HardSigmoid": _hard_sigmoid,
        "IsFinite": _finite,
        "IsInf": _infinite,
        "Less": _compared,
        "LessEqual": _or_equal,
        "Maximum": _extreme,
        "Minimum": _extreme,
        "Mish": _mish,
        "Mod": _remainder,
        "NotEqual": _not_equal,
        "Power": _powered,
        "PRelu": _sloped,
        "Round": _rounded,
        "Select": _selected,
        "Selu": _selu,
        "SquaredDifference": _squared_difference,
        "Swish": _swish,
    },
    otherwise=named(_NAMES),
)
"""Of every op of the family."""
