"""Makers of the answer to what an op's output axes hold."""

from __future__ import annotations

from openvino import Node

from ovxai_convert.tensors.axes import Axes, Axis, Meanings, deal_atoms, fresh, is_unclear, static_extent


def unknown(node: Node, meanings: Meanings) -> list[Axes | None]:
    """Nothing is known."""
    return [None] * node.get_output_size()


def kept(node: Node, meanings: Meanings) -> list[Axes | None]:
    """The first output has the axes of the first input."""
    return [meanings.get(node.input_value(0)), *[None] * (node.get_output_size() - 1)]


def elementwise(node: Node, meanings: Meanings) -> list[Axes | None]:
    """Each output axis takes the first meaning that an input of the same (broadcast) extent gives it."""
    shape = meanings.extents.get(node.output(0))
    if shape is None:
        return [None]
    result: list[Axis] = [fresh("?", extent) for extent in shape]
    for port in node.input_values():
        source = meanings.get(port, ())
        offset = len(shape) - len(source)
        for index, axis in enumerate(source, start=offset):
            if index >= 0 and is_unclear(result[index]) and static_extent(axis) == shape[index]:
                result[index] = axis
    return [tuple(result)]


def dealt(node: Node, meanings: Meanings) -> list[Axes | None]:
    """The input's atoms dealt out over the output's axes, in row-major order."""
    source, shape = meanings.get(node.input_value(0)), meanings.extents.get(node.output(0))
    if source is None or shape is None:
        return [None]
    return [deal_atoms([atom for axis in source for atom in axis], shape)]


def resized(node: Node, meanings: Meanings) -> list[Axes | None]:
    """An axis of one atom keeps its role at the new extent."""
    source = meanings.get(node.input_value(0))
    shapes = [meanings.extents.get(port) for port in node.outputs()]
    return [
        tuple(map(_at_extent, source, shape)) if source and shape and len(shape) == len(source) else None
        for shape in shapes
    ]


def _at_extent(axis: Axis, extent: int | None) -> Axis:
    if static_extent(axis) == extent:
        return axis
    return fresh(axis[0].role if len(axis) == 1 else "?", extent)


def windows(node: Node, meanings: Meanings) -> list[Axes | None]:
    """Convolution and pooling: samples as in the input, then channels, then one to three spatial axes."""
    shape = meanings.extents.get(node.output(0))
    if shape is None or not 3 <= len(shape) <= 5:
        return unknown(node, meanings)
    source = meanings.get(node.input_value(0))
    samples = source[0] if source and source[0][0].role != "?" else fresh("N", shape[0])
    axes = zip("DHW"[5 - len(shape) :], shape[2:], strict=True)
    return [(samples, fresh("C", shape[1]), *(fresh(*axis) for axis in axes))] * node.get_output_size()
