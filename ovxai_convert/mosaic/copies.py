"""The copies of a mosaic: how many there are, and how tensors are laid out for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.graph.ports import extents
from ovxai_convert.mosaic.kinds import Dense, Sparse
from ovxai_convert.mosaic.shapes import Extent, extent, ints, product, reshaped, shape_vector

_T = TypeVar("_T")


@dataclass(frozen=True)
class Copies:
    """One copy for every cell of a grid.

    Attributes:
        target: the feature map whose cells are masked; its leading axis holds the samples.
        position_axes: the axes of ``target`` that positions run along.
    """

    target: Output
    position_axes: tuple[int, ...]

    @property
    def samples(self) -> Extent:
        """N."""
        return extent(self.target, 0)

    @property
    def count(self) -> Extent:
        """P, the number of positions and so of copies."""
        return product([extent(self.target, axis) for axis in self.position_axes])

    def materialise(self, tensor: Sparse) -> Dense:
        """Write all copies out: ``D[n * P + p] = where(onehot(p), V[n], B[n])``.

        The one-hot mask ``[P, 1, H, W]`` (for channel-first maps) is computed in the graph, not stored.
        """
        rank = len(extents(tensor.values) or ())
        shape = [extent(tensor.values, axis) for axis in range(rank)]
        grid = [shape[axis] if axis in tensor.position_axes else 1 for axis in range(rank)]
        count = product(grid)
        numbers = self._position_numbers(count)
        mask = ops.equal(reshaped(numbers, [count, *([1] * (rank - 1))]), reshaped(numbers, grid))
        after_samples = ints(1)
        values, background = (
            ops.unsqueeze(each, after_samples) for each in (tensor.values, tensor.background)
        )
        written = ops.select(mask, values, background).output(0)
        return Dense(reshaped(written, [product([shape[0], count]), *shape[1:]]))

    @staticmethod
    def _position_numbers(count: Extent) -> Output:
        """0, 1, ... P - 1."""
        stop = ops.squeeze(shape_vector([count]), ints(0))
        return ops.range(ints(0), stop, ints(1), "i64").output(0)

    def repeat(self, port: Output, axis: int, inner: int = 1) -> Output:
        """Every sample of a tensor P times in a row along ``axis``, which holds samples x ``inner`` rows.

        ``[..., N * inner, ...] -> [..., N, 1, inner, ...] -> [..., N * P * inner, ...]``
        """
        rank = len(extents(port) or ())
        shape = [extent(port, each) for each in range(rank)]
        apart = reshaped(port, [*shape[:axis], self.samples, 1, inner, *shape[axis + 1 :]])
        times = shape_vector(one_hot_vector(rank + 2, axis + 1, self.count, 1))
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


def one_hot_vector(length: int, index: int, value: _T, elsewhere: _T) -> list[_T]:
    """A list of ``length`` entries, ``value`` at ``index`` and ``elsewhere`` at all others."""
    return [value if each == index else elsewhere for each in range(length)]
