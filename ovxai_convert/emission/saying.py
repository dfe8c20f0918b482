"""Tensors of OpenVINO's as tensors of an ONNX graph: back to those that it has, op by op by the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from openvino import Node, Output, Type
from openvino.op import Constant

from ovxai_convert.errors import Refusal
from ovxai_convert.onnx_graph.graph import CannotSay, OnnxGraph
from ovxai_convert.ops import op_of
from ovxai_convert.ops.in_onnx.call import OnnxCall, dtype_of
from ovxai_convert.tensors.ports import constant_value

Known = Callable[[Output], "str | None"]
"""The name under which a graph has a tensor already, None where it has not."""

_MOST: Final = 1024
"""Most elements of a tensor that is computed now, where it is computed from constants alone: axes, shapes."""


def said_in_onnx(wanted: Sequence[Output], graph: OnnxGraph, known: Known) -> list[str] | Refusal:
    """Add what some tensors are computed by to a graph, from those on that it has.

    Returns:
        Their names; or a refusal that names the op that has no form, and the operator set that has one.
    """
    names: dict[Output, str] = {}
    folded = _Folded()

    def tensor(port: Output) -> str:
        if port not in names:  # a constant, or folded to one: it enters the graph when it is read
            names[port] = folded.constant(port, graph)
        return names[port]

    for node in _in_order(wanted, known, names, folded):
        try:
            said = op_of(node).onnx(OnnxCall(node, graph, tensor))
        except CannotSay as reason:
            return Refusal(str(reason), node.get_friendly_name())
        names.update(zip(node.outputs(), said, strict=False))
    try:
        result = [tensor(port) for port in wanted]
    except CannotSay as reason:
        return Refusal(str(reason))
    graph.keep_only(result)
    return result


def _in_order(
    wanted: Sequence[Output], known: Known, names: dict[Output, str], folded: _Folded
) -> list[Node]:
    """The ops that are to be said, inputs before their users; tensors that the graph has get their names."""
    ordered: dict[Node, None] = {}
    waiting = [(port, False) for port in reversed(wanted)]
    while waiting:
        port, seen = waiting.pop()
        node = port.get_node()
        if seen:
            ordered.setdefault(node)
        elif port not in names and node not in ordered:
            name = known(port)
            if name is not None:
                names[port] = name
            elif not folded.is_one(port):
                waiting.append((port, True))
                waiting += [(source, False) for source in reversed(node.input_values())]
    return list(ordered)


class _Folded:
    """Tensors that are computed now, being small and computed from constants alone."""

    def __init__(self) -> None:
        self._seen: dict[Output, NDArray[Any] | None] = {}

    def is_one(self, port: Output) -> bool:
        """Whether a tensor is, or is a constant of any size."""
        return isinstance(port.get_node(), Constant) or self._value(port) is not None

    def constant(self, port: Output, graph: OnnxGraph) -> str:
        """The name of its value in a graph; a CannotSay where it has none."""
        value = self._value(port)
        if value is None:
            raise CannotSay(f"{port.get_node().get_type_name()} gives no output that can be read")
        return graph.constant(_as_numbers(value, port).astype(dtype_of(port)))

    def _value(self, port: Output) -> NDArray[Any] | None:
        return constant_value(port, _MOST, self._seen)


def _as_numbers(value: NDArray[Any], port: Output) -> NDArray[Any]:
    """Values as OpenVINO hands them out: those of bfloat16 as their bits."""
    if port.get_element_type() == Type.bf16 and value.dtype != np.float32:
        return (value.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return value
