"""Weights of TensorFlow Lite files that OpenVINO reads with the wrong sign."""

from __future__ import annotations

from openvino import Model, Type
from openvino.op import Constant

from ovxai_convert.ops import Trait, has


def unsigned_weights(model: Model) -> tuple[str, ...]:
    """Unsigned 8-bit weights without a zero point, which TensorFlow Lite takes as signed.

    Files of its first years hold them; taken as they are, small negative numbers become large positive ones.
    """
    names = [
        f"unsigned 8-bit weights '{node.get_friendly_name()}' without a zero point"
        for node in model.get_ordered_ops()
        if isinstance(node, Constant) and node.get_element_type() == Type.u8
        if len(node.get_output_shape(0)) >= 2 and _is_scaled_alone(node)  # weights are matrices at least
    ]
    return tuple(names[:1]) if len(names) < 2 else (f"{names[0]}, and {len(names) - 1} more",)


def _is_scaled_alone(weights: Constant) -> bool:
    """Whether every reader converts weights and multiplies them, and none takes a zero point off before."""
    floats = [reader.get_node() for reader in weights.output(0).get_target_inputs()]
    steps = [reader.get_node() for node in floats for reader in node.output(0).get_target_inputs()]
    return (
        bool(steps)
        and all(has(node, Trait.COPY) for node in floats)
        and all(has(node, Trait.MULTIPLY) for node in steps)
    )
