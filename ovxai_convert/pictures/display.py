"""Pictures with words below them, as HTML and as one PNG: what a notebook shows of an object by itself.

The HTML stands alone, without style sheets or scripts, which notebooks take out. Pictures are scaled down, so
that a notebook stays small.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from ovxai_convert.photographs.image_files import Pixels, encode_image
from ovxai_convert.pictures import lettering
from ovxai_convert.pictures.lettering import Bgr

MOST_FIGURES: Final = 24
"""How many pictures are shown of a larger number."""

_SIDE: Final = 300
"""Of the square that a picture is fitted into."""
_LEAST_SIDE: Final = 150
"""Pictures of fewer pixels, such as a map's few cells, are enlarged to so many."""
_COLUMNS: Final = 4
_GAP: Final = 14
_UNDER: Final = 4
"""Rows between a picture and its first line."""
_LETTERS: Final = 15
_LINE: Final = 20
_GROUND: Final[Bgr] = (255, 255, 255)
_INK: Final[Bgr] = (32, 28, 26)
_QUIET: Final[Bgr] = (112, 106, 102)
_JPEG: Final = (cv2.IMWRITE_JPEG_QUALITY, 88)


@dataclass(frozen=True)
class Figure:
    """A picture ``(H, W)`` grey or ``(H, W, 3)`` blue, green, red, and the lines below it.

    ``otherwise`` stands for the title where its letters cannot be drawn; ``colour`` is shown before it.
    """

    picture: Pixels
    title: str
    lines: tuple[str, ...] = ()
    otherwise: str = ""
    colour: Bgr | None = None


def fitted(picture: Pixels) -> Pixels:
    """A picture in the size in which it is shown, its sides in proportion; cells stay cells."""
    longest = max(picture.shape[:2])
    if _LEAST_SIDE <= longest <= _SIDE:
        return picture
    side = _SIDE if longest > _SIDE else longest * -(-_LEAST_SIDE // longest)
    rows, columns = (max(1, round(extent * side / longest)) for extent in picture.shape[:2])
    how = cv2.INTER_AREA if longest > _SIDE else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), (columns, rows), interpolation=how), np.uint8)


def html_of(heading: str, figures: Sequence[Figure], below: Sequence[Figure] = (), note: str = "") -> str:
    """A heading, pictures side by side, others in their own size below them, and a note."""
    shown = "".join(_figure(fitted(each.picture), each, exact=_is_small(each.picture)) for each in figures)
    more = "".join(_figure(each.picture, each, exact=True) for each in below)
    row = "display:flex;flex-wrap:wrap;gap:14px;align-items:flex-start;margin:8px 0"
    return (
        f"<div><div><bdi>{html.escape(heading)}</bdi></div>"
        f'<div style="{row}">{shown}</div>'
        + (f'<div style="{row}">{more}</div>' if more else "")
        + (f"<div><small>{html.escape(note)}</small></div>" if note else "")
        + "</div>"
    )


def _is_small(picture: Pixels) -> bool:
    return bool(max(picture.shape[:2]) < _LEAST_SIDE)


def _figure(picture: Pixels, figure: Figure, *, exact: bool) -> str:
    rows, columns = picture.shape[:2]
    title = html.escape(figure.title)
    swatch = ""
    if figure.colour is not None:
        blue, green, red = figure.colour
        swatch = f'<span style="color:rgb({red},{green},{blue})">&#9632;</span> '
    lines = "".join(f"<br><small>{html.escape(line)}</small>" for line in figure.lines)
    # A white ground, so that it can be read in a dark notebook, too.
    style = f"margin:0;width:{columns}px;background:#fff;color:#1a1c20;line-height:1.3;overflow-wrap:anywhere"
    caption = f"<figcaption>{swatch}<b><bdi>{title}</bdi></b>{lines}</figcaption>" if title or lines else ""
    source = f'src="{_uri(picture, exact=exact)}" width="{columns}" height="{rows}"'
    return f'<figure style="{style}"><img {source} alt="{title}" style="margin:0">{caption}</figure>'


def _uri(picture: Pixels, *, exact: bool) -> str:
    photograph = picture.ndim == 3 and not exact
    suffix, settings = (".jpg", _JPEG) if photograph else (".png", ())
    content = base64.b64encode(encode_image(picture, suffix, settings)).decode()
    return f"data:image/{'jpeg' if photograph else 'png'};base64,{content}"


def sheet(heading: str, figures: Sequence[Figure], below: Sequence[Figure] = (), note: str = "") -> Pixels:
    """The same as one picture ``(H, W, 3)``, blue, green, red."""
    rows = [figures[start : start + _COLUMNS] for start in range(0, len(figures), _COLUMNS)]
    drawn = [_beside([_cell(fitted(each.picture), each) for each in row]) for row in rows]
    if below:
        drawn.append(_beside([_cell(each.picture, each) for each in below]))
    across = max(_SIDE, *(part.shape[1] for part in drawn)) if drawn else _SIDE
    parts = [_text(heading, across, _INK), *drawn, *([_text(note, across, _QUIET)] if note else [])]
    height = sum(len(part) for part in parts) + _GAP * (len(parts) + 1)
    canvas = _empty(height, across + 2 * _GAP)
    top = _GAP
    for part in parts:
        canvas[top : top + len(part), _GAP : _GAP + part.shape[1]] = part
        top += len(part) + _GAP
    return canvas


def _empty(rows: int, columns: int) -> Pixels:
    canvas = np.empty((rows, columns, 3), np.uint8)
    canvas[:] = _GROUND
    return canvas


def _text(text: str, across: int, colour: Bgr) -> Pixels:
    """A line of text; what does not fit is cut."""
    canvas = _empty(_LINE, across)
    line = lettering.shortened(lettering.legible(text), _LETTERS, across)
    lettering.write(canvas, line, (0, _LETTERS), _LETTERS, colour)
    return canvas


def _cell(picture: Pixels, figure: Figure) -> Pixels:
    """A picture and its lines, as wide as the picture."""
    rows, columns = picture.shape[:2]
    columns = max(columns, _LEAST_SIDE)
    title = lettering.legible(figure.title, figure.otherwise)
    lines = [each for each in (title, *figure.lines) if each]
    canvas = _empty(rows + (_UNDER + _LINE * len(lines) if lines else 0), columns)
    canvas[:rows, : picture.shape[1]] = picture if picture.ndim == 3 else picture[..., np.newaxis]
    for index, line in enumerate(lines):
        bold = index == 0 and bool(title)
        start, base = 0, rows + _UNDER + _LINE * index + _LETTERS
        if bold and figure.colour is not None:
            canvas[base - 10 : base + 1, 1:12] = figure.colour
            start = 18
        words = lettering.shortened(line, _LETTERS, columns - start, bold=bold)
        lettering.write(canvas, words, (start, base), _LETTERS, _INK if bold else _QUIET, bold=bold)
    return canvas


def _beside(cells: Sequence[Pixels]) -> Pixels:
    canvas = _empty(
        max(len(cell) for cell in cells), sum(cell.shape[1] for cell in cells) + _GAP * (len(cells) - 1)
    )
    left = 0
    for cell in cells:
        canvas[: len(cell), left : left + cell.shape[1]] = cell
        left += cell.shape[1] + _GAP
    return canvas
