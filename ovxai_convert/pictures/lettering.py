"""Text in pictures: what of it can be drawn, how wide it is, and drawing it, in OpenCV's own letters.

OpenCV 5 has letters of many alphabets (Latin, Greek, Cyrillic, Chinese, Japanese, Korean), OpenCV 4 those of
ASCII. Neither shapes Arabic or Indian letters, or writes from right to left: what would come out wrong is not
drawn at all.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any, Final, TypeAlias

import cv2
import numpy as np

from ovxai_convert.photographs.image_files import Pixels

Bgr: TypeAlias = tuple[int, int, int]
"""Blue, green, red."""

MISSING: Final = "?"
"""Stands for a letter that cannot be drawn."""

_LONGEST: Final = 1000
"""Letters of a text that are looked at: more than fit on any picture."""
_OUTLINES: Final = "sans"
_STROKES: Final = cv2.FONT_HERSHEY_SIMPLEX
_CAPITAL: Final = 0.7
"""Height of a capital letter, as a part of the letters' size."""
_REGULAR, _BOLD = 400, 600
_NOT_ALONE: Final = frozenset({"Mn", "Mc", "Me", "Cf", "Cc", "Cs", "Co", "Cn"})
"""Marks that belong to another letter, and what has no look of its own."""


@lru_cache(maxsize=1)
def _has_outlines() -> bool:
    """Whether this OpenCV has scalable letters; one that was built without them gives a font no name."""
    return hasattr(cv2, "FontFace") and cv2.FontFace(_OUTLINES).getName() == _OUTLINES


def legible(text: str, otherwise: str = "") -> str:
    """A text on one line, of letters that can be drawn.

    The others become "?", and what the text means ``otherwise`` is added, so that it still means one thing
    only; where no letter or digit is left, that alone stands there.
    """
    composed = unicodedata.normalize("NFC", " ".join(text[:_LONGEST].split()))
    drawn = "".join(each if _is_drawn(each, _has_outlines()) else MISSING for each in composed)
    if drawn == composed or not otherwise:
        return drawn
    return f"{drawn} ({otherwise})" if any(map(str.isalnum, drawn)) else otherwise


@lru_cache(maxsize=8192)
def _is_drawn(letter: str, outlines: bool) -> bool:
    if letter.isascii():
        return letter.isprintable()
    if not outlines or unicodedata.category(letter) in _NOT_ALONE:
        return False
    if unicodedata.bidirectional(letter) in ("R", "AL"):
        return False
    return not np.array_equal(_alone(letter), _alone(MISSING))  # what OpenCV draws of a letter that it lacks


def _alone(letter: str) -> Pixels:
    """A letter on a small picture."""
    canvas = np.zeros((48, 72, 3), np.uint8)
    write(canvas, letter, (12, 36), 24, (255, 255, 255))
    return canvas


def width(text: str, size: int, *, bold: bool = False) -> int:
    """Pixels that a text takes from left to right; ``size`` is that of a line, without a gap to the next."""
    if not text:
        return 0
    if _has_outlines():
        weight = _BOLD if bold else _REGULAR
        left, _, across, _ = cv2.getTextSize((0, 0), text, (0, 0), _face(), size, weight)
        return max(0, left) + across
    scale, thickness = _strokes(size, bold)
    (across, _), _ = cv2.getTextSize(text, _STROKES, scale, thickness)
    return across + thickness


def capital_height(size: int) -> int:
    """Pixels from the line that letters stand on to the top of a capital one."""
    return round(_CAPITAL * size)


def shortened(text: str, size: int, room: int, *, bold: bool = False) -> str:
    """What of a text fits into so many pixels, with an ellipsis where it is cut; "" if no letter does."""
    if width(text, size, bold=bold) <= room:
        return text
    ellipsis = "…" if _is_drawn("…", _has_outlines()) else "..."
    fitting, failing = 0, len(text)
    while failing - fitting > 1:
        middle = (fitting + failing) // 2
        fits = width(text[:middle].rstrip() + ellipsis, size, bold=bold) <= room
        fitting, failing = (middle, failing) if fits else (fitting, middle)
    return text[:fitting].rstrip() + ellipsis if fitting else ""


def write(
    canvas: Pixels, text: str, start: tuple[int, int], size: int, colour: Bgr, *, bold: bool = False
) -> None:
    """Draw a text into a picture ``(H, W, 3)`` from (column, row) on; the row is what letters stand on."""
    if not text:
        return
    if _has_outlines():
        weight = _BOLD if bold else _REGULAR
        cv2.putText(canvas, text, start, colour, _face(), size, weight)
        return
    scale, thickness = _strokes(size, bold)
    cv2.putText(canvas, text, start, _STROKES, scale, colour, thickness, cv2.LINE_AA)


def _face() -> Any:
    """A font for this call alone, since threads must not share one; it costs less than a microsecond."""
    return cv2.FontFace(_OUTLINES)


def _strokes(size: int, bold: bool) -> tuple[float, int]:
    """Scale and thickness of letters that are drawn by strokes."""
    thickness = max(1, round(size / (9 if bold else 14)))
    return cv2.getFontScaleFromHeight(_STROKES, max(1, capital_height(size)), thickness), thickness
