"""What an axis of a tensor holds: samples, channels, rows, columns, and how a Reshape deals them out anew.

An axis is a tuple of atoms, so that a Reshape that merges rows and columns into tokens, or splits them into
windows, keeps what it merged: tokens of a 7x7 map are one axis ``(H:7, W:7)``. Nothing is guessed from sizes:
an axis whose origin is not understood is ``?``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import TypeAlias

from openvino import Output

from ovxai_convert.tensors.settled import Extents


@dataclass(frozen=True)
class Atom:
    """One indivisible meaning: a role ``N``, ``C``, ``H``, ``W`` or ``?``, and an extent, None where dynamic.

    Attributes:
        parts: what a Concat has put behind each other on this axis (a class token, then the tokens of a map),
            so that a slice that cuts one of them out gives it its meaning back.
        step: by how many indices of the axis that it was split from one step of it moves on; the rows of a
            window have the step 1, the rows of windows as many as a window has.
        origin: a tensor and its axis that held this atom, or what it was split from, and nothing else.
    """

    role: str
    extent: int | None
    parts: tuple[Axis, ...] = ()
    step: int = 1
    origin: tuple[Output, int] | None = field(default=None, compare=False, repr=False)


Axis: TypeAlias = tuple[Atom, ...]
Axes: TypeAlias = tuple[Axis, ...]


class Meanings(dict[Output, Axes]):
    """What the axes of tensors hold, as far as a model has been traced, with the extents of all tensors."""

    def __init__(self, extents: Extents) -> None:
        self.extents = extents

    def settle(self, port: Output, axes: Axes | None) -> None:
        """Remember a tensor's axes; those of unknown meaning where these do not fit its rank."""
        shape = self.extents.get(port)
        if shape is None:
            return
        if axes is None or len(axes) != len(shape):
            axes = tuple(fresh("?", extent) for extent in shape)
        self[port] = tuple(_placed(axis, port, index) for index, axis in enumerate(axes))


def _placed(axis: Axis, port: Output, index: int) -> Axis:
    """The same axis with the place where its only atom stands alone, at the first such place."""
    alone = len(axis) == 1 and axis[0].origin is None and axis[0].step == 1
    return (replace(axis[0], origin=(port, index)),) if alone else axis


def fresh(role: str, extent: int | None) -> Axis:
    """An axis of one atom."""
    return (Atom(role, extent),)


def roles(axis: Axis) -> tuple[str, ...]:
    """Roles of an axis, outermost first, without the atoms of extent one (they hold no position)."""
    return tuple(atom.role for atom in axis if atom.extent != 1)


def is_unclear(axis: Axis) -> bool:
    """Whether nothing is known of what an axis means, nor of any of the parts that were joined to it."""
    return any(atom.role == "?" and all(map(is_unclear, atom.parts)) for atom in axis)


def static_extent(axis: Axis) -> int | None:
    """Indices of an axis, None where an atom is dynamic."""
    static = [atom.extent for atom in axis if atom.extent is not None]
    return prod(static) if len(static) == len(axis) else None


def clamped(bounds: tuple[int, int], length: int) -> tuple[int, int]:
    """Start and stop of a slice of step one as indices from 0 to ``length``."""
    first, last, _ = slice(*bounds).indices(length)
    return first, last


def deal_atoms(atoms: list[Atom], shape: tuple[int | None, ...]) -> Axes | None:
    """Axes of extents ``shape`` that hold ``atoms`` in order, atoms split where an axis ends inside one.

    Static axes are dealt from both ends; what lies between is one dynamic axis (which takes all that is
    left) or as many dynamic axes as dynamic atoms. What was split and meets again in order is one atom again.
    Returns None where the factors do not fit.
    """
    head, atoms, left = _deal_static([atom for atom in atoms if atom.extent != 1], list(shape), _outer)
    tail, atoms, left = _deal_static(atoms[::-1], left[::-1], _inner)
    middle_atoms, middle = atoms[::-1], left[::-1]
    if len(middle) == 1:
        between: list[Axis] = [tuple(middle_atoms) or fresh("?", 1)]
    elif len(middle) == len(middle_atoms) and set(middle) == {None}:
        between = [(atom,) for atom in middle_atoms]
    elif not middle_atoms:
        between = [fresh("?", extent) for extent in middle]
    else:
        return None
    return tuple(_reunited(axis) for axis in (*head, *between, *(axis[::-1] for axis in tail[::-1])))


def _outer(atom: Atom, extent: int) -> tuple[Atom, Atom]:
    """The outer part of an atom, of so many steps, and what is left."""
    assert atom.extent is not None, "only static atoms are split"
    inner = atom.extent // extent
    common = _common_factor(atom.parts, inner) if atom.role == "?" else None
    if common is not None:
        return replace(atom, extent=extent, parts=common[0]), common[1]
    whole = replace(atom, parts=())
    return replace(whole, extent=extent, step=atom.step * inner), replace(whole, extent=inner)


def _common_factor(parts: Sequence[Axis], inner: int) -> tuple[tuple[Axis, ...], Atom] | None:
    """Joined parts without their innermost factor, and that; None where it is not the same in each of them.

    Maps of several sizes, each flattened with its channels, are so dealt out to places and channels.
    """
    factors, rests = [], list[Axis]()
    for part in parts:
        last = part[-1]
        if last.extent is None or last.extent % inner or last.parts:
            return None
        outer, factor = _outer(last, last.extent // inner)
        factors.append(replace(factor, origin=None))
        rests.append((*part[:-1], *([outer] if outer.extent != 1 else [])) or fresh("?", 1))
    if not factors or any((each.role, each.step) != (factors[0].role, factors[0].step) for each in factors):
        return None
    return tuple(rests), factors[0]


def _inner(atom: Atom, extent: int) -> tuple[Atom, Atom]:
    """The inner part of an atom, of so many steps, and what is left."""
    assert atom.extent is not None, "only static atoms are split"
    return _outer(atom, atom.extent // extent)[::-1]


def _reunited(axis: Axis) -> Axis:
    """The same axis with the outer and the inner part of an atom made one where they stand side by side."""
    joined: list[Atom] = []
    for atom in axis:
        if joined and _continues(joined[-1], atom):
            outer = joined.pop()
            origin = atom.origin if atom.origin == outer.origin else None
            atom = replace(atom, extent=static_extent((outer, atom)), origin=origin)
        joined.append(atom)
    return tuple(joined)


def _continues(outer: Atom, inner: Atom) -> bool:
    if outer.role != inner.role or outer.extent is None or inner.extent is None or outer.parts or inner.parts:
        return False
    return inner.extent != 1 and outer.step == inner.step * inner.extent


def _deal_static(
    atoms: list[Atom], shape: list[int | None], split: Callable[[Atom, int], tuple[Atom, Atom]]
) -> tuple[list[Axis], list[Atom], list[int | None]]:
    """Deal from the front while axis and atoms are static and fit; return the axes dealt and what is left."""
    dealt: list[Axis] = []
    while shape and (left := shape[0]) is not None:
        axis, rest = list[Atom](), list(atoms)
        while left > 1 and rest and rest[0].extent is not None:
            atom = rest.pop(0)
            assert atom.extent is not None
            if atom.extent == 0:
                break
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
        dealt.append(tuple(axis) or fresh("?", 1))
        atoms, shape = rest, shape[1:]
    return dealt, atoms, shape
