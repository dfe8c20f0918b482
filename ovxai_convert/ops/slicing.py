"""Some indices of an axis: Slice, StridedSlice, Split, VariadicSplit, Gather by number, TopK by rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, meanings
from ovxai_convert.ops.copying import axis_attribute, second_input
from ovxai_convert.ops.in_onnx.slicing import slices_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Carried, Copied, Masked, NotHere
from ovxai_convert.ops.levels import by_level, filled, general, some_positions
from ovxai_convert.ops.op import Op, Trait, no_products, on_data, traits, types
from ovxai_convert.ops.regions import Reading, Wanted, as_a_whole, picked
from ovxai_convert.tensors.axes import Axes, Axis, Meanings, clamped, static_extent
from ovxai_convert.tensors.extents import Span, full_shape, ints, pinned, reshaped
from ovxai_convert.tensors.ports import constant_ints, elements, extents, rank

_STRIDED: Final = "StridedSlice"
_SPLITS: Final = "Split VariadicSplit"
_GATHER: Final = "Gather"
_TO_THE_END: Final = 2**31 - 1


def slice_bounds(node: Node) -> dict[int, Span]:
    """Start and stop, by axis, of a slice of step one; empty where not constant or where axes come and go."""
    if node.get_input_size() < 4:
        return {}
    begin, end, step = (constant_ints(node.input_value(index)) for index in (1, 2, 3))
    if begin is None or end is None or step is None or any(size != 1 for size in step):
        return {}
    bounds = list(zip(begin, end, strict=True))
    if node.get_type_name() == _STRIDED:
        return _strided_bounds(node, bounds)
    count, axes = rank(node.input_value(0)), _sliced_axes(node)
    if count is None or axes is None:
        return {}
    return {axis % count: span for axis, span in zip(axes, bounds, strict=True)}


def _sliced_axes(node: Node) -> list[int] | None:
    """The axes of a Slice: those it names, else the first ones."""
    if node.get_input_size() > 4:
        return constant_ints(node.input_value(4))
    starts = constant_ints(node.input_value(1))
    return None if starts is None else list(range(len(starts)))


def _strided_bounds(node: Node, bounds: list[Span]) -> dict[int, Span]:
    attributes = node.get_attributes()
    if any(any(attributes[mask]) for mask in ("new_axis_mask", "shrink_axis_mask", "ellipsis_mask")):
        return {}
    begin_open, end_open = ([*attributes[mask], *([0] * len(bounds))] for mask in ("begin_mask", "end_mask"))
    return {
        axis: (0 if begin_open[axis] else first, _TO_THE_END if end_open[axis] else last)
        for axis, (first, last) in enumerate(bounds)
    }


def _meaning(node: Node, known: Meanings) -> list[Axes | None]:
    """As of any resizing, but a slice that cuts out what a Concat has joined gives it its meaning back."""
    source, bounds = known.get(node.input_value(0)), slice_bounds(node)
    (resized,) = meanings.resized(node, known)
    if source is None or resized is None:
        return [None]
    parts = [_part(source[axis], bounds[axis]) if axis in bounds else None for axis in range(len(source))]
    return [tuple(part or axis for part, axis in zip(parts, resized, strict=True))]


def _part(axis: Axis, bounds: Span) -> Axis | None:
    """The part of a joined axis that a slice takes, None where it cuts through one."""
    if len(axis) != 1 or axis[0].extent is None:
        return None
    span, position = clamped(bounds, axis[0].extent), 0
    for part in axis[0].parts:
        length = static_extent(part)
        if length is None:
            return None
        if span == (position, position + length):
            return part
        position += length
    return None


def _pieces_meaning(node: Node, known: Meanings) -> list[Axes | None]:
    """As of any resizing, but a piece that was joined to others gets its meaning back."""
    source, axes, resized = known.get(node.input_value(0)), second_input(node), meanings.resized(node, known)
    if source is None or axes is None or None in resized:
        return resized
    axis, start = axes[0] % len(source), 0
    found: list[Axes | None] = []
    for piece in resized:
        assert piece is not None, "checked above"
        length = static_extent(piece[axis])
        part = None if length is None else _part(source[axis], (start, start + length))
        found.append((*piece[:axis], part or piece[axis], *piece[axis + 1 :]))
        if length is None:
            return resized
        start += length
    return found


def _sliced_copies(call: Call) -> list[Copied] | Refusal:
    axes = _sliced_axes(call.node)
    if axes is None or copying.depends(call):
        return call.refuse("slices along axes that are not constant")
    places = ints([axis % len(call.original(0)) + 1 for axis in axes])
    bounds = [copying.port_of(call, index) for index in (1, 2, 3)]
    return [Copied(ops.slice(copying.port_of(call, 0), *bounds, places).output(0))]


def _strided_copies(call: Call) -> list[Copied] | Refusal:
    """One more entry in front of bounds and masks: all of the copies."""
    count = call.original(1)[0] if call.original(1) else None
    if count is None or copying.depends(call):
        return call.refuse("has bounds that depend on the target")
    own = call.node.get_attributes()
    first = {"begin_mask": 1, "end_mask": 1, "new_axis_mask": 0, "shrink_axis_mask": 0, "ellipsis_mask": 0}
    masks = {name: [bit, *own[name], *[0] * (count - len(own[name]))] for name, bit in first.items()}
    bounds = []
    for index in range(1, len(call.inputs)):
        port = copying.port_of(call, index)
        entry = ops.convert(ints([1 if index == 3 else 0]), port.get_element_type())
        bounds.append(ops.concat([entry, port], 0).output(0))
    return copying.made(call, [copying.port_of(call, 0), *bounds], masks)


def _some(call: Call, data: Masked) -> Sequence[Carried] | NotHere:
    """Some tokens, channels or heads: ``U(m)`` cut; of positions the mask is cut, too."""
    bounds = slice_bounds(call.node)
    if not bounds:
        return NotHere("its bounds are not constant, its step is not one, or axes come and go")
    lengths = {axis: call.original(0)[axis] for axis in data.positions if axis in bounds}
    if all(clamped(bounds[axis], length or 0) == (0, length) for axis, length in lengths.items()):
        return by_level(call, [data.positions], affine=True)
    if len(data.positions) != 1 or data.mask.pooled:
        return NotHere("it cuts the rows or columns of a map")
    ((axis, length),) = lengths.items()
    if length is None:
        return NotHere("it cuts positions whose number is open")
    tensor = filled(general(data))
    outputs = by_level(replace(call, inputs=[tensor, *call.inputs[1:]]), [data.positions], affine=True)
    if isinstance(outputs, NotHere):
        return outputs
    return [some_positions(tensor, outputs[0].parts, clamped(bounds[axis], length))]


def _narrowed(wanted: Wanted) -> Reading:
    """A slice of step one along static axes."""
    bounds = slice_bounds(wanted.node)
    if not bounds:
        return as_a_whole(wanted)
    spans = {}
    for axis, span in bounds.items():
        extent = wanted.input_shape(0)[axis]
        if extent is None and (span[0] != 0 or span[1] < _TO_THE_END):
            return as_a_whole(wanted)
        if extent is not None and (taken := clamped(span, extent)) != (0, extent):
            spans[axis] = taken
    return picked(wanted, spans)


def _one_piece(wanted: Wanted) -> Reading:
    axes = constant_ints(wanted.node.input_value(1))
    if axes is None:
        return as_a_whole(wanted)
    axis = axes[0] % len(wanted.shape)
    outputs = wanted.node.outputs()
    lengths = [length for port in outputs if (length := wanted.extents[port][axis]) is not None]
    if len(lengths) != len(outputs):
        return as_a_whole(wanted)
    start = sum(lengths[: wanted.index])
    return picked(wanted, {axis: (start, start + lengths[wanted.index])})


def _pieces(call: Call, data: Masked) -> list[Masked] | NotHere:
    """Every piece of ``U(m)``, along an axis without positions."""
    axes = second_input(call.node)
    if axes is None or axes[0] % len(call.original(0)) in data.positions:
        return NotHere("it splits the positions")
    return by_level(call, [data.positions] * call.node.get_output_size(), affine=True)


def indices_taken(port: Output, axis: int, width: int) -> list[int] | None:
    """Which of ``width`` indices of an axis of its first input a tensor has; None if all, or unknown."""
    node = port.get_node()
    bounds = slice_bounds(node)
    if axis in bounds:
        return list(range(*clamped(bounds[axis], width)))
    if node.get_type_name() == _GATHER:
        indices = constant_ints(node.input_value(1)) if _gathered_axis(node) == axis else None
        return None if indices is None else [index % width for index in indices]
    axes = second_input(node) if node.get_type_name() in _SPLITS.split() else None
    if axes is None or axes[0] % len(extents(node.input_value(0)) or (1,)) != axis:
        return None
    lengths = [(extents(piece) or ())[axis] for piece in node.outputs()[: port.get_index() + 1]]
    if None in lengths:
        return None
    *before, length = (each or 0 for each in lengths)
    return list(range(sum(before), sum(before) + length))


def _takes_all_in_order(node: Node) -> bool:
    """Whether a Gather takes every entry of a vector once, in order, and so only gives it another shape.

    Exporters write torch's ``as_strided`` of a contiguous tensor so, behind a Reshape to a vector.
    """
    source, indices = extents(node.input_value(0)), node.input_value(1)
    if source is None or len(source) != 1 or source[0] is None or node.get_attributes().get("batch_dims", 0):
        return False
    return elements(indices) == source[0] and constant_ints(indices) == list(range(source[0]))


def _gathered_axis(node: Node) -> int | None:
    """The axis that a Gather picks from, None where it is not constant or counts behind batches."""
    axes, source = constant_ints(node.input_value(2)), extents(node.input_value(0))
    if not axes or source is None or node.get_attributes().get("batch_dims", 0):
        return None
    return axes[0] % len(source)


def _gathered_meaning(node: Node, known: Meanings) -> list[Axes | None]:
    """A Gather that takes all there is, in order, is a Reshape; what others pick is not followed."""
    return meanings.dealt(node, known) if _takes_all_in_order(node) or _takes_the_only(node) else [None]


def _takes_the_only(node: Node) -> bool:
    """Whether a Gather takes the only entry of an axis, and so drops that."""
    axis, source = _gathered_axis(node), extents(node.input_value(0))
    if axis is None or source is None or source[axis] != 1:
        return False
    return extents(node.input_value(1)) == () and constant_ints(node.input_value(1)) in ([0], [-1])


def _gathered_copies(call: Call) -> list[Copied] | Refusal:
    axis = _gathered_axis(call.node)
    if _takes_all_in_order(call.node):
        vector = pinned(copying.port_of(call, 0), {1: call.original(0)[0] or 0})
        return [Copied(reshaped(vector, [call.count, *full_shape(call.node.output(0))]))]
    if axis is None or copying.depends(call):
        return call.refuse("gathers along an axis that is not constant")
    return copying.made(call, [copying.port_of(call, 0), copying.port_of(call, 1), ints(axis + 1)])


def _gathered(call: Call, data: Masked) -> Sequence[Carried] | NotHere:
    """Some indices of ``U(m)``, along an axis without positions."""
    axis = _gathered_axis(call.node)
    if axis is None or _takes_all_in_order(call.node) or axis in data.positions:
        return NotHere("it picks positions, or along an axis that is not constant")
    grown = len(call.original(1)) - 1
    return by_level(call, [tuple(place + grown * (place > axis) for place in data.positions)], affine=True)


def _neighbours(wanted: Wanted) -> Reading:
    indices, axis = constant_ints(wanted.node.input_value(1)), _gathered_axis(wanted.node)
    index_rank = len(wanted.input_shape(1))
    if not indices or axis is None or index_rank > 1:
        return as_a_whole(wanted)
    extent = wanted.input_shape(0)[axis]
    if extent is not None:
        indices = [index % extent for index in indices]
    span = (indices[0], indices[0] + len(indices))
    if indices[0] < 0 or indices != list(range(*span)):
        return as_a_whole(wanted)
    return picked(wanted, {axis: span}, (axis,) if index_rank == 0 else ())


def _best_of_each(call: Call, data: Masked) -> list[Masked] | NotHere:
    """The best along an axis without positions, at every position."""
    (axis,) = axis_attribute(call.node)
    if axis % len(call.original(0)) in data.positions:
        return NotHere("it ranks the positions")
    return by_level(call, [data.positions] * call.node.get_output_size())


_SOME: Final = (on_data("slice", _some),)
_PIECES: Final = (on_data("split", _pieces),)
_GATHERED: Final = (on_data("gather", _gathered),)
_BEST: Final = (on_data("best of each", _best_of_each),)
_split: Final = copying.along(second_input, 1)
_best_copies: Final = copying.along_or_merged(axis_attribute, None)

OPS: Final = (
    Op(types("Slice"), traits(Trait.SLICE), _meaning, _sliced_copies, _SOME, _narrowed, no_products, in_onnx),
    Op(
        types(_STRIDED),
        traits(Trait.SLICE),
        _meaning,
        _strided_copies,
        _SOME,
        _narrowed,
        no_products,
        in_onnx,
    ),
    Op(
        types(_SPLITS),
        traits(Trait.PIECES),
        _pieces_meaning,
        _split,
        _PIECES,
        _one_piece,
        no_products,
        in_onnx,
    ),
    Op(
        types(_GATHER),
        traits(Trait.TAKING),
        _gathered_meaning,
        _gathered_copies,
        _GATHERED,
        _neighbours,
        no_products,
        in_onnx,
    ),
    Op(
        types("TopK"),
        traits(Trait.BEST_OF),
        meanings.unknown,
        _best_copies,
        _BEST,
        as_a_whole,
        no_products,
        in_onnx,
    ),
)
