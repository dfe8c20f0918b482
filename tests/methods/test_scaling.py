"""Embedded scaling: grey levels as defined, and no NaN where a map is constant."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from openvino import Model
from openvino import opset15 as ops

from ovxai_convert.insertion.outputs import scale_to_grey_levels
from tests.oracle import Floats, grey_levels
from tests.running import compile_f32


def scaled(maps: Floats) -> NDArray[np.generic]:
    raw = ops.parameter(maps.shape, np.float32)
    model = Model([ops.result(scale_to_grey_levels(raw.output(0)))], [raw])
    levels: NDArray[np.generic] = compile_f32(model)([maps])[0]
    return levels


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (3, 4, 6)])
@pytest.mark.parametrize(("gain", "offset"), [(1, 0), (1e-20, 0), (1e20, 0), (1, 1000), (1, -1000)])
def test_each_map_by_itself(shape: tuple[int, ...], gain: float, offset: float) -> None:
    numbers = np.random.default_rng(1).standard_normal(shape) * np.arange(1, 1 + shape[-3])[:, None, None]
    maps = (gain * numbers + offset).astype(np.float32)
    levels = scaled(maps)
    assert levels.dtype == np.uint8
    assert (levels.min(axis=(-2, -1)) == 0).all()
    assert (levels.max(axis=(-2, -1)) == 255).all()
    assert abs(levels.astype(int) - grey_levels(maps)).max() <= 1


@pytest.mark.parametrize("value", [0.0, 1.0, -3.7, 1e-38, 3e38])
def test_constant_maps_are_zero(value: float) -> None:
    assert not scaled(np.full((1, 2, 3, 4), value, np.float32)).any()


@pytest.mark.parametrize(("steps", "shown"), [(100, False), (600, True)])
def test_rounding_errors_are_not_shown(steps: int, shown: bool) -> None:
    """A map that differs by fewer steps of float32 than there are grey levels is constant."""
    maps = np.full((1, 1, 3, 4), 8 - steps * 2.0**-21, np.float32)
    maps[0, 0, 1, 2] = 8 - 2.0**-21
    assert scaled(maps).any() == shown
    assert grey_levels(maps).any() == shown
