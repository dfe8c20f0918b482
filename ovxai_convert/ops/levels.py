"""Masked tensors: at more levels, in full extent, some of their positions, all their copies written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from itertools import chain

from openvino import Node, Output, Type
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.ops.kinds import Call, Copied, Mask, Masked, NotHere, Shared
from ovxai_convert.tensors.extents import (
    Extent,
    Span,
    added_up,
    counted,
    extent,
    ints,
    number,
    product,
    quotient,
    rank_of,
    reshaped,
    shape_vector,
    sliced,
    unsqueezed,
)
from ovxai_convert.tensors.permuting import transposed
from ovxai_convert.tensors.ports import extents
from ovxai_convert.tensors.recreate import recreate


def masked(values: Output, positions: tuple[int, ...], mask: Mask, samples: int) -> Masked | Shared:
    """A tensor at the place where it is multiplied by a mask: U(0) is zero, U(1) the tensor itself.

    Positions run along the axes ``positions``, samples along ``samples``. Positions that all weigh the same
    in every copy are the same in every copy.
    """
    if mask.everywhere == 1:
        return Shared(values)
    once = (samples, *positions)
    shape = [1 if axis in once else extent(values, axis) for axis in range(rank_of(values))]
    nothing = ops.broadcast(number(0, values), shape_vector(shape)).output(0)
    linear = not mask.one_hot
    tensor = Masked((nothing, values), (True, False), (0.0, 1.0), linear, positions, mask, thin=samples)
    return tensor if mask.everywhere is None else Shared(filled(tensor).parts[0])


def filled(tensor: Masked) -> Masked:
    """The same with every part in full extent; not of a pooled one, whose V is larger than its B."""
    thin = () if tensor.thin is None else (tensor.thin,)
    full = _with_extents(tensor, (*thin, *tensor.positions))
    return replace(full, uniform=(False,) * len(tensor.parts), thin=None)


def every_sample(tensor: Masked) -> Masked:
    """The same with every part in full extent along the samples, for ops that work along them."""
    return tensor if tensor.thin is None else replace(_with_extents(tensor, (tensor.thin,)), thin=None)


def _with_extents(tensor: Masked, axes: Sequence[int]) -> Masked:
    """Add zeros: the runtime's own op (2026.4) mixes up channels of ``[N, C, 1, 1]`` in some layouts."""
    last = tensor.parts[-1]
    shape = [extent(last, axis) if axis in axes else 1 for axis in range(rank_of(last))]
    nothing = ops.broadcast(ops.constant(False, Type.boolean), shape_vector(shape))
    return replace(tensor, parts=(*(_plus(part, nothing) for part in tensor.parts[:-1]), last))


def _plus(part: Output, nothing: Node) -> Output:
    dtype = part.get_element_type()
    if dtype == Type.boolean:
        return ops.logical_or(part, nothing).output(0)
    return ops.add(part, ops.convert(nothing, dtype)).output(0)


def not_folded(tensor: Masked) -> Masked:
    """The same with a U(0) that the runtime does not take for a constant.

    It (2026.4) multiplies two constants wrongly of which one comes out of a convolution and is turned.
    """
    if not tensor.uniform[0] or not tensor.parts[0].get_element_type().is_real():
        return tensor
    one = sliced(tensor.parts[-1], dict.fromkeys(tensor.positions, (0, 1)))
    never = ops.greater(one, number(float("inf"), one))
    first = ops.select(never, one, tensor.parts[0]).output(0)
    return replace(tensor, parts=(first, *tensor.parts[1:]))


def at_all_levels(tensor: Masked) -> Masked:
    """The same with ``U(m) = U(0) + m * (U(1) - U(0))`` at every value of M, for ops that are not linear."""
    if not tensor.linear:
        return tensor
    levels = tensor.mask.levels
    nothing, everything = tensor.parts
    difference = ops.subtract(everything, nothing)
    parts = [
        tensor.parts[tensor.levels.index(level)]
        if level in tensor.levels
        else ops.add(nothing, ops.multiply(difference, number(level, everything))).output(0)
        for level in levels
    ]
    uniform = tuple(level == 0 and tensor.uniform[0] for level in levels)
    return replace(tensor, parts=tuple(parts), uniform=uniform, levels=levels, linear=False)


def by_level(
    call: Call,
    positions: Sequence[tuple[int, ...]],
    *,
    affine: bool = False,
    same: bool = True,
    thin: int | None = None,
) -> list[Masked] | NotHere:
    """The op on U at every level, for ops that treat every position by itself.

    ``D[p, t] = U(M[p, t])[t]`` becomes ``f(D)[p, t] = f(U(M[p, t]))[t]``. Where f is ``affine``, U stays a
    straight line between its levels, so that the two ends tell all; else U must be known at all values of M.
    f is the ``same`` at every position if no shared input differs from position to position. For every output
    ``positions`` are the axes that they run along; ``thin`` is the inputs' thin axis in the outputs, None
    where f may work along it.
    """
    inputs = list(call.inputs)
    if thin is None:
        inputs = [every_sample(each) if isinstance(each, Masked) else each for each in inputs]
    if not affine or any(isinstance(each, Masked) and not each.linear for each in inputs):
        inputs = [at_all_levels(each) if isinstance(each, Masked) else each for each in inputs]
    compact = [each for each in inputs if isinstance(each, Masked)]
    created = []
    for level in range(len(compact[0].levels)):
        ports = [each.parts[level] if isinstance(each, Masked) else each.port for each in inputs]
        copy = recreate(call.node, ports)
        if isinstance(copy, Refusal):
            return NotHere(copy.reason)
        created.append(copy)
    uniform = tuple(same and all(each.uniform[level] for each in compact) for level in range(len(created)))
    result = replace(compact[0], uniform=uniform, flat=any(each.flat for each in compact), thin=thin)
    return [
        replace(result, parts=tuple(copy.output(index) for copy in created), positions=axes)
        for index, axes in enumerate(positions)
    ]


def moved(call: Call, tensor: Masked, positions: tuple[int, ...]) -> list[Masked] | NotHere:
    """The op on every part in full extent, for ops that take shapes as they are; what is uniform stays so."""
    full = filled(tensor)
    outputs = by_level(replace(call, inputs=[full, *call.inputs[1:]]), [positions], affine=True)
    if isinstance(outputs, NotHere):
        return outputs
    once = dict.fromkeys(positions, (0, 1))
    pairs = zip(outputs[0].parts, tensor.uniform, strict=True)
    parts = tuple(sliced(part, once) if uniform else part for part, uniform in pairs)
    return [replace(outputs[0], parts=parts, uniform=tensor.uniform)]


def shares(tensor: Masked) -> list[Output]:
    """For every level the share ``[P, T]`` that it has in each position of each copy; they add up to one."""
    dtype, weights = tensor.parts[0].get_element_type(), tensor.mask.weights
    if weights is None:  # of a single position axis: whether copy p keeps position t
        numbers = counted(extent(tensor.parts[-1], tensor.positions[0]))
        held = [ops.equal(unsqueezed(numbers, [1]), unsqueezed(numbers, [0])).output(0)]
    elif tensor.linear:
        held = [weights]
    else:
        held = [ops.equal(weights, number(level, weights)).output(0) for level in tensor.levels[1:]]
    held = [port if port.get_element_type() == dtype else ops.convert(port, dtype).output(0) for port in held]
    rest = reduce(lambda left, share: ops.subtract(left, share).output(0), held, number(1, held[0]))
    return [rest, *held]


def cells(tensor: Masked) -> list[Extent]:
    """How many positions the original tensor has along each position axis."""
    pairs = zip(tensor.positions, tensor.windows, strict=True)
    return [quotient(extent(tensor.parts[-1], axis), window) for axis, window in pairs]


def per_copy(part: Output, positions: tuple[int, ...]) -> Output:
    """Positions to an axis of their own, each copy with its value: ``[N, C, H, W] -> [P, N, C, 1, 1]``.

    P is read from the part itself, so that what is left can only be the samples. Where their number is open
    and P is not, nothing has to be read of the tensor, which one more reader may cost a fusion.
    """
    first, *others = (axis for axis in range(rank_of(part)) if axis not in positions)
    behind = transposed(part, [first, *positions, *others])
    copies = product([extent(part, axis) for axis in positions])
    is_open = any((extents(part) or ())[axis] is None for axis in positions)
    samples = extent(part, first) if is_open else -1
    merged = reshaped(behind, [samples, copies, *(extent(part, axis) for axis in others)])
    in_front = transposed(merged, [1, 0, *range(2, rank_of(merged))])
    return unsqueezed(in_front, [axis + 1 for axis in positions])


def write_out(tensor: Masked, count: Output) -> Copied:
    """All copies: ``D[p] = where(copy p keeps it, V, B)``, or the levels weighted by their shares."""
    written = _written_one_hot(tensor, count) if tensor.mask.one_hot else _written_levels(tensor)
    if not tensor.flat:
        return Copied(written)
    return Copied(ops.reshape(written, ints([0, 0, -1]), special_zero=True).output(0))


def _written_one_hot(tensor: Masked, count: Output) -> Output:
    nothing, values = tensor.parts
    rank, grid = rank_of(values), dict(zip(tensor.positions, cells(tensor), strict=True))
    numbers = kept = counted(product([*grid.values()]))
    if tensor.mask.pooled:
        kept = _spread_over_windows(numbers, [*grid.values()], tensor.windows)
        values = per_copy(values, tensor.positions)
    held = reshaped(numbers, [grid.get(axis, 1) for axis in range(rank)])
    keeps = ops.equal(reshaped(kept, [count, *[1] * rank]), held)
    return ops.select(keeps, values, nothing).output(0)


def _spread_over_windows(numbers: Output, cells: Sequence[Extent], windows: Sequence[int]) -> Output:
    """For every copy the number of the cell that it keeps, ``[P]``."""
    apart = reshaped(numbers, [*chain.from_iterable((cell, 1) for cell in cells)])
    times = [*chain.from_iterable((1, window) for window in windows)]
    return reshaped(ops.tile(apart, ints(times)).output(0), [-1])


def _written_levels(tensor: Masked) -> Output:
    axis, rank = tensor.positions[0], rank_of(tensor.parts[-1])
    around = [other for other in range(1, rank + 1) if other != axis + 1]
    weights = [unsqueezed(share, around) for share in shares(tensor)]
    if tensor.linear:
        nothing, everything = tensor.parts
        difference = ops.subtract(everything, nothing)
        return ops.add(nothing, ops.multiply(weights[1], difference)).output(0)
    pairs = zip(weights, tensor.parts, strict=True)
    return added_up(ops.multiply(weight, part).output(0) for weight, part in pairs)


def general(tensor: Masked) -> Masked:
    """The same with its mask as a matrix, for a one-hot one along a single axis."""
    if not tensor.mask.one_hot:
        return tensor
    weights = shares(tensor)[-1]
    count = weights.get_partial_shape()[1]
    fixed = (None,) * (count.get_length() if count.is_static else 0)
    return replace(tensor, mask=Mask((0.0, 1.0), weights, fixed))


def some_positions(tensor: Masked, parts: Sequence[Output], span: Span) -> Masked | Shared:
    """Some of the positions, of which the parts are given; equal weights leave nothing to be told apart."""
    weights = tensor.mask.weights
    assert weights is not None, "a part of the cells is no one-hot mask"
    mask = replace(tensor.mask, weights=sliced(weights, {1: span}), fixed=tensor.mask.fixed[slice(*span)])
    if mask.everywhere is not None and mask.everywhere in tensor.levels:
        return Shared(parts[tensor.levels.index(mask.everywhere)])
    return replace(tensor, parts=tuple(parts), mask=mask, uniform=(False,) * len(parts))


def among_others(mask: Mask, before: int, after: int) -> Mask:
    """The mask of more positions, the others being the same at every level, so that any weight will do."""
    assert mask.weights is not None, "cells of a map have no neighbours of another kind"
    begin, end = ints([0, before]), ints([0, after])
    weights = ops.pad(mask.weights, begin, end, "constant", number(0, mask.weights)).output(0)
    return replace(mask, weights=weights, fixed=(*([0.0] * before), *mask.fixed, *([0.0] * after)))
