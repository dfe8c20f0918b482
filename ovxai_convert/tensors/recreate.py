"""Re-creating an op of the model on other inputs, with the same type, version and attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from openvino import Node, Output, Type
from openvino.op import Constant
from openvino.utils.node_factory import NodeFactory

from ovxai_convert.errors import Refusal, last_line
from ovxai_convert.tensors.ports import constant_value

_SMALL: Final = (Type.f64, Type.f32, Type.f16, Type.i64, Type.i32), 64 * 1024
_ZERO_POINTS: Final = (Type.i8, Type.u8), 4 * 1024
"""Types of constants that get copies, and the most bytes."""
_factory: Final = cache(NodeFactory)


def recreate(
    node: Node, inputs: Sequence[Output], changed: Mapping[str, Any] | None = None
) -> Node | Refusal:
    """The same op on other inputs; a refusal when OpenVINO cannot make the op that way.

    A bias that two layers share is fused into neither, which would move the original's last bits; so every
    small constant gets a copy. Equal constants are stored once when a model is written. Attributes are the
    original's, but for those that are ``changed``.
    """
    attributes = {**node.get_attributes(), **(changed or {})}
    ports = [own_constant(port) for port in inputs]
    factory = _factory(node.get_type_info().version_id)
    try:
        return factory.create(node.get_type_name(), ports, attributes)
    except RuntimeError as error:  # all that OpenVINO raises here; the text tells which check failed
        reason = f"{node.get_type_name()} cannot be built for all copies: {last_line(error)}"
        return Refusal(reason, node.get_friendly_name())


def own_constant(port: Output) -> Output:
    """A copy of a small constant, so that the model keeps its own to itself; everything else as it is.

    A constant that the model puts under other axes before use is one too (exporters do so with biases), and
    so are zero points, which it converts from integers: the runtime folds it, and would again find one
    constant with two users. What a model cuts out of a larger constant stays as it is, for it would be stored
    once more.
    """
    node = port.get_node()
    if isinstance(node, Constant):
        source = node
    elif _is_made_of_constants(node):
        source = node.input_value(0).get_node()
    else:
        return port
    converted = source.get_element_type() != port.get_element_type()
    types, most = _ZERO_POINTS if converted else _SMALL
    if source.get_element_type() not in types or source.get_byte_size() > most:
        return port
    value = constant_value(port, most)
    if value is None or not (converted or value.tobytes() == source.data.tobytes()):
        return port
    return Constant(value).output(0)


def _is_made_of_constants(node: Node) -> bool:
    """Whether an op reads constants alone, and no state that starts from one."""
    inputs = [port.get_node() for port in node.input_values()]
    stateless = "variable_id" not in node.get_attributes()
    return stateless and bool(inputs) and all(isinstance(source, Constant) for source in inputs)
