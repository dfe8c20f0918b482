"""Reductions along constant axes, in ONNX."""

from __future__ import annotations

from typing import Final

from ovxai_convert.onnx_graph import forms
from ovxai_convert.ops.in_onnx.call import OnnxCall

_LOGICAL: Final = {"ReduceLogicalAnd": "ReduceMin", "ReduceLogicalOr": "ReduceMax"}


def _reduced(call: OnnxCall) -> list[str]:
    """Values as they are; of booleans the smallest or the largest, as numbers."""
    rank, keep = call.rank(), bool(call.attributes["keep_dims"])
    axes = sorted({axis % rank for axis in call.numbers(1, "axes")})
    if call.kind not in _LOGICAL:
        return [forms.reduced_over(call.graph, call.kind, call.input(0), axes, keep=keep)]
    numbers = forms.cast_to(call.graph, call.input(0), "int32")
    extreme = forms.reduced_over(call.graph, _LOGICAL[call.kind], numbers, axes, keep=keep)
    return [forms.cast_to(call.graph, extreme, "bool")]


reductions_in_onnx: Final = _reduced
"""Of every reduction."""
