"""Re-creating an op of the model on other inputs, with the same type, version and attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from openvino import Node, Output
from openvino.utils.node_factory import NodeFactory

from ovxai_convert.errors import Refusal


def recreate(
    node: Node, inputs: Sequence[Output], changed: Mapping[str, Any] | None = None
) -> Node | Refusal:
    """The same op on other inputs; a refusal when OpenVINO cannot make the op that way.

    Args:
        node: the op to copy.
        inputs: one tensor per input.
        changed: attributes that shall differ from the original's.
    """
    attributes = {**node.get_attributes(), **(changed or {})}
    try:
        return _factory(node.get_type_info().version_id).create(
            node.get_type_name(), list(inputs), attributes
        )
    except (
        RuntimeError
    ) as error:  # the only type that OpenVINO raises here; the text tells which check failed
        reason = f"{node.get_type_name()} cannot be built for all copies: {_last_line(error)}"
        return Refusal("mosaic", reason, node.get_friendly_name())


@cache
def _factory(opset: str) -> NodeFactory:
    return NodeFactory(opset)


def _last_line(error: RuntimeError) -> str:
    return [line.strip() for line in str(error).splitlines() if line.strip()][-1]
