"""From the photograph to the input: `preprocessing`, in the order of its `order`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Json = Mapping[str, Any]


def prepare(photo: Array, how: Json) -> Array:
    """One sample without its batch axis, from a photograph as OpenCV reads it, with all its bits."""
    photo = photo[..., None] if photo.ndim == 2 else photo
    if (levels := levels_of(photo, how)) is not None:
        lowest, highest = levels
        kept = photo.astype(np.float64).clip(lowest, highest)
        photo = ((kept - lowest) * 255 / (highest - lowest)).astype(np.float32)
    if photo.dtype != np.uint8 or not how["rounded"]:
        photo = photo.astype(np.float32)
    if photo.shape[2] == 1 and how["colour"] != "grey":
        photo = np.repeat(photo, 3, axis=2)
    dtype = element_type(how)
    if how["colour"] in ("nv12", "i420"):
        return pack(resize(photo, how), how["colour"]).astype(dtype)
    pixels = coloured(resize(photo, how), how)
    values: Array = pixels.astype(np.float32)
    if how["clip"] is not None:
        values = values.clip(*np.array(how["clip"], np.float32))
    values -= np.array(how["mean"], np.float32)
    values /= np.array(how["scale"], np.float32)
    if values.shape[2] < how["channels"]:
        values = np.dstack([values, np.zeros_like(values[..., :1])])  # which the graph cuts off
    if how["layout"] == "NCHW":
        values = values.transpose(2, 0, 1)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.rint(values).clip(limits.min, limits.max)
    return np.ascontiguousarray(values.astype(dtype))


def element_type(how: Json) -> np.dtype[Any]:
    """The type of the input's numbers, which is told as f32, u8, ..."""
    told = str(how["element_type"])
    return np.dtype(f"{told[0]}{int(told[1:]) // 8}")


def coloured(pixels: Array, how: Json) -> Array:
    """The channels in their order."""
    if how["colour"] != "grey":
        return pixels[..., ::-1] if how["colour"] == "rgb" else pixels
    if pixels.shape[2] == 3:
        pixels = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_BGR2GRAY)[..., None]
    return np.repeat(pixels, how["channels"], axis=2)


def levels_of(photo: Array, how: Json) -> tuple[float, float] | None:
    """Which levels become 0 and 255; of more than 8 bits those of the type, where nobody has told."""
    if "levels" in how:
        return how["levels"][0], how["levels"][1]
    whole = element_type(how)
    if not {"mean", "scale"} <= set(how["assumed"]) or (whole.kind in "iu" and whole.itemsize > 1):
        return None
    if photo.dtype == np.float32:
        return (0, 1) if photo.min() >= 0 and photo.max() <= 1 else None
    return (0, 65535) if photo.dtype == np.uint16 else None


def pack(pixels: Array, format_: str) -> Array:
    """As the bytes of a camera: brightness, then the colour differences, in pairs for NV12."""
    rows, columns = pixels.shape[:2]
    levels = np.ascontiguousarray(np.rint(pixels).clip(0, 255).astype(np.uint8))
    planes = cv2.cvtColor(levels, cv2.COLOR_BGR2YUV_I420)
    if format_ == "nv12":
        planes[rows:] = planes[rows:].reshape(2, -1).T.reshape(-1, columns)
    return planes[..., None]


def resize(photo: Array, how: Json) -> Array:
    """The photograph in the size of the input."""
    if how["resize"] == "none":
        return photo
    rows, columns = how["size"]
    height, width = photo.shape[:2]
    if how["resize"] == "stretch":
        return scale(photo, rows, columns, how)
    if how["resize"] == "letterbox":
        left, top, width, height = letterbox(height, width, rows, columns, how["pad"]["where"])
        inner = scale(photo, height, width, how)
        outer = np.full((rows, columns, photo.shape[2]), how["pad"]["value"], photo.dtype)
        outer[top : top + height, left : left + width] = inner
        return outer
    if how["resize_to"] is not None:
        photo = scale(photo, *scaled_size(height, width, how["resize_to"]), how)
        width, height = columns, rows
    else:
        width, height = crop_size(height, width, rows, columns)
    top, left = (photo.shape[0] - height) // 2, (photo.shape[1] - width) // 2
    if top < 0 or left < 0:
        sys.exit("the box to cut out is larger than the scaled photograph")
    return scale(photo[top : top + height, left : left + width], rows, columns, how)


def scale(pixels: Array, rows: int, columns: int, how: Json) -> Array:
    """Pixels in another size."""
    height, width = pixels.shape[:2]
    if (height, width) == (rows, columns):
        return pixels
    interpolation = how["interpolation"]
    if interpolation == "nearest":
        return pixels[nearest(rows, height)][:, nearest(columns, width)]
    if interpolation == "area" and rows * columns < height * width:
        scaled = cv2.resize(np.ascontiguousarray(pixels), (columns, rows), interpolation=cv2.INTER_AREA)
        return scaled.reshape(rows, columns, -1)
    if interpolation == "cubic":
        levels = cv2.resize(pixels.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
        levels = levels.reshape(rows, columns, -1)
    else:
        levels = linear(linear(pixels, rows).swapaxes(0, 1), columns).swapaxes(0, 1) / (4 * rows * columns)
    return (
        np.rint(levels).clip(0, 255).astype(np.uint8)
        if pixels.dtype == np.uint8
        else levels.astype(np.float32)
    )


def linear(lines: Array, count: int) -> Array:
    """As many lines between those along the first axis, in parts of 2 * count: exact, for whole levels."""
    given = len(lines)
    place = ((2 * np.arange(count) + 1) * given - count).clip(0, 2 * count * (given - 1))
    first, far = place // (2 * count), (place % (2 * count)).astype(np.float64)[:, None, None]
    return np.asarray(lines[first] * (2 * count - far) + lines[np.minimum(first + 1, given - 1)] * far)


def nearest(count: int, available: int) -> Array:
    """Which of the available pixels each of ``count`` takes: ceil((2 i + 1) m / (2 n)) - 1."""
    return ((2 * np.arange(count) + 1) * available + 2 * count - 1) // (2 * count) - 1


def rounded(numerator: int, denominator: int) -> int:
    """The nearest whole number to the fraction, of two the even one; at least 1."""
    return max(1, round(Fraction(numerator, denominator)))


def crop_size(height: int, width: int, rows: int, columns: int) -> tuple[int, int]:
    """Width and height of the largest box of the input's ratio."""
    if width * rows > height * columns:
        return rounded(height * columns, rows), height
    return width, rounded(width * rows, columns)


def scaled_size(height: int, width: int, sides: Any) -> tuple[int, int]:
    """Rows and columns once the shorter side has been scaled; or both, where both are told."""
    if isinstance(sides, list):
        return sides[0], sides[1]
    shorter = int(sides)
    return shorter * height // min(height, width), shorter * width // min(height, width)


def letterbox(height: int, width: int, rows: int, columns: int, where: str) -> tuple[int, int, int, int]:
    """Left, top, width and height of the photograph within the input."""
    if width * rows > height * columns:
        inner_width, inner_height = columns, rounded(height * columns, width)
    else:
        inner_width, inner_height = rounded(width * rows, height), rows
    if where == "right_and_below":
        return 0, 0, inner_width, inner_height
    return (columns - inner_width) // 2, (rows - inner_height) // 2, inner_width, inner_height
