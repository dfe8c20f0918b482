"""A model of half precision made one of single: for references that must not be rounded on the way."""

from __future__ import annotations

from typing import Final

import numpy as np
from openvino import Model, Node, Output, Type
from openvino import opset15 as ops
from openvino.op import Constant

from ovxai_convert.errors import Refusal
from ovxai_convert.tensors.ports import rank
from ovxai_convert.tensors.recreate import recreate

_HALVES: Final = {Type.f16: "f16", Type.bf16: "bf16"}


def is_half(port: Output) -> bool:
    """Whether a tensor is of half precision."""
    return port.get_element_type() in _HALVES


def has_narrow_tensors(model: Model) -> bool:
    """Whether a model holds tensors of half precision, or weights of at most 8 bits."""
    ports = [port for node in model.get_ordered_ops() for port in node.outputs()]
    return any(
        is_half(port) or (port.get_element_type().bitwidth <= 8 and (rank(port) or 0) > 1) for port in ports
    )


def widen(model: Model) -> dict[Output, Output]:
    """Let a model compute in float32 what it computes in half; tensors that were replaced, and by which."""
    replaced: dict[Output, Output] = {}
    for node in model.get_ordered_ops():
        new = _widened(node)
        if new is None:
            continue
        for reader in node.output(0).get_target_inputs():
            if reader.get_node() != new:
                reader.replace_source_output(new.output(0))
        new.set_friendly_name(node.get_friendly_name())
        replaced[node.output(0)] = new.output(0)
    model.validate_nodes_and_infer_types()
    return replaced


def _widened(node: Node) -> Node | None:
    """What stands in float32 for a constant, an input, or an op that names half precision; else None."""
    if isinstance(node, Constant):
        return ops.constant(node.get_data(dtype=np.float32)) if is_half(node.output(0)) else None
    if not node.inputs() and node.get_output_size() == 1 and is_half(node.output(0)):
        return ops.convert(node.output(0), "f32")
    halves = {name: "f32" for name, value in node.get_attributes().items() if value in _HALVES.values()}
    if not halves:
        return None
    new = recreate(node, node.input_values(), halves)
    return None if isinstance(new, Refusal) else new
