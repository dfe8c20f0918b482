"""What each axis of each tensor of a model means: samples, channels, rows, columns.

An image has rows and columns, and a convolution or pooling gives its output axes a meaning (in OpenVINO
always N, C, H, W); every other op carries meanings from its inputs to its outputs, as its row in the table of
ops says.
"""

from __future__ import annotations

from collections.abc import Sequence

from openvino import Model, Node, Output

from ovxai_convert.anatomy.inputs import input_layout
from ovxai_convert.ops import op_of
from ovxai_convert.tensors.axes import Axes, Meanings, fresh
from ovxai_convert.tensors.settled import Extents


def trace_axes(model: Model, nodes: Sequence[Node], extents: Extents) -> dict[Output, Axes]:
    """Meaning of every axis of every tensor of known rank, in one pass over the graph's ordered nodes."""
    meanings = Meanings(extents)
    inputs = set(model.get_parameters())
    for node in nodes:
        found = [_of_image(node, meanings)] if node in inputs else op_of(node).meaning(node, meanings)
        for port, axes in zip(node.outputs(), found, strict=False):
            meanings.settle(port, axes)
    return meanings


def _of_image(node: Node, meanings: Meanings) -> Axes | None:
    """An image's axes, where its layout is known."""
    layout, shape = input_layout(node.output(0)), meanings.extents.get(node.output(0))
    if layout is None or shape is None:
        return None
    return tuple(fresh(role, extent) for role, extent in zip(layout, shape, strict=True))
