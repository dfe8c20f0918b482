"""Ops on the batch of copies that permute, pick, cut, pad or repeat along axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openvino import Node

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.ports import constant_ints, extents, rank
from ovxai_convert.graph.slices import takes_all_in_order
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.dense_rules import reshaping
from ovxai_convert.mosaic.dense_rules.batched import (
    Batched,
    finish,
    first_only,
    refuse,
    with_parameters,
)
from ovxai_convert.mosaic.dense_rules.cellwise import along_axes
from ovxai_convert.mosaic.kinds import Dense
from ovxai_convert.mosaic.shapes import rank_of

_NO_END: Final = 2**31 - 1


def transpose(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Any constant order; the copies go with their axis."""
    first, order = first_only(node, inputs), constant_ints(node.input_value(1))
    if isinstance(first, Refusal):
        return first
    if order is None:
        return refuse(node, "has an order that is not constant")
    order = order or list(range(rank_of(first.port)))[::-1]
    return finish(node, with_parameters(first.port, inputs), order.index(first.batch_axis), first.inner)


def gather(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Constant indices along an axis that is not the copies'; or all of a vector, in another shape."""
    if takes_all_in_order(node):
        return reshaping.reshape(node, inputs, copies)
    first, axes = first_only(node, inputs), constant_ints(node.input_value(2))
    if isinstance(first, Refusal):
        return first
    index_rank = rank(node.input_value(1))
    if axes is None or index_rank is None or node.get_attributes().get("batch_dims", 0):
        return refuse(node, "gathers along an axis that is not constant")
    axis = axes[0] % rank_of(first.port)
    if axis == first.batch_axis:
        return refuse(node, "picks from the axis that holds the copies")
    moved = index_rank - 1 if axis < first.batch_axis else 0
    return finish(node, with_parameters(first.port, inputs), first.batch_axis + moved, first.inner)


def slice_(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Slices that leave the copies' axis whole."""
    axes = constant_ints(node.input_value(4)) if node.get_input_size() > 4 else None
    starts = constant_ints(node.input_value(1))
    if axes is None:
        axes = list(range(len(starts))) if starts is not None and node.get_input_size() <= 4 else None
    return along_axes(lambda _: axes)(node, inputs, copies)


def strided_slice(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Strided slices that leave the copies' axis whole; its bounds, which may be baked, are masked out."""
    first, begin, end = first_only(node, inputs), *(constant_ints(node.input_value(each)) for each in (1, 2))
    if isinstance(first, Refusal):
        return first
    attributes, axis = node.get_attributes(), first.batch_axis
    moving = [attributes[mask] for mask in ("new_axis_mask", "shrink_axis_mask", "ellipsis_mask")]
    if any(any(mask[: axis + 1]) for mask in moving) or any(attributes["ellipsis_mask"]):
        return refuse(node, "adds or drops axes before the copies' axis")
    if begin is None or end is None:
        return refuse(node, "has bounds that are not constant")
    if axis >= len(begin):
        return finish(node, with_parameters(first.port, inputs), axis, first.inner)
    begin_mask, end_mask = (_padded(attributes[mask], len(begin)) for mask in ("begin_mask", "end_mask"))
    length = (extents(node.input_value(0)) or ())[axis]
    whole = (begin_mask[axis] or begin[axis] == 0) and (end_mask[axis] or end[axis] >= (length or _NO_END))
    if not whole:
        return refuse(node, "cuts the axis that holds the copies")
    begin_mask[axis] = end_mask[axis] = 1
    masks = {"begin_mask": begin_mask, "end_mask": end_mask}
    return finish(node, with_parameters(first.port, inputs), axis, first.inner, masks)


def _padded(mask: Sequence[int], length: int) -> list[int]:
    return [*mask, *([0] * (length - len(mask)))]


def broadcast(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Broadcast to a shape whose entry for the copies' axis is scaled."""
    first = first_only(node, inputs)
    if isinstance(first, Refusal):
        return first
    full = rank(node.output(0))
    if full is None or len(inputs) != 2:
        return refuse(node, "broadcasts along explicit axes")
    axis = first.batch_axis + full - rank_of(first.port)
    pattern = copies.scaled_pattern(inputs[1].port, axis, full)
    return finish(node, [first.port, pattern], axis, first.inner)


def tile(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Repeats along other axes."""
    repeats = constant_ints(node.input_value(1))
    full = rank(node.output(0))
    if repeats is None or full is None:
        return refuse(node, "repeats a number of times that is not constant")
    padded = [1] * (full - len(repeats)) + repeats
    if full != rank(node.input_value(0)):
        return refuse(node, "adds axes")
    return along_axes(lambda _: [axis for axis, times in enumerate(padded) if times != 1])(
        node, inputs, copies
    )


def pad(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Pads other axes."""
    begin, end = constant_ints(node.input_value(1)), constant_ints(node.input_value(2))
    padded = (
        None
        if begin is None or end is None
        else [i for i, pair in enumerate(zip(begin, end, strict=True)) if any(pair)]
    )
    return along_axes(lambda _: padded)(node, inputs, copies)
