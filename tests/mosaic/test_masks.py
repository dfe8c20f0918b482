"""The masks that a branch computes are those of the method."""

from __future__ import annotations

import numpy as np
import pytest
from openvino import Model, Type
from openvino import opset15 as ops

from ovxai_convert.anatomy.tokens import Tokens
from ovxai_convert.mosaic.masks import KernelMask
from ovxai_convert.vocabulary import ClassToken, Kernel, TokenMasking
from tests.oracle import kept_patches
from tests.running import compile_f32

GRIDS = [(1, 2), (2, 1), (3, 5), (6, 4)]


@pytest.mark.parametrize("element_type", [Type.f32, Type.f16], ids=["f32", "f16"])
@pytest.mark.parametrize("kernel", Kernel)
@pytest.mark.parametrize("class_token", ClassToken)
@pytest.mark.parametrize("grid", GRIDS)
def test_weights(grid: tuple[int, int], class_token: ClassToken, kernel: Kernel, element_type: Type) -> None:
    masking = TokenMasking(kernel, class_token)
    tokens = Tokens(1, 2, grid, 1)
    mask = KernelMask(masking, grid).weights(tokens, element_type)
    model = Model([ops.result(ops.convert(mask.weights, "f32"))], [])
    found = compile_f32(model)([])[0]
    cells = [(row, column) for row in range(grid[0]) for column in range(grid[1])]
    patches = np.stack([kept_patches(grid, cell, gaussian=kernel is Kernel.GAUSSIAN) for cell in cells])
    others = float(class_token is ClassToken.KEEP)
    expected = np.pad(patches, ((0, 0), (2, 1)), constant_values=others)
    np.testing.assert_array_equal(found, expected)
    assert set(np.unique(found)) <= set(mask.levels)
    assert mask.fixed == (others, others, *([None] * len(cells)), others)
