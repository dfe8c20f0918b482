"""Functions of the equations with a deliberate mistake in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

import numpy as np
import pytest
from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.ops import convolutions, products, whole_map
from ovxai_convert.ops.kinds import Call, Carried, Mask, Masked, NotHere
from ovxai_convert.ops.levels import among_others, filled, per_copy, shares
from ovxai_convert.ops.reductions import Pool
from ovxai_convert.tensors.extents import Extent, extent, ints, number
from ovxai_convert.tensors.permuting import order_of

Apply = Callable[[Call], "Sequence[Carried] | NotHere"]
Background = Callable[[Masked, Output], Output]


def _with_background(right: Apply, change: Callable[[Call, Masked], Output]) -> Apply:
    """The right outputs with another U(0)."""

    def apply(call: Call) -> Sequence[Carried] | NotHere:
        outputs = right(call)
        if isinstance(outputs, NotHere):
            return outputs
        return [_changed(each, change(call, each)) for each in outputs if isinstance(each, Masked)]

    return apply


def _changed(tensor: Masked, background: Output) -> Masked:
    return replace(tensor, parts=(background, *tensor.parts[1:]))


def background_left_as_it_was(right: Apply) -> Apply:
    """``f(V)`` with ``B`` in place of ``f(B)``."""
    return _with_background(
        right, lambda call, tensor: next(each for each in call.inputs if isinstance(each, Masked)).parts[0]
    )


def background_of_zeros(right: Apply) -> Apply:
    """``f(V)`` with zero in place of ``f(B)``."""
    return _with_background(
        right, lambda call, tensor: ops.subtract(tensor.parts[0], tensor.parts[0]).output(0)
    )


def background_of_the_next_cell(right: Apply) -> Apply:
    """``f(B[q + 1])`` in place of ``f(B[q])``."""
    return _with_background(
        right,
        lambda call, tensor: ops.roll(tensor.parts[0], ints([1]), ints([tensor.positions[-1]])).output(0),
    )


def values_alone(tensor: Masked) -> Output:
    """``V[p]``, as if nothing stood in the other cells."""
    return per_copy(tensor.parts[-1], tensor.positions)


def total_with_own_cell(tensor: Masked) -> Output:
    """``V[p] + sum_q B[q]``, the background of cell p among them."""
    everywhere = filled(tensor).parts[0]
    total = ops.reduce_sum(everywhere, ints(list(tensor.positions)), keep_dims=True)
    return ops.add(values_alone(tensor), total).output(0)


def positions_for_cells(tensor: Masked) -> Output:
    """P where the number of cells of a pooled grid is meant."""
    return ops.constant(np.array(_positions(tensor), np.float32)).output(0)


def _positions(tensor: Masked) -> int:
    return prod(tensor.parts[-1].get_partial_shape()[axis].get_length() for axis in tensor.positions)


def nothing(value: float, like: Output) -> Output:
    """P in place of P - 1."""
    return number(0 if value == 1 else value, like)


def tile_of_zeros(pool: Pool, background: Output, values: Output, size: int) -> Output:
    """A tile whose other cells are zero."""
    if pool is Pool.MAX:
        return ops.relu(values).output(0)
    return ops.divide(values, np.float32(size)).output(0)


def tile_of_one_more(pool: Pool, background: Output, values: Output, size: int) -> Output:
    """A tile with one cell of background too many."""
    rest = ops.multiply(background, np.float32(size))
    return ops.divide(ops.add(values, rest), np.float32(size)).output(0)


_whole_map_product = whole_map.whole_map_product
_by_cell, _by_copy = whole_map._Grid.by_cell, whole_map._Grid.by_copy


def put_in_place_of_the_product(patch: pytest.MonkeyPatch, wrong: Callable[..., Output | NotHere]) -> None:
    """Another product of the whole map, where it is used."""
    for owner in (products, convolutions):
        patch.setattr(owner, "whole_map_product", wrong)


def without_constant(tensor: Masked, matrix: Output) -> Output | NotHere:
    """``W[cell(p)] (V[p] - B)`` alone: the product less the product of the background with itself."""
    whole = _whole_map_product(tensor, matrix)
    everywhere = filled(tensor).parts[0]
    constant = _whole_map_product(replace(tensor, parts=(tensor.parts[0], everywhere)), matrix)
    if isinstance(whole, NotHere) or isinstance(constant, NotHere):
        return NotHere("as before")
    return ops.subtract(whole, constant).output(0)


def without_difference(tensor: Masked, matrix: Output) -> Output | NotHere:
    """``W[cell(p)] V[p] + sum_q W[q] B``, the background of cell p counted twice."""
    values = ops.add(tensor.parts[1], tensor.parts[0]).output(0)
    return _whole_map_product(replace(tensor, parts=(tensor.parts[0], values)), matrix)


def next_cell(grid: whole_map._Grid, port: Output) -> Output:
    """Values of cell q before the weights of cell q + 1."""
    return ops.roll(_by_cell(grid, port), ints([1]), ints([0])).output(0)


def back_by_one(grid: whole_map._Grid, port: Output, classes: int) -> Output:
    """What the mistake before this one has moved goes back."""
    return _by_copy(grid, ops.roll(port, ints([-1]), ints([0])).output(0), classes)


def not_reordered(grid: whole_map._Grid) -> list[int]:
    """Positions in the order of the map, as if each run of them shared a cell."""
    return list(range(2 + 2 * len(grid.cells)))


def runs_of_positions(numbers: Output, cells: Sequence[Extent], windows: Sequence[int]) -> Output:
    """``p // window`` of the whole, as if the positions of a cell followed each other."""
    count = ops.multiply(extent(numbers, 0), ints([prod(windows)]))
    every = ops.range(ints(0), ops.squeeze(count, ints(0)), ints(1), "i64")
    return ops.divide(every, ints(prod(windows))).output(0)


def any_transpose(right: Apply) -> Apply:
    """Columns before rows, called rows before columns."""

    def apply(call: Call) -> Sequence[Carried] | NotHere:
        data, order = call.data(), order_of(call.node)
        if isinstance(data, NotHere) or order is None:
            return NotHere("as before")
        positions = tuple(sorted(order.index(axis) for axis in data.positions))
        parts = tuple(ops.transpose(part, ints(order)).output(0) for part in data.parts)
        return [replace(data, parts=parts, positions=positions)]

    return apply


def shares_of_nothing_masked(weighted: Sequence[Output], values: Masked, *, turned: bool) -> Output:
    """Values weighed as if nothing were masked."""
    return ops.matmul(weighted[-1], values.parts[-1], False, turned).output(0)


def nothing_masked(tensor: Masked) -> list[Output]:
    """All of the upper level in every copy."""
    right = shares(tensor)
    nothing = ops.multiply(right[0], np.float32(0))
    return [*(nothing.output(0) for _ in right[1:]), ops.add(nothing, np.float32(1)).output(0)]


def others_the_other_way_round(mask: Mask, before: int, after: int) -> Mask:
    """As many before as there are behind."""
    return among_others(mask, after, before)
