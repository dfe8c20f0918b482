"""The product of a whole map with weights, for all copies in one pass over the weights.

With one matrix ``W[q]`` per cell q, only cell(p) of copy p differs from the background:
``sum_q W[q] D[p, q] = W[cell(p)] (V[p] - B) + sum_q W[q] B``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from math import prod

from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.ops.kinds import Masked, NotHere
from ovxai_convert.tensors.extents import ints, pinned, reshaped
from ovxai_convert.tensors.permuting import transposed
from ovxai_convert.tensors.ports import extents
from ovxai_convert.tensors.recreate import own_constant


def whole_map_product(tensor: Masked, matrix: Output) -> Output | NotHere:
    """``[P, N, K]``: the map of every copy times a matrix ``[D1 * D2 * ..., K]``, B being uniform.

    ``sum_q W[q] B = (sum_q W[q]) B``, so that the weights of the background are summed at compile time. The
    weights are of this size of the map, in the order in which it is flattened behind the samples; at another
    size the product cannot be built.
    """
    grid = _Grid.of(tensor)
    if isinstance(grid, NotHere):
        return grid
    classes = (extents(matrix) or (None,))[-1] or 0
    nothing, values = tensor.parts
    others = [axis for axis in range(1, len(grid.original)) if axis not in tensor.positions]
    apart = reshaped(own_constant(matrix), [*grid.original[1:], classes])
    order = [axis - 1 for axis in (*tensor.positions, *others)]
    per_cell = reshaped(transposed(apart, [*order, len(order)]), [prod(grid.cells), grid.channels, classes])
    static = {axis: size for axis, size in enumerate(extents(values) or ()) if axis and size}
    difference = ops.subtract(pinned(values, static), nothing).output(0)
    in_front = transposed(difference, [*tensor.positions, 0, *others])
    products = ops.matmul(grid.by_cell(in_front), per_cell, False, False).output(0)
    everywhere = ops.reduce_sum(per_cell, ints([0]), keep_dims=False)
    constant = ops.matmul(reshaped(nothing, [-1, grid.channels]), everywhere, False, False)
    return ops.add(grid.by_copy(products, classes), constant).output(0)


@dataclass(frozen=True)
class _Grid:
    """A static grid of copies: extents of the original tensor, cells, copies of a cell, values of a cell.

    Cells, and the copies that keep one cell, are counted along each position axis.
    """

    original: tuple[int, ...]
    cells: tuple[int, ...]
    window: tuple[int, ...]
    channels: int

    @classmethod
    def of(cls, tensor: Masked) -> _Grid | NotHere:
        """The grid of a tensor."""
        if not tensor.mask.one_hot:
            return NotHere("copies keep more than one position")
        if not tensor.uniform[0]:
            return NotHere("the background differs from cell to cell")
        shape = extents(tensor.parts[-1]) or ()
        if 0 in tensor.positions or None in shape[1:]:
            return NotHere("the size of the map is open")
        static = [extent or 0 for extent in shape]
        for axis, size in zip(tensor.positions, tensor.windows, strict=True):
            static[axis] //= size
        cells = tuple(static[axis] for axis in tensor.positions)
        channels = prod(size for axis, size in enumerate(static) if axis and axis not in tensor.positions)
        return cls(tuple(static), cells, tensor.windows, channels)

    def by_cell(self, port: Output) -> Output:
        """``[positions..., N, C] -> [cells, copies of a cell * N, C]``."""
        pairs = chain.from_iterable(zip(self.cells, self.window, strict=True))
        apart = reshaped(port, [*pairs, -1, self.channels])
        return reshaped(transposed(apart, self._cells_first()), [prod(self.cells), -1, self.channels])

    def by_copy(self, port: Output, classes: int) -> Output:
        """``[cells, copies of a cell * N, K] -> [P, N, K]``, undoing :meth:`by_cell`."""
        apart = reshaped(port, [*self.cells, *self.window, -1, classes])
        order = self._cells_first()
        moved = transposed(apart, [order.index(axis) for axis in range(len(order))])
        return reshaped(moved, [prod(self.cells + self.window), -1, classes])

    def _cells_first(self) -> list[int]:
        """Order that takes ``cell, window, cell, window, N, C`` to ``cell, cell, window, window, N, C``."""
        last = 2 * len(self.cells)
        return [*range(0, last, 2), *range(1, last, 2), last, last + 1]
