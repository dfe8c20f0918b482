"""Masked tokens: how they begin, what they weigh, and how all their copies are written out."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.graph.axes import Atom, Axes
from ovxai_convert.graph.ports import extents
from ovxai_convert.graph.tokens import Tokens
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Dense, Masked, Shared, TokenMask
from ovxai_convert.mosaic.shapes import (
    Extent,
    extent,
    full_shape,
    ints,
    product,
    reshaped,
    shape_vector,
    sliced,
)


def masked_tokens(values: Output, tokens: Tokens, sample_axis: int, mask: TokenMask) -> Masked | Shared:
    """Tokens at the place where they are multiplied: ``U(0)`` is zero and ``U(1)`` the tensor itself.

    Tokens that weigh the same in every copy are the same in every copy.
    """
    roles = {tokens.axis: "T", sample_axis: "N"}
    shape = extents(values) or ()
    axes = tuple((Atom(roles.get(axis, "?"), each),) for axis, each in enumerate(shape))
    zero = ops.constant(np.zeros([], values.get_element_type().to_dtype()))
    once = [1 if axis in roles else each for axis, each in enumerate(full_shape(values))]
    nothing = ops.broadcast(zero, shape_vector(once)).output(0)
    if mask.everywhere == 1:
        return Shared(values)
    tensor = Masked((nothing, values), (0.0, 1.0), True, _without_unit_samples(axes), mask)
    return tensor if mask.everywhere is None else Shared(filled(tensor).parts[0])


def _without_unit_samples(axes: Axes) -> Axes:
    """Axes on which a single sample leaves no trace: any axis of extent 1 can hold the copies then."""
    return tuple((Atom("?", 1),) if axis == (Atom("N", 1),) else axis for axis in axes)


def filled(tensor: Masked) -> Masked:
    """The same with every part in full extent along samples and tokens."""
    full = ops.shape_of(tensor.parts[-1])
    parts = [ops.broadcast(part, full, "BIDIRECTIONAL").output(0) for part in tensor.parts[:-1]]
    return replace(tensor, parts=(*parts, tensor.parts[-1]))


def own_extents(tensor: Masked, part: Output) -> list[int]:
    """Extents of a part for every atom of its axes, in order; -1 is a batch that is open."""
    found = []
    for axis, whole in zip(tensor.axes, extents(part) or (), strict=True):
        inner = prod(atom.extent or 1 for atom in axis if atom.role not in "NT")
        for atom in axis:
            if atom.role in "NT":
                found.append(-1 if whole is None else whole // inner)
            else:
                found.append(atom.extent or -1)
    return found


def at_all_levels(tensor: Masked) -> Masked:
    """The same tokens with U at every value that M takes, as ops that are not linear need it.

    ``U(m) = U(0) + m * (U(1) - U(0))``
    """
    if not tensor.linear:
        return tensor
    levels = tensor.mask.levels
    nothing, everything = tensor.parts
    difference = ops.subtract(everything, nothing)
    parts = [
        tensor.parts[tensor.levels.index(level)]
        if level in tensor.levels
        else ops.add(nothing, ops.multiply(difference, _number(level, everything))).output(0)
        for level in levels
    ]
    return replace(tensor, parts=tuple(parts), levels=levels, linear=False)


def level_weights(tensor: Masked) -> list[Output]:
    """For every level the share ``[P, T]`` that it has in each token of each copy; they add up to one."""
    weights = tensor.mask.weights
    if tensor.linear:
        return [ops.subtract(_number(1, weights), weights).output(0), weights]
    dtype = weights.get_element_type()
    return [
        ops.convert(ops.equal(weights, _number(each, weights)), dtype).output(0) for each in tensor.levels
    ]


def at_level(tensor: Masked, level: float) -> Output:
    """U at a level that is known."""
    return tensor.parts[tensor.levels.index(level)]


def for_some_copies(tensor: Masked, first: int, last: int) -> Masked:
    """The same tokens for the copies from ``first`` to before ``last`` only."""
    weights = sliced(tensor.mask.weights, {0: (first, last)})
    return replace(tensor, mask=replace(tensor.mask, weights=weights))


def part_of_mask(mask: TokenMask, span: tuple[int, int]) -> TokenMask:
    """The mask of some of the tokens."""
    weights = sliced(mask.weights, {1: span})
    return replace(mask, weights=weights, fixed=mask.fixed[slice(*span)])


def mask_among_others(mask: TokenMask, before: int, after: int) -> TokenMask:
    """The mask of more tokens, the others being the same at every level, so that any weight will do."""
    zero = _number(0, mask.weights)
    weights = ops.pad(mask.weights, ints([0, before]), ints([0, after]), "constant", zero).output(0)
    return replace(mask, weights=weights, fixed=(*([0.0] * before), *mask.fixed, *([0.0] * after)))


def write_out(tensor: Masked, copies: Copies) -> Dense:
    """All copies: ``D[n * P + p, ..., t, ...]``, on the axis of the samples."""
    axis = copies_axis(tensor)
    parts = [_apart(tensor, part, axis) for part in tensor.parts]
    shares = [_aligned(tensor, share, axis) for share in level_weights(tensor)]
    if tensor.linear:
        nothing, everything = parts
        written = ops.add(nothing, ops.multiply(shares[1], ops.subtract(everything, nothing))).output(0)
    else:
        written = ops.multiply(shares[0], parts[0]).output(0)
        for share, part in zip(shares[1:], parts[1:], strict=True):
            written = ops.add(written, ops.multiply(share, part)).output(0)
    inner = prod(atom.extent or 1 for atom in tensor.axes[axis] if atom.role != "N")
    shape = full_shape(written)
    merged: Extent = product([copies.samples, copies.count, inner])
    return Dense(reshaped(written, [*shape[:axis], merged, *shape[axis + 3 :]]), axis, inner)


def copies_axis(tensor: Masked) -> int:
    """The axis on which copies are written: that of the samples, else the first that has room."""
    if tensor.sample_axis is not None:
        return tensor.sample_axis
    shape = [prod(atom.extent or 1 for atom in axis) for axis in tensor.axes]
    free = [axis for axis, each in enumerate(shape) if each == 1]
    return free[0] if free else (1 if tensor.token_axis == 0 else 0)


def _apart(tensor: Masked, part: Output, axis: int) -> Output:
    """``[..., N * inner, ...] -> [..., N, 1, inner, ...]``."""
    inner = prod(atom.extent or 1 for atom in tensor.axes[axis] if atom.role != "N")
    shape = full_shape(part)
    own = shape[axis]
    samples = own // inner if isinstance(own, int) else -1
    return reshaped(part, [*shape[:axis], samples, 1, inner, *shape[axis + 1 :]])


def _aligned(tensor: Masked, share: Output, axis: int) -> Output:
    """``[P, T]`` so that it broadcasts against what :func:`_apart` gives."""
    tokens = tensor.token_axis
    shape: list[Extent] = [1] * (len(tensor.axes) + 2)
    shape[axis + 1] = extent(share, 0)
    shape[tokens if tokens < axis else tokens + 2] = extent(share, 1)
    if tokens < axis:
        share = ops.transpose(share, ops.constant(np.array([1, 0], np.int64))).output(0)
    return reshaped(share, shape)


def _number(value: float, like: Output) -> Output:
    return ops.constant(np.array(value, like.get_element_type().to_dtype())).output(0)
