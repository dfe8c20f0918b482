"""Functions of the rules with a deliberate mistake in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

import numpy as np
import pytest
from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Carried, Flattened, Sparse
from ovxai_convert.mosaic.rules import RULES, Rule, contractions
from ovxai_convert.mosaic.rules.rule import Apply, data_and_parameters
from ovxai_convert.mosaic.shapes import Extent, ints


def background_left_as_it_was(right: Apply) -> Apply:
    """``f(V)`` with ``B`` in place of ``f(B)``."""

    def apply(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
        outputs = right(node, inputs, copies)
        (first, *_) = (_unflattened(each) for each in inputs if isinstance(each, Sparse | Flattened))
        return outputs and [_with_background(each, first.background) for each in outputs]

    return apply


def background_of_zeros(right: Apply) -> Apply:
    """``f(V)`` with zero in place of ``f(B)``."""

    def apply(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
        outputs = right(node, inputs, copies)
        return outputs and [_changed(each, lambda b: ops.subtract(b, b).output(0)) for each in outputs]

    return apply


def background_of_the_next_cell(right: Apply) -> Apply:
    """``f(B[q + 1])`` in place of ``f(B[q])``."""

    def apply(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
        outputs = right(node, inputs, copies)
        return outputs and [_changed(each, _rolled(each)) for each in outputs]

    return apply


def _rolled(tensor: Carried) -> Callable[[Output], Output]:
    assert isinstance(tensor, Sparse)
    axis = tensor.position_axes[-1]
    return lambda background: ops.roll(background, ints([1]), ints([axis])).output(0)


def _changed(tensor: Carried, change: Callable[[Output], Output]) -> Carried:
    assert isinstance(tensor, Sparse)
    return replace(tensor, background=change(tensor.background))


def _unflattened(tensor: Sparse | Flattened) -> Sparse:
    return tensor.unflattened if isinstance(tensor, Flattened) else tensor


def _with_background(tensor: Carried, background: Output) -> Carried:
    if isinstance(tensor, Flattened):
        return Flattened(replace(tensor.unflattened, background=background))
    assert isinstance(tensor, Sparse)
    return replace(tensor, background=background)


def values_alone(tensor: Sparse, copies: Copies) -> Output:
    """``V[p]``, as if nothing stood in the other cells."""
    return copies.per_copy(tensor.values, tensor.position_axes)


def total_with_own_cell(tensor: Sparse, copies: Copies) -> Output:
    """``V[p] + sum_q B[q]``, the background of cell p among them."""
    everywhere = ops.broadcast(tensor.background, ops.shape_of(tensor.values), "BIDIRECTIONAL")
    total = ops.reduce_sum(everywhere, ints(list(tensor.position_axes)), keep_dims=True)
    return ops.add(values_alone(tensor, copies), ops.unsqueeze(total, ints(1))).output(0)


def positions_for_cells(tensor: Sparse) -> Output:
    """P where the number of cells of a pooled grid is meant."""
    return ops.constant(np.array(_positions(tensor), np.float32)).output(0)


def _positions(tensor: Sparse) -> int:
    return prod(tensor.values.get_partial_shape()[axis].get_length() for axis in tensor.position_axes)


def nothing(tensor: Sparse) -> Output:
    """P in place of P - 1."""
    return ops.constant(np.array(0, np.float32)).output(0)


def tile_of_zeros(kind: str, tensor: Sparse, size: int) -> Output:
    """A tile whose other cells are zero."""
    if kind == "MaxPool":
        return ops.relu(tensor.values).output(0)
    return ops.divide(tensor.values, np.float32(size)).output(0)


def tile_of_one_more(kind: str, tensor: Sparse, size: int) -> Output:
    """A tile with one cell of background too many."""
    rest = ops.multiply(tensor.background, np.float32(size))
    return ops.divide(ops.add(tensor.values, rest), np.float32(size)).output(0)


_whole_map_product = contractions._whole_map_product
_by_cell, _by_position = contractions._Grid.by_cell, contractions._Grid.by_position


def without_constant(tensor: Sparse, matrix: Output, classes: int, copies: Copies) -> Output | None:
    """``W[cell(p)] (V[p] - B)`` alone: the product less the product of the background with itself."""
    whole = _whole_map_product(tensor, matrix, classes, copies)
    everywhere = ops.broadcast(tensor.background, ops.shape_of(tensor.values), "BIDIRECTIONAL").output(0)
    constant = _whole_map_product(replace(tensor, values=everywhere), matrix, classes, copies)
    assert whole is not None
    assert constant is not None
    return ops.subtract(whole, constant).output(0)


def without_difference(tensor: Sparse, matrix: Output, classes: int, copies: Copies) -> Output | None:
    """``W[cell(p)] V[p] + sum_q W[q] B``, the background of cell p counted twice."""
    values = ops.add(tensor.values, tensor.background).output(0)
    return _whole_map_product(replace(tensor, values=values), matrix, classes, copies)


def _next_cell(grid: contractions._Grid, port: Output, channels: int, samples: Extent) -> Output:
    """Values of cell q before the weights of cell q + 1."""
    return ops.roll(_by_cell(grid, port, channels, samples), ints([1]), ints([1])).output(0)


def _back_by_one(grid: contractions._Grid, port: Output, channels: int, samples: Extent) -> Output:
    return _by_position(grid, ops.roll(port, ints([-1]), ints([1])).output(0), channels, samples)


def off_by_one(patch: pytest.MonkeyPatch) -> Sequence[Rule]:
    patch.setattr(contractions._Grid, "by_cell", _next_cell)
    patch.setattr(contractions._Grid, "by_position", _back_by_one)
    return RULES


def not_reordered(grid: contractions._Grid) -> list[int]:
    """Positions in the order of the map, as if each run of them shared a cell."""
    return list(range(2 + 2 * len(grid.cells)))


def runs_of_positions(copies: Copies, tensor: Sparse, cells: Sequence[Extent]) -> Output:
    """``p // window`` of the whole, as if the positions of a cell followed each other."""
    numbers = ops.range(ints(0), ints(_positions(tensor)), ints(1), "i64")
    return ops.divide(numbers, ints(prod(tensor.window))).output(0)


def any_transpose(right: Apply) -> Apply:
    """Columns before rows, called rows before columns."""

    def apply(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
        found = data_and_parameters(inputs)
        if found is None:
            return None
        tensor, (order,) = found
        places = [int(each) for each in order.get_node().data]
        moved = tuple(sorted(places.index(axis) for axis in tensor.position_axes))
        values, background = (
            ops.transpose(port, ints(places)).output(0) for port in (tensor.values, tensor.background)
        )
        return [Sparse(values, background, moved, tensor.window)]

    return apply
