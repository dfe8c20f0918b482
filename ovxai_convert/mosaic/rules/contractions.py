"""Products with weights: of channels in every cell, and of the whole map at once.

In every cell, ``W D[p] = W B + onehot(p) * (W V[p] - W B)``. Over the whole map, with one matrix ``W[q]`` per
cell q, only cell(p) of copy p differs from the background:
``sum_q W[q] D[p, q] = W[cell(p)] (V[p] - B) + sum_q W[q] B``: one pass over the weights for all p.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.graph.rebuild import own_constant
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Carried, Dense, Flattened, Shared, Sparse
from ovxai_convert.mosaic.rules.rule import Rule, data_and_parameters, on_both, shape_of, uniform
from ovxai_convert.mosaic.shapes import Extent, ints, reshaped, transposed


def _pointwise_convolution(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """A 1x1 convolution of stride 1."""
    found = data_and_parameters(inputs)
    if found is None or not _is_grid_of_nchw(found[0]):
        return None
    attributes = node.get_attributes()
    kernel = shape_of(node.input_value(1))[-2:]
    steps = [*attributes["strides"], *kernel]
    if any(step != 1 for step in steps) or any((*attributes["pads_begin"], *attributes["pads_end"])):
        return None
    return on_both(node, *found)


def _channel_matmul(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """A matrix on the last axis, which holds no positions."""
    found = data_and_parameters(inputs)
    if found is None or node.get_attributes()["transpose_a"]:
        return None
    tensor, (weights,) = found
    rank, matrix = len(shape_of(tensor.values)), shape_of(weights)
    plain = len(matrix) >= 2 and all(extent == 1 for extent in matrix[:-2]) and len(matrix) <= rank
    if not plain or rank < 3 or rank - 1 in tensor.position_axes:
        return None
    return on_both(node, tensor, [weights])


def _flattened_matmul(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Flatten and a fully connected layer."""
    flattened, weights = inputs
    attributes = node.get_attributes()
    if not isinstance(flattened, Flattened) or not isinstance(weights, Shared) or attributes["transpose_a"]:
        return None
    tensor, matrix = flattened.unflattened, weights.port
    shape = shape_of(matrix)
    if len(shape) != 2 or None in shape or not uniform(tensor):
        return None
    outputs_first = bool(attributes["transpose_b"])
    classes = shape[0 if outputs_first else 1] or 0
    if not outputs_first:
        matrix = ops.transpose(matrix, ints([1, 0])).output(0)
    per_copy = _whole_map_product(tensor, matrix, classes, copies)
    return None if per_copy is None else [Dense(reshaped(per_copy, [-1, classes]))]


def _full_map_convolution(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """A convolution whose kernel covers the whole map, so that its output has one cell."""
    found = data_and_parameters(inputs)
    if found is None or not _is_grid_of_nchw(found[0]) or not uniform(found[0]):
        return None
    tensor, (weights,) = found
    attributes = node.get_attributes()
    kernel, source = shape_of(weights), shape_of(node.input_value(0))
    no_pads = not any((*attributes["pads_begin"], *attributes["pads_end"]))
    if None in kernel or kernel[1:] != source[1:] or kernel[2:] == (1, 1) or not no_pads:
        return None
    classes = kernel[0] or 0
    matrix = ops.reshape(weights, ints([classes, -1]), special_zero=False).output(0)
    per_copy = _whole_map_product(tensor, matrix, classes, copies)
    return None if per_copy is None else [Dense(reshaped(per_copy, [-1, classes, 1, 1]))]


def _is_grid_of_nchw(tensor: Sparse) -> bool:
    return tensor.position_axes == (2, 3) and len(shape_of(tensor.values)) == 4


def _whole_map_product(tensor: Sparse, matrix: Output, classes: int, copies: Copies) -> Output | None:
    """``[N, P, K]``: the map of every copy times a matrix ``[K, D1 * D2 * ...]``, B being uniform.

    ``sum_q W[q] B = (sum_q W[q]) B``, so that the weights of the background are summed at compile time.
    """
    grid = _Grid.of(tensor)
    if grid is None:
        return None
    rank = len(shape_of(tensor.values))
    others = [axis for axis in range(1, rank) if axis not in tensor.position_axes]
    # Turned as a matrix first: the runtime folds these two permutations in half the time of one of all axes.
    apart = reshaped(transposed(own_constant(matrix), [1, 0]), [*grid.original_shape, classes])
    order = [axis - 1 for axis in (*tensor.position_axes, *others, rank)]
    per_cell = reshaped(transposed(apart, order), [grid.cell_count, grid.channels, classes])
    difference = ops.subtract(tensor.values, tensor.background).output(0)
    channels_last = transposed(difference, [0, *tensor.position_axes, *others])
    products = ops.matmul(grid.by_cell(channels_last, grid.channels, copies.samples), per_cell, False, False)
    everywhere = ops.reduce_sum(per_cell, ints([0]), keep_dims=False)
    background = reshaped(tensor.background, [-1, 1, grid.channels])
    constant = ops.matmul(background, everywhere, False, False)
    return ops.add(grid.by_position(products.output(0), classes, copies.samples), constant).output(0)


@dataclass(frozen=True)
class _Grid:
    """A static grid of positions, several of which may share a cell.

    Attributes:
        cells: cells along each position axis.
        window: positions of a cell along each position axis.
        original_shape: extents of the original tensor without the samples.
        channels: values of a cell.
    """

    cells: tuple[int, ...]
    window: tuple[int, ...]
    original_shape: tuple[int, ...]
    channels: int

    @classmethod
    def of(cls, tensor: Sparse) -> _Grid | None:
        """The grid of a tensor, None where an extent is dynamic."""
        shape, axes = shape_of(tensor.values)[1:], [axis - 1 for axis in tensor.position_axes]
        static = [extent for extent in shape if extent is not None]
        if len(static) != len(shape):
            return None
        cells = tuple(static[axis] // size for axis, size in zip(axes, tensor.window, strict=True))
        original = [cells[axes.index(axis)] if axis in axes else each for axis, each in enumerate(static)]
        channels = prod(each for axis, each in enumerate(static) if axis not in axes)
        return cls(cells, tensor.window, tuple(original), channels)

    @property
    def cell_count(self) -> int:
        """Cells in all."""
        return prod(self.cells)

    def by_cell(self, port: Output, channels: int, samples: Extent) -> Output:
        """``[N, positions..., C] -> [N, cells, positions of a cell, C]``."""
        pairs = [each for pair in zip(self.cells, self.window, strict=True) for each in pair]
        apart = reshaped(port, [samples, *pairs, channels])
        moved = transposed(apart, self._cells_first())
        return reshaped(moved, [samples, self.cell_count, prod(self.window), channels])

    def by_position(self, port: Output, channels: int, samples: Extent) -> Output:
        """``[N, cells, positions of a cell, C] -> [N, P, C]``, undoing :meth:`by_cell`."""
        apart = reshaped(port, [samples, *self.cells, *self.window, channels])
        order = self._cells_first()
        moved = transposed(apart, [order.index(axis) for axis in range(len(order))])
        return reshaped(moved, [samples, self.cell_count * prod(self.window), channels])

    def _cells_first(self) -> list[int]:
        """Order that takes ``N, cell, window, cell, window, C`` to ``N, cell, cell, window, window, C``."""
        last = 1 + 2 * len(self.cells)
        return [0, *range(1, last, 2), *range(2, last, 2), last]


POINTWISE_CONVOLUTION_RULE: Final = Rule(
    "pointwise convolution", frozenset({"Convolution", "GroupConvolution"}), _pointwise_convolution
)
CHANNEL_MATMUL_RULE: Final = Rule("channel matmul", frozenset({"MatMul"}), _channel_matmul)
FLATTENED_MATMUL_RULE: Final = Rule("flattened matmul", frozenset({"MatMul"}), _flattened_matmul)
FULL_MAP_CONVOLUTION_RULE: Final = Rule(
    "full-map convolution", frozenset({"Convolution"}), _full_map_convolution
)
