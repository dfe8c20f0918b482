"""A chart of curves over the fraction of pixels, drawn with OpenCV, so that it needs no other library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from ovxai_convert.blackbox.metrics import ScoreCurve
from ovxai_convert.photographs.image_files import Pixels
from ovxai_convert.pictures import lettering
from ovxai_convert.pictures.lettering import Bgr

COLOURS: Final[tuple[Bgr, ...]] = (
    (178, 114, 0),
    (0, 94, 213),
    (115, 158, 0),
    (167, 121, 204),
    (233, 180, 86),
)
"""Told apart also by those who see few colours (M. Okabe, K. Ito, "Color Universal Design", 2008)."""
GREY: Final[Bgr] = (140, 136, 132)

_ROWS, _COLUMNS = 300, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 34, 44
_LETTERS: Final = 14
_INK: Final[Bgr] = (32, 28, 26)
_QUIET: Final[Bgr] = (112, 106, 102)
_GRID: Final[Bgr] = (228, 226, 224)
_SHIFT: Final = 4
"""Binary digits behind the point of places, for lines that are not jagged."""


@dataclass(frozen=True)
class Line:
    """A curve and how it is drawn; a dashed one is something to compare with."""

    curve: ScoreCurve
    colour: Bgr
    dashed: bool = False


def charted(title: str, below: str, lines: Sequence[Line]) -> Pixels:
    """The curves in one picture ``(300, 460, 3)``, blue, green, red, with scores upwards.

    The axis goes from 0 to 1 where the scores do, else from the lowest to the highest.
    """
    values = np.concatenate([line.curve.scores for line in lines]).astype(np.float64)
    low, high = min(0.0, float(values.min())), float(values.max())
    high = 1.0 if low == 0 and high <= 1 else high if high > low else low + 1
    canvas = np.full((_ROWS, _COLUMNS, 3), 255, np.uint8)
    lettering.write(canvas, title, (_LEFT, 21), _LETTERS + 2, _INK, bold=True)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        row = round(_TOP + (1 - share) * (_ROWS - _TOP - _BOTTOM))
        cv2.line(canvas, (_LEFT, row), (_COLUMNS - _RIGHT, row), _GRID, 1)
        number = f"{low + share * (high - low):.3g}"
        start = _LEFT - 8 - lettering.width(number, _LETTERS)
        lettering.write(canvas, number, (start, row + 5), _LETTERS, _QUIET)
    _along(canvas, below)
    for line in lines:
        _draw(canvas, line, low, high)
    return canvas


def _along(canvas: Pixels, below: str) -> None:
    """What the lower axis says."""
    base = _ROWS - _BOTTOM + 18
    across = _COLUMNS - _LEFT - _RIGHT
    for share in (0, 50, 100):
        number = f"{share} %"
        columns = lettering.width(number, _LETTERS)
        start = _LEFT + round(share / 100 * across) - (columns if share == 100 else columns // 2)
        lettering.write(canvas, number, (start, base), _LETTERS, _QUIET)
    start = _LEFT + (across - lettering.width(below, _LETTERS)) // 2
    lettering.write(canvas, below, (start, base + 18), _LETTERS, _QUIET)


def _draw(canvas: Pixels, line: Line, low: float, high: float) -> None:
    across = _LEFT + line.curve.fractions * (_COLUMNS - _LEFT - _RIGHT)
    up = _TOP + (1 - (line.curve.scores.astype(np.float64) - low) / (high - low)) * (_ROWS - _TOP - _BOTTOM)
    places = np.rint(np.stack([across, up], axis=1) * 2**_SHIFT).astype(np.int32)
    if not line.dashed:
        cv2.polylines(canvas, [places], False, line.colour, 2, cv2.LINE_AA, _SHIFT)
        return
    dense = np.linspace(0, len(places) - 1, 121)
    dashes = np.stack([np.interp(dense, np.arange(len(places)), places[:, axis]) for axis in (0, 1)], axis=1)
    for start in range(0, 120, 4):
        part = np.rint(dashes[start : start + 3]).astype(np.int32)
        cv2.polylines(canvas, [part], False, line.colour, 2, cv2.LINE_AA, _SHIFT)
