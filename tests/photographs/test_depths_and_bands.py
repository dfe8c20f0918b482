"""Files of more bits and other bands than photographs: exactly what they hold, or a line that says why."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest

from ovxai_convert.errors import ModelReadError
from ovxai_convert.photographs.image_files import read_image
from ovxai_convert.photographs.tiff_header import tiff_header
from tests.photographs.test_image_files import PIXELS, encoded, turned, written
from tests.photographs.tiff_files import Tiff, numbers, tiff

DEEP: Final = (PIXELS.astype(np.uint16) << 8) + PIXELS[::-1]
FRACTIONS: Final = DEEP.astype(np.float32) / 7
TYPES: Final = (np.uint8, np.uint16, np.float32)


def refusal(path: Path, channels: int = 3) -> str:
    with pytest.raises(ModelReadError) as caught:
        read_image(path, channels)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("suffix", "pixels"),
    [(".png", DEEP), (".tiff", DEEP), (".pnm", DEEP), (".tiff", FRACTIONS), (".pfm", FRACTIONS)],
    ids=["png", "tiff", "pnm", "float-tiff", "float-pfm"],
)
def test_every_bit_is_kept(suffix: str, pixels: Any, tmp_path: Path) -> None:
    found = read_image(written(tmp_path, "deep", encoded(suffix, pixels)))
    assert found.dtype == pixels.dtype
    np.testing.assert_array_equal(found, pixels)
    grey = written(tmp_path, "grey", encoded(suffix, pixels[..., 0]))
    np.testing.assert_array_equal(read_image(grey, 1), pixels[..., :1])
    np.testing.assert_array_equal(read_image(grey), pixels[..., :1].repeat(3, 2))


def test_radiance_is_read_as_floats(tmp_path: Path) -> None:
    found = read_image(written(tmp_path, "scene.hdr", encoded(".hdr", FRACTIONS)))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, FRACTIONS, rtol=0.02, atol=FRACTIONS.max() / 100)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg", ".pnm", ".jp2"])
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_photographs_of_8_bits_are_as_ever(suffix: str, bands: int, tmp_path: Path) -> None:
    pixels = np.dstack([PIXELS, PIXELS[..., 0]])[..., :bands]
    if bands == 4 and suffix in (".jpg", ".pnm"):
        pixels = pixels[..., :3]  # which have no transparency
    if suffix == ".jp2":
        pixels = np.tile(pixels, (8, 8, 1))  # smaller ones cannot be written
    content = encoded(suffix, pixels)
    expected = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    found = read_image(written(tmp_path, "photo", content))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


def test_grey_photograph_is_turned_for_a_grey_input_too(tmp_path: Path) -> None:
    path = written(tmp_path, "turned.jpg", turned(6))
    grey = read_image(path, 1)
    assert grey.shape == (32, 16, 1)
    np.testing.assert_array_equal(grey, read_image(path)[..., :1])


def with_orientation(png: bytes, orientation: int) -> bytes:
    """A PNG with an EXIF block that states an orientation."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    data = b"MM\0*\0\0\0\x08" + struct.pack(">H", 1) + entry + bytes(4)
    chunk = struct.pack(">I", len(data)) + b"eXIf" + data + struct.pack(">I", zlib.crc32(b"eXIf" + data))
    return png[:33] + chunk + png[33:]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_four_channels_are_red_green_blue_and_transparency(orientation: int, tmp_path: Path) -> None:
    pixels = np.dstack([DEEP, DEEP[..., 0] // 3])
    png = written(tmp_path, "clear.png", with_orientation(encoded(".png", pixels), orientation))
    upright, whole = read_image(png), read_image(png, 4)
    assert whole.dtype == np.uint16
    np.testing.assert_array_equal(whole[..., :3], upright[..., ::-1])
    np.testing.assert_array_equal(whole[..., 3], upright[..., 0] // 3)
    if orientation == 1:
        np.testing.assert_array_equal(upright, DEEP)


def test_four_channels_of_a_file_that_has_three(tmp_path: Path) -> None:
    assert read_image(written(tmp_path, "x", encoded(".png", PIXELS)), 4).shape == (8, 12, 3)


@pytest.mark.parametrize("big", [False, True], ids=["classic", "big"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("in_turn", [False, True], ids=["mixed", "in turn"])
@pytest.mark.parametrize("dtype", [*TYPES, np.int16, np.float64], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    ("colours", "bands", "extra"),
    [(1, 1, 0), (1, 2, 0), (1, 2, 1), (1, 4, 0), (1, 13, 0), (2, 3, 0), (2, 4, 0), (2, 4, 2), (2, 5, 0)],
)
def test_tiff_is_read_as_it_is_or_refused(
    colours: int, bands: int, extra: int, dtype: Any, in_turn: bool, order: Any, big: bool, tmp_path: Path
) -> None:
    """OpenCV reads some of these as something else without a word."""
    pixels = numbers(dtype, bands)
    path = written(tmp_path, "x.tif", Tiff(pixels, colours, in_turn, extra, order, big).bytes)
    usual = bands == 1 or (colours == 2 and bands in (3, 4))
    if not usual or (in_turn and bands > 1 and pixels.itemsize > 1):
        if (bands, extra, np.dtype(dtype)) == (2, 1, np.uint8):
            assert read_image(path).shape == (6, 8, 3)  # grey and transparency, as ever
            return
        assert "not an image" in (message := refusal(path)) or f"a TIFF of {bands} bands" in message
        return
    found = read_image(path)
    shown = pixels if bands == 1 else pixels[..., 2::-1]
    if (extra, np.dtype(dtype)) == (2, np.uint8):
        return  # libtiff multiplies colours of 8 bits by their transparency, as ever
    np.testing.assert_array_equal(found, np.broadcast_to(shown, found.shape).astype(found.dtype))
    assert found.dtype == (dtype if dtype in TYPES else np.float32)


@pytest.mark.parametrize("place", [b"\xff" * 8, b"\x00" * 7 + b"\x09"], ids=["beyond", "far"])
def test_directory_that_is_nowhere(place: bytes, tmp_path: Path) -> None:
    content = bytearray(Tiff(numbers(np.uint8, 1), big=True).bytes)
    content[8:16] = place
    assert tiff_header(bytes(content)) is None
    assert refusal(written(tmp_path, "x.tif", bytes(content))) == "not an image that can be read"


def test_pages_are_bands_for_a_model_that_takes_as_many(tmp_path: Path) -> None:
    pixels = numbers(np.uint16, 13)
    pages = [Tiff(pixels[..., place : place + 1]) for place in range(13)]
    path = written(tmp_path, "bands.tif", tiff(pages))
    np.testing.assert_array_equal(read_image(path, 13), pixels)
    np.testing.assert_array_equal(read_image(path), pixels[..., :1].repeat(3, 2))
    np.testing.assert_array_equal(read_image(path, 12), pixels[..., :1])


def test_header_of_a_tiff() -> None:
    content = tiff([Tiff(numbers(np.uint16, 5), 2, True, 0, ">")] * 3)
    header = tiff_header(content)
    assert header is not None
    assert (header.pages, header.bands, header.bits, header.colours) == (3, 5, 16, 3)
    assert (header.in_turn, header.alpha) == (True, False)
    for length in range(0, len(content), 7):
        tiff_header(content[:length])  # nothing is raised
    assert tiff_header(encoded(".png", PIXELS)) is None


def test_header_that_leads_back_to_itself() -> None:
    content = bytearray(Tiff(numbers(np.uint8, 1)).bytes)
    content[-4:] = content[4:8]
    header = tiff_header(bytes(content))
    assert header is not None
    assert header.pages == 1


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", [*TYPES, ">u2", ">f4", np.int16, np.float64, np.float16, np.bool_], ids=str)
@pytest.mark.parametrize("bands", [1, 2, 3, 4, 13])
def test_arrays(dtype: Any, bands: int, tmp_path: Path) -> None:
    array = numbers(np.uint8, bands).astype(dtype)
    found = read_image(written(tmp_path, "x.npy", npy(array)), bands)
    kept = np.dtype(dtype).newbyteorder("=")
    assert found.dtype == (kept if kept in TYPES else np.float32)
    np.testing.assert_array_equal(found, array[..., ::-1] if bands == 3 else array)
    assert found.dtype.isnative


def test_array_of_one_band_without_its_axis(tmp_path: Path) -> None:
    path = written(tmp_path, "x.npy", npy(DEEP[..., 0]))
    np.testing.assert_array_equal(read_image(path, 1), DEEP[..., :1])
    np.testing.assert_array_equal(read_image(path), DEEP[..., :1].repeat(3, 2))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (npy(np.array([{"a": 1}], object)), "not an array that can be read"),
        (npy(PIXELS)[:100], "not an array that can be read"),
        (npy(PIXELS)[:-1], "not an array that can be read"),
        (b"\x93NUMPY", "not an array that can be read"),
        (npy(PIXELS).replace(b"(8, 12, 3)", b"(9**9, 9)"), "not an array that can be read"),
        (npy(PIXELS).replace(b"(8, 12, 3)", b"(8, 12,  ("), "not an array that can be read"),
        (npy(PIXELS).replace(b"(8, 12, 3), }            ", b"(9999999999999999999,)}"), "not an array"),
        (
            npy(np.zeros((2, 3, 4, 5))),
            "a picture is numbers (H, W) or (H, W, C), and not float64 (2, 3, 4, 5)",
        ),
        (npy(np.zeros(5)), "and not float64 (5,)"),
        (npy(np.zeros((0, 5))), "and not float64 (0, 5)"),
        (npy(np.zeros((4, 5), np.complex64)), "and not complex64 (4, 5)"),
        (npy(np.array([["a"]])), "and not <U1 (1, 1)"),
        (npy(np.full((4, 5), np.nan)), "levels that are infinite or no numbers"),
        (npy(np.full((4, 5), 1e300)), "levels that are infinite or no numbers"),
    ],
    ids=[
        "objects",
        "cut",
        "short",
        "start",
        "code",
        "open",
        "numerous",
        "4-d",
        "1-d",
        "empty",
        "complex",
        "text",
        "nan",
        "huge",
    ],
)
def test_array_that_is_no_picture(content: bytes, text: str, tmp_path: Path) -> None:
    assert text in refusal(written(tmp_path, "x.npy", content))


def test_array_of_too_many_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "x.npy", npy(PIXELS))
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_PIXELS", "95")
    assert refusal(path) == "it has more pixels than are decoded (--max-pixels)"
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_PIXELS", "96")
    assert read_image(path).shape == (8, 12, 3)


def test_array_whose_header_promises_more_than_there_is(tmp_path: Path) -> None:
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (20000, 20000, 500), }"
    content = b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head + bytes(64)
    assert refusal(written(tmp_path, "x.npy", content)) == "not an array that can be read"


def test_levels_that_are_no_numbers(tmp_path: Path) -> None:
    pixels = FRACTIONS.copy()
    pixels[2, 3, 1] = np.inf
    assert "infinite or no numbers" in refusal(written(tmp_path, "x.tiff", encoded(".tiff", pixels)))


def test_open_exr_is_named(tmp_path: Path) -> None:
    message = refusal(written(tmp_path, "x.exr", b"\x76\x2f\x31\x01\x02\0\0\0" + bytes(99)))
    assert message.startswith("OpenEXR, which this OpenCV does not read; save the bands as .npy")
