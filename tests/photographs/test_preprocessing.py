"""Preprocessing: every way to resize against plain NumPy, where the input came from, and who is believed."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints, Resize
from ovxai_convert.photographs.image_files import Pixels
from ovxai_convert.photographs.model_input import image_input, preprocessing_for
from ovxai_convert.photographs.preprocessing import FieldOfView, Preprocessing

Doubles = NDArray[np.float64]
FLOAT: Final = np.dtype(np.float32)
FULL: Final = PreprocessingHints(
    (224, 192),
    (123.675, 116.28, 103.53),
    (58.395, 57.12, 57.375),
    "rgb",
    "letterbox",
    "NHWC",
    114,
    256,
    "linear",
    "around",
    (0.0, 200.0),
    PreprocessingHints(),
    True,
    (0.0, 4095.0),
)
LEVEL: Final = 0.5 + 1e-6
"""How far a rounded grey level is from what it stands for."""


def photograph(rows: int, columns: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), np.uint8)


def overlaps(out: int, given: int) -> Doubles:
    """``[i, j]``: how much of the i-th of ``out`` equal parts of a line the j-th of ``given`` covers."""
    edges = np.arange(out + 1) * given / out
    starts = np.arange(given)
    covered = np.minimum(edges[1:, np.newaxis], starts + 1) - np.maximum(edges[:-1, np.newaxis], starts)
    return np.asarray(np.clip(covered, 0, None) * out / given, np.float64)


def interpolations(out: int, given: int) -> Doubles:
    """``[i, j]``: the weight of pixel j in the i-th of more pixels, by the distance of their centres."""
    centres = np.clip((np.arange(out) + 0.5) * given / out - 0.5, 0, given - 1)
    return np.asarray(np.clip(1 - abs(centres[:, np.newaxis] - np.arange(given)), 0, None), np.float64)


def averaged(pixels: Pixels, rows: int, columns: int) -> Doubles:
    down, across = overlaps(rows, pixels.shape[0]), overlaps(columns, pixels.shape[1])
    return np.asarray(np.einsum("ij,jkc,lk->ilc", down, pixels.astype(np.float64), across), np.float64)


def enlarged(pixels: Pixels, rows: int, columns: int) -> Doubles:
    down, across = interpolations(rows, pixels.shape[0]), interpolations(columns, pixels.shape[1])
    return np.asarray(np.einsum("ij,jkc,lk->ilc", down, pixels.astype(np.float64), across), np.float64)


def as_bgr(size: tuple[int, int], resize: Resize, pad_value: int = 0) -> Preprocessing:
    """Resizing alone: the pixels stay as they are."""
    return Preprocessing(size, 3, FLOAT, colour="bgr", resize=resize, layout="NHWC", pad_value=pad_value)


@pytest.mark.parametrize("size", [(4, 6), (3, 5), (8, 12), (1, 1), (7, 3)], ids=str)
def test_stretch(size: tuple[int, int]) -> None:
    picture = photograph(8, 12)
    found = as_bgr(size, "stretch")(picture)
    assert found.shape == (1, *size, 3)
    assert abs(found[0] - averaged(picture, *size)).max() <= LEVEL


def test_enlarging_interpolates() -> None:
    """Weights have 8 bits, and levels are neither too low nor too high on average."""
    picture = photograph(40, 60)
    off = as_bgr((80, 180), "stretch")(picture)[0] - enlarged(picture, 80, 180)
    assert abs(off).max() <= 1
    assert abs(off.mean()) <= 0.05  # in 8 bits without care, an eighth too low


@pytest.mark.parametrize(
    ("picture", "size", "part"),
    [
        ((8, 20), (4, 4), (slice(0, 8), slice(6, 14))),
        ((20, 8), (4, 4), (slice(6, 14), slice(0, 8))),
        ((12, 12), (3, 6), (slice(3, 9), slice(0, 12))),
        ((9, 9), (3, 3), (slice(0, 9), slice(0, 9))),
        ((8, 21), (4, 4), (slice(0, 8), slice(6, 14))),  # half a pixel too much on either side
    ],
    ids=str,
)
def test_crop(picture: tuple[int, int], size: tuple[int, int], part: tuple[slice, slice]) -> None:
    pixels = photograph(*picture)
    found = as_bgr(size, "crop")(pixels)[0]
    assert abs(found - averaged(pixels[part], *size)).max() <= LEVEL


@pytest.mark.parametrize(
    ("picture", "size", "inner", "corner"),
    [
        ((8, 24), (6, 6), (2, 6), (2, 0)),
        ((24, 8), (6, 6), (6, 2), (0, 2)),
        ((8, 16), (4, 4), (2, 4), (1, 0)),
        ((6, 6), (3, 3), (3, 3), (0, 0)),
        ((1, 50), (10, 10), (1, 10), (4, 0)),
    ],
    ids=str,
)
@pytest.mark.parametrize("pad_value", [0, 114])
def test_letterbox(
    picture: tuple[int, int],
    size: tuple[int, int],
    inner: tuple[int, int],
    corner: tuple[int, int],
    pad_value: int,
) -> None:
    pixels = photograph(*picture)
    expected = np.full((*size, 3), pad_value, np.float64)
    expected[corner[0] : corner[0] + inner[0], corner[1] : corner[1] + inner[1]] = averaged(pixels, *inner)
    found = as_bgr(size, "letterbox", pad_value)(pixels)[0]
    assert abs(found - expected).max() <= LEVEL


def test_colours_and_layouts() -> None:
    picture = photograph(4, 6)
    for colour in ("rgb", "bgr"):
        wanted = (picture if colour == "bgr" else picture[..., ::-1]).astype(np.float32)
        last = Preprocessing((4, 6), 3, FLOAT, colour=colour, layout="NHWC")(picture)
        first = Preprocessing((4, 6), 3, FLOAT, colour=colour)(picture)
        np.testing.assert_array_equal(last[0], wanted)
        np.testing.assert_array_equal(first[0], wanted.transpose(2, 0, 1))
        assert first.flags.c_contiguous


def test_grey_input() -> None:
    picture = photograph(4, 6)
    found = Preprocessing((4, 6), 1, FLOAT)(picture)
    assert found.shape == (1, 1, 4, 6)
    blue, green, red = np.moveaxis(picture.astype(np.float64), 2, 0)
    assert abs(found[0, 0] - (0.299 * red + 0.587 * green + 0.114 * blue)).max() <= 1


def test_mean_and_scale_are_per_channel_in_the_order_of_the_colours() -> None:
    picture = photograph(4, 6)
    mean, scale = (10.0, 20.0, 30.0), (2.0, 4.0, 8.0)
    rgb = picture[..., ::-1].astype(np.float64)
    found = Preprocessing((4, 6), 3, FLOAT, mean, scale, layout="NHWC")(picture)
    np.testing.assert_allclose(found[0], (rgb - mean) / scale, rtol=1e-6)
    one = Preprocessing((4, 6), 3, FLOAT, (10.0,), (2.0,), layout="NHWC")(picture)
    np.testing.assert_allclose(one[0], (rgb - 10) / 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "mean", "scale"), [(np.int8, 128.0, 1.0), (np.int8, 0.0, 1.0), (np.uint8, 50.0, 0.5)]
)
def test_whole_numbers_are_rounded_and_clipped(dtype: Any, mean: float, scale: float) -> None:
    picture = photograph(16, 16)
    found = Preprocessing((16, 16), 3, np.dtype(dtype), (mean,), (scale,), "bgr", layout="NHWC")(picture)
    bounds = np.iinfo(dtype)
    exact = (picture.astype(np.float64) - mean) / scale
    assert found.dtype == dtype
    np.testing.assert_array_equal(found[0], np.clip(np.rint(exact), bounds.min, bounds.max))


@pytest.mark.parametrize(
    ("resize", "size", "region"),
    [
        ("stretch", (20, 20), FieldOfView(0, 0, 90, 60)),
        ("crop", (20, 20), FieldOfView(15, 0, 75, 60)),
        ("crop", (20, 10), FieldOfView(30, 0, 60, 60)),
        ("crop", (10, 60), FieldOfView(0, 22, 90, 37)),
        ("letterbox", (24, 24), FieldOfView(0, -15, 90, 75)),
        ("letterbox", (20, 20), FieldOfView(0, -3 * (60 / 13), 90, 17 * (60 / 13))),
        ("letterbox", (20, 60), FieldOfView(-45, 0, 135, 60)),
    ],
)
def test_region(resize: Resize, size: tuple[int, int], region: FieldOfView) -> None:
    assert as_bgr(size, resize).region(60, 90) == region


@pytest.mark.parametrize("resize", ["crop", "stretch", "letterbox"])
@pytest.mark.parametrize("picture", [(300, 451), (451, 300), (97, 98), (31, 200), (20, 20)], ids=str)
@pytest.mark.parametrize("size", [(32, 32), (24, 40), (64, 20)], ids=str)
def test_region_tells_where_each_input_pixel_came_from(
    resize: Resize, picture: tuple[int, int], size: tuple[int, int]
) -> None:
    """The pixels of this photograph hold their own place in it, and so do those of the input."""
    rows, columns = picture
    ramp = np.zeros((rows, columns, 3), np.uint8)
    ramp[..., 0] = ((np.arange(rows) + 0.5) * 250 / rows)[:, np.newaxis]
    ramp[..., 1] = (np.arange(columns) + 0.5) * 250 / columns
    ramp[..., 2] = 255  # the padding has none
    preprocessing = as_bgr(size, resize)
    found, region = preprocessing(ramp)[0], preprocessing.region(rows, columns)
    inside = np.argwhere(found[..., 2] == 255)
    assert len(inside) >= 40
    at = inside + 0.5
    down = region.top + at[:, 0] * (region.bottom - region.top) / size[0]
    across = region.left + at[:, 1] * (region.right - region.left) / size[1]
    seen = found[inside[:, 0], inside[:, 1]]
    step = (region.bottom - region.top) / size[0], (region.right - region.left) / size[1]
    for extent, place, level, one in (
        (rows, down, seen[:, 0], step[0]),
        (columns, across, seen[:, 1], step[1]),
    ):
        off = abs(level * extent / 250 - place)
        assert off.max() <= max(0.75 * one, 0.75) + extent / 250  # rounding to pixels and to levels


@pytest.mark.parametrize("resize", ["crop", "stretch", "letterbox"])
def test_painted_marker_is_found_again(resize: Resize) -> None:
    picture = np.zeros((300, 451, 3), np.uint8)
    picture[120:150, 260:290] = 255
    preprocessing = as_bgr((64, 48), resize)
    found, region = preprocessing(picture)[0, ..., 0], preprocessing.region(300, 451)
    row, column = (found * grid / found.sum() for grid in np.mgrid[:64, :48] + 0.5)
    assert abs(region.top + row.sum() * (region.bottom - region.top) / 64 - 135) < 1.5
    assert abs(region.left + column.sum() * (region.right - region.left) / 48 - 275) < 1.5


@pytest.mark.parametrize("resize", ["crop", "stretch", "letterbox"])
@pytest.mark.parametrize("picture", [(1, 1), (1, 500), (500, 1), (3, 2)], ids=str)
def test_tiny_and_thin_photographs(resize: Resize, picture: tuple[int, int]) -> None:
    assert as_bgr((7, 9), resize)(np.full((*picture, 3), 9, np.uint8)).max() == 9


@pytest.mark.parametrize(
    "options",
    [
        {"size": (0, 5)},
        {"size": (5, -1)},
        {"mean": ()},
        {"scale": ()},
        {"levels": (5.0, 5.0)},
        {"levels": [0.0, 5.0]},
        {"levels": "all"},
        {"levels": (5.0, 0.0)},
        {"levels": (0.0, float("inf"))},
        {"levels": (0.0, 1.0, 2.0)},
        {"scale": (1.0, 0.0, 1.0)},
        {"mean": (float("inf"),)},
        {"mean": (1e39,)},
        {"mean": (float("nan"),)},
        {"scale": (1e-50,)},
        {"clip": (0.0, float("inf"))},
        {"resize_to": 0},
        {"resize_to": (0, 9)},
        {"resize_to": (9, 65537)},
    ],
    ids=str,
)
def test_hints_without_sense(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        PreprocessingHints(**options)


def test_first_source_that_says_something_is_believed() -> None:
    assert NO_HINTS.or_else(FULL) == FULL.or_else(NO_HINTS) == FULL
    other = PreprocessingHints(
        (9, 9),
        (0.0,),
        (2.0,),
        "bgr",
        "crop",
        "NCHW",
        0,
        10,
        "area",
        "right_and_below",
        (1.0, 2.0),
        PreprocessingHints(resize="crop"),
        False,
        (-1024.0, 3071.0),
    )
    assert FULL.or_else(other) == FULL
    assert other.or_else(FULL) == other, "a mean or a padding of 0 is something said"
    for field in fields(PreprocessingHints):
        alone = PreprocessingHints(**{field.name: getattr(other, field.name)})
        mixed = alone.or_else(FULL)
        for each in fields(PreprocessingHints):
            source = other if each.name == field.name else FULL
            if each.name == "clip" and field.name in ("mean", "scale"):
                assert mixed.clip is None, "who says a mean says all that is done to levels"
                continue
            assert getattr(mixed, each.name) == getattr(source, each.name)


@pytest.mark.parametrize(("height", "width"), [(30, 47), (61, 20), (9, 9)])
def test_both_sides_are_scaled_before_the_crop(height: int, width: int) -> None:
    """As torchvision's Resize((24, 20)) and CenterCrop((18, 16)): the ratio is not kept."""
    photograph = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
    both = Preprocessing((18, 16), 3, np.dtype(np.float32), resize_to=(24, 20), interpolation="nearest")
    whole = Preprocessing((24, 20), 3, np.dtype(np.float32), resize="stretch", interpolation="nearest")
    np.testing.assert_array_equal(both(photograph), whole(photograph)[..., 3:21, 2:18])
    region = both.region(height, width)
    expected = (2 * width / 20, 3 * height / 24, 18 * width / 20, 21 * height / 24)
    assert (region.left, region.top, region.right, region.bottom) == pytest.approx(expected)


@pytest.mark.parametrize("sides", [(17, 30), (30, 15)])
def test_both_sides_hold_the_input(sides: tuple[int, int]) -> None:
    model = cnn(CnnSpec(height=18, width=16))
    with pytest.raises(UsageError, match=rf"{sides[0]}x{sides[1]} is for cutting 18x16 out"):
        preprocessing_for(image_input(model), PreprocessingHints(resize="crop", resize_to=sides))
