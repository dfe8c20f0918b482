"""Tensors of a graph by address: a (node, port) pair, its printable name, and its constant value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from openvino import Model, Node, Output, Tensor
from openvino.op import Constant

from ovxai_convert.errors import UsageError, did_you_mean
from ovxai_convert.vocabulary import index_in

_SMALL: Final = 4096
"""Elements of what is evaluated."""
SHAPE_OF: Final = "ShapeOf"
"""The op that reads a tensor's shape and none of its numbers."""


def address(port: Output) -> str:
    """Printable address of a tensor: the node's friendly name, with ``:port`` where it has several."""
    node = port.get_node()
    name: str = node.get_friendly_name()
    return name if node.get_output_size() == 1 else f"{name}:{port.get_index()}"


def extents(port: Output) -> tuple[int | None, ...] | None:
    """Extent of every axis of a tensor, None where dynamic; None altogether when the rank is dynamic."""
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return None
    return tuple(dim.get_length() if dim.is_static else None for dim in shape)


def shape_text(shape: Sequence[int]) -> str:
    """Extents as ``[1,?,224,224]``, ``?`` where dynamic."""
    return "[" + ",".join("?" if extent < 0 else str(extent) for extent in shape) + "]"


def rank(port: Output) -> int | None:
    """Number of axes, or None when dynamic."""
    shape = extents(port)
    return None if shape is None else len(shape)


def constant_value(
    port: Output, most: int = _SMALL, seen: dict[Output, NDArray[Any] | None] | None = None
) -> NDArray[Any] | None:
    """Value of a small tensor that does not depend on the input's values, or None when it does or may.

    Exporters hide constants behind small subgraphs (ONNX GlobalAveragePool becomes a ReduceMean whose axes
    are ``Range(2, rank)``). Those are evaluated, up to ``most`` elements (axes, orders and shapes have a
    handful); where they start from a dynamic shape, OpenVINO's shape inference may still know the value, as a
    lower and an upper bound that agree.

    ``seen``: what was found before, for one who asks of many tensors of a model that stays as it is, of one
    ``most``.
    """
    return _value(port, most, {} if seen is None else seen)


def _value(port: Output, most: int, seen: dict[Output, NDArray[Any] | None]) -> NDArray[Any] | None:
    """The same; ``seen`` are those asked for before, so that no path is walked twice."""
    node = port.get_node()
    if isinstance(node, Constant):
        return np.array(node.data)
    shape = extents(port)
    if shape is None or None in shape or elements(port) > most:
        return None
    if port not in seen:
        evaluated = _evaluated(node, port.get_index(), seen)
        seen[port] = _inferred(port) if evaluated is None else evaluated
    return seen[port]


def _evaluated(node: Node, index: int, seen: dict[Output, NDArray[Any] | None]) -> NDArray[Any] | None:
    """The op run on its inputs' constant values; a shape is constant where it is static."""
    if node.get_type_name() == SHAPE_OF:
        shape = extents(node.input_value(0))
        return None if shape is None or None in shape else np.array(shape, np.int64)
    inputs = [_value(port, _SMALL, seen) for port in node.input_values()]
    known = [Tensor(np.array(value, order="C")) for value in inputs if value is not None]
    if not inputs or len(known) != len(inputs):
        return None
    results = [Tensor(port.get_element_type(), port.get_shape()) for port in node.outputs()]
    return np.array(results[index].data) if node.evaluate(results, known) else None


def _inferred(port: Output) -> NDArray[Any] | None:
    tensor = port.get_tensor()
    try:
        lower, upper = tensor.get_lower_value().data, tensor.get_upper_value().data
    except RuntimeError:  # OpenVINO's answer for a tensor whose bounds were never computed
        return None
    return np.array(lower) if np.array_equal(lower, upper) else None


def constant_ints(port: Output) -> list[int] | None:
    """:func:`constant_value` as a flat list of integers (axes, orders, shapes)."""
    value = constant_value(port)
    return None if value is None else [int(entry) for entry in np.ravel(value)]


def find_port(model: Model, wanted: str) -> Output:
    """The tensor that a user names: a friendly name, a tensor name, or ``NAME:PORT``.

    Exact names win over the ``NAME:PORT`` reading, since names may contain a colon themselves.

    Raises:
        UsageError: no such node, tensor or port; the nearest names are offered.
    """
    nodes = {node.get_friendly_name(): node for node in model.get_ordered_ops()}
    if wanted in nodes:
        return _port_of(nodes[wanted], 0, wanted)
    for node in nodes.values():
        for port in node.outputs():
            if wanted in port.get_names():
                return port
    name, colon, number = wanted.rpartition(":")
    index = index_in(number)
    if colon and index is not None and name in nodes:
        return _port_of(nodes[name], index, wanted)
    tensors = (tensor for node in nodes.values() for port in node.outputs() for tensor in port.get_names())
    hint = did_you_mean(wanted, [*nodes, *tensors], "; ovxai-inspect lists the layers")
    raise UsageError(f"no layer named '{wanted}'{hint}")


def _port_of(node: Node, index: int, wanted: str) -> Output:
    count = node.get_output_size()
    if index >= count:
        raise UsageError(f"no output port {index} in '{wanted}': the node has {count} (0 to {count - 1})")
    return node.output(index)


def elements(port: Output) -> int:
    """Numbers that a tensor holds, an open extent counted as 1."""
    return math.prod(1 if each is None else each for each in extents(port) or ())
