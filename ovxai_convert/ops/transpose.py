"""Axes in another order, on every kind of tensor."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from openvino import Node

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, regions
from ovxai_convert.ops.kinds import Call, Copied, Masked, NotHere
from ovxai_convert.ops.op import Op, Trait, no_products, on_data, traits, types
from ovxai_convert.ops.regions import Reading, Wanted
from ovxai_convert.tensors.axes import Axes, Meanings
from ovxai_convert.tensors.extents import ints
from ovxai_convert.tensors.permuting import TRANSPOSE, order_of, transposed


def _meaning(node: Node, meanings: Meanings) -> list[Axes | None]:
    source, order = meanings.get(node.input_value(0)), order_of(node)
    return [None if source is None or order is None else tuple(source[axis] for axis in order)]


def _copied(call: Call) -> list[Copied] | Refusal:
    order = order_of(call.node)
    if order is None or copying.depends(call):
        return call.refuse("has an order that is not constant")
    return copying.made(call, [copying.port_of(call, 0), ints([0, *(axis + 1 for axis in order)])])


def _moved(call: Call, data: Masked) -> list[Masked] | NotHere:
    """``transposed(U(m))``; positions go with their axes, rows before columns as before."""
    order = order_of(call.node)
    if order is None:
        return NotHere("its order is not constant")
    positions = tuple(order.index(axis) for axis in data.positions)
    if list(positions) != sorted(positions):
        return NotHere("it puts columns before rows")
    parts = tuple(transposed(part, order) for part in data.parts)
    thin = None if data.thin is None else order.index(data.thin)
    return [replace(data, parts=parts, positions=positions, thin=thin)]


def _narrowed(wanted: Wanted) -> Reading:
    order = order_of(wanted.node)
    if order is None:
        return regions.as_a_whole(wanted)
    source = tuple(wanted.region[order.index(axis)] for axis in range(len(order)))
    return wanted.recreated(wanted.region, [source, *wanted.whole_inputs()[1:]])


OPS: Final = (
    Op(
        types(TRANSPOSE),
        traits(Trait.MOVE),
        _meaning,
        _copied,
        (on_data("transpose", _moved),),
        _narrowed,
        no_products,
    ),
)
