"""Sums of products by name: ``bqhd,bkhd->bhqk``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import starmap
from math import prod
from string import ascii_letters
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, regions
from ovxai_convert.ops.in_onnx.products import products_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Carried, Copied, Masked, NotHere
from ovxai_convert.ops.levels import by_level, not_folded, shares
from ovxai_convert.ops.op import Equation, Op, Trait, on_masked, traits, types
from ovxai_convert.ops.regions import Reading, Wanted
from ovxai_convert.tensors.axes import Axes, Axis, Meanings, fresh, is_unclear
from ovxai_convert.tensors.extents import added_up, rank_of, unsqueezed
from ovxai_convert.tensors.ports import extents

EINSUM: Final = "Einsum"


@dataclass(frozen=True)
class _Names:
    """An equation taken apart: the letters of every operand, and of the result."""

    operands: tuple[str, ...]
    result: str

    @classmethod
    def of(cls, node: Node) -> _Names | None:
        """None where not every axis has a letter of its own."""
        left, arrow, result = str(node.get_attributes()["equation"]).replace(" ", "").partition("->")
        operands = tuple(left.split(","))
        if not arrow:  # what is named once is kept, in the order of the alphabet
            result = "".join(letter for letter in sorted(set(left) - {","}) if left.count(letter) == 1)
        plain = "." not in left and all(len(set(name)) == len(name) for name in (*operands, result))
        return cls(operands, result) if plain else None

    def with_copies(self, places: Sequence[int]) -> str:
        """The equation with one more letter, in front, for the copies of some operands."""
        letter = next(each for each in ascii_letters if not any(each in name for name in self.operands))
        terms = [letter + name if index in places else name for index, name in enumerate(self.operands)]
        return f"{','.join(terms)}->{letter}{self.result}"


def _meaning(node: Node, meanings: Meanings) -> list[Axes | None]:
    """An axis keeps what its letter means in the operands; one that weights alone bring is new channels."""
    names, shape = _Names.of(node), meanings.extents.get(node.output(0))
    if names is None or shape is None:
        return [None]
    known: dict[str, Axis] = {}
    for name, port in zip(names.operands, node.input_values(), strict=True):
        for letter, axis in zip(name, meanings.get(port, ()), strict=False):
            if not is_unclear(axis):
                known.setdefault(letter, axis)
    pairs = zip(names.result, shape, strict=True)
    roles = {letter: "?" if letter in names.operands[0] else "C" for letter in names.result}
    return [tuple(known.get(letter, fresh(roles[letter], extent)) for letter, extent in pairs)]


def _copied(call: Call) -> list[Copied] | Refusal:
    names = _Names.of(call.node)
    if names is None:
        return call.refuse("does not name all axes")
    places = [index for index in range(len(call.inputs)) if copying.has_copies(call, index)]
    return copying.made(call, copying.ports_of(call), {"equation": names.with_copies(places)})


def _by_weights(call: Call, masked: list[tuple[int, Masked]]) -> Sequence[Carried] | NotHere:
    """``sum U(m) S`` with shared operands S, over axes without positions."""
    names, (place, data) = _Names.of(call.node), masked[0]
    if names is None or len(masked) != 1:
        return NotHere("it multiplies copies with each other, or does not name all axes")
    letters = [names.operands[place][axis] for axis in data.positions]
    if any(letter not in names.result for letter in letters):
        return NotHere("it sums over the positions")
    if data.mask.pooled:
        return NotHere("it reads a pooled map")
    positions = tuple(names.result.index(letter) for letter in letters)
    if list(positions) != sorted(positions):
        return NotHere("it puts columns before rows")
    others = "".join(name for index, name in enumerate(names.operands) if index != place)
    same = not any(letter in others for letter in letters)
    inputs = [not_folded(each) if isinstance(each, Masked) else each for each in call.inputs]
    return by_level(replace(call, inputs=inputs), [positions], affine=True, same=same)


def _of_values(call: Call) -> Sequence[Carried] | NotHere:
    """Weights of every copy times values, summed over the positions: one product for all copies.

    ``sum_l sum_t (A[p, t] w_l[p, t]) U(l)[t]``
    """
    names, (weights, *others) = _Names.of(call.node), call.inputs
    values = others[0] if len(others) == 1 else None
    if names is None or not isinstance(weights, Copied) or not isinstance(values, Masked):
        return NotHere("it does not weigh compact values")
    if values.flat or values.mask.pooled or len(values.positions) != 1:
        return NotHere("it does not weigh compact values")
    summed = names.operands[1][values.positions[0]]
    if summed in names.result or summed not in names.operands[0]:
        return NotHere("it does not sum over the positions")
    rank, axis = rank_of(weights.port), names.operands[0].index(summed) + 1
    around = [each for each in range(1, rank) if each != axis]
    equation, port, last = names.with_copies([0]), weights.port, values.parts[-1]

    def term(share: Output, part: Output, uniform: bool) -> Output:
        weighed = ops.multiply(port, unsqueezed(share, around)).output(0)
        full = ops.broadcast(part, ops.shape_of(last)).output(0) if uniform else part
        return ops.einsum([weighed, full], equation).output(0)

    levels = zip(shares(values), values.parts, values.uniform, strict=True)
    return [Copied(added_up(starmap(term, levels)))]


def _narrowed(wanted: Wanted) -> Reading:
    """A part of the result along a letter needs that part of every operand that has it."""
    names = _Names.of(wanted.node)
    if names is None:
        return regions.as_a_whole(wanted)
    spans = dict(zip(names.result, wanted.region, strict=True))
    named = [zip(name, wanted.input_shape(index), strict=True) for index, name in enumerate(names.operands)]
    inputs = [tuple(None if extent == 1 else spans.get(letter) for letter, extent in axes) for axes in named]
    return wanted.recreated(wanted.region, inputs)


def _macs(node: Node) -> int:
    """Every combination of indices once; those behind dots are known by their place from the end."""
    left, _, _ = str(node.get_attributes()["equation"]).replace(" ", "").partition("->")
    sizes: dict[str | int, int] = {}
    for term, port in zip(left.split(","), node.input_values(), strict=True):
        shape = extents(port) or ()
        before, dots, after = term.partition("...")
        hidden = range(len(before) + len(after) - len(shape), 0) if dots else ()
        for name, each in zip((*before, *hidden, *after), shape, strict=False):
            sizes[name] = max(sizes.get(name, 1), each or 1)
    return prod(sizes.values())


def values_of(node: Node) -> tuple[Output, int] | None:
    """What a product weighs, and the axis that it sums over; None of other ops, or where that is not one."""
    names = _Names.of(node) if node.get_type_name() == EINSUM else None
    if names is None or len(names.operands) != 2:
        return None
    weights, values = names.operands
    summed = [letter for letter in values if letter in weights and letter not in names.result]
    return (node.input_value(1), values.index(summed[0])) if len(summed) == 1 else None


_EQUATIONS: Final = on_masked("einsum by weights", _by_weights), Equation("einsum of values", _of_values)

OPS: Final = (
    Op(types(EINSUM), traits(Trait.PRODUCT), _meaning, _copied, _EQUATIONS, _narrowed, _macs, in_onnx),
)
