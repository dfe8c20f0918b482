"""TIFF files of any kind, uncompressed, written here since OpenCV writes few kinds."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

_FORMATS: Final = {"u": 1, "i": 2, "f": 3}


@dataclass(frozen=True)
class Tiff:
    """How pixels ``(H, W, C)`` are kept; ``extra``: what bands beyond the colours are (0: nobody says)."""

    pixels: NDArray[Any]
    colours: int = 1
    in_turn: bool = False
    extra: int = 0
    order: Literal["<", ">"] = "<"
    big: bool = False

    @property
    def bytes(self) -> bytes:
        """The file."""
        return tiff([self])


def tiff(pages: Sequence[Tiff]) -> bytes:
    """A file of several pages of the same order and kind."""
    order, big = pages[0].order, pages[0].big
    mark = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    out = bytearray(mark + (struct.pack(order + "HHQ", 8, 0, 0) if big else struct.pack(order + "I", 0)))
    link = len(out) - (8 if big else 4)
    for page in pages:
        start, after = _page(out, page)
        struct.pack_into(order + ("Q" if big else "I"), out, link, start)
        link = after
    return bytes(out)


def _page(out: bytearray, page: Tiff) -> tuple[int, int]:
    """Append a page; where its directory is, and where in it the next one's place is to be written."""
    rows, columns, bands = page.pixels.shape
    kind = page.pixels.dtype
    stored = page.pixels.transpose(2, 0, 1) if page.in_turn else page.pixels
    data = stored.astype(kind.newbyteorder(page.order)).tobytes()
    strips, first = (bands if page.in_turn else 1), len(out)
    out += data
    colour_bands = 3 if page.colours == 2 else 1
    entries: list[tuple[int, str, Sequence[int]]] = [
        (256, "I", [columns]),
        (257, "I", [rows]),
        (258, "H", [8 * kind.itemsize] * bands),
        (259, "H", [1]),
        (262, "H", [page.colours]),
        (273, "I", [first + place * (len(data) // strips) for place in range(strips)]),
        (277, "H", [bands]),
        (278, "I", [rows]),
        (279, "I", [len(data) // strips] * strips),
        (284, "H", [2 if page.in_turn else 1]),
        (338, "H", [page.extra] * (bands - colour_bands)),
        (339, "H", [_FORMATS[kind.kind]] * bands),
    ]
    entries = [entry for entry in entries if entry[2]]
    return _directory(out, entries, page)


def _directory(
    out: bytearray, entries: Sequence[tuple[int, str, Sequence[int]]], page: Tiff
) -> tuple[int, int]:
    wide, inline = ("Q", 8) if page.big else ("I", 4)
    packed = []
    for tag, kind, values in entries:
        content = struct.pack(f"{page.order}{len(values)}{kind}", *values)
        if len(content) > inline:
            place = struct.pack(page.order + wide, len(out))
            out += content
            content = place
        head = struct.pack(f"{page.order}HH{wide}", tag, {"H": 3, "I": 4}[kind], len(values))
        packed.append(head + content.ljust(inline, b"\0"))
    out += b"\0" * (len(out) % 2)
    start = len(out)
    out += struct.pack(page.order + ("Q" if page.big else "H"), len(packed)) + b"".join(packed)
    after = len(out)
    out += b"\0" * inline
    return start, after


def numbers(dtype: Any, bands: int, seed: int = 0) -> NDArray[Any]:
    """Random levels ``(6, 8, bands)`` of a type, no two alike but for 8 bits."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.standard_normal((6, 8, bands)).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, (6, 8, bands)).astype(dtype)
