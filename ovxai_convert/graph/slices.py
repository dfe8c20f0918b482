"""Which part of each axis a Slice or StridedSlice takes, and whether a Gather takes all."""

from __future__ import annotations

from math import prod
from typing import Final

from openvino import Node

from ovxai_convert.graph.ports import constant_ints, extents, rank

_TO_THE_END: Final = 2**31 - 1


def slice_bounds(node: Node) -> dict[int, tuple[int, int]]:
    """Start and stop, by axis, of a slice of step one; empty where not constant or where axes come and go."""
    if node.get_input_size() < 4:
        return {}
    begin, end, step = (constant_ints(node.input_value(index)) for index in (1, 2, 3))
    if begin is None or end is None or step is None or any(each != 1 for each in step):
        return {}
    bounds = list(zip(begin, end, strict=True))
    return _strided(node, bounds) if node.get_type_name() == "StridedSlice" else _by_axis(node, bounds)


def _by_axis(node: Node, bounds: list[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    count = rank(node.input_value(0))
    axes = constant_ints(node.input_value(4)) if node.get_input_size() > 4 else list(range(len(bounds)))
    if count is None or axes is None:
        return {}
    return {axis % count: each for axis, each in zip(axes, bounds, strict=True)}


def _strided(node: Node, bounds: list[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    attributes = node.get_attributes()
    if any(any(attributes[mask]) for mask in ("new_axis_mask", "shrink_axis_mask", "ellipsis_mask")):
        return {}
    begin_open, end_open = ([*attributes[mask], *([0] * len(bounds))] for mask in ("begin_mask", "end_mask"))
    return {
        axis: (0 if begin_open[axis] else first, _TO_THE_END if end_open[axis] else last)
        for axis, (first, last) in enumerate(bounds)
    }


def takes_all_in_order(node: Node) -> bool:
    """Whether a Gather takes every entry of a vector once, in order, and so only gives it another shape.

    Exporters write torch's ``as_strided`` of a contiguous tensor so, behind a Reshape to a vector.
    """
    source, picked = extents(node.input_value(0)), extents(node.input_value(1))
    if source is None or picked is None or len(source) != 1 or source[0] is None or None in picked:
        return False
    count = source[0]
    if prod(each or 0 for each in picked) != count or node.get_attributes().get("batch_dims", 0):
        return False
    return constant_ints(node.input_value(1)) == list(range(count))
