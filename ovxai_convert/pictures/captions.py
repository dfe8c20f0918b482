"""What a picture says of its map: the class, its score as a number and as a bar, and what the colours mean.

Each map is scaled by itself, so that one of a class scored 0.05 looks as hot as one of 0.97. That is why the
score stands beside the colours, twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from types import MappingProxyType
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.photographs.image_files import Pixels
from ovxai_convert.pictures import lettering
from ovxai_convert.pictures.colormaps import gradient
from ovxai_convert.pictures.lettering import Bgr

_SMALLEST: Final = 9
"""Pixels of letters below which nobody reads them."""
_ROUNDING: Final = 1e-6
_NOTHING: Final = "this map shows nothing"

_GROUND: Final[Bgr] = (30, 26, 24)
_INK: Final[Bgr] = (250, 248, 246)
_QUIET: Final[Bgr] = (190, 182, 178)
_TRACK: Final[Bgr] = (92, 84, 80)


@dataclass(frozen=True)
class Caption:
    """What is said of one map.

    Attributes:
        label: of its class.
        otherwise: another word for the class, where letters of the label cannot be drawn.
        value: its score in words, "" if there is none.
        share: of the bar that is filled, 0 to 1; None where the score is no such part, and has no bar.
        colormap: whose colours the picture has; None: grey.
        ends: the map's lowest and highest value; None where the model has scaled it and they are not known.
        shows_something: whether the map has a lowest and a highest value.
    """

    label: str
    otherwise: str = ""
    value: str = ""
    share: float | None = None
    colormap: str | None = None
    ends: tuple[float, float] | None = None
    shows_something: bool = True

    @property
    def name(self) -> str:
        """The label in letters that can be drawn."""
        return lettering.legible(self.label, self.otherwise)

    @property
    def is_legible(self) -> bool:
        """Whether all letters of the label can be drawn."""
        return lettering.MISSING not in lettering.legible(self.label.replace(lettering.MISSING, ""))


def within_0_and_1(scores: NDArray[Any]) -> bool:
    """Whether all scores of an image lie in 0 to 1, but for rounding, so that each may be a probability."""
    return bool(scores.min() >= -_ROUNDING and scores.max() <= 1 + _ROUNDING)


def score_words(score: float, *, is_share: bool) -> tuple[str, float | None]:
    """A score in words, and what of a bar it fills: nothing where it is no probability.

    A probability has two digits, none of which is a wrong 0 or 1; another number has four.
    """
    if not is_share:
        return f"{score:.4g}", None
    share = min(max(score, 0.0), 1.0)
    if 0 < share < 0.005:
        return "< 0.01", share
    return ("> 0.99" if 0.995 <= share < 1 else f"{share:.2f}"), share


def captions_of(
    maps: Mapping[int | str, NDArray[Any]],
    scored: Mapping[int, float],
    names: Sequence[str] | None,
    colormap: str | None,
    *,
    are_shares: bool,
    of_boxes: Mapping[str, tuple[int, float]] = MappingProxyType({}),
) -> dict[int | str, Caption]:
    """Captions of one image's maps as a method gave them; one map of all classes tells the first score.

    ``of_boxes``: the class and score of each box that has a map of its own, by its name.
    """
    captions = {}
    for target, saliency in maps.items():
        index, score, of_all, behind = _told_of(target, scored, of_boxes)
        value, share = score_words(score, is_share=are_shares)
        low, high = float(saliency.min()), float(saliency.max())
        captions[target] = Caption(
            label=of_all + (f"class {index}" if names is None else names[index]) + behind,
            otherwise=f"{of_all}class {index}{behind}",
            value=value,
            share=share,
            colormap=colormap,
            ends=None if saliency.dtype == np.uint8 else (low, high),
            shows_something=low < high and bool(np.isfinite(high - low)),
        )
    return captions


def _told_of(
    target: int | str, scored: Mapping[int, float], of_boxes: Mapping[str, tuple[int, float]]
) -> tuple[int, float, str, str]:
    """Class and score of a map, and what stands before and behind its label."""
    if isinstance(target, int):
        return target, scored[target], "", ""
    if target in of_boxes:
        return *of_boxes[target], "", f" ({target})"
    index = next(iter(scored))
    return index, scored[index], "all classes, answer: ", ""


def letter_size(rows: int, columns: int) -> int:
    """Pixels of letters that are read where the whole picture is looked at, however long or narrow it is."""
    return round(max(15, max(rows, columns) / 90, sqrt(rows * columns) / 48))


def captioned(picture: Pixels, caption: Caption) -> Pixels:
    """A copy of a picture with label and score on a dark plate in its upper left corner.

    The plate is never larger than the picture: the label is cut, and left out where little of it would be
    left; where not even the score can be read, nothing is drawn.
    """
    copy = picture.copy()
    rows, columns = picture.shape[:2]
    value = caption.value
    size = min(letter_size(rows, columns), max(_SMALLEST, rows // 6))
    while size > _SMALLEST and lettering.width(value, size, bold=True) > columns - size:
        size -= 1
    margin = size // 4
    right, inner = lettering.width(value, size, bold=True), columns - 4 * margin
    label = lettering.shortened(caption.name, size, inner - (right and right + margin * 2))
    label = "" if label != caption.name and len(label.rstrip(".\u2026")) < 3 else label
    across = lettering.width(label, size) + (margin * 2 if label and value else 0) + right
    bar = 0 if caption.share is None else max(2, round(size / 5))
    height = 2 * margin + lettering.capital_height(size) + (bar and bar + margin)
    if not across or right > inner or height + 2 * margin > rows:
        return copy
    top, left = margin, margin
    plate = copy[top : top + height + margin, left : left + across + 2 * margin]
    plate[:] = np.rint(plate * 0.3 + np.array(_GROUND) * 0.7).astype(np.uint8)
    line = top + margin + lettering.capital_height(size)
    lettering.write(copy, label, (left + margin, line), size, _INK)
    lettering.write(copy, value, (left + margin + across - right, line), size, _INK, bold=True)
    if caption.share is not None:
        _bar(copy, (line + margin, left + margin), (bar, across), caption.share)
    return copy


def framed(picture: Pixels, caption: Caption) -> Pixels:
    """A picture with a strip below it that holds the caption: nothing of the picture is hidden.

    Beside a picture narrower than the strip needs to be there is ground on both sides.
    """
    rows, columns = picture.shape[:2]
    size = letter_size(rows, columns)
    across = max(columns, 16 * size)
    strip = _Strip(size, across, caption).drawn()
    canvas = np.empty((rows + len(strip), across, 3), np.uint8)
    left = (across - columns) // 2
    if across > columns:
        _fill(canvas[:rows], _GROUND)
    canvas[:rows, left : left + columns] = picture if picture.ndim == 3 else picture[..., np.newaxis]
    canvas[rows:] = strip
    return canvas


def _fill(canvas: Pixels, colour: Bgr) -> None:
    """Make all of a picture one colour; much sooner than NumPy, which writes three bytes at a time."""
    cv2.rectangle(canvas, (0, 0), canvas.shape[1::-1], colour, cv2.FILLED)


class _Strip:
    """A strip of some width: one line if all fits there, else two, or three where the label needs its own."""

    def __init__(self, size: int, columns: int, caption: Caption) -> None:
        self._size, self._columns, self._caption = size, columns, caption
        self._pad, self._gap = round(0.7 * size), round(0.55 * size)
        self._value = lettering.width(caption.value, size, bold=True)

    def drawn(self) -> Pixels:
        """The strip, ``(h, columns, 3)``."""
        size, left, right = self._size, self._pad, self._columns - self._pad
        score, meaning, between = self._score_columns(4 * size), 20 * size, 2 * size
        room = right - left - score - (score and self._gap)
        label = lettering.width(self._caption.name, size, bold=True)
        if label <= room - meaning - between:
            (line,), canvas = self._lines(1)
            self._label(canvas, left, right, line)
            self._score(canvas, right - meaning - between - score, 4 * size, line)
            self._meaning(canvas, right - meaning, right, line)
        elif label <= room:
            (line, last), canvas = self._lines(2)
            self._label(canvas, left, right, line)
            self._score(canvas, right - score, 4 * size, line)
            self._meaning(canvas, left, right, last)
        else:
            (line, middle, last), canvas = self._lines(3)
            self._label(canvas, left, right, line)
            self._score(canvas, left, right - left - self._score_columns(0), middle)
            self._meaning(canvas, left, right, last)
        return canvas

    def _lines(self, count: int) -> tuple[list[int], Pixels]:
        """An empty strip of so many lines, and the rows that their letters stand on."""
        apart = round(1.45 * self._size)
        canvas = np.empty((2 * round(0.45 * self._size) + count * apart, self._columns, 3), np.uint8)
        _fill(canvas, _GROUND)
        first = (len(canvas) - (count - 1) * apart + lettering.capital_height(self._size)) // 2
        return [first + index * apart for index in range(count)], canvas

    def _label(self, canvas: Pixels, left: int, right: int, line: int) -> None:
        label = lettering.shortened(self._caption.name, self._size, right - left, bold=True)
        lettering.write(canvas, label, (left, line), self._size, _INK, bold=True)

    def _score_columns(self, bar: int) -> int:
        """How many pixels a score takes with a bar of so many."""
        return self._value if self._caption.share is None else self._value + self._gap + bar

    def _score(self, canvas: Pixels, left: int, bar: int, line: int) -> None:
        """The score, and after it its bar."""
        lettering.write(canvas, self._caption.value, (left, line), self._size, _INK, bold=True)
        if self._caption.share is not None:
            _bar(canvas, *self._beside(line, left + self._value + self._gap, bar), self._caption.share)

    def _meaning(self, canvas: Pixels, left: int, right: int, line: int) -> None:
        """The colours between what their two ends mean."""
        size = round(0.85 * self._size)
        if not self._caption.shows_something:
            text = lettering.shortened(_NOTHING, size, right - left)
            lettering.write(canvas, text, (left, line), size, _QUIET)
            return
        for words in _ends(self._caption.ends):
            low, high = (lettering.width(word, size) for word in words)
            columns = right - left - low - high - 2 * self._gap
            if columns >= 5 * size:
                break
        lettering.write(canvas, words[0], (left, line), size, _QUIET)
        lettering.write(canvas, words[1], (right - high, line), size, _QUIET)
        (top, start), (height, _) = self._beside(line, left + low + self._gap, columns)
        canvas[top : top + height, start : start + columns] = _colours(self._caption.colormap, columns)

    def _beside(self, line: int, left: int, columns: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Place and size of a bar in the middle of a line's letters."""
        height = round(0.5 * self._size)
        return (line - (lettering.capital_height(self._size) + height) // 2, left), (height, columns)


def _ends(values: tuple[float, float] | None) -> list[tuple[str, str]]:
    """What to write beside the lowest and the highest colour: the first of these that there is room for."""
    words = [("least important", "most important"), ("least", "most")]
    if values is None:
        return words
    low, high = (f"{value:.3g}" for value in values)
    return [(f"{least} ({low})", f"{most} ({high})") for least, most in words] + words[1:]


def _bar(canvas: Pixels, place: tuple[int, int], size: tuple[int, int], share: float) -> None:
    """A bar (rows, columns) at (row, column), filled from the left; a share that is not 0 is seen."""
    (top, left), (height, across) = place, size
    filled = round(across * share) if share <= 0 else max(1, round(across * share))
    canvas[top : top + height, left : left + across] = _TRACK
    canvas[top : top + height, left : left + filled] = _INK


def _colours(colormap: str | None, columns: int) -> Pixels:
    if colormap is not None:
        return gradient(colormap, columns)
    levels = np.rint(np.linspace(0, 255, columns)).astype(np.uint8)
    return np.repeat(levels[np.newaxis, :, np.newaxis], 3, axis=2)
