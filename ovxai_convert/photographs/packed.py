"""Packed camera formats: a photograph as the bytes of NV12 and I420."""

from __future__ import annotations

from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.image_files import Pixels

Packing = Literal["nv12", "i420"]
PACKINGS: Final = ("nv12", "i420")
"""Brightness in full, then the two colour differences of every four pixels: in pairs, or one after the other.

Both as ITU-R BT.601 has them, of 16 to 235 and 16 to 240, which OpenVINO turns back.
"""


def packed(pixels: NDArray[Any], packing: str) -> Pixels:
    """A picture ``(H, W, 3)``, blue, green, red, as ``(H * 3 / 2, W, 1)``; levels are rounded to bytes.

    Raises:
        UsageError: an odd number of rows or columns.
    """
    rows, columns = pixels.shape[:2]
    if rows % 2 or columns % 2:
        raise UsageError(
            f"{packing.upper()} holds pictures of even rows and columns, and not {rows}x{columns}"
        )
    levels = np.ascontiguousarray(np.clip(np.rint(pixels), 0, 255), np.uint8)
    planes = np.asarray(cv2.cvtColor(levels, cv2.COLOR_BGR2YUV_I420), np.uint8)
    if packing == "nv12":
        differences = planes[rows:].reshape(2, -1).T.reshape(rows // 2, columns)
        planes = np.vstack([planes[:rows], differences])
    return planes[..., np.newaxis]


def unpacked(data: Pixels, packing: str) -> Pixels:
    """The picture ``(H, W, 3)``, blue, green, red, in data ``(H * 3 / 2, W, 1)``."""
    code = cv2.COLOR_YUV2BGR_NV12 if packing == "nv12" else cv2.COLOR_YUV2BGR_I420
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(data[..., 0]), code), np.uint8)
