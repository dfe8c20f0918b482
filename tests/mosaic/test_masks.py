"""The masks that a branch computes are those of the method."""

from __future__ import annotations

import numpy as np
import pytest
from openvino import Model, Type
from openvino import opset15 as ops

from ovxai_convert.anatomy.tokens import Tokens
from ovxai_convert.mosaic.masks import KERNELS, KernelMask
from tests.oracle import kept_patches
from tests.running import compile_f32

GRIDS = [(1, 2), (2, 1), (3, 5), (6, 4)]


@pytest.mark.parametrize("element_type", [Type.f32, Type.f16], ids=["f32", "f16"])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("keeps_auxiliary", [True, False])
@pytest.mark.parametrize("grid", GRIDS)
def test_weights(grid: tuple[int, int], keeps_auxiliary: bool, kernel: str, element_type: Type) -> None:
    tokens = Tokens(1, 2, grid, 1)
    mask = KernelMask(kernel, keeps_auxiliary, grid).weights(tokens, element_type)
    model = Model([ops.result(ops.convert(mask.weights, "f32"))], [])
    found = compile_f32(model)([])[0]
    cells = [(row, column) for row in range(grid[0]) for column in range(grid[1])]
    patches = np.stack([kept_patches(grid, cell, gaussian=kernel == "gaussian") for cell in cells])
    others = float(keeps_auxiliary)
    expected = np.pad(patches, ((0, 0), (2, 1)), constant_values=others)
    np.testing.assert_array_equal(found, expected)
    assert set(np.unique(found)) <= set(mask.levels)
    assert mask.fixed == (others, others, *([None] * len(cells)), others)
