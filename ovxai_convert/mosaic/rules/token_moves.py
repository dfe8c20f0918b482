"""Tokens under other axes, and some tokens apart from others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.graph.axes import Axes, deal_atoms
from ovxai_convert.graph.op_types import AXIS_MOVES
from ovxai_convert.graph.ports import constant_ints
from ovxai_convert.graph.slices import slice_bounds
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Carried, Masked, Shared
from ovxai_convert.mosaic.masked import at_level, filled, mask_among_others, own_extents, part_of_mask
from ovxai_convert.mosaic.rules.rule import Rule, shape_of
from ovxai_convert.mosaic.rules.token_wise import masked_of
from ovxai_convert.mosaic.shapes import Span, reshaped, sliced, transposed


def _transpose(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Any constant order."""
    tensor, order = inputs[0], constant_ints(node.input_value(1))
    if not isinstance(tensor, Masked) or not order:
        return None
    parts = tuple(transposed(part, order) for part in tensor.parts)
    return [replace(tensor, parts=parts, axes=tuple(tensor.axes[axis] for axis in order))]


def _reshape(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Tokens keep an axis of their own; samples may become the outermost factor of another (heads)."""
    tensor, shape = inputs[0], shape_of(node.output(0))
    if not isinstance(tensor, Masked):
        return None
    dealt = deal_atoms([atom for axis in tensor.axes for atom in axis], shape)
    if dealt is None or not _well_placed(dealt, tensor):
        return None
    parts = tuple(_under(part, tensor, dealt) for part in tensor.parts)
    return [replace(tensor, parts=parts, axes=dealt)]


def _well_placed(axes: Axes, tensor: Masked) -> bool:
    """Whether tokens lie alone on one axis, and samples, unsplit, are the outermost factor of another."""
    before = [atom for axis in tensor.axes for atom in axis if atom.role in "NT"]
    after = [atom for axis in axes for atom in axis if atom.role in "NT"]
    inside = any(atom.role in "NT" for axis in axes for atom in axis[1:])
    alone = all(len(axis) == 1 for axis in axes if axis[0].role == "T")
    return before == after and alone and not inside


def _under(part: Output, tensor: Masked, axes: Axes) -> Output:
    """A part of a tensor under other axes, with extents 1 where it has them."""
    atoms = [atom for axis in tensor.axes for atom in axis]
    once = {
        atom.role
        for atom, own in zip(atoms, own_extents(tensor, part), strict=True)
        if atom.role in "NT" and own == 1
    }
    shape = []
    for axis in axes:
        own = [1 if atom.role in once else -1 if atom.extent is None else atom.extent for atom in axis]
        shape.append(-1 if -1 in own else prod(own))
    return reshaped(part, shape)


def _slice(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Some tokens, channels or heads; tokens that weigh the same in every copy are the same in every copy."""
    tensor, spans = inputs[0], None
    if isinstance(tensor, Masked):
        spans = _spans(tensor, slice_bounds(node))
    if not isinstance(tensor, Masked) or not spans:
        return None
    axes = _resized(tensor.axes, spans)
    tokens = spans.get(tensor.token_axis)
    if tokens is None:
        return [replace(tensor, parts=tuple(sliced(part, spans) for part in tensor.parts), axes=axes)]
    tensor = filled(tensor)
    mask = part_of_mask(tensor.mask, tokens)
    if mask.everywhere is not None:
        return [Shared(sliced(at_level(tensor, mask.everywhere), spans))]
    return [replace(tensor, parts=tuple(sliced(part, spans) for part in tensor.parts), axes=axes, mask=mask)]


def _spans(tensor: Masked, bounds: Mapping[int, Span]) -> dict[int, Span] | None:
    """What is cut from each axis, None where one is the samples' or of several factors."""
    spans = {}
    for axis, (start, stop) in bounds.items():
        extent = tensor.axes[axis][0].extent
        if len(tensor.axes[axis]) != 1 or extent is None or axis == tensor.sample_axis:
            return None
        first, last = (min(max(each + extent if each < 0 else each, 0), extent) for each in (start, stop))
        spans[axis] = (first, last)
    return spans


def _resized(axes: Axes, spans: Mapping[int, Span]) -> Axes:
    """Axes of which some are cut; each keeps what it holds."""
    return tuple(
        (replace(held[0], extent=spans[axis][1] - spans[axis][0]),) if axis in spans else held
        for axis, held in enumerate(axes)
    )


def _join(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Masked tokens beside some that are the same in every copy, as a rotary embedding leaves them."""
    masked = masked_of(inputs)
    if masked is None or len(masked) != 1:
        return None
    tensor = filled(masked[0])
    joined = int(node.get_attributes()["axis"]) % len(tensor.axes)
    lengths = [shape_of(port)[joined] for port in node.input_values()]
    if joined != tensor.token_axis or None in lengths:
        return None
    place = inputs.index(masked[0])
    before, after = (sum(length or 0 for length in part) for part in (lengths[:place], lengths[place + 1 :]))
    parts = tuple(
        ops.concat([each.port if isinstance(each, Shared) else part for each in inputs], joined).output(0)
        for part in tensor.parts
    )
    axes = _resized(tensor.axes, {joined: (0, sum(length or 0 for length in lengths))})
    return [replace(tensor, parts=parts, axes=axes, mask=mask_among_others(tensor.mask, before, after))]


TOKEN_TRANSPOSE_RULE: Final = Rule("token transpose", frozenset({"Transpose"}), _transpose)
TOKEN_RESHAPE_RULE: Final = Rule("token reshape", AXIS_MOVES - {"Transpose"}, _reshape)
TOKEN_SLICE_RULE: Final = Rule("token slice", frozenset({"Slice", "StridedSlice"}), _slice)
TOKEN_JOIN_RULE: Final = Rule("token join", frozenset({"Concat"}), _join)
