"""A map that has the size of the picture already is not interpolated."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.preprocessing import Region
from ovxai_convert.runtime.overlay import resized


@pytest.mark.parametrize("region", [None, Region(0, 0, 7, 5)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_map_of_the_pictures_size_stays_as_it_is(region: Region | None, dtype: type[np.generic]) -> None:
    saliency: NDArray[np.generic] = np.random.default_rng(0).integers(0, 255, (5, 7)).astype(dtype)
    shown = resized(saliency, (5, 7), region)
    assert shown.dtype == np.float32
    np.testing.assert_array_equal(shown, saliency)
    assert not np.shares_memory(shown, saliency)


def test_map_of_the_pictures_size_moves_into_a_region() -> None:
    saliency = np.random.default_rng(0).random((5, 7), np.float32)
    assert not np.array_equal(resized(saliency, (5, 7), Region(0, 0, 6, 5)), saliency)
