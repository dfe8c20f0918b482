"""Going on where a run was broken off: what it was made of, and which photographs are done."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

import openvino as ov

from ovxai_convert.datasets.rows import Row, by_photograph, short_key, written_path
from ovxai_convert.datasets.sources import Item
from ovxai_convert.datasets.tables import is_whole, rows_so_far
from ovxai_convert.source.reading import sha256_of_file

_DIGITS: Final = 16


def run_digest(facts: Sequence[object], options: Sequence[object]) -> str:
    """What a row depends on besides its photograph, these programs among it: 16 hexadecimal digits.

    Args:
        facts: what is known of the model, and how it is read.
        options: all others that a row depends on.
    """
    text = json.dumps([version("ovxai-convert"), ov.get_version(), facts, options], default=str)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGITS]


class _Known(NamedTuple):
    """Of a photograph that is done: its SHA-256 if it could be read, and why it failed, if it did."""

    sha256: bytes | None
    error: str | None


@dataclass
class Earlier:
    """What a table holds of earlier runs.

    A photograph is done if the same model and options have made its rows, all of its pictures are there, and
    its file has not changed since. One whose file could not be read is done again, by another run.

    Attributes:
        path: of the table.
        run: digest of this run.
        pictures: folder that the pictures are in; None: there are none.
        same_run: whether this is the run that wrote it, in another process: then surely all rows of the last
            photograph are there, and what could not be read, or broke a process down, is not tried again.
        others: how many photographs were done by other models or with other options.
    """

    path: Path
    run: str
    pictures: Path | None = None
    same_run: bool = False
    others: int = 0
    _known: dict[int, _Known] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._written = self.path.stat().st_mtime if self.path.exists() else 0.0
        last: list[Row] = []
        for rows in by_photograph(rows_so_far(self.path)):
            self._take(last)
            last = rows
        if self.same_run or is_whole(self.path) or any(row.run != self.run for row in last):
            self._take(last)

    def _take(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        if any(row.run != self.run for row in rows):
            self.others += 1
            return
        first = rows[0]
        if (first.sha256 is not None or self.same_run) and all(map(self._has_its_picture, rows)):
            sha256 = None if first.sha256 is None else bytes.fromhex(first.sha256)
            self._known[short_key(first.path)] = _Known(sha256, first.error)

    def _has_its_picture(self, row: Row) -> bool:
        if self.pictures is None or row.picture is None:
            return True
        try:
            return (self.pictures / row.picture).stat().st_size > 0
        except OSError:
            return False

    def is_done(self, item: Item) -> bool:
        """Whether a photograph is done; rows of one that is not will not stay."""
        key = short_key(written_path(item.shown))
        known = self._known.get(key)
        if known is None:
            return False
        if self._has_changed(item, known):
            del self._known[key]
            return False
        return True

    def failure_of(self, item: Item) -> str | None:
        """Why a photograph failed that is done, if it did."""
        known = self._known.get(short_key(written_path(item.shown)))
        return None if known is None else known.error

    def forget(self, item: Item) -> None:
        """Let a photograph be done again."""
        self._known.pop(short_key(written_path(item.shown)), None)

    def _has_changed(self, item: Item, known: _Known) -> bool:
        """Whether a file is another than that of its row; those are read that are newer than the table."""
        if item.url is not None or known.sha256 is None:
            return False
        try:
            status = os.stat(item.path)
            newer = max(status.st_mtime, status.st_ctime) >= self._written
            return newer and bytes.fromhex(sha256_of_file(item.path)) != known.sha256
        except OSError:
            return True

    def rows(self) -> Iterator[Row]:
        """The rows that stay."""
        left = set(self._known)
        for rows in by_photograph(rows_so_far(self.path)):
            if short_key(rows[0].path) in left:
                left.remove(short_key(rows[0].path))
                yield from rows
