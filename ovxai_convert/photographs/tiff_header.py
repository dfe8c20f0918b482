"""What the header of a TIFF says that decides whether OpenCV reads its pixels as they are."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_CLASSIC: Final = {b"II*\0": "<", b"MM\0*": ">"}
_BIG: Final = {b"II+\0\x08\0\0\0": "<", b"MM\0+\0\x08\0\0": ">"}
_BITS, _COLOURS, _BANDS, _PLANAR, _EXTRA = 258, 262, 277, 284, 338
_IN_TURN: Final = 2
"""Of the planar configuration: all of one band, then all of the next."""
_COLOUR_BANDS: Final = {2: 3, 5: 4, 6: 3, 8: 3}
"""By photometric interpretation (RGB, CMYK, YCbCr, Lab) how many bands are colours; else one is."""
_ALPHA: Final = (1, 2)
_MOST_PAGES: Final = 4096
_SHORT: Final = 3
_SIZES: Final = {1: "B", _SHORT: "H", 4: "I", 16: "Q"}


@dataclass(frozen=True)
class TiffHeader:
    """What is told of the first page, and how many pages there are."""

    pages: int
    bands: int
    bits: int
    colours: int
    in_turn: bool
    alpha: bool

    @property
    def misread(self) -> str | None:
        """What OpenCV (5.0) makes something else of, without a word; None where it reads the pixels."""
        if self.bands - self.colours > 1 or (self.bands > self.colours == 1 and not self.alpha):
            return f"a TIFF of {self.bands} bands"
        if self.bands > self.colours == 1 and self.bits > 8:
            return f"a TIFF of {self.bands} bands of {self.bits} bits"
        if self.in_turn and self.bands > 1 and self.bits > 8:
            return f"a TIFF of {self.bands} bands of {self.bits} bits, one after the other"
        return None


def tiff_header(content: bytes | memoryview) -> TiffHeader | None:
    """The header of a TIFF (version 6, or BigTIFF); None of other files, and where it is broken."""
    try:
        return _read(memoryview(content))
    except (struct.error, IndexError, OverflowError):
        return None


def _read(content: memoryview) -> TiffHeader | None:
    order, big = _CLASSIC.get(bytes(content[:4])), False
    if order is None:
        order, big = _BIG.get(bytes(content[:8])), True
    if order is None:
        return None
    start = _number(content, order, 8, "Q") if big else _number(content, order, 4, "I")
    first: Mapping[int, tuple[int, ...]] | None = None
    seen: set[int] = set()
    while start and start not in seen and len(seen) < _MOST_PAGES:
        seen.add(start)
        entries, start = _directory(content, order, start, big=big)
        first = entries if first is None else first
    if first is None:
        return None
    colours = _COLOUR_BANDS.get(first.get(_COLOURS, (1,))[0], 1)
    return TiffHeader(
        len(seen),
        first.get(_BANDS, (1,))[0],
        max(first.get(_BITS, (1,))),
        colours,
        first.get(_PLANAR, (1,))[0] == _IN_TURN,
        first.get(_EXTRA, (0,))[0] in _ALPHA,
    )


def _directory(
    content: memoryview, order: str, start: int, *, big: bool
) -> tuple[dict[int, tuple[int, ...]], int]:
    """The entries of whole numbers that matter, by tag, and where the next directory lies; 0: nowhere."""
    counting, offsets, step, inline = ("Q", "Q", 20, 8) if big else ("H", "I", 12, 4)
    count = _number(content, order, start, counting)
    begin = start + struct.calcsize(counting)
    following = _number(content, order, begin + step * count, offsets)
    entries = {}
    for place in range(begin, begin + step * count, step):
        tag, kind = struct.unpack_from(f"{order}HH", content, place)
        if tag not in (_BITS, _COLOURS, _BANDS, _PLANAR, _EXTRA) or kind not in _SIZES:
            continue
        length = min(_number(content, order, place + 4, offsets), 2**16)
        values = f"{order}{length}{_SIZES[kind]}"
        where = place + 4 + inline
        if struct.calcsize(values) > inline:
            where = _number(content, order, where, offsets)
        entries[tag] = struct.unpack_from(values, content, where) or (0,)
    return entries, following


def _number(content: memoryview, order: str, place: int, kind: str) -> int:
    return int(struct.unpack_from(order + kind, content, place)[0])
