"""Pictures as files: as large as is useful, in the format that was asked for."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import pytest

from ovxai_convert.errors import UsageError
from ovxai_convert.pictures.picture_files import PICTURE_FORMATS, PictureOptions, encoded, picture_suffix

BEGINNINGS: Final = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF"}
NOISE: Final = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
SMOOTH: Final = np.asarray(cv2.resize(NOISE, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)


def decoded(content: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return np.asarray(pixels)


@pytest.mark.parametrize("picture", [SMOOTH, SMOOTH[..., 0]], ids=["colour", "grey"])
@pytest.mark.parametrize("image_format", PICTURE_FORMATS)
def test_formats(image_format: str, picture: Any) -> None:
    content = encoded(picture, image_format)
    assert content.startswith(BEGINNINGS[image_format])
    found = decoded(content)
    found = found if found.ndim == picture.ndim else found[..., 0]  # WebP has no grey pictures
    assert found.shape == picture.shape
    assert np.abs(found.astype(int) - picture).mean() < (0.001 if image_format == "png" else 3)


@pytest.mark.parametrize("image_format", ["jpeg", "webp"])
def test_small_formats_are_small(image_format: str) -> None:
    assert len(encoded(SMOOTH, image_format)) < len(encoded(SMOOTH, "png")) / 3


def test_jpeg_keeps_colours_as_sharp_as_brightness() -> None:
    """Lines of one pixel, red between blue of much the same brightness, are told apart."""
    lines = np.zeros((32, 32, 3), np.uint8)
    lines[:, ::2], lines[:, 1::2] = (0, 0, 120), (255, 0, 0)
    found = decoded(encoded(lines, "jpeg")).astype(int)
    assert (found[..., 2] > found[..., 0])[:, ::2].all()
    assert (found[..., 2] < found[..., 0])[:, 1::2].all()


def test_suffixes() -> None:
    assert [picture_suffix(each) for each in ("png", "jpeg", "webp")] == [".png", ".jpg", ".webp"]


@pytest.mark.parametrize(("image_format", "longest"), [("webp", 16_383), ("jpeg", 65_500)])
def test_pictures_that_a_format_cannot_hold(image_format: str, longest: int) -> None:
    assert encoded(np.zeros((1, longest), np.uint8), image_format)
    with pytest.raises(
        UsageError, match=f"has at most {longest} pixels a side, and this one has {longest + 1}x1"
    ):
        encoded(np.zeros((1, longest + 1), np.uint8), image_format)


@pytest.mark.parametrize(
    ("photograph", "max_side", "expected"),
    [
        ((3000, 4000), 1600, (1200, 1600)),
        ((4000, 300), 1600, (1600, 120)),
        ((500, 8000), 1600, (100, 1600)),
        ((1, 5000), 1600, (1, 1600)),
        ((1600, 1200), 1600, None),
        ((300, 451), 1600, None),
        ((224, 10), 1600, None),
        ((64, 64), 1600, (256, 256)),
        ((30, 56), 1600, (120, 224)),
        ((1, 1), 1600, (224, 224)),
        ((64, 64), 200, (192, 192)),
        ((64, 64), 64, None),
        ((64, 64), 32, (32, 32)),
        ((64, 64), 1, (1, 1)),
        ((64, 64), None, None),
        ((3000, 4000), None, None),
    ],
    ids=str,
)
def test_sizes(photograph: tuple[int, int], max_side: int | None, expected: tuple[int, int] | None) -> None:
    options = PictureOptions(max_side=max_side)
    assert options.size_of(np.zeros((*photograph, 3), np.uint8)) == expected


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"colormap": "virdis"}, "no colormap 'virdis'; did you mean 'viridis'"),
        ({"image_format": "jpg"}, "no image format 'jpg'; did you mean 'jpeg'"),
        ({"image_format": "bmp"}, "no image format 'bmp'"),
        ({"overlay_weight": 1.5}, "an overlay weight lies between 0 and 1"),
        ({"max_side": 0}, "a picture has at least one pixel a side; 0 is not"),
        ({"max_side": -4}, "a picture has at least one pixel a side"),
    ],
    ids=str,
)
def test_options_that_make_no_sense(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        PictureOptions(**options)
