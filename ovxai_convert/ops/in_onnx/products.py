"""Products of matrices, Einsum and attention, in ONNX."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ovxai_convert.onnx_graph import forms
from ovxai_convert.onnx_graph.graph import CannotSay
from ovxai_convert.ops.in_onnx.call import OnnxCall, by_type, cannot


def _multiplied(call: OnnxCall) -> list[str]:
    """MatMul; a matrix that is read transposed is turned first."""
    operands = []
    for index, name in enumerate(call.inputs()):
        turned = bool(call.attributes["transpose_b" if index else "transpose_a"]) and call.rank(index) > 1
        operands.append(forms.matrix_transposed(call.graph, name, call.rank(index)) if turned else name)
    return [call.graph.add("MatMul", *operands)]


def _contracted(call: OnnxCall) -> list[str]:
    """Einsum."""
    return [call.graph.add("Einsum", *call.inputs(), equation=str(call.attributes["equation"]))]


def _attended(call: OnnxCall) -> list[str]:
    """ScaledDotProductAttention: ``softmax(scale Q K^T + mask) V``."""
    graph, names = call.graph, call.inputs()
    width = call.shape(0)[-1]
    if len(names) > 4:
        factor = names[4]
    elif width is None:
        raise CannotSay("attention over channels whose number is open has no form in ONNX here")
    else:
        factor = call.number(1 / math.sqrt(width))
    keys = forms.matrix_transposed(graph, names[1], call.rank(1))
    scores = graph.add("MatMul", graph.add("Mul", names[0], factor), keys)
    if call.attributes["causal"]:
        scores = graph.add("Add", scores, _no_later_keys(call))
    elif len(names) > 3 and not _is_one_zero(call):
        mask = names[3]
        if call.element(3) == "boolean":
            never = call.number(float("-inf"))
            scores = graph.add("Where", mask, scores, never)
        else:
            scores = graph.add("Add", scores, mask)
    weights = forms.softmax_along(graph, "Softmax", scores, -1, max(call.rank(0), call.rank(1)))
    return [graph.add("MatMul", weights, names[2])]


def _no_later_keys(call: OnnxCall) -> str:
    """Minus infinity where a query would ask a key behind its own place, else zero."""
    queries, keys = call.shape(0)[-2], call.shape(1)[-2]
    if queries is None or keys is None:
        raise CannotSay("attention that is causal over a sequence whose length is open has no form in ONNX")
    later = np.triu(np.ones((queries, keys), bool), 1)
    return call.graph.constant(np.where(later, -np.inf, 0).astype(call.dtype()))


def _is_one_zero(call: OnnxCall) -> bool:
    """Whether the mask is no more than a place before the scale: a number without axes."""
    return not call.rank(3)


products_in_onnx: Final = by_type(
    {"Einsum": _contracted, "MatMul": _multiplied, "ScaledDotProductAttention": _attended}, cannot
)
"""Of every product."""
