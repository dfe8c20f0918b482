"""The rows of a table: what came of one explained class of one photograph, or why nothing did."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Cell: TypeAlias = str | int | float | bool | bytes | tuple[int, int] | None
"""What a column holds: text, a number, a yes or no, the bytes of a map, its rows and columns, or nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One explained class of a photograph; all but the first few are None where there is an ``error``.

    Attributes:
        path: of the photograph, as it was named or found; bytes that are no text in UTF-8 stand as escapes.
        sha256: of its file, 64 hexadecimal digits; None where that could not be read.
        width: pixels of the photograph as it is upright.
        height: likewise.
        truth: what the photograph shows, where that is known: a label of the model, or an index as text.
        class_index: the class that the map is of; of a map that is all classes', the model's answer.
        label: its label; without labels, its index as text.
        score: its probability, or the number that the model gives where that is none.
        rank: its place among all classes by score; that of rank 1 is the answer.
        correct: whether the model's answer is the truth; None where no truth is known.
        picture: file of the picture, relative to the output folder, with ``/`` between folders.
        map: grey levels 0 to 255, row by row, of the map as the method gave it.
        map_shape: rows and columns of that.
        target_layer: name of the masked layer; None for black-box methods.
        method: name of the XAI method.
        seconds: what the explanation took, without reading and writing.
        error: one line that says why there is none.
        head: which class output, of a model that is explained for several; else None.
        run: digest of the model and of all options that a row depends on.
        box_left: of a detector, an edge of the box that the map is of, or of the best box of its class, in
            pixels of the photograph; None of a classifier, and of a class without a box.
        box_top: likewise.
        box_right: likewise.
        box_bottom: likewise.
    """

    path: str
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    truth: str | None = None
    class_index: int | None = None
    label: str | None = None
    score: float | None = None
    rank: int | None = None
    correct: bool | None = None
    picture: str | None = None
    map: bytes | None = None
    map_shape: tuple[int, int] | None = None
    target_layer: str | None = None
    method: str | None = None
    seconds: float | None = None
    error: str | None = None
    head: str | None = None
    run: str | None = None
    box_left: float | None = None
    box_top: float | None = None
    box_right: float | None = None
    box_bottom: float | None = None

    @property
    def levels(self) -> NDArray[np.uint8] | None:
        """The map ``(h, w)``, if there is one."""
        if self.map is None or self.map_shape is None:
            return None
        return np.frombuffer(self.map, np.uint8).reshape(self.map_shape)

    def as_plain(self) -> dict[str, Any]:
        """As JSON has it: the map in base64, its shape as a list."""
        return {name: _plain(getattr(self, name)) for name in COLUMNS}


COLUMNS: Final = tuple(each.name for each in fields(Row))
"""Names of the columns, in the order of a table."""
KINDS: Final[Mapping[str, type]] = {
    **dict.fromkeys(COLUMNS, str),
    **dict.fromkeys(("width", "height", "class_index", "rank"), int),
    **dict.fromkeys(("score", "seconds", "box_left", "box_top", "box_right", "box_bottom"), float),
    "correct": bool,
    "map": bytes,
    "map_shape": tuple,
}
"""What each column holds."""


def row_of(plain: Any) -> Row:
    """A row of what :meth:`Row.as_plain` gave; a ValueError if it is none."""
    if not isinstance(plain, dict) or plain.keys() != set(COLUMNS):
        raise ValueError("it has other columns")
    cells = {name: _cell(plain[name], KINDS[name]) for name in COLUMNS}
    if cells["path"] is None:
        raise ValueError("no path")
    row = Row(**cells)
    shape = row.map_shape
    if (row.map is None) != (shape is None) or (
        row.map is not None and shape is not None and len(row.map) != shape[0] * shape[1]
    ):
        raise ValueError("the map has not the shape that is told")
    return row


def written_path(path: str | os.PathLike[str]) -> str:
    r"""A path as text that every table can hold: bytes that are no UTF-8 become escapes, as ``\udcff``."""
    return os.fspath(path).encode("utf-8", "backslashreplace").decode()


def short_key(text: str) -> int:
    """Eight bytes that stand for a text: sets of a million of them take little memory."""
    content = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(content, "big")


def by_photograph(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows that follow one another, put together by the photograph that they are of."""
    together: list[Row] = []
    for row in rows:
        if together and together[0].path != row.path:
            yield together
            together = []
        together.append(row)
    if together:
        yield together


def _plain(cell: Cell) -> Any:
    if isinstance(cell, bytes):
        return base64.b64encode(cell).decode("ascii")
    return list(cell) if isinstance(cell, tuple) else cell


def _cell(plain: Any, kind: type) -> Any:
    if plain is None:
        return None
    if kind is bytes and isinstance(plain, bytes):
        return plain
    if kind is bytes and isinstance(plain, str):
        try:
            return base64.b64decode(plain, validate=True)
        except binascii.Error:
            raise ValueError("a map that is no base64") from None
    if kind is tuple and isinstance(plain, list) and [type(each) for each in plain] == [int, int]:
        return tuple(plain)
    if kind is float and type(plain) is int:
        return float(plain)
    if kind in (bytes, tuple) or type(plain) is not kind:
        raise ValueError(f"{plain!r} is no {kind.__name__}")
    return plain
