"""The masks of ViT-ReciproCAM: how much of every token each copy keeps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Final

from openvino import Output, Type
from openvino import opset15 as ops

from ovxai_convert.anatomy.tokens import Tokens
from ovxai_convert.ops.kinds import Mask
from ovxai_convert.tensors.extents import Extent, counted, ints, product, reshaped, shape_vector

GAUSSIAN: Final = "gaussian"
"""The 3x3 neighbourhood, weighted ``[1 2 1; 2 4 2; 1 2 1] / 16``."""
KERNELS: Final = {GAUSSIAN: 2, "single": 1}
"""What a copy may keep of the tokens around its own, and the reach of each; of ``single`` the token alone."""


@dataclass(frozen=True)
class KernelMask:
    """The mask of copy p around the p-th cell of a grid.

    Along rows and along columns alike the weight falls linearly with the distance d from the cell,
    ``max(0, r - d) / r^2``: 1 for a reach r of 1, and 1/4, 1/2, 1/4 for 2, which makes the 3x3 kernel
    ``[1 2 1; 2 4 2; 1 2 1] / 16``. What reaches past the edge is lost. Auxiliary tokens (class tokens,
    registers and the like) weigh 1 or 0.

    Nothing of it is stored: it is computed from the numbers of rows and columns.
    """

    kernel: str
    keeps_auxiliary: bool
    grid: tuple[Extent, Extent]

    @property
    def levels(self) -> tuple[float, ...]:
        """All weights that a token can have, in ascending order."""
        reach = KERNELS[self.kernel]
        line = [max(0, reach - distance) / reach**2 for distance in range(reach + 1)]
        return tuple(sorted({0.0, 1.0, *(one * other for one in line for other in line)}))

    def weights(self, tokens: Tokens, element_type: Type) -> Mask:
        """M for all tokens of a tensor."""
        weight = float(self.keeps_auxiliary)
        fixed = [weight] * tokens.before, [None] * tokens.patches, [weight] * tokens.after
        patches = [self._patch_columns()] if tokens.grid else []
        before, after = (self._auxiliary_columns(count) for count in (tokens.before, tokens.after))
        pieces = [*before, *patches, *after]
        joined = ops.convert(pieces[0] if len(pieces) == 1 else ops.concat(pieces, 1), element_type)
        return Mask(self.levels, joined.output(0), tuple(chain(*fixed)))

    def _auxiliary_columns(self, count: int) -> list[Output]:
        if count == 0:
            return []
        value = ops.constant(float(self.keeps_auxiliary), Type.f32)
        return [ops.broadcast(value, shape_vector([product(self.grid), count])).output(0)]

    def _patch_columns(self) -> Output:
        """``[P, P]``: the weights along rows times those along columns."""
        rows, columns = self.grid
        along_rows = reshaped(self._along(rows), [rows, 1, rows, 1])
        along_columns = reshaped(self._along(columns), [1, columns, 1, columns])
        cells = product(self.grid)
        return reshaped(ops.multiply(along_rows, along_columns).output(0), [cells, cells])

    def _along(self, length: Extent) -> Output:
        """``[length, length]``: ``max(0, r - |i - j|) / r^2``."""
        reach = KERNELS[self.kernel]
        numbers = counted(length, "f32")
        distance = ops.abs(ops.subtract(ops.unsqueeze(numbers, ints(1)), ops.unsqueeze(numbers, ints(0))))
        nearness = ops.relu(ops.subtract(ops.constant(reach, Type.f32), distance))
        return ops.divide(nearness, ops.constant(reach**2, Type.f32)).output(0)
