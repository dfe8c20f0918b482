"""Tables of measurements on disk, .jsonl or .csv: written photograph by photograph, and read back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from ovxai_convert.durable import obstacle
from ovxai_convert.errors import ModelReadError, UsageError, WriteError
from ovxai_convert.evaluation.measurements import MEASURED_COLUMNS, Measurement

_SUFFIXES: Final = (".jsonl", ".csv")
_WHOLE: Final = frozenset({"class_index"})
_NUMBERS: Final = frozenset({"score", "value", "seconds"})


def check_measured_file(path: Path) -> None:
    """A UsageError for a file of another kind; a WriteError for what is there and no file."""
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"{path}: a table is written as one of {', '.join(_SUFFIXES)}")
    with _reported(path):
        what = obstacle(path)
    if what is not None:
        raise WriteError(f"{path}: cannot be written: it is {what}")


class MeasuredTable:
    """A table that is being written: the rows of a photograph are in the file, all of them, or none.

    ``goes_on``: rows that are there already are kept. A WriteError where the file cannot be written.
    """

    def __init__(self, path: Path, *, goes_on: bool = False) -> None:
        check_measured_file(path)
        self._path, self._is_csv = path, path.suffix.lower() == ".csv"
        with _reported(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():  # what it leads to may be others'
                path.unlink()
            self._file = path.open("ab" if goes_on else "wb", buffering=0)
            if self._is_csv and self._file.tell() == 0:
                self._write(_as_csv([MEASURED_COLUMNS]))

    def close(self) -> None:
        """Done."""
        self._file.close()

    def add(self, rows: Iterable[Measurement]) -> None:
        """Write the rows of a photograph."""
        if self._is_csv:
            text = _as_csv(tuple(_as_text(getattr(row, name)) for name in MEASURED_COLUMNS) for row in rows)
        else:
            text = "".join(_as_json(row) + "\n" for row in rows)
        with _reported(self._path):
            self._write(text)

    def _write(self, text: str) -> None:
        """In one piece, so that a process which is killed leaves no part of it."""
        left = memoryview(text.encode("utf-8", "backslashreplace"))
        while left:
            left = left[self._file.write(left) :]


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror}") from error


def read_measurements(path: Path) -> Iterator[Measurement]:
    """The rows of a table, one after another.

    Raises:
        ModelReadError: the file cannot be read, or is no such table.
    """
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield from _of_csv(file) if path.suffix.lower() == ".csv" else _of_json(file)
    except OSError as error:
        raise ModelReadError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, csv.Error) as error:
        raise ModelReadError(f"{path}: not a table of measurements") from error


def _of_json(file: IO[str]) -> Iterator[Measurement]:
    for line in file:
        yield _measurement(json.loads(line), lambda plain: plain)


def _of_csv(file: IO[str]) -> Iterator[Measurement]:
    for cells in csv.DictReader(file):
        yield _measurement(cells, _of_text)


def _measurement(cells: Mapping[str, Any], plain: Callable[[Any], Any]) -> Measurement:
    if set(cells) != set(MEASURED_COLUMNS):
        raise ValueError("other columns")
    values: dict[str, Any] = {}
    for name, cell in cells.items():
        given = plain(cell)
        values[name] = None if given is None else _cell(name, given)
    return Measurement(**values)


def _cell(name: str, plain: Any) -> Any:
    if name in _WHOLE:
        return int(plain)
    if name in _NUMBERS:
        return float(plain)
    if name == "curve":
        return tuple(float(each) for each in (plain.split(" ") if isinstance(plain, str) else plain))
    return str(plain)


def _as_json(row: Measurement) -> str:
    return json.dumps({name: getattr(row, name) for name in MEASURED_COLUMNS})


def _as_csv(lines: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def _as_text(cell: Any) -> str:
    if isinstance(cell, tuple):
        return " ".join(map(repr, cell))
    return "" if cell is None else repr(cell) if isinstance(cell, float) else str(cell)


def _of_text(text: str) -> str | None:
    return text or None
