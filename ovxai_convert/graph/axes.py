"""What each axis of each tensor means: samples, channels, rows, columns.

An image has rows and columns, and a convolution or pooling gives its output axes a meaning (in OpenVINO
always N, C, H, W); every other op carries meanings from its inputs to its outputs. An axis is a tuple of
atoms, so that a Reshape that merges rows and columns into tokens, or splits them into windows, keeps what it
merged: tokens of a 7x7 map are one axis ``(H:7, W:7)``. Nothing else is guessed from sizes: an axis whose
origin is not understood is ``?``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Final, TypeAlias

from openvino import Model, Node, Output

from ovxai_convert.graph.inputs import input_layout
from ovxai_convert.graph.op_types import (
    AXIS_REDUCING,
    CONVOLUTIONS,
    ELEMENTWISE,
    POOLINGS,
    SHAPE_KEEPING,
)
from ovxai_convert.graph.open_batch import Extents, settled_extents
from ovxai_convert.graph.ports import constant_ints, extents
from ovxai_convert.graph.slices import slice_bounds, takes_all_in_order


@dataclass(frozen=True)
class Atom:
    """One indivisible meaning.

    Attributes:
        role: ``N``, ``C``, ``H``, ``W``, or ``?`` where it is not one of them.
        extent: None where dynamic.
        parts: what a Concat has put behind each other on this axis (a class token, then the tokens of a map),
            so that a slice that cuts one of them out gives it its meaning back.
        step: by how many indices of the axis that it was split from one step of it moves on; the rows of a
            window have the step 1, the rows of windows as many as a window has.
    """

    role: str
    extent: int | None
    parts: tuple[Axis, ...] = ()
    step: int = 1


Axis: TypeAlias = tuple[Atom, ...]
Axes: TypeAlias = tuple[Axis, ...]

_SPATIAL: Final = ("D", "H", "W")


def roles(axis: Axis) -> tuple[str, ...]:
    """Roles of an axis, outermost first, without the atoms of extent one (they hold no position)."""
    return tuple(atom.role for atom in axis if atom.extent != 1)


def trace_axes(model: Model) -> dict[Output, Axes]:
    """Meaning of every axis of every tensor of known rank, in one pass over the graph."""
    meanings = _Meanings(settled_extents(model))
    for node in model.get_ordered_ops():
        rule = _RULES.get(node.get_type_name(), _unknown)
        for port, axes in zip(node.outputs(), rule(node, meanings), strict=False):
            shape = meanings.extents.get(port)
            if shape is not None and axes is not None and len(axes) == len(shape):
                meanings[port] = axes
            elif shape is not None:
                meanings[port] = tuple(_fresh("?", extent) for extent in shape)
    return meanings


class _Meanings(dict[Output, Axes]):
    """What is known so far, with the extents of all tensors."""

    def __init__(self, extents: Extents) -> None:
        self.extents = extents


_Rule: TypeAlias = "Callable[[Node, _Meanings], Iterable[Axes | None]]"


def _fresh(role: str, extent: int | None) -> Axis:
    return (Atom(role, extent),)


def _unknown(node: Node, meanings: _Meanings) -> list[Axes | None]:
    return [None] * node.get_output_size()


def _input(node: Node, meanings: _Meanings) -> list[Axes | None]:
    """An image's axes, where its layout is known."""
    layout, shape = input_layout(node.output(0)), meanings.extents.get(node.output(0))
    if layout is None or shape is None:
        return [None]
    return [tuple(_fresh(role, extent) for role, extent in zip(layout, shape, strict=True))]


def _window_op(node: Node, meanings: _Meanings) -> list[Axes | None]:
    """Convolution and pooling: samples as in the input, then channels, then one to three spatial axes."""
    shape = meanings.extents.get(node.output(0))
    if shape is None or not 3 <= len(shape) <= 5:
        return _unknown(node, meanings)
    source = meanings.get(node.input_value(0))
    samples = source[0] if source and source[0][0].role != "?" else _fresh("N", shape[0])
    spatial = _SPATIAL[3 - (len(shape) - 2) :]
    axes = (samples, _fresh("C", shape[1]), *(_fresh(*pair) for pair in zip(spatial, shape[2:], strict=True)))
    return [axes] * node.get_output_size()


def _elementwise(node: Node, meanings: _Meanings) -> list[Axes | None]:
    """Each output axis takes the first meaning that an input of the same (broadcast) extent gives it."""
    shape = meanings.extents.get(node.output(0))
    if shape is None:
        return [None]
    result: list[Axis] = [_fresh("?", extent) for extent in shape]
    for port in node.input_values():
        source = meanings.get(port, ())
        offset = len(shape) - len(source)
        for index, axis in enumerate(source, start=offset):
            if index >= 0 and _unclear(result[index]) and static_extent(axis) == shape[index]:
                result[index] = axis
    return [tuple(result)]


def _unclear(axis: Axis) -> bool:
    """Whether nothing is known of what an axis means, nor of any of the parts that were joined to it."""
    return any(atom.role == "?" and all(map(_unclear, atom.parts)) for atom in axis)


def static_extent(axis: Axis) -> int | None:
    """Indices of an axis, None where an atom is dynamic."""
    static = [atom.extent for atom in axis if atom.extent is not None]
    return prod(static) if len(static) == len(axis) else None


def _transpose(node: Node, meanings: _Meanings) -> list[Axes | None]:
    source, order = meanings.get(node.input_value(0)), constant_ints(node.input_value(1))
    if source is None or order is None:
        return [None]
    return [tuple(source[axis] for axis in (order or reversed(range(len(source)))))]


def _reshape(node: Node, meanings: _Meanings) -> list[Axes | None]:
    """Reshape, Squeeze, Unsqueeze: deal the input's atoms out over the output's axes, in row-major order."""
    source, shape = meanings.get(node.input_value(0)), meanings.extents.get(node.output(0))
    if source is None or shape is None:
        return [None]
    return [deal_atoms([atom for axis in source for atom in axis], shape)]


def deal_atoms(atoms: list[Atom], shape: tuple[int | None, ...]) -> Axes | None:
    """Axes of extents ``shape`` that hold ``atoms`` in order, atoms split where an axis ends inside one.

    Static axes are dealt from both ends; what lies between is one dynamic axis (which takes all that is
    left) or as many dynamic axes as dynamic atoms. What was split and meets again in order is one atom again.
    Returns None where the factors do not fit.
    """
    head, atoms, shape_left = _deal_static([atom for atom in atoms if atom.extent != 1], list(shape), _outer)
    tail, atoms, shape_left = _deal_static(atoms[::-1], shape_left[::-1], _inner)
    middle_atoms, middle = atoms[::-1], shape_left[::-1]
    if len(middle) == 1:
        between: list[Axis] = [tuple(middle_atoms) or _fresh("?", 1)]
    elif len(middle) == len(middle_atoms) and set(middle) == {None}:
        between = [(atom,) for atom in middle_atoms]
    elif not middle_atoms:
        between = [_fresh("?", extent) for extent in middle]
    else:
        return None
    return tuple(_reunited(axis) for axis in (*head, *between, *(axis[::-1] for axis in tail[::-1])))


_Split: TypeAlias = "Callable[[Atom, int], tuple[Atom, Atom]]"


def _outer(atom: Atom, extent: int) -> tuple[Atom, Atom]:
    """The outer part of an atom, of so many steps, and what is left."""
    assert atom.extent is not None, "only static atoms are split"
    inner = atom.extent // extent
    return Atom(atom.role, extent, step=atom.step * inner), Atom(atom.role, inner, step=atom.step)


def _inner(atom: Atom, extent: int) -> tuple[Atom, Atom]:
    """The inner part of an atom, of so many steps, and what is left."""
    assert atom.extent is not None, "only static atoms are split"
    return _outer(atom, atom.extent // extent)[::-1]


def _reunited(axis: Axis) -> Axis:
    """The same axis with the outer and the inner part of an atom made one where they stand side by side."""
    joined: list[Atom] = []
    for atom in axis:
        outer = joined[-1] if joined else None
        if outer is not None and _continues(outer, atom):
            assert outer.extent is not None
            assert atom.extent is not None
            joined[-1] = Atom(atom.role, outer.extent * atom.extent, step=atom.step)
        else:
            joined.append(atom)
    return tuple(joined)


def _continues(outer: Atom, inner: Atom) -> bool:
    if outer.role != inner.role or None in (outer.extent, inner.extent) or outer.parts or inner.parts:
        return False
    return inner.extent != 1 and outer.step == inner.step * (inner.extent or 0)


def _deal_static(
    atoms: list[Atom], shape: list[int | None], split: _Split
) -> tuple[list[Axis], list[Atom], list[int | None]]:
    """Deal from the front while axis and atoms are static and fit; return the axes dealt and what is left."""
    dealt: list[Axis] = []
    while shape:
        wanted, axis, rest = shape[0], list[Atom](), list(atoms)
        if wanted is None:
            break
        left = wanted
        while left > 1 and rest and rest[0].extent is not None:
            atom = rest.pop(0)
            assert atom.extent is not None
            if left % atom.extent == 0:
                axis.append(atom)
                left //= atom.extent
            elif atom.extent % left == 0:
                part, remainder = split(atom, left)
                axis.append(part)
                rest.insert(0, remainder)
                left = 1
            else:
                break
        if left > 1:
            break
        dealt.append(tuple(axis) or _fresh("?", 1))
        atoms, shape = rest, shape[1:]
    return dealt, atoms, shape


def _reduce(node: Node, meanings: _Meanings) -> list[Axes | None]:
    source, shape = meanings.get(node.input_value(0)), meanings.extents.get(node.output(0))
    reduced = reduced_axes(node)
    if source is None or shape is None or reduced is None:
        return [None]
    if len(shape) == len(source):
        return [tuple(_fresh("?", 1) if i in reduced else axis for i, axis in enumerate(source))]
    return [tuple(axis for i, axis in enumerate(source) if i not in reduced)]


def reduced_axes(node: Node) -> frozenset[int] | None:
    """Axes (0 and up) that a Reduce op removes or sets to one, None when they are not constant."""
    shape, axes = extents(node.input_value(0)), constant_ints(node.input_value(1))
    if shape is None or axes is None:
        return None
    return frozenset(axis % len(shape) for axis in axes)


def _matmul(node: Node, meanings: _Meanings) -> list[Axes | None]:
    """Rows keep the left input's meaning; columns are new channels where the right side is a matrix.

    Where both sides are batches of matrices (attention), columns keep the right input's meaning, and the axes
    before them what either input says.
    """
    shape = meanings.extents.get(node.output(0))
    left, right = (meanings.extents.get(port) for port in node.input_values())
    first, second = (meanings.get(port) for port in node.input_values())
    attributes = node.get_attributes()
    if not shape or not left or not right or first is None:
        return [None]
    if len(right) <= 2:
        rows = (*first[:-2], first[-1]) if attributes["transpose_a"] else first[:-1]
        return [(*rows, _fresh("C", shape[-1])) if len(shape) == len(left) > 1 else None]
    if second is None or not len(shape) == len(left) == len(right):
        return [None]
    pairs = zip(first[:-2], second[:-2], shape[:-2], strict=True)
    batch = [
        one if static_extent(one) == extent and not _unclear(one) else other for one, other, extent in pairs
    ]
    row, column = (
        first[-1 if attributes["transpose_a"] else -2],
        second[-2 if attributes["transpose_b"] else -1],
    )
    return [(*batch, row, column)]


def _attention(node: Node, meanings: _Meanings) -> list[Axes | None]:
    """Rows are the queries', columns those of the values."""
    query, value = meanings.get(node.input_value(0)), meanings.get(node.input_value(2))
    return [(*query[:-1], value[-1]) if query and value and len(query) == len(value) else None]


def _gather(node: Node, meanings: _Meanings) -> list[Axes | None]:
    """A Gather that takes all of a vector in order is a Reshape; what others pick is not followed."""
    return _reshape(node, meanings) if takes_all_in_order(node) else [None]


def _concat(node: Node, meanings: _Meanings) -> list[Axes | None]:
    """The joined axis stays channels if it is that everywhere; else it remembers its parts."""
    shape = meanings.extents.get(node.output(0))
    sources = [meanings[port] for port in node.input_values() if port in meanings]
    if shape is None or not sources:
        return [None]
    source = min(sources, key=lambda axes: sum(map(_unclear, axes)))
    joined = node.get_attributes()["axis"] % len(shape)
    known = (meanings.get(port) for port in node.input_values())
    parts = [axes[joined] if axes else _fresh("?", None) for axes in known]
    kept = {role for part in parts for role in (roles(part) or ("C",))} == {"C"}
    new = _fresh("C", shape[joined]) if kept else (Atom("?", shape[joined], tuple(parts)),)
    return [tuple(new if i == joined else axis for i, axis in enumerate(source))]


def _resize(node: Node, meanings: _Meanings) -> list[Axes | None]:
    """Slices, splits, pads, interpolation: an axis of one atom keeps its role at the new extent."""
    source = meanings.get(node.input_value(0))
    result: list[Axes | None] = []
    for port in node.outputs():
        shape = meanings.extents.get(port)
        if shape is None or source is None or len(shape) != len(source):
            result.append(None)
            continue
        pairs = zip(source, shape, strict=True)
        result.append(
            tuple(axis if static_extent(axis) == new else _resized(axis, new) for axis, new in pairs)
        )
    return result


def _resized(axis: Axis, extent: int | None) -> Axis:
    return _fresh(axis[0].role, extent) if len(axis) == 1 else _fresh("?", extent)


def _slice(node: Node, meanings: _Meanings) -> list[Axes | None]:
    """As :func:`_resize`, but a slice that cuts out what a Concat has joined gives it its meaning back."""
    source, bounds = meanings.get(node.input_value(0)), slice_bounds(node)
    (resized,) = _resize(node, meanings)
    if source is None or resized is None:
        return [None]
    parts = [
        _part(source[index], *bounds[index]) if index in bounds else None for index in range(len(source))
    ]
    return [tuple(part or axis for part, axis in zip(parts, resized, strict=True))]


def _part(axis: Axis, start: int, stop: int) -> Axis | None:
    """The part of a joined axis that lies from ``start`` to ``stop``, None where these cut through one."""
    total = static_extent(axis)
    if len(axis) != 1 or total is None:
        return None
    start, stop = (min(max(each + total if each < 0 else each, 0), total) for each in (start, stop))
    position = 0
    for part in axis[0].parts:
        length = static_extent(part)
        if length is None:
            return None
        if (start, stop) == (position, position + length):
            return part
        position += length
    return None


_RULES: Final[Mapping[str, _Rule]] = {
    **dict.fromkeys(CONVOLUTIONS | POOLINGS, _window_op),
    **dict.fromkeys(SHAPE_KEEPING, lambda node, meanings: [meanings.get(node.input_value(0))]),
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    **dict.fromkeys(AXIS_REDUCING, _reduce),
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze"), _reshape),
    **dict.fromkeys(("Split", "VariadicSplit", "Pad", "Interpolate"), _resize),
    **dict.fromkeys(("Slice", "StridedSlice"), _slice),
    "Parameter": _input,
    "Transpose": _transpose,
    "MatMul": _matmul,
    "ScaledDotProductAttention": _attention,
    "Gather": _gather,
    "Concat": _concat,
}
