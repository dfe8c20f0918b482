"""Re-creating an op of the model on other inputs, with the same type, version and attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
from openvino import Node, Output, Type
from openvino.op import Constant
from openvino.utils.node_factory import NodeFactory

from ovxai_convert.errors import Refusal, last_line
from ovxai_convert.tensors.ports import extents

_COPIED: Final = (Type.f64, Type.f32, Type.f16, Type.i64, Type.i32)
_SMALL_BYTES: Final = 64 * 1024
_INTEGERS: Final = (Type.i8, Type.u8)
_ZERO_POINTS_BYTES: Final = 4 * 1024
_RESHAPES: Final = frozenset({"Reshape", "Squeeze", "Unsqueeze"})


def recreate(
    node: Node, inputs: Sequence[Output], changed: Mapping[str, Any] | None = None
) -> Node | Refusal:
    """The same op on other inputs; a refusal when OpenVINO cannot make the op that way.

    A bias that two layers share is fused into neither, which would move the original's last bits; so every
    small constant gets a copy. Equal constants are stored once when a model is written.

    Args:
        node: the op to copy.
        inputs: one tensor per input; small constants among them are copied.
        changed: attributes that shall differ from the original's.
    """
    attributes = {**node.get_attributes(), **(changed or {})}
    ports = [own_constant(port) for port in inputs]
    factory = _factory(node.get_type_info().version_id)
    try:
        return factory.create(node.get_type_name(), ports, attributes)
    except RuntimeError as error:  # all that OpenVINO raises here; the text tells which check failed
        reason = f"{node.get_type_name()} cannot be built for all copies: {last_line(error)}"
        return Refusal("mosaic", reason, node.get_friendly_name())


def own_constant(port: Output) -> Output:
    """A copy of a small constant, so that the model keeps its own to itself; everything else as it is.

    A constant that the model reshapes before use is one too (exporters do so with biases), and so are zero
    points, which it converts from integers: the runtime folds it, and would again find one constant with two
    users.
    """
    node, shape = port.get_node(), extents(port)
    kind = node.get_type_name()
    source = node.input_value(0).get_node() if kind in _RESHAPES | {"Convert"} else node
    if not isinstance(source, Constant) or shape is None or None in shape:
        return port
    types, most = (_INTEGERS, _ZERO_POINTS_BYTES) if kind == "Convert" else (_COPIED, _SMALL_BYTES)
    if source.get_element_type() not in types or source.get_byte_size() > most:
        return port
    values = np.array(source.data).reshape([each or 0 for each in shape])
    return Constant(values.astype(port.get_element_type().to_dtype())).output(0)


@cache
def _factory(opset: str) -> NodeFactory:
    return NodeFactory(opset)
