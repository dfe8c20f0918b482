"""Indices of an axis by number or by rank: Gather, TopK."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

from openvino import Node

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, meanings, regions
from ovxai_convert.ops.copying import axis_attribute
from ovxai_convert.ops.kinds import Call, Carried, Copied, Masked, NotHere
from ovxai_convert.ops.levels import by_level
from ovxai_convert.ops.op import Op, Trait, no_products, on_data, traits, types
from ovxai_convert.ops.regions import Reading, Wanted
from ovxai_convert.tensors.axes import Axes, Meanings
from ovxai_convert.tensors.extents import full_shape, ints, pinned, reshaped
from ovxai_convert.tensors.ports import constant_ints, extents


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


def _axis(node: Node) -> int | None:
    """The axis that a Gather picks from, None where it is not constant or counts behind batches."""
    axes, source = constant_ints(node.input_value(2)), extents(node.input_value(0))
    if not axes or source is None or node.get_attributes().get("batch_dims", 0):
        return None
    return axes[0] % len(source)


def _meaning(node: Node, known: Meanings) -> list[Axes | None]:
    """A Gather that takes all of a vector in order is a Reshape; what others pick is not followed."""
    return meanings.dealt(node, known) if takes_all_in_order(node) else [None]


def _copied(call: Call) -> list[Copied] | Refusal:
    axis = _axis(call.node)
    if takes_all_in_order(call.node):
        vector = pinned(copying.port_of(call, 0), {1: call.original(0)[0] or 0})
        return [Copied(reshaped(vector, [call.count, *full_shape(call.node.output(0))]))]
    if axis is None or copying.depends(call):
        return call.refuse("gathers along an axis that is not constant")
    return copying.made(call, [copying.port_of(call, 0), copying.port_of(call, 1), ints(axis + 1)])


def _picked(call: Call, data: Masked) -> Sequence[Carried] | NotHere:
    """Some indices of ``U(m)``, along an axis without positions."""
    axis = _axis(call.node)
    if axis is None or takes_all_in_order(call.node) or axis in data.positions:
        return NotHere("it picks positions, or along an axis that is not constant")
    grown = len(call.original(1)) - 1
    return by_level(call, [tuple(each + grown * (each > axis) for each in data.positions)], affine=True)


def _narrowed(wanted: Wanted) -> Reading:
    """Picking neighbouring indices along one axis."""
    indices, axis = constant_ints(wanted.node.input_value(1)), _axis(wanted.node)
    index_rank = len(wanted.input_shape(1))
    if not indices or axis is None or index_rank > 1:
        return regions.as_a_whole(wanted)
    extent = wanted.input_shape(0)[axis]
    if extent is not None:
        indices = [each % extent for each in indices]
    span = (indices[0], indices[0] + len(indices))
    if indices[0] < 0 or indices != list(range(*span)):
        return regions.as_a_whole(wanted)
    return regions.picked(wanted, {axis: span}, (axis,) if index_rank == 0 else ())


def _best_of_each(call: Call, data: Masked) -> list[Masked] | NotHere:
    """The best along an axis without positions, at every position."""
    (axis,) = axis_attribute(call.node)
    if axis % len(call.original(0)) in data.positions:
        return NotHere("it ranks the positions")
    return by_level(call, [data.positions] * call.node.get_output_size())


OPS: Final = (
    Op(types("Gather"), traits(), _meaning, _copied, (on_data("gather", _picked),), _narrowed, no_products),
    Op(
        types("TopK"),
        traits(Trait.BEST_OF),
        meanings.unknown,
        copying.along_or_merged(axis_attribute, None),
        (on_data("best of each", _best_of_each),),
        regions.as_a_whole,
        no_products,
    ),
)
