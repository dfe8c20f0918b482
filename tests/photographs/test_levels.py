"""Levels of 12 and 16 bits and of floats: all of them reach the model, as said; what is assumed is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, get_args

import numpy as np
import pytest

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.hints import NO_HINTS, Interpolation, LevelRange, PreprocessingHints, Resize
from ovxai_convert.photographs.levels import brought_to_bytes, note_on_levels, shown_picture
from ovxai_convert.photographs.model_api import hints_from_model_info, to_model_info
from ovxai_convert.photographs.model_input import ImageInput, preprocessing_for
from ovxai_convert.photographs.preprocessing import Preprocessing
from tests.photographs.test_preprocessing import FLOAT, averaged, enlarged

TWELVE: Final = np.random.default_rng(0).integers(0, 4096, (40, 60, 3)).astype(np.uint16)
GREY: Final = ImageInput((1, 1, 40, 60), FLOAT, "NCHW")
STRETCHED: Final = PreprocessingHints(resize="stretch")


def prepared(picture: Any, hints: PreprocessingHints, image: ImageInput = GREY) -> Any:
    preprocessing, _ = preprocessing_for(image, hints)
    return preprocessing(picture)


def test_numbers_are_of_the_levels_of_the_file() -> None:
    picture = TWELVE[..., :1]
    said = replace(STRETCHED, mean=(100.0,), scale=(4095.0,))
    found = prepared(picture, said)[0, 0]
    np.testing.assert_allclose(found, (picture[..., 0] - 100.0) / 4095, rtol=1e-6, atol=1e-7)
    assert len(np.unique(found)) == len(np.unique(picture))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("levels", [(0.0, 4095.0), (-1024.0, 3071.0), (0.0, 1.0), (10.0, 200.5)], ids=str)
def test_levels_are_brought_to_0_to_255(dtype: Any, levels: tuple[float, float]) -> None:
    picture = TWELVE.astype(dtype)
    low, high = levels
    wanted = (np.clip(picture.astype(np.float64), low, high) - low) * 255 / (high - low)
    found = brought_to_bytes(picture, levels)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, wanted.astype(np.float32))
    assert (found.min(), found.max()) >= (0, 0)
    assert found.max() <= 255


def test_levels_of_bytes_stay_what_they_are() -> None:
    picture = TWELVE.astype(np.uint8)
    np.testing.assert_array_equal(brought_to_bytes(picture, (0, 255)), picture)
    assert brought_to_bytes(picture, "depth") is picture
    assert brought_to_bytes(TWELVE, None) is TWELVE


@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
@pytest.mark.parametrize("size", [(10, 15), (13, 31), (60, 90)], ids=str)
@pytest.mark.parametrize("levels", [None, (0.0, 4095.0)], ids=["as they are", "4095"])
def test_no_level_is_rounded_on_the_way(
    resize: Resize, size: tuple[int, int], levels: LevelRange | None
) -> None:
    way = Preprocessing(size, 3, FLOAT, colour="bgr", resize=resize, layout="NHWC", levels=levels)
    found, factor = way(TWELVE)[0], 1.0 if levels is None else 255 / 4095
    if resize == "stretch":
        levels_of: Any = averaged if size[0] * size[1] < 2400 else enlarged
        np.testing.assert_allclose(found, levels_of(TWELVE, *size) * factor, rtol=1e-5, atol=1e-4)
    assert len(np.unique(found)) > 300
    assert (found != np.rint(found)).any()


def test_interpolations_of_deep_levels() -> None:
    for interpolation in get_args(Interpolation):
        way = Preprocessing((20, 30), 3, FLOAT, colour="bgr", resize="stretch", layout="NHWC")
        found = replace(way, interpolation=interpolation)(TWELVE)[0]
        assert found.max() > 2000, interpolation
        bytes_ = replace(way, interpolation=interpolation)((TWELVE >> 4).astype(np.uint8))[0]
        assert abs(found / 16 - bytes_).max() < 60, interpolation
        assert abs(found / 16 - bytes_).mean() < 1, interpolation


def test_input_of_16_bits_gets_them() -> None:
    image = ImageInput((1, 3, 40, 60), np.dtype(np.uint16), "NCHW")
    found = prepared(TWELVE, replace(STRETCHED, colour="bgr"), image)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found[0].transpose(1, 2, 0), TWELVE)


@pytest.mark.parametrize(
    ("picture", "factor"),
    [
        ((TWELVE << 4).astype(np.uint16), 255 / 65535),
        ((TWELVE / 4095).astype(np.float32), 255),
        ((TWELVE / 4).astype(np.float32), 1),
        ((TWELVE >> 4).astype(np.uint8), 1),
    ],
    ids=["16 bits", "fractions", "floats", "bytes"],
)
def test_where_nobody_says_numbers_levels_are_brought_to_bytes(picture: Any, factor: float) -> None:
    image = ImageInput((1, 3, 40, 60), FLOAT, "NHWC")
    image = replace(image, shape=(1, 40, 60, 3))
    found = prepared(picture, replace(STRETCHED, colour="bgr"), image)[0]
    np.testing.assert_allclose(found, picture.astype(np.float64) * factor, rtol=1e-6, atol=1e-5)


def test_grey_pictures_for_colours_and_colours_for_grey() -> None:
    one = TWELVE[..., :1]
    of_colours = Preprocessing((40, 60), 3, FLOAT, layout="NHWC")(one)[0]
    np.testing.assert_array_equal(of_colours, one.repeat(3, 2).astype(np.float32))
    grey = Preprocessing((40, 60), 1, FLOAT, colour="grey", layout="NHWC")(TWELVE)[0, ..., 0]
    blue, green, red = np.moveaxis(TWELVE.astype(np.float64), 2, 0)
    np.testing.assert_allclose(grey, 0.299 * red + 0.587 * green + 0.114 * blue, rtol=1e-5)


@pytest.mark.parametrize("bands", [2, 4, 13, 130])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32], ids=lambda kind: kind.__name__)
def test_any_number_of_bands(bands: int, dtype: Any) -> None:
    picture = np.random.default_rng(1).integers(0, 250, (20, 30, bands)).astype(dtype)
    mean = tuple(float(each) for each in range(bands))
    image = ImageInput((1, bands, 10, 15), FLOAT, "NCHW")
    hints = PreprocessingHints(mean=mean, scale=(2.0,), resize="stretch")
    preprocessing, assumed = preprocessing_for(image, hints)
    assert (preprocessing.colour, assumed) == ("bands", ())
    found = preprocessing(picture)[0].transpose(1, 2, 0)
    tolerance = 0.26 if dtype == np.uint8 else 1e-3
    np.testing.assert_allclose(found, (averaged(picture, 10, 15) - mean) / 2, atol=tolerance)
    for wrong in (picture[..., 1:], picture[..., :1]):
        with pytest.raises(UsageError, match=f"bands.*; the input takes {bands} bands"):
            preprocessing(wrong)


@pytest.mark.parametrize("bands", [2, 4, 5])
def test_photographs_are_of_three_bands_or_one(bands: int) -> None:
    with pytest.raises(UsageError, match=f"the picture has {bands} bands .*takes a photograph"):
        Preprocessing((4, 6), 3, FLOAT)(np.zeros((4, 6, bands), np.uint8))


@pytest.mark.parametrize(
    ("highest", "dtype", "levels", "mean", "scale", "words"),
    [
        (255, np.uint8, None, 0, 255, None),
        (4095, np.uint16, None, 0, 4095, None),
        (4095, np.uint16, (0, 4095), 0, 255, None),
        (200, np.uint16, None, 0, 255, None),
        (4095, np.uint16, None, 0, 255, "its levels are 0 to 4095, and mean 0 and scale 255 look meant for"),
        (4095, np.float32, None, 128, 128, "look meant for 0 to 255; if they are, say what level is white"),
        (1, np.float32, None, 0, 1, None),
        (1, np.float32, None, 0.5, 0.25, None),
        (1, np.float32, None, 0, 255, "its levels are 0 to 1, and mean 0 and scale 255 look meant for"),
        (4095, np.uint16, "depth", 0, 1, "0 to 65535 is brought to 0 to 255, since nothing says which level"),
        (1, np.float32, "depth", 0, 1, "0 to 1 is brought to 0 to 255"),
        (4095, np.float32, "depth", 0, 1, "its levels are 0 to 4095; taken as they are"),
    ],
    ids=str,
)
def test_what_is_said_of_levels(
    highest: int, dtype: Any, levels: Any, mean: float, scale: float, words: str | None
) -> None:
    picture = np.linspace(0, highest, 24).reshape(4, 6, 1).astype(dtype)
    note = note_on_levels(picture, levels, (mean,), (scale,))
    assert (note is None) == (words is None)
    assert words is None or words in str(note)


@pytest.mark.parametrize(
    ("count", "bands", "shown"),
    [
        (3, None, [0, 1, 2]),
        (3, (1, 2, 3), [0, 1, 2]),
        (3, (3, 2, 1), [2, 1, 0]),
        (3, (1,), [2, 2, 2]),
        (1, None, [0, 0, 0]),
        (2, None, [0, 0, 0]),
        (2, (2,), [1, 1, 1]),
        (13, None, [2, 1, 0]),
        (13, (4, 3, 2), [1, 2, 3]),
        (13, (13,), [12, 12, 12]),
    ],
    ids=str,
)
def test_bands_that_are_shown(count: int, bands: tuple[int, ...] | None, shown: list[int]) -> None:
    """Bands are counted from 1, and of three the first is red, which OpenCV has last."""
    picture = np.random.default_rng(2).integers(0, 256, (4, 6, count), np.uint8)
    np.testing.assert_array_equal(shown_picture(picture, bands), picture[..., shown])


@pytest.mark.parametrize("bands", [(), (1, 2), (0, 1, 2), (1, 2, 14), (-1,), (1, 2, 3, 4)], ids=str)
def test_bands_that_are_not_there(bands: tuple[int, ...]) -> None:
    with pytest.raises(
        UsageError, match="three bands, or one, of the picture's 13 are shown, counted from 1"
    ):
        shown_picture(np.zeros((4, 6, 13), np.uint8), bands)


def test_deep_levels_are_shown_from_percentile_to_percentile() -> None:
    ramp = np.arange(10_000, dtype=np.uint16).reshape(100, 100, 1)
    shown = shown_picture(ramp)
    low, high = np.percentile(ramp, (1, 99))
    wanted = np.rint(np.clip((ramp - low) / (high - low), 0, 1) * 255)
    np.testing.assert_array_equal(shown, np.broadcast_to(wanted, shown.shape))
    one_bright = np.zeros((100, 100, 1), np.float32)
    one_bright[5, 5] = 9
    assert shown_picture(one_bright).max() == 255, "where nearly all are alike the others are shown"
    assert shown_picture(np.full((4, 6, 3), 77, np.uint16)).max() == 0


def test_model_info_has_the_same_numbers_of_the_levels_of_the_file() -> None:
    hints = PreprocessingHints(
        mean=(127.5,), scale=(51.0, 102.0, 255.0), levels=(-1000.0, 4100.0), colour="rgb"
    )
    read = hints_from_model_info(to_model_info(hints))
    picture = TWELVE.astype(np.float32)
    image = ImageInput((1, 3, 40, 60), FLOAT, "NCHW")
    np.testing.assert_allclose(
        prepared(picture, read, image), prepared(picture, hints, image), rtol=1e-4, atol=1e-5
    )
    assert to_model_info(NO_HINTS) == {}
