"""Image files: read upright and in colour or refused in one line; written whole or not at all."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest

from ovxai_convert.errors import ModelReadError, WriteError
from ovxai_convert.photographs.image_files import encode_image, read_image, write_file
from ovxai_convert.photographs.jpeg_end import is_cut_off
from tests.program.invocation import snapshot

TIFF_LZW: Final = 5
PIXELS: Final = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
QUADRANTS: Final = np.kron(np.array([[0, 80], [160, 240]], np.uint8), np.ones((8, 16), np.uint8))
"""Grey ``(16, 32)``, another level in every quarter."""


def encoded(suffix: str, pixels: Any) -> bytes:
    # without being told, older versions of OpenCV write floats as LogLuv, which loses some of each
    settings = (cv2.IMWRITE_TIFF_COMPRESSION, TIFF_LZW) if suffix == ".tiff" else ()
    done, content = cv2.imencode(suffix, pixels, settings)
    assert done
    return content.tobytes()


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def with_segment(jpeg: bytes, content: bytes) -> bytes:
    """A JPEG with one more segment in its header."""
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def turned(orientation: int) -> bytes:
    """A JPEG of the quadrants whose EXIF block states an orientation."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 1) + entry + bytes(4)
    return with_segment(encoded(".jpg", QUADRANTS), exif)


def png_that_claims(rows: int, columns: int) -> bytes:
    """A PNG whose header promises more pixels than it holds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp"])
def test_pixels_are_as_they_were_written(suffix: str, tmp_path: Path) -> None:
    pixels = read_image(written(tmp_path, f"Bär 猫{suffix}", encoded(suffix, PIXELS)))
    assert pixels.dtype == np.uint8
    assert pixels.shape == (8, 12, 3)
    if suffix != ".webp":
        np.testing.assert_array_equal(pixels, PIXELS)


def test_suffix_does_not_matter(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_image(written(tmp_path, "x", encoded(".png", PIXELS))), PIXELS)


@pytest.mark.parametrize(
    "stored",
    [PIXELS[..., 0], PIXELS[..., :1].repeat(3, 2)],
    ids=["grey", "three"],
)
def test_grey_pictures_get_three_channels(stored: Any, tmp_path: Path) -> None:
    pixels = read_image(written(tmp_path, "grey.png", encoded(".png", stored)))
    np.testing.assert_array_equal(pixels, PIXELS[..., :1].repeat(3, 2))


def test_transparency_is_dropped(tmp_path: Path) -> None:
    stored = np.dstack([PIXELS, np.full((8, 12), 255, np.uint8)])
    np.testing.assert_array_equal(read_image(written(tmp_path, "clear.png", encoded(".png", stored))), PIXELS)


@pytest.mark.parametrize(
    ("orientation", "quarters"),
    [
        (1, [[0, 80], [160, 240]]),
        (2, [[80, 0], [240, 160]]),
        (3, [[240, 160], [80, 0]]),
        (6, [[160, 0], [240, 80]]),
        (8, [[80, 240], [0, 160]]),
    ],
)
def test_photographs_are_turned_upright(orientation: int, quarters: list[list[int]], tmp_path: Path) -> None:
    pixels = read_image(written(tmp_path, "turned.jpg", turned(orientation)))
    rows, columns = pixels.shape[:2]
    assert (rows, columns) == ((32, 16) if orientation in (6, 8) else (16, 32))
    middles = pixels[[rows // 4, 3 * rows // 4]][:, [columns // 4, 3 * columns // 4], 0]
    assert abs(middles.astype(int) - quarters).max() < 8


@pytest.mark.parametrize(
    ("content", "guess"),
    [
        (b"", ": it is empty"),
        (b"hello\n" * 99, ""),
        (encoded(".png", PIXELS)[:40], ": it begins as PNG, and is cut off or spoiled"),
        (b"\x89PNG\r\n\x1a\n", ": it begins as PNG, and is cut off or spoiled"),
        (b"\xff\xd8\xff", ": it begins as JPEG, and is cut off or spoiled"),
        (encoded(".jpg", PIXELS)[:-20], ": it begins as JPEG, and is cut off or spoiled"),
        (encoded(".webp", PIXELS)[:-20], ": it begins as WebP, and is cut off or spoiled"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""),
        (b"%PDF-1.7\n", ""),
    ],
    ids=["empty", "text", "cut", "png-start", "jpeg-start", "cut-jpeg", "cut-webp", "svg", "pdf"],
)
def test_file_that_is_no_image(content: bytes, guess: str, tmp_path: Path) -> None:
    path = written(tmp_path, "photo.png", content)
    with pytest.raises(ModelReadError) as caught:
        read_image(path)
    assert str(caught.value) == f"{path}: not an image that can be read{guess}"


@pytest.mark.parametrize(
    "settings", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)]
)
def test_jpeg_that_is_cut_off(settings: tuple[int, ...]) -> None:
    """It is seen without OpenCV, older versions of which make a picture of it."""
    plain = encode_image(PIXELS, ".jpg", settings)
    with_small_picture = with_segment(plain, b"Exif\0\0" + encoded(".jpg", PIXELS))
    for whole in (plain, with_small_picture, plain[:2] + b"\xff\xff" + plain[2:], plain + b"more"):
        assert not is_cut_off(whole)
    for jpeg in (plain, with_small_picture):
        assert all(is_cut_off(jpeg[:-count]) for count in (1, 2, 20))
    assert not any(map(is_cut_off, (b"", b"\xff", plain[:2], plain[:3], encoded(".png", PIXELS)[:-9])))


def test_image_that_claims_too_many_pixels(tmp_path: Path) -> None:
    path = written(tmp_path, "photo.png", png_that_claims(70_000, 70_000))
    with pytest.raises(ModelReadError, match="more pixels than are decoded"):
        read_image(path)


def test_image_that_is_not_there(tmp_path: Path) -> None:
    folder = "a folder, and no image; name the photographs in it"
    for path, text in ((tmp_path / "no.png", "no such image"), (tmp_path, folder)):
        with pytest.raises(ModelReadError) as caught:
            read_image(path)
        assert str(caught.value) == f"{path}: {text}"


@pytest.mark.parametrize("picture", [PIXELS, PIXELS[..., 0], PIXELS[::-1, ::2], PIXELS.transpose(1, 0, 2)])
def test_png_holds_every_pixel(picture: Any) -> None:
    decoded = cv2.imdecode(np.frombuffer(encode_image(picture), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded, picture)


def test_write_file_makes_folders_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.bin"
    write_file(path, b"first")
    write_file(path, b"second")
    assert snapshot(tmp_path) == {"a": None, "a/b": None, "a/b/c.bin": b"second"}


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=repr)
def test_failed_write_leaves_the_older_file(
    step: str, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "map.png", b"older")
    tried: list[list[bytes]] = []

    def fail(*arguments: Any) -> None:
        tried.append([each.read_bytes() for each in tmp_path.iterdir() if each != path])
        raise error

    monkeypatch.setattr(os, step, fail)
    expected = WriteError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as caught:
        write_file(path, b"newer")
    monkeypatch.undo()
    assert tried[0] == ([] if step == "open" else [b"newer"])
    if isinstance(error, OSError):
        assert str(caught.value) == f"{path}: cannot be written: No space left on device"
    assert snapshot(tmp_path) == {"map.png": b"older"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("file/map.png", "exists"),
        ("file/deeper/map.png", "Not a directory"),
        ("folder", "it is a folder"),
        ("x" * 300, "File name too long"),
    ],
    ids=["file", "below-a-file", "folder", "long"],
)
def test_place_that_cannot_be_written(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    before = snapshot(tmp_path)
    with pytest.raises(WriteError, match=f"cannot be written: .*{reason}"):
        write_file(tmp_path / name, b"content")
    assert snapshot(tmp_path) == before
