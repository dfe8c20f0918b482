"""Rows of the table, gathered by photograph: what the report of many shows of each."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

_ESCAPED_BYTE: Final = re.compile(r"\\u(dc[89a-f][0-9a-f])")


class ShownRow(Protocol):
    """The columns of a row that are shown: one explained class of a photograph, or a failure."""

    @property
    def path(self) -> str: ...  # noqa: D102 - columns are explained where rows are
    @property
    def width(self) -> int | None: ...  # noqa: D102
    @property
    def height(self) -> int | None: ...  # noqa: D102
    @property
    def truth(self) -> str | None: ...  # noqa: D102
    @property
    def class_index(self) -> int | None: ...  # noqa: D102
    @property
    def label(self) -> str | None: ...  # noqa: D102
    @property
    def score(self) -> float | None: ...  # noqa: D102
    @property
    def rank(self) -> int | None: ...  # noqa: D102
    @property
    def correct(self) -> bool | None: ...  # noqa: D102
    @property
    def picture(self) -> str | None: ...  # noqa: D102
    @property
    def target_layer(self) -> str | None: ...  # noqa: D102
    @property
    def seconds(self) -> float | None: ...  # noqa: D102
    @property
    def error(self) -> str | None: ...  # noqa: D102
    @property
    def head(self) -> str | None: ...  # noqa: D102


class ShownMap(NamedTuple):
    """One map of a photograph: of which class, how sure the model is of it, and its picture if there is one.

    ``rank`` 1 is the answer. The ``picture`` is a path from the folder of pictures on.
    """

    class_index: int | None
    label: str
    score: float
    rank: int
    picture: str | None


@dataclass(frozen=True)
class ShownPhotograph:
    """A photograph with its maps, the best rank first; or with the ``reason`` why it has none.

    ``truth`` is what it shows, where that is known, and ``correct`` whether the answer says so. ``size`` is
    ``(width, height)`` in pixels; ``seconds`` is what its maps took. Of a model with several answers each
    answer counts as one; ``again`` is true for all but the first of a photograph. ``layer`` is the target
    layer of its maps.
    """

    path: str
    truth: str | None
    correct: bool | None = None
    maps: tuple[ShownMap, ...] = ()
    size: tuple[int, int] | None = None
    seconds: float | None = None
    reason: str | None = None
    again: bool = False
    layer: str | None = None


class Gathering:
    """Makes photographs of rows, of which those of one photograph follow one another.

    A class that comes again begins another photograph: the same one may be named twice. No more rows are
    kept than those of one photograph.
    """

    def __init__(self) -> None:
        self._rows: list[ShownRow] = []
        self._again = False

    def add(self, row: ShownRow) -> ShownPhotograph | None:
        """One more row; if it begins a photograph, the one before that."""
        finished = None
        if self._rows and not _is_of(row, self._rows):
            finished, before = self.rest(), self._rows[0]
            self._again = row.path == before.path and row.head != before.head
            self._rows = []
        self._rows.append(row)
        return finished

    def rest(self) -> ShownPhotograph | None:
        """The photograph of the last rows, if there are any."""
        return _photograph(self._rows, again=self._again) if self._rows else None


def _is_of(row: ShownRow, gathered: list[ShownRow]) -> bool:
    """Whether a row is one more class of the photograph, and of the answer, that these rows are of."""
    first = gathered[0]
    if row.error is not None or first.error is not None or (row.path, row.head) != (first.path, first.head):
        return False
    return all((row.class_index, row.label) != (each.class_index, each.label) for each in gathered)


def _photograph(rows: list[ShownRow], *, again: bool) -> ShownPhotograph:
    first = rows[0]
    path = _as_named(first.path)
    if first.error is not None:
        reason = _named_head(first, first.error.removeprefix(f"{first.path}: "))
        return ShownPhotograph(path, first.truth, reason=reason, again=again)
    maps = sorted(map(_map, rows), key=lambda each: each.rank)
    size = None if first.width is None or first.height is None else (first.width, first.height)
    return ShownPhotograph(
        path,
        first.truth,
        first.correct,
        tuple(maps),
        size,
        first.seconds,
        again=again,
        layer=first.target_layer,
    )


def _map(row: ShownRow) -> ShownMap:
    label = row.label or ("all classes" if row.class_index is None else f"class {row.class_index}")
    score = math.nan if row.score is None else float(row.score)
    return ShownMap(row.class_index, _named_head(row, label), score, row.rank or 1, row.picture)


def _named_head(row: ShownRow, text: str) -> str:
    return text if row.head is None else f"{row.head}: {text}"


def _as_named(path: str) -> str:
    """A photograph's path as the system has it: bytes that are no UTF-8 stand in a table as escapes.

    In a picture's name such escapes are what the file is called.
    """
    return _ESCAPED_BYTE.sub(lambda found: chr(int(found[1], 16)), path)
