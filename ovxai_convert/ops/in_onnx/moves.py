"""Transpose, Reshape, Squeeze and Unsqueeze, and tensors put together, in ONNX."""

from __future__ import annotations

from typing import Final

import numpy as np

from ovxai_convert.onnx_graph import forms
from ovxai_convert.ops.in_onnx.call import OnnxCall, by_type, cannot
from ovxai_convert.tensors.ports import constant_value


def _transposed(call: OnnxCall) -> list[str]:
    """By a constant order; an empty one turns all axes round."""
    order = call.numbers(1, "axes") or list(range(call.rank()))[::-1]
    return [call.graph.add("Transpose", call.input(0), perm=order)]


def _reshaped(call: OnnxCall) -> list[str]:
    """To a shape, whose zeros copy extents, but where they are said to mean zero."""
    pattern, copies = constant_value(call.node.input_value(1)), bool(call.attributes["special_zero"])
    literal = pattern is not None and not copies and bool(np.any(pattern == 0))
    return [call.graph.add("Reshape", call.input(0), call.whole(1), allowzero=1 if literal else None)]


def _squeezed(call: OnnxCall) -> list[str]:
    """Without the axes that are named, or all of extent one."""
    if call.count == 1:
        return [call.graph.add("Squeeze", call.input(0))]
    rank = call.rank()
    axes = sorted({axis % rank for axis in call.numbers(1, "axes")})
    return [forms.squeezed_at(call.graph, call.input(0), axes)]


def _unsqueezed(call: OnnxCall) -> list[str]:
    """With new axes at places of the result."""
    named = call.numbers(1, "axes")
    full = call.rank() + len(named)
    return [forms.unsqueezed_at(call.graph, call.input(0), sorted({axis % full for axis in named}))]


def _joined(call: OnnxCall) -> list[str]:
    """Concat."""
    axis = int(call.attributes["axis"]) % call.result_rank()
    return [call.graph.add("Concat", *call.inputs(), axis=axis)]


def _written_into(call: OnnxCall) -> list[str]:
    """ScatterNDUpdate."""
    return [call.graph.add("ScatterND", call.input(0), call.whole(1), call.input(2))]


moves_in_onnx: Final = by_type(
    {"Reshape": _reshaped, "Squeeze": _squeezed, "Transpose": _transposed, "Unsqueeze": _unsqueezed}, cannot
)
joins_in_onnx: Final = by_type({"Concat": _joined, "ScatterNDUpdate": _written_into}, cannot)
