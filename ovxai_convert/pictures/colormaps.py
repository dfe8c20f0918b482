"""The colours of maps, by name: from the least important (0) to the most important (255)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError, did_you_mean
from ovxai_convert.photographs.image_files import Pixels

DEFAULT_COLORMAP: Final = "jet"

COLOUR_TABLES: Final[Mapping[str, int]] = {
    "jet": cv2.COLORMAP_JET,
    "turbo": cv2.COLORMAP_TURBO,
    "viridis": cv2.COLORMAP_VIRIDIS,
    "plasma": cv2.COLORMAP_PLASMA,
    "inferno": cv2.COLORMAP_INFERNO,
    "magma": cv2.COLORMAP_MAGMA,
    "cividis": cv2.COLORMAP_CIVIDIS,
}
"""By name, as OpenCV numbers them. Jet is the one that users know; turbo is a smoother rainbow. The others
get lighter from end to end in equal steps; cividis looks the same to those who do not tell red from green.
"""


def colormap_named(wanted: bool | str) -> str | None:
    """The colour map that an option asks for: True is the default one, False is none.

    Raises:
        UsageError: there is none of this name.
    """
    if isinstance(wanted, bool):
        return DEFAULT_COLORMAP if wanted else None
    if wanted not in COLOUR_TABLES:
        advice = did_you_mean(str(wanted), COLOUR_TABLES, f"; there are {', '.join(COLOUR_TABLES)}")
        raise UsageError(f"no colormap '{wanted}'{advice}")
    return wanted


@cache
def _table(name: str) -> Pixels:
    levels = np.arange(256, dtype=np.uint8)
    table = np.asarray(cv2.applyColorMap(levels, COLOUR_TABLES[name]), np.uint8).reshape(256, 3)
    table.flags.writeable = False
    return table


@cache
def _as_numbers(name: str) -> NDArray[np.int32]:
    """The same, ``(1, 256)``, each colour and a byte of 0 as one number."""
    table = np.zeros((256, 4), np.uint8)
    table[:, :3] = _table(name)
    return table.view(np.int32).reshape(1, 256)


def coloured(grey: Pixels, colormap: str = DEFAULT_COLORMAP) -> Pixels:
    """Grey levels ``(H, W)`` in the colours of a heat map, ``(H, W, 3)`` blue, green, red.

    As OpenCV's applyColorMap, which looks up each of the three by itself, and takes twice as long.
    """
    numbers = np.asarray(cv2.LUT(grey, _as_numbers(colormap)), np.int32)
    return np.asarray(cv2.cvtColor(numbers.view(np.uint8).reshape(*grey.shape, 4), cv2.COLOR_BGRA2BGR))


def gradient(colormap: str, columns: int) -> Pixels:
    """All colours of a map side by side, ``(1, columns, 3)`` blue, green, red."""
    levels = np.rint(np.linspace(0, 255, columns)).astype(np.intp)
    return _table(colormap)[levels][np.newaxis]


def css_gradient(colormap: str, stops: int = 17) -> str:
    """The same as a web page draws it, from left to right."""
    colours = (f"#{red:02x}{green:02x}{blue:02x}" for blue, green, red in gradient(colormap, stops)[0])
    return f"linear-gradient(90deg, {', '.join(colours)})"
