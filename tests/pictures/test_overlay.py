"""Overlays: a cell of a map lands on the pixels that it was made of, and nothing is drawn outside."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.photographs.hints import Resize
from ovxai_convert.photographs.preprocessing import FieldOfView, Preprocessing
from ovxai_convert.pictures.rendering import covered, enlarged, grey_levels, laid_over

FLOAT: Final = np.dtype(np.float32)
CELL: Final = 15
"""Pixels along a cell's side in these geometries: odd, so that a cell has a pixel in its middle."""


def hot(grid: tuple[int, int], row: int, column: int) -> np.ndarray:
    saliency = np.zeros(grid, np.float32)
    saliency[row, column] = 7
    return saliency


@pytest.mark.parametrize(
    ("resize", "size", "picture", "grid", "cell", "corner"),
    [
        ("crop", (20, 20), (60, 90), (4, 4), (15, 15), (0, 15)),
        ("crop", (20, 20), (90, 60), (4, 4), (15, 15), (15, 0)),
        ("crop", (12, 30), (36, 120), (4, 6), (9, 15), (0, 15)),
        ("stretch", (20, 20), (60, 100), (4, 4), (15, 25), (0, 0)),
        ("stretch", (7, 9), (45, 15), (3, 5), (15, 3), (0, 0)),
        ("letterbox", (24, 24), (60, 90), (6, 6), (15, 15), (-15, 0)),
        ("letterbox", (24, 24), (90, 60), (6, 6), (15, 15), (0, -15)),
    ],
)
def test_hot_cell_lands_on_its_pixels(
    resize: Resize,
    size: tuple[int, int],
    picture: tuple[int, int],
    grid: tuple[int, int],
    cell: tuple[int, int],
    corner: tuple[int, int],
) -> None:
    """Of all pixels seen, the highest is the middle of the cell, and beyond its borders little is left."""
    region = Preprocessing(size, 3, FLOAT, resize=resize).region(*picture)
    tried = 0
    for row, column in np.ndindex(*grid):
        top, left = corner[0] + row * cell[0], corner[1] + column * cell[1]
        if min(top, left) < 0 or top + cell[0] > picture[0] or left + cell[1] > picture[1]:
            continue  # in the padding of a letterbox
        shown = np.where(covered(picture, region), enlarged(hot(grid, row, column), picture, region), 0)
        assert shown.shape == picture
        middle = top + cell[0] // 2, left + cell[1] // 2
        edge = column in (0, grid[1] - 1) or row in (0, grid[0] - 1)
        assert shown[middle] == 7
        assert edge or np.argwhere(shown == shown.max()).tolist() == [list(middle)]
        assert shown.argmax() in np.flatnonzero(inside(picture, top, left, cell))
        outside = shown[~inside(picture, top, left, cell)]
        assert outside.max(initial=0) < 0.65 * 7
        tried += 1
    assert tried >= 15


def inside(picture: tuple[int, int], top: int, left: int, cell: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(picture, bool)
    mask[top : top + cell[0], left : left + cell[1]] = True
    return mask


def test_shifted_region_is_noticed() -> None:
    """What makes the test above worth something."""
    shown = enlarged(hot((4, 4), 1, 2), (60, 90), FieldOfView(16, 0, 76, 60))
    assert shown[22, 15 + 37] != 7


def test_map_without_a_region_covers_the_whole_picture() -> None:
    saliency = np.random.default_rng(0).random((4, 6))
    np.testing.assert_array_equal(
        enlarged(saliency, (60, 90)), enlarged(saliency, (60, 90), FieldOfView(0, 0, 90, 60))
    )
    np.testing.assert_allclose(enlarged(saliency, (60, 90))[7::15, 7::15], saliency, atol=1e-6)


def test_values_stay_within_the_map() -> None:
    """Cubic interpolation alone would overshoot."""
    saliency = np.random.default_rng(1).choice([-1.0, 3.0], (6, 6))
    shown = enlarged(saliency, (90, 90))
    assert shown.min() == -1
    assert shown.max() == 3


@pytest.mark.parametrize("value", [0, 3, 255])
@pytest.mark.parametrize("shape", [(1, 1), (7, 7)])
def test_constant_map(value: int, shape: tuple[int, int]) -> None:
    shown = enlarged(np.full(shape, value, np.uint8), (20, 30), FieldOfView(5, 0, 25, 20))
    np.testing.assert_array_equal(shown, np.full((20, 30), value, np.float32))
    assert not grey_levels(shown).any()


def test_picture_of_one_pixel() -> None:
    assert enlarged(np.eye(3), (1, 1)).shape == (1, 1)


@pytest.mark.parametrize(
    ("region", "rows", "columns"),
    [
        (FieldOfView(0, 0, 6, 4), slice(0, 4), slice(0, 6)),
        (FieldOfView(1, 0, 5, 4), slice(0, 4), slice(1, 5)),
        (FieldOfView(1.5, 0.6, 4.4, 4), slice(1, 4), slice(1, 4)),
        (FieldOfView(0, -1, 6, 5), slice(0, 4), slice(0, 6)),
        (FieldOfView(-3, 0, 2, 1), slice(0, 1), slice(0, 2)),
    ],
    ids=str,
)
def test_seen_pixels_have_their_centre_in_the_region(
    region: FieldOfView, rows: slice, columns: slice
) -> None:
    expected = np.zeros((4, 6), bool)
    expected[rows, columns] = True
    np.testing.assert_array_equal(covered((4, 6), region), expected)


@pytest.mark.parametrize(
    ("saliency", "expected"),
    [
        ([[0.0, 0.5, 1.0]], [[0, 128, 255]]),
        ([[-3.0, -1.0, 1.0]], [[0, 128, 255]]),
        ([[10, 20, 30]], [[0, 128, 255]]),
        ([[0, 1e-37, 4e-37]], [[0, 64, 255]]),
        ([[2.5, 2.5]], [[0, 0]]),
        ([[np.inf, 0]], [[0, 0]]),
        ([[np.nan, 0]], [[0, 0]]),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in subtract:RuntimeWarning")
def test_grey_levels(saliency: list[list[float]], expected: list[list[int]]) -> None:
    grey = grey_levels(np.array(saliency))
    assert grey.dtype == np.uint8
    assert grey.tolist() == expected


def test_blending() -> None:
    rng = np.random.default_rng(2)
    picture, colours = (rng.integers(0, 256, (4, 6, 3), np.uint8) for _ in range(2))
    np.testing.assert_array_equal(laid_over(picture, colours, 0), picture)
    np.testing.assert_array_equal(laid_over(picture, colours, 1), colours)
    blended = laid_over(picture, colours, 0.25)
    assert abs(blended - (0.75 * picture + 0.25 * colours)).max() <= 0.5 + 1e-6


@pytest.mark.parametrize(
    ("rows", "columns"),
    [((0, 4), (1, 5)), ((1, 2), (0, 6)), ((1, 3), (2, 4)), ((0, 4), (0, 6)), ((2, 2), (0, 6))],
    ids=["beside", "above and below", "around", "nothing", "everything"],
)
def test_what_was_not_seen_is_grey_and_dark(rows: tuple[int, int], columns: tuple[int, int]) -> None:
    picture = np.full((4, 6, 3), 200, np.uint8)
    colours = np.full((4, 6, 3), (255, 0, 0), np.uint8)
    box = slice(rows[0], rows[1]), slice(columns[0], columns[1])
    where = np.zeros((4, 6), bool)
    where[box] = True
    shown = laid_over(picture, colours, 0.5, box)
    assert (shown[~where] == 100).all()
    np.testing.assert_array_equal(shown[where], laid_over(picture, colours, 0.5)[where])


@pytest.mark.parametrize("region", [None, FieldOfView(0, 0, 7, 5)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_map_of_the_pictures_size_stays_as_it_is(region: FieldOfView | None, dtype: type[np.generic]) -> None:
    saliency: NDArray[np.generic] = np.random.default_rng(0).integers(0, 255, (5, 7)).astype(dtype)
    shown = enlarged(saliency, (5, 7), region)
    assert shown.dtype == np.float32
    np.testing.assert_array_equal(shown, saliency)
    assert not np.shares_memory(shown, saliency)


def test_map_of_the_pictures_size_moves_into_a_region() -> None:
    saliency = np.random.default_rng(0).random((5, 7), np.float32)
    assert not np.array_equal(enlarged(saliency, (5, 7), FieldOfView(0, 0, 6, 5)), saliency)
