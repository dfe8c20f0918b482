"""Reading photographs and writing pictures."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.durable import obstacle, replace_file
from ovxai_convert.errors import ModelReadError, WriteError
from ovxai_convert.files import exists, is_file, is_folder

Pixels: TypeAlias = NDArray[np.uint8]
"""A picture, ``(H, W, 3)`` in OpenCV's order blue, green, red, or ``(H, W)`` grey; 0 to 255."""


_TOO_LARGE = "CV_IO_MAX_IMAGE_"
"""In what OpenCV says of a file whose header tells of too many pixels, rows or columns."""


def read_image(path: Path) -> Pixels:
    """A photograph ``(H, W, 3)``, blue, green, red, turned upright; a ModelReadError if missing or none.

    OpenCV refuses a file whose header tells of more pixels than it may decode.
    """
    if is_folder(path):
        raise ModelReadError(f"{path}: a folder, and no image; name the photographs in it")
    if not is_file(path):
        raise ModelReadError(f"{path}: {'not a regular file' if exists(path) else 'no such image'}")
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ModelReadError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        pixels = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    except cv2.error as error:
        if _TOO_LARGE in str(error):
            raise ModelReadError(f"{path}: it has more pixels than are decoded (--max-pixels)") from error
        pixels = None
    if pixels is None:
        raise ModelReadError(f"{path}: not an image that can be read")
    return np.asarray(pixels, np.uint8)


def encode_image(picture: Pixels, suffix: str = ".png", settings: Sequence[int] = ()) -> bytes:
    """A picture, ``(H, W, 3)`` blue, green, red or ``(H, W)`` grey, as the bytes of an image file."""
    done, content = cv2.imencode(suffix, np.ascontiguousarray(picture), settings)
    assert done, "OpenCV encodes every array of 8-bit pixels"
    return content.tobytes()


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or raise a WriteError, and then leave what is there as it is; folders are made.

    It takes the place of a file or of a link to one, and of nothing else. Where it cannot be written, the
    folders that were made for it are gone again.
    """
    made = [folder for folder in path.parents if not exists(folder)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if (what := obstacle(path)) is not None:
            raise WriteError(f"{path}: cannot be written: it is {what}")
        replace_file(path, content)
    except OSError as error:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise WriteError(f"{path}: cannot be written: {error.strerror}") from error
