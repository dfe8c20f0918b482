"""The same numbers under other axes: Transpose, Reshape, Squeeze, Unsqueeze."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops
from openvino.op import Constant

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, elementwise, meanings, products, regions
from ovxai_convert.ops.copying import second_input
from ovxai_convert.ops.in_onnx.moves import moves_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Copied, Masked, NotHere, Shared
from ovxai_convert.ops.levels import moved
from ovxai_convert.ops.op import CopiedForm, Op, Trait, no_products, on_data, traits, types
from ovxai_convert.ops.regions import Reading, Region, Wanted, within
from ovxai_convert.tensors.axes import Atom, Axes, Meanings, deal_atoms
from ovxai_convert.tensors.extents import Span, ints, pinned, reshaped
from ovxai_convert.tensors.permuting import TRANSPOSE, order_of, transposed
from ovxai_convert.tensors.ports import constant_ints, rank
from ovxai_convert.tensors.recreate import recreate
from ovxai_convert.tensors.settled import Extents

RESHAPE: Final = "Reshape"
_POSITION, _OTHER = "P", "?"


def _turned(node: Node, known: Meanings) -> list[Axes | None]:
    source, order = known.get(node.input_value(0)), order_of(node)
    return [None if source is None or order is None else tuple(source[axis] for axis in order)]


def _turned_copies(call: Call) -> list[Copied] | Refusal:
    order = order_of(call.node)
    if order is None or copying.depends(call):
        return call.refuse("has an order that is not constant")
    return copying.made(call, [copying.port_of(call, 0), ints([0, *(axis + 1 for axis in order)])])


def _transposed(call: Call, data: Masked) -> list[Masked] | NotHere:
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


def _turned_region(wanted: Wanted) -> Reading:
    order = order_of(wanted.node)
    if order is None:
        return regions.as_a_whole(wanted)
    source = tuple(wanted.region[order.index(axis)] for axis in range(len(order)))
    return wanted.on_data(wanted.region, source)


def _pattern(call: Call) -> Output:
    """The shape to take: as the op is told it, but for a batch that is written into that, which is left open.

    OpenVINO mends such an op of a model that is given another batch in the same way.
    """
    told = call.node.input_value(1)
    source = told.get_node()
    shape = [int(entry) for entry in source.data.ravel()] if isinstance(source, Constant) else []
    if not shape or min(shape) < 1:
        return told
    return ops.constant([-1, *shape[1:]], told.get_element_type()).output(0)


def _reshaped_copies(call: Call) -> list[Copied] | Refusal:
    """P in front of the pattern; what it copies or infers stays as it is."""
    if copying.depends(call):
        return call.refuse("has a shape that depends on the target")
    pattern = _pattern(call)
    count = ops.convert(call.count, pattern.get_element_type()).output(0)
    return copying.made(call, [copying.port_of(call, 0), ops.concat([count, pattern], 0).output(0)])


def _squeezed_copies(call: Call) -> list[Copied] | Refusal:
    """One axis further on; where the op names none, those of extent one."""
    if len(call.inputs) > 1:
        return copying.along(second_input, 1)(call)
    gone = ints([axis for axis, size in enumerate(call.original(0), start=1) if size == 1])
    return [Copied(ops.squeeze(copying.port_of(call, 0), gone).output(0))]


def _unsqueezed_copies(call: Call) -> list[Copied] | Refusal:
    axes, full = constant_ints(call.node.input_value(1)), rank(call.node.output(0))
    if axes is None or full is None:
        return call.refuse("adds axes at places that are not constant")
    return copying.made(call, [copying.port_of(call, 0), ints([axis % full + 1 for axis in axes])])


def _dealt(call: Call, data: Masked) -> list[Masked] | NotHere:
    """``reshaped(U(m))``: positions keep axes of their own, merged or split among themselves; or a Flatten.

    Their order stays that of the map, row by row, so that which copy keeps which position does not change.
    """
    before, after = call.original(0), call.result
    if _flattens(before, after) and data.mask.one_hot and 0 not in data.positions:
        return [replace(data, flat=True)]
    atoms = [Atom(_POSITION if axis in data.positions else _OTHER, size) for axis, size in enumerate(before)]
    axes = deal_atoms(atoms, after)
    if axes is None or data.mask.pooled:
        return NotHere("its axes cannot be followed, or hold a pooled map")
    held = [{atom.role for atom in axis if atom.extent != 1} for axis in axes]
    if any(len(roles) > 1 for roles in held):
        return NotHere("it merges positions with other axes")
    positions = tuple(axis for axis, roles in enumerate(held) if roles == {_POSITION})
    if not data.mask.one_hot and len(positions) != 1:
        return NotHere("it splits tokens")
    if len(call.inputs) > 1 and call.node.get_type_name() == RESHAPE:
        call = replace(call, inputs=[call.inputs[0], Shared(_pattern(call))])
    # a single row cannot be told from an axis that holds nothing, so that it must stay single
    if once := {axis: 1 for axis in data.positions if before[axis] == 1}:
        data = replace(data, parts=(*data.parts[:-1], pinned(data.parts[-1], once)))
    return moved(call, data, positions)


def _flattens(before: Sequence[int | None], after: Sequence[int | None]) -> bool:
    """Whether ``[N, D1, D2, ...]`` becomes ``[N, D1 * D2 * ...]``."""
    if len(before) < 3 or len(after) != 2 or before[0] != after[0] or None in before[1:]:
        return False
    return after[1] == prod(size or 0 for size in before[1:])


def _narrowed(wanted: Wanted) -> Reading:
    """An axis that is one axis of the input, or the outermost factor of one; others are read whole."""
    if (apart := _kept_apart(wanted)) is not None:
        return apart
    before, after, port = wanted.input_shape(0), wanted.shape, wanted.node.input_value(0)
    atoms = [Atom(_OTHER, size, origin=(port, axis)) for axis, size in enumerate(before)]
    computed: list[Span | None] = [None] * len(after)
    source: list[Span | None] = [None] * len(before)
    met: set[int] = set()
    for axis, held in enumerate(deal_atoms(atoms, after) or ()):
        origins = [atom.origin[1] for atom in held if atom.origin]
        outermost = len(held) == 1 and origins and origins[0] not in met
        met.update(origins)
        span, size, full = wanted.region[axis], after[axis], before[origins[0]] if outermost else None
        if span is not None and size is not None and full is not None:
            computed[axis] = span
            source[origins[0]] = (span[0] * (full // size), span[1] * (full // size))
    shape = within(wanted.node.output(wanted.index), computed)
    return wanted.from_data(tuple(computed), source, lambda port: reshaped(port, shape))


def _kept_apart(wanted: Wanted) -> Reading | None:
    """A Reshape behind a linear layer, read from what the Reshape before that merges; None of any other.

    ``[T, N, h, d] -> [T * N, C] -> layer -> [T * N, C'] -> [T, N, C']``, as torch writes attention. In the
    middle, samples lie inside of tokens; the layer does not care, and works as well on axes kept apart.
    """
    layer: list[Node] = []  # ops that do the same to each row, in order
    port = wanted.node.input_value(0)
    while (rows := _rows_read_by(port.get_node(), wanted.extents)) is not None:
        layer.insert(0, port.get_node())
        port = rows
    first = port.get_node()
    if not layer or first.get_type_name() != RESHAPE:
        return None
    merged, before = wanted.extents[port], wanted.extents[first.input_value(0)]
    leading = wanted.shape[:-1]
    if len(merged) != 2 or before[: len(leading)] != leading or leading.count(None) > 1:
        return None
    if merged[1] is None or prod(size or 0 for size in before[len(leading) :]) != merged[1]:
        return None
    computed: Region = (*wanted.region[:-1], None)
    source = (*wanted.region[:-1], *[None] * (len(before) - len(leading)))
    entries = [*within(wanted.node.output(0), computed)[:-1], merged[1]]

    def build(port: Output) -> Output | Refusal:
        result = reshaped(port, entries)
        for node in layer:
            rows = _rows_read_by(node, wanted.extents)
            copy = recreate(node, [result if port == rows else port for port in node.input_values()])
            if isinstance(copy, Refusal):
                return copy
            result = copy.output(0)
        return result

    return wanted.from_data(computed, source, build, first.input_value(0))


def _rows_read_by(node: Node, known: Extents) -> Output | None:
    """The input ``[rows, C]`` of an op that does the same to each row, None where it may mix rows."""
    return products.rows_read_by(node, known) or elementwise.rows_read_by(node, known)


_TURNED: Final = (on_data("transpose", _transposed),)
_DEALT: Final = (on_data("reshape", _dealt),)


def _move(name: str, copied: CopiedForm) -> Op:
    return Op(
        types(name), traits(Trait.MOVE), meanings.dealt, copied, _DEALT, _narrowed, no_products, in_onnx
    )


OPS: Final = (
    Op(
        types(TRANSPOSE),
        traits(Trait.MOVE),
        _turned,
        _turned_copies,
        _TURNED,
        _turned_region,
        no_products,
        in_onnx,
    ),
    _move(RESHAPE, _reshaped_copies),
    _move("Squeeze", _squeezed_copies),
    _move("Unsqueeze", _unsqueezed_copies),
)
