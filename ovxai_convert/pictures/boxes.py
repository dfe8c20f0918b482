"""Boxes drawn on pictures: light lines with dark edges, seen on every ground."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.photographs.image_files import Pixels
from ovxai_convert.photographs.preprocessing import FieldOfView

_LINE: Final = (255, 255, 255)
_EDGE: Final = (24, 24, 24)
_PER_LINE: Final = 400
"""Pixels of a picture's longer side for each pixel of a line's width."""


def pixels_of_parts(
    parts: NDArray[np.float64], size: tuple[int, int], region: FieldOfView | None
) -> NDArray[np.float64]:
    """Boxes ``[n, 4]`` in parts of what a model saw, in pixels of a picture of ``size`` rows and columns.

    ``region`` is what it saw of the picture; None: all.
    """
    seen = region or FieldOfView(0, 0, size[1], size[0])
    width, height = seen.right - seen.left, seen.bottom - seen.top
    return np.asarray(parts * (width, height, width, height) + (seen.left, seen.top, seen.left, seen.top))


def with_boxes(picture: Pixels, boxes: NDArray[Any]) -> Pixels:
    """A copy of a picture ``(H, W, 3)`` with the outlines of boxes ``[n, 4]``: left, top, right, bottom."""
    drawn = picture.copy()
    rows, columns = picture.shape[:2]
    width = max(1, round(max(rows, columns) / _PER_LINE))
    for colour, thickness in ((_EDGE, width + 2), (_LINE, width)):
        for box in np.asarray(boxes, np.float64):
            left, top, right, bottom = np.clip(box, 0, (columns, rows, columns, rows)).round().astype(int)
            first, last = (int(left), int(top)), (int(max(left, right - 1)), int(max(top, bottom - 1)))
            cv2.rectangle(drawn, first, last, colour, thickness, cv2.LINE_8)
    return drawn
