"""Reading photographs and writing pictures."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tokenize import TokenError
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.durable import obstacle, replace_file
from ovxai_convert.errors import ModelReadError, WriteError
from ovxai_convert.files import exists, is_file, is_folder
from ovxai_convert.photographs.jpeg_end import is_cut_off
from ovxai_convert.photographs.tiff_header import TiffHeader, tiff_header

Pixels: TypeAlias = NDArray[np.uint8]
"""A picture, ``(H, W, 3)`` in OpenCV's order blue, green, red, or ``(H, W)`` grey; 0 to 255."""
Picture: TypeAlias = NDArray[Any]
"""A picture as it was taken, ``(H, W, C)``: of u8, u16 or float32, whose levels may lie anywhere.

One band is grey, three are blue, green, red in OpenCV's order; other numbers of bands have one of their own.
"""

_TOO_LARGE: Final = "CV_IO_MAX_IMAGE_"
"""In what OpenCV says of a file whose header tells of too many pixels, rows or columns."""
_MAX_PIXELS: Final = "OPENCV_IO_MAX_IMAGE_PIXELS"
"""Where OpenCV, and so the reader of arrays, is told of how many pixels a picture may be; else 2**30."""
_TOO_MANY: Final = "it has more pixels than are decoded (--max-pixels)"
_ARRAY: Final = b"\x93NUMPY"
_OPEN_EXR: Final = b"\x76\x2f\x31\x01"
_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"RIFF", "WebP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
)
_KEPT: Final = (np.uint8, np.uint16, np.float32)
_NO_HEADER: Final = (EOFError, OverflowError, RecursionError, SyntaxError, TokenError, TypeError, ValueError)
"""What NumPy says of a header, which it reads as Python's own text, where that is none."""
_ALL_BITS: Final = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR
"""As IMREAD_COLOR (upright, without transparency), but with the file's own bits, and grey where it is."""
_NO_ARRAY: Final = "not an array that can be read"
_INSTEAD: Final = "save the bands as .npy, an array (H, W, C)"


def read_image(path: Path, channels: int = 3) -> Picture:
    """A photograph ``(H, W, C)``, upright, with all the bits of its file; a ModelReadError if none.

    It has the three channels blue, green, red; grey is repeated, and transparency is passed over, as OpenCV
    and Pillow do: what lies under it counts. For a model of other ``channels`` it is as the file has it: a
    grey one of 1; for 4 red, green, blue and transparency; else all pages of a TIFF, which are grey then. A
    NumPy file (.npy) is an array ``(H, W)`` or ``(H, W, C)``, and three bands of it are red, green, blue.

    A file whose header tells of more pixels than OpenCV may decode is refused before it is decoded, and so is
    one that OpenCV would misread.
    """
    return picture_in(image_content(path), path, channels)


def image_content(path: Path) -> bytes:
    """The bytes of an image file; a ModelReadError for what is none at first sight, or cannot be read."""
    if is_folder(path):
        raise ModelReadError(f"{path}: a folder, and no image; name the photographs in it")
    if not is_file(path):
        raise ModelReadError(f"{path}: {'not a regular file' if exists(path) else 'no such image'}")
    try:
        with path.open("rb") as file:
            if file.read(len(_ARRAY)) == _ARRAY:
                _checked_array(path, np.load(path, mmap_mode="r", allow_pickle=False))
            file.seek(0)
            return file.read()
    except _NO_HEADER as error:
        raise ModelReadError(f"{path}: {_NO_ARRAY}") from error
    except OSError as error:
        raise ModelReadError(f"{path}: cannot be read: {error.strerror}") from error


def picture_in(content: bytes, path: Path | str, channels: int = 3) -> Picture:
    """The photograph that a file's bytes are, as :func:`read_image` gives it; ``path`` is their origin."""
    is_array = content[: len(_ARRAY)] == _ARRAY
    picture = _array(content, path) if is_array else _photograph(content, path, channels)
    if not any(picture.dtype == kind for kind in _KEPT):
        picture = picture.astype(np.float32)
    if picture.dtype == np.float32 and not np.isfinite(picture).all():
        raise ModelReadError(f"{path}: it holds levels that are infinite or no numbers")
    if picture.ndim == 2:
        picture = picture[..., np.newaxis]
    return picture.repeat(3, axis=2) if picture.shape[2] == 1 and channels == 3 else picture


def _photograph(content: bytes, path: Path | str, channels: int) -> Picture:
    """What OpenCV decodes."""
    header = tiff_header(memoryview(content)) if content else None
    try:
        pixels = _decoded(np.frombuffer(content, np.uint8), channels, header) if content else None
    except cv2.error as error:
        if _TOO_LARGE in str(error):
            raise ModelReadError(f"{path}: {_TOO_MANY}") from error
        pixels = None
    if header is not None and header.misread:
        raise ModelReadError(f"{path}: {header.misread}, which OpenCV does not read; {_INSTEAD}")
    if pixels is None and content[:4] == _OPEN_EXR:
        raise ModelReadError(f"{path}: OpenEXR, which this OpenCV does not read; {_INSTEAD}, .tiff or .hdr")
    if pixels is None or is_cut_off(content):
        raise ModelReadError(f"{path}: not an image that can be read{_guess(content)}")
    return pixels


def _guess(content: bytes) -> str:
    """What a file is perhaps that is no image, as the ending of a line."""
    if not content:
        return ": it is empty"
    kind = next((name for signature, name in _SIGNATURES if content.startswith(signature)), None)
    return f": it begins as {kind}, and is cut off or spoiled" if kind else ""


def _decoded(content: NDArray[np.uint8], channels: int, header: TiffHeader | None) -> Picture | None:
    if header is not None and header.misread:
        return None
    if header is not None and header.pages == channels > 1 and header.bands == 1:
        done, pages = cv2.imdecodemulti(content, _ALL_BITS)
        same = done and len({page.shape for page in pages}) == 1
        return np.dstack(pages) if same else None
    pixels: Any = cv2.imdecode(content, _ALL_BITS)
    if channels == 4 or (pixels is None and header is not None):
        whole: Any = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
        if whole is not None and whole.ndim == 3 and whole.shape[2] == 4:
            turned = whole if pixels is None else _turned_as(whole, pixels)
            return turned[..., [2, 1, 0, 3]] if channels == 4 else turned[..., :3]
    return None if pixels is None else np.asarray(pixels)


def _turned_as(whole: Picture, upright: Picture) -> Picture:
    """A picture of four channels, which OpenCV does not turn upright, turned as its first three are."""
    for mirrored in (whole, whole[:, ::-1]):
        for quarters in range(4):
            turned = np.rot90(mirrored, quarters)
            if np.array_equal(turned[..., :3], upright):
                return turned
    return upright


def _array(content: bytes, path: Path | str) -> Picture:
    """A NumPy file; what it holds is never run."""
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (*_NO_HEADER, MemoryError) as error:
        raise ModelReadError(f"{path}: {_NO_ARRAY}") from error
    _checked_array(path, array)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as such
        native = array.dtype.newbyteorder("=")
        picture = np.array(array, native if any(native == kind for kind in _KEPT) else np.float32)
    return picture[..., ::-1] if picture.shape[2:] == (3,) else picture


def _checked_array(path: Path | str, array: NDArray[Any]) -> None:
    """Raise a ModelReadError for an array that is no picture, or too large."""
    if array.dtype.kind not in "biuf" or array.ndim not in (2, 3) or array.size == 0:
        raise ModelReadError(
            f"{path}: a picture is numbers (H, W) or (H, W, C), and not {array.dtype} {array.shape}"
        )
    limit = os.environ.get(_MAX_PIXELS, "")
    if array.shape[0] * array.shape[1] > (int(limit) if limit.isdecimal() else 2**30):
        raise ModelReadError(f"{path}: {_TOO_MANY}")


def encode_image(picture: Pixels, suffix: str = ".png", settings: Sequence[int] = ()) -> bytes:
    """A picture, ``(H, W, 3)`` blue, green, red or ``(H, W)`` grey, as the bytes of an image file."""
    done, content = cv2.imencode(suffix, np.ascontiguousarray(picture), settings)
    assert done, "OpenCV encodes every array of 8-bit pixels"
    return content.tobytes()


def write_file(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Write a file whole or raise a WriteError, and then leave what is there as it is; folders are made.

    It takes the place of a file or of a link to one, and of nothing else. Where it cannot be written, the
    folders that were made for it are gone again. ``lasting``: wait until it is on the disk.
    """
    made = [folder for folder in path.parents if not exists(folder)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if (what := obstacle(path)) is not None:
            raise WriteError(f"{path}: cannot be written: it is {what}")
        replace_file(path, content, lasting=lasting)
    except OSError as error:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise WriteError(f"{path}: cannot be written: {error.strerror}") from error
