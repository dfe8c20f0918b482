"""Tables of rows in files: JSON lines, CSV, Parquet; written as the run goes on, and read back.

A table of lines grows at its end. One of Parquet can be read only when it is whole, so that its rows are kept
as JSON lines beside it while the run goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from ovxai_convert.datasets.line_formats import CSV, JSON_LINES, LineFormat, read_lines
from ovxai_convert.datasets.parquet import pyarrow, read_parquet, write_parquet
from ovxai_convert.datasets.rows import Row
from ovxai_convert.durable import lock, locked_file, obstacle, sync
from ovxai_convert.errors import ModelReadError, UsageError, WriteError

_EVERY: Final = 5.0
"""Seconds between two times at which what was written is brought onto the disk."""
TABLE_SUFFIXES: Final = (".jsonl", ".csv", ".parquet")
"""What the name of a table ends in."""


def read_table(path: Path) -> Iterator[Row]:
    """The rows of a table, by the ending of its name; a last one that is not whole is passed over.

    Raises:
        ModelReadError: it cannot be read, or is no such table; at the row that is none.
        UsageError: a name of another ending; Parquet, and pyarrow is not installed.
    """
    kind = _kind_of(path)
    return read_parquet(path) if kind is None else read_lines(path, kind)


def check_table_name(path: Path) -> None:
    """Raise a UsageError for a table of no known kind, or of one that cannot be written here."""
    if _kind_of(path) is None:
        pyarrow(path)


class Table:
    """A table that is being written, and that nobody else writes.

    Args:
        path: of the table; its ending says the kind.
        kept: rows that are to stand there first; of what was there nothing else stays.

    Raises:
        UsageError: as :func:`check_table_name`.
        WriteError: it cannot be written; another run is at it; a file of this name is no such table.
    """

    def __init__(self, path: Path, kept: Iterable[Row] = ()) -> None:
        check_table_name(path)
        self.path, kind = path, _kind_of(path)
        self._lines = JSON_LINES if kind is None else kind
        self._place = journal_of(path) if kind is None else path
        with _Writing(path):
            _check_replaceable(path)
            self._place.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._begun(kept)
        self._synced, self._broken = time.monotonic(), False

    def write(self, rows: Sequence[Row]) -> None:
        """Add the rows of a photograph; they are in the file when this returns, and soon on the disk."""
        try:
            with _Writing(self.path):
                self._file.write(b"".join(map(self._lines.write, rows)))
                self._file.flush()
                if time.monotonic() - self._synced > _EVERY:
                    os.fsync(self._file.fileno())
                    self._synced = time.monotonic()
        except WriteError:
            self._broken = True
            raise

    def rows(self) -> Iterator[Row]:
        """All rows so far."""
        return read_lines(self._place, self._lines)

    def close(self) -> None:
        """Bring all onto the disk; of Parquet, write the table itself. It is others' then.

        A table that could not be written to is left as it stands.
        """
        try:
            if not self._broken:
                with _Writing(self.path):
                    os.fsync(self._file.fileno())
                    if self._place != self.path:
                        self._finish()
                    sync(self.path.parent)
        finally:
            with suppress(OSError):
                self._file.close()  # and is locked no longer

    def _begun(self, kept: Iterable[Row]) -> BinaryIO:
        """Write what is kept into a file of its own, which then takes the place of what was there."""
        older = _held(self._place)
        descriptor, sibling = locked_file(self._place.parent)
        file = open(descriptor, "wb")  # noqa: SIM115  # closed by release()
        done = False
        try:
            file.write(self._lines.heading)
            for row in kept:
                file.write(self._lines.write(row))
            file.flush()
            os.fsync(descriptor)
            os.replace(sibling, self._place)
            sync(self._place.parent)
            done = True
        finally:
            if not done:
                file.close()
                sibling.unlink(missing_ok=True)
            if older is not None:
                os.close(older)
        return file

    def _finish(self) -> None:
        descriptor, sibling = locked_file(self.path.parent)
        try:
            with open(descriptor, "wb") as file:
                write_parquet(file, self.path, self.rows())
                file.flush()
                os.fsync(descriptor)
                os.replace(sibling, self.path)
        finally:
            sibling.unlink(missing_ok=True)
        self._place.unlink()


def journal_of(path: Path) -> Path:
    """Where the rows of a table are kept that is not whole before its end."""
    return path.with_name(f"{path.name}.unfinished.jsonl")


def rows_so_far(path: Path) -> Iterator[Row]:
    """The rows that a run has left, whole or broken off; up to the first line that is none.

    Raises:
        ModelReadError: there is a file, and it is no such table.
        UsageError: as :func:`read_table`.
    """
    place = journal_of(path) if _kind_of(path) is None and journal_of(path).exists() else path
    if not place.exists():
        return
    rows = read_table(place)
    count = 0
    try:
        for row in rows:
            count += 1
            yield row
    except ModelReadError:
        if not count and place.stat().st_size:
            raise


def is_whole(path: Path) -> bool:
    """Whether a table tells by itself that it was brought to its end, as one of Parquet does."""
    return _kind_of(path) is None and path.exists() and not journal_of(path).exists()


def _check_replaceable(path: Path) -> None:
    """Raise a WriteError for what is there and no table."""
    what = obstacle(path)
    if what is None and path.exists() and path.stat().st_size:
        try:
            next(read_table(path), None)
        except ModelReadError:
            what = "a file that is no such table"
    if what is not None:
        raise WriteError(f"{path}: cannot be written: it is {what}")


def _held(path: Path) -> int | None:
    """Lock the file that is there, if there is one; a WriteError where another run has it."""
    try:
        return lock(path)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        raise WriteError(f"{path}: another run is writing this table") from None


class _Writing:
    """Whatever the system says while a table is written is a WriteError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise WriteError(f"{self._path}: cannot be written: {error.strerror}") from error


def _kind_of(path: Path) -> LineFormat | None:
    """How a table's lines are written; None of Parquet, which has none."""
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise UsageError(
            f"{path}: a table's name ends in {', '.join(TABLE_SUFFIXES[:-1])} or {TABLE_SUFFIXES[-1]}"
        )
    return {".jsonl": JSON_LINES, ".csv": CSV}.get(suffix)
