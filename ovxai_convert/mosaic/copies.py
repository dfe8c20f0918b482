"""The copies of a mosaic: how many there are, and how tensors are laid out for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.mosaic.kinds import Dense, Flattened, Sparse
from ovxai_convert.mosaic.shapes import (
    Extent,
    extent,
    full_shape,
    ints,
    product,
    rank_of,
    reshaped,
    shape_vector,
    transposed,
)

_T = TypeVar("_T")


def masked_map(values: Output, position_axes: tuple[int, ...]) -> Sparse:
    """A feature map with all cells but one set to zero: V is the map itself, B is zero."""
    zero = ops.constant(np.zeros([], values.get_element_type().to_dtype()))
    rank = rank_of(values)
    shape = [1 if axis in (0, *position_axes) else extent(values, axis) for axis in range(rank)]
    background = ops.broadcast(zero, shape_vector(shape)).output(0)
    return Sparse(values, background, position_axes, (1,) * len(position_axes))


@dataclass(frozen=True)
class Copies:
    """As many copies of every sample as there are cells.

    Attributes:
        samples: N.
        count: P, the number of copies of a sample.
    """

    samples: Extent
    count: Extent

    @classmethod
    def of_cells(cls, target: Output, position_axes: tuple[int, ...]) -> Copies:
        """One copy for every cell of a feature map, whose first axis holds the samples."""
        return cls(extent(target, 0), product([extent(target, axis) for axis in position_axes]))

    def materialise(self, tensor: Sparse | Flattened) -> Dense:
        """Write all copies out: ``D[n * P + p] = where(cell(p), V[n, p], B[n])``.

        The mask ``[P, 1, H, W]`` (for channel-first maps) is computed in the graph, not stored.
        """
        if isinstance(tensor, Flattened):
            written = self.materialise(tensor.unflattened).port
            shape = full_shape(written)
            return Dense(reshaped(written, [shape[0], product(shape[1:])]))
        axes = tensor.position_axes
        rank = rank_of(tensor.values)
        cells = [self._cells(tensor, index) for index in range(len(axes))]
        grid: list[Extent] = [cells[axes.index(axis)] if axis in axes else 1 for axis in range(rank)]
        numbers = self._cell_numbers(tensor, cells)
        mask = ops.equal(
            reshaped(numbers, [self.count, *([1] * (rank - 1))]),
            reshaped(_counted(product(cells)), grid),
        )
        background = ops.unsqueeze(tensor.background, ints(1))
        written = ops.select(mask, self.per_copy(tensor.values, axes), background).output(0)
        kept = [extent(tensor.values, axis) if axis not in axes else grid[axis] for axis in range(1, rank)]
        return Dense(reshaped(written, [product([self.samples, self.count]), *kept]))

    def per_copy(self, values: Output, position_axes: tuple[int, ...]) -> Output:
        """Positions to the second axis: ``[N, C, H, W] -> [N, P, C, 1, 1]``, each copy with its own value."""
        rank = rank_of(values)
        others = [axis for axis in range(1, rank) if axis not in position_axes]
        moved = transposed(values, [0, *position_axes, *others])
        kept = [1 if axis in position_axes else extent(values, axis) for axis in range(1, rank)]
        return reshaped(moved, [self.samples, self.count, *kept])

    def as_batch(self, per_copy: Output) -> Output:
        """Samples and copies to one axis: ``[N, P, ...] -> [N * P, ...]``."""
        return reshaped(per_copy, [product([self.samples, self.count]), *full_shape(per_copy)[2:]])

    @staticmethod
    def _cells(tensor: Sparse, index: int) -> Extent:
        """Extent of the original tensor along one position axis."""
        positions = extent(tensor.values, tensor.position_axes[index])
        assert isinstance(positions, int) or tensor.window[index] == 1, "only static grids are pooled"
        return positions // tensor.window[index] if isinstance(positions, int) else positions

    def _cell_numbers(self, tensor: Sparse, cells: list[Extent]) -> Output:
        """For every position the number of its cell, ``[P]``."""
        numbers = _counted(product(cells))
        if not tensor.pooled:
            return numbers
        apart = reshaped(numbers, [each for cell in cells for each in (cell, 1)])
        times = [each for size in tensor.window for each in (1, size)]
        return reshaped(ops.tile(apart, ints(times)).output(0), [self.count])

    def repeat(self, port: Output, axis: int, inner: int = 1) -> Output:
        """Every sample of a tensor P times in a row along ``axis``, which holds samples x ``inner`` rows.

        ``[..., N * inner, ...] -> [..., N, 1, inner, ...] -> [..., N * P * inner, ...]``
        """
        shape = full_shape(port)
        apart = reshaped(port, [*shape[:axis], self.samples, 1, inner, *shape[axis + 1 :]])
        times = shape_vector(one_hot_vector(len(shape) + 2, axis + 1, self.count, 1))
        repeated = ops.tile(apart, times).output(0)
        merged = product([self.samples, self.count, inner])
        return reshaped(repeated, [*shape[:axis], merged, *shape[axis + 1 :]])

    def scaled_pattern(self, pattern: Output, entry: int, length: int) -> Output:
        """A shape tensor with one entry multiplied by P; entries that mean "infer" (-1, 0) stay."""
        element_type = pattern.get_element_type()
        scale = shape_vector(one_hot_vector(length, entry, self.count, 1))
        scale = ops.convert(scale, element_type).output(0)
        zero = ops.constant(np.zeros(1, element_type.to_dtype()))
        return ops.select(ops.greater(pattern, zero), ops.multiply(pattern, scale), pattern).output(0)


def _counted(count: Extent) -> Output:
    """0, 1, ... ``count`` - 1."""
    return ops.range(ints(0), ops.squeeze(shape_vector([count]), ints(0)), ints(1), "i64").output(0)


def one_hot_vector(length: int, index: int, value: _T, elsewhere: _T) -> list[_T]:
    """A list of ``length`` entries, ``value`` at ``index`` and ``elsewhere`` at all others."""
    return [value if each == index else elsewhere for each in range(length)]
