from __future__ import annotations

import numpy as np
import pytest

from ovxai_convert.blackbox.aise import GaussianWindows
from tests.blackbox.definitions import gaussian


@pytest.mark.parametrize("size", [(9, 14), (1, 5), (20, 20)])
@pytest.mark.parametrize("point", [(0.5, 0.5), (0.0, 1.0), (0.3, 0.81)])
def test_windows_are_gaussians(size: tuple[int, int], point: tuple[float, float]) -> None:
    windows = GaussianWindows(size, (0.1, 0.3))
    for index, width in enumerate((0.1, 0.3)):
        np.testing.assert_allclose(
            windows.window(index, np.array(point)), gaussian(size, *point, width), atol=1e-6
        )


def test_weighted_sum() -> None:
    windows = GaussianWindows((9, 14), (0.2,))
    points, weights = np.random.default_rng(0).random((7, 2)), np.random.default_rng(1).standard_normal(7)
    expected = [gaussian((9, 14), row, column, 0.2) for row, column in points]
    np.testing.assert_allclose(
        windows.weighted_sum(0, points, weights), np.tensordot(weights, expected, 1), atol=1e-12
    )
