from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.blackbox.metrics import ScoreCurve, blurred, deletion, insertion
from ovxai_convert.errors import UsageError
from tests.blackbox.functions import Floats, running

ROWS, COLUMNS = 12, 20
PIXELS = ROWS * COLUMNS
IMAGE = np.ones((3, ROWS, COLUMNS), np.float32)
DESCENDING = -np.arange(PIXELS, dtype=np.float32).reshape(ROWS, COLUMNS)
"""A map that orders the pixels row by row."""


def mean(batch: NDArray[np.float32]) -> Floats:
    """Class 0: the share of pixels that are seen; 1: whether the first pixel is; 2: one minus class 0."""
    seen = batch.mean((1, 2, 3))
    return np.stack([seen, batch[:, 0, 0, 0], 1 - seen], 1)


@pytest.mark.parametrize("steps", [1, 7, 60, PIXELS])
@pytest.mark.parametrize("batch_size", [1, 5, 300])
def test_areas_known_in_closed_form(steps: int, batch_size: int) -> None:
    for saliency_map, first_pixel_at in ((DESCENDING, 0), (-DESCENDING, steps - 1)):
        for target, area in ((0, 0.5), (2, 0.5)):  # a straight line, whatever the order
            for metric in (deletion, insertion):
                curve = metric(IMAGE, (1, 2), saliency_map, running(mean), target, batch_size, steps)
                assert len(curve.scores) == len(curve.fractions) == steps + 1
                assert curve.auc == pytest.approx(area, abs=1e-6)
        # A step down within one of the intervals, of which the trapezoidal rule counts half.
        gone = deletion(IMAGE, (1, 2), saliency_map, running(mean), 1, batch_size, steps)
        there = insertion(IMAGE, (1, 2), saliency_map, running(mean), 1, batch_size, steps)
        middle = float(gone.fractions[first_pixel_at : first_pixel_at + 2].mean())
        assert gone.auc == pytest.approx(middle, abs=1e-6)
        assert there.auc == pytest.approx(1 - middle, abs=1e-6)


def test_area_of_a_square() -> None:
    """A score of s^2 for a share s: the integral of s^2 over 0..1 is 1/3."""
    curve = insertion(
        IMAGE, (1, 2), DESCENDING, running(lambda b: b.mean((1, 2, 3))[:, np.newaxis] ** 2), 0, 9, PIXELS
    )
    assert curve.auc == pytest.approx(1 / 3, abs=1e-4)
    np.testing.assert_allclose(curve.scores, curve.fractions**2, atol=1e-6)


def test_pixels_go_in_the_order_of_the_map() -> None:
    rng = np.random.default_rng(0)
    saliency_map = rng.permutation(PIXELS).reshape(ROWS, COLUMNS)
    seen: list[NDArray[np.float32]] = []

    def record(batch: NDArray[np.float32]) -> Floats:
        seen.extend(batch.copy())
        return batch[:, :, 0, 0]

    deletion(IMAGE, (1, 2), saliency_map, running(record), 0, 7, 8, baseline=-3.0)
    for step, covered in enumerate(seen):
        expected = saliency_map >= PIXELS - step * PIXELS // 8
        np.testing.assert_array_equal(covered == -3, np.broadcast_to(expected, (3, ROWS, COLUMNS)))


def test_equal_pixels_go_row_by_row() -> None:
    seen: list[NDArray[np.float32]] = []

    def record(batch: NDArray[np.float32]) -> Floats:
        seen.extend(batch.copy())
        return batch[:, :, 0, 0]

    insertion(IMAGE, (1, 2), np.zeros((ROWS, COLUMNS)), running(record), 0, 7, 3)
    assert [int(one[0].sum()) for one in seen] == [0, 80, 160, 240]
    assert seen[1][0, :4].all()


def test_start_and_baseline_images() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (ROWS, COLUMNS, 3), np.uint8)
    soft = blurred(picture, (0, 1), 2.0)
    assert (soft.shape, soft.dtype) == (picture.shape, picture.dtype)
    assert soft.std() < 0.4 * picture.std()
    ends: list[NDArray[np.uint8]] = []

    def record(batch: NDArray[np.uint8]) -> Floats:
        ends.extend(batch.copy())
        return np.zeros((len(batch), 1), np.float32)

    insertion(picture, (0, 1), DESCENDING, running(record), 0, 4, 2, start=soft)
    deletion(picture, (0, 1), DESCENDING, running(record), 0, 4, 2, baseline=soft)
    for first, last in ((soft, picture), (picture, soft)):
        np.testing.assert_array_equal(ends.pop(0), first)
        ends.pop(0)
        np.testing.assert_array_equal(ends.pop(0), last)


def test_blur_of_a_constant_and_of_a_point() -> None:
    np.testing.assert_allclose(blurred(IMAGE * 7, (1, 2)), 7, rtol=1e-6)
    point = np.zeros((1, 41, 41))
    point[0, 20, 20] = 1
    soft = blurred(point, (1, 2), 3.0)[0]
    offsets = np.arange(-20, 21)
    gaussian = np.exp(-(offsets**2) / (2 * 3.0**2))
    np.testing.assert_allclose(soft, np.outer(gaussian, gaussian) / gaussian.sum() ** 2, atol=1e-4)


def test_a_curve_of_uneven_steps() -> None:
    assert ScoreCurve(np.array([0, 0.25, 1]), np.array([1, 0, 0], np.float32)).auc == 0.125


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"saliency_map": np.zeros((COLUMNS, ROWS))}, "image's size"),
        ({"saliency_map": np.full((ROWS, COLUMNS), np.nan)}, "NaN"),
        ({"target": 3}, "class 3 is out of range"),
        ({"steps": 0}, "steps"),
        ({"steps": PIXELS + 1}, "steps"),
        ({"batch_size": 0}, "batch size"),
        ({"baseline": np.zeros((3, 3), np.float32)}, "baseline image"),
        ({"spatial_axes": (0, 3)}, "rows and columns"),
    ],
)
def test_wrong_requests(change: dict[str, object], says: str) -> None:
    request = {
        "image": IMAGE,
        "spatial_axes": (1, 2),
        "saliency_map": DESCENDING,
        "score_stream": running(mean),
        "target": 0,
        "batch_size": 4,
        "steps": 10,
    }
    with pytest.raises(UsageError, match=says):
        deletion(**(request | change))  # type: ignore[arg-type]


def test_no_blur_is_refused() -> None:
    with pytest.raises(UsageError, match="sigma"):
        blurred(IMAGE, (1, 2), 0)
