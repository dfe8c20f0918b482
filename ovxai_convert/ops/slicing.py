"""Some indices of an axis: Slice, StridedSlice, Split, VariadicSplit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from openvino import Node
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, meanings, regions
from ovxai_convert.ops.copying import second_input
from ovxai_convert.ops.kinds import Call, Carried, Copied, Masked, NotHere
from ovxai_convert.ops.levels import by_level, filled, general, some_positions
from ovxai_convert.ops.op import Op, no_products, on_data, traits, types
from ovxai_convert.ops.regions import Reading, Wanted
from ovxai_convert.tensors.axes import Axes, Axis, Meanings, clamped, static_extent
from ovxai_convert.tensors.extents import Span, ints
from ovxai_convert.tensors.ports import constant_ints, rank

_STRIDED: Final = "StridedSlice"
_TO_THE_END: Final = 2**31 - 1


def slice_bounds(node: Node) -> dict[int, Span]:
    """Start and stop, by axis, of a slice of step one; empty where not constant or where axes come and go."""
    if node.get_input_size() < 4:
        return {}
    begin, end, step = (constant_ints(node.input_value(index)) for index in (1, 2, 3))
    if begin is None or end is None or step is None or any(each != 1 for each in step):
        return {}
    bounds = list(zip(begin, end, strict=True))
    return _strided_bounds(node, bounds) if node.get_type_name() == _STRIDED else _bounds(node, bounds)


def _bounds(node: Node, bounds: list[Span]) -> dict[int, Span]:
    count, axes = rank(node.input_value(0)), _sliced_axes(node)
    if count is None or axes is None:
        return {}
    return {axis % count: each for axis, each in zip(axes, bounds, strict=True)}


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
    total = static_extent(axis)
    if len(axis) != 1 or total is None:
        return None
    span, position = clamped(bounds, total), 0
    for part in axis[0].parts:
        length = static_extent(part)
        if length is None:
            return None
        if span == (position, position + length):
            return part
        position += length
    return None


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
    attributes = call.node.get_attributes()
    first = {"begin_mask": 1, "end_mask": 1, "new_axis_mask": 0, "shrink_axis_mask": 0, "ellipsis_mask": 0}
    masks = {
        name: [each, *attributes[name], *[0] * (count - len(attributes[name]))]
        for name, each in first.items()
    }
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
    if not any(axis in bounds and not _takes_all(call, axis, bounds[axis]) for axis in data.positions):
        return by_level(call, [data.positions], affine=True)
    if len(data.positions) != 1 or data.mask.pooled:
        return NotHere("it cuts the rows or columns of a map")
    (axis,), length = data.positions, call.original(0)[data.positions[0]]
    if length is None:
        return NotHere("it cuts positions whose number is open")
    tensor = filled(general(data))
    outputs = by_level(replace(call, inputs=[tensor, *call.inputs[1:]]), [data.positions], affine=True)
    if isinstance(outputs, NotHere):
        return outputs
    return [some_positions(tensor, outputs[0].parts, clamped(bounds[axis], length))]


def _takes_all(call: Call, axis: int, bounds: Span) -> bool:
    length = call.original(0)[axis]
    return length is not None and clamped(bounds, length) == (0, length)


def _narrowed(wanted: Wanted) -> Reading:
    """A slice of step one along static axes."""
    bounds = slice_bounds(wanted.node)
    if not bounds:
        return regions.as_a_whole(wanted)
    spans = {}
    for axis, each in bounds.items():
        extent = wanted.input_shape(0)[axis]
        if extent is not None:
            spans[axis] = clamped(each, extent)
        elif each[0] != 0 or each[1] < _TO_THE_END:
            return regions.as_a_whole(wanted)
    whole = {axis for axis, span in spans.items() if span == (0, wanted.input_shape(0)[axis])}
    return regions.picked(wanted, {axis: span for axis, span in spans.items() if axis not in whole})


def _one_piece(wanted: Wanted) -> Reading:
    """One of the pieces of an axis."""
    axes = constant_ints(wanted.node.input_value(1))
    if axes is None:
        return regions.as_a_whole(wanted)
    axis = axes[0] % len(wanted.shape)
    lengths = [wanted.extents[port][axis] for port in wanted.node.outputs()]
    static = [each for each in lengths if each is not None]
    if len(static) != len(lengths):
        return regions.as_a_whole(wanted)
    start = sum(static[: wanted.index])
    return regions.picked(wanted, {axis: (start, start + static[wanted.index])})


def _pieces(call: Call, data: Masked) -> list[Masked] | NotHere:
    """Every piece of ``U(m)``, along an axis without positions."""
    axes = second_input(call.node)
    if axes is None or axes[0] % len(call.original(0)) in data.positions:
        return NotHere("it splits the positions")
    return by_level(call, [data.positions] * call.node.get_output_size(), affine=True)


_SOME: Final = on_data("slice", _some)

OPS: Final = (
    Op(types("Slice"), traits(), _meaning, _sliced_copies, (_SOME,), _narrowed, no_products),
    Op(types(_STRIDED), traits(), _meaning, _strided_copies, (_SOME,), _narrowed, no_products),
    Op(
        types("Split VariadicSplit"),
        traits(),
        meanings.resized,
        copying.along(second_input, 1),
        (on_data("split", _pieces),),
        _one_piece,
        no_products,
    ),
)
