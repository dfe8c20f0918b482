"""Tables whose rows are lines: JSON lines and CSV, written and read one by one."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ovxai_convert.datasets.rows import COLUMNS, KINDS, Cell, Row, row_of
from ovxai_convert.errors import ModelReadError


@dataclass(frozen=True)
class LineFormat:
    """A kind of table whose rows are lines: what stands above them, and how one is written and read."""

    heading: bytes
    write: Callable[[Row], bytes]
    read: Callable[[Iterator[str]], Iterator[Row]]


def read_lines(path: Path, kind: LineFormat) -> Iterator[Row]:
    """The rows of a file; a last line that has no end is passed over. Errors as of a table's reading."""
    number = 0

    def whole() -> Iterator[str]:
        nonlocal number
        for line in file:
            number += 1
            if line.endswith(b"\n"):
                yield line[:-1].decode("utf-8")

    try:
        with path.open("rb") as file:
            yield from kind.read(whole())
    except OSError as error:
        raise ModelReadError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelReadError(f"{path}, line {number}: no row of a table of photographs: {error}") from error


_WRITER: Final = json.JSONEncoder(separators=(",", ":"))


def json_line(row: Row) -> bytes:
    """A row as one line of JSON, with its end."""
    return _WRITER.encode(row.as_plain()).encode() + b"\n"


def _read_json_lines(lines: Iterator[str]) -> Iterator[Row]:
    for line in lines:
        yield row_of(json.loads(line))


def _csv_line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _csv_row(row: Row) -> bytes:
    return _csv_line(_csv_cell(getattr(row, name)) for name in COLUMNS)


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, bytes):
        return base64.b64encode(cell).decode("ascii")
    return "x".join(map(str, cell)) if isinstance(cell, tuple) else str(cell)


def _read_csv(lines: Iterator[str]) -> Iterator[Row]:
    """Rows of CSV as it is written here; an empty cell holds nothing."""
    records = _csv_records(lines)
    heading = next(records, None)
    if heading is not None and heading != list(COLUMNS):
        raise ValueError("other columns")
    for cells in records:
        if len(cells) != len(COLUMNS):
            raise ValueError(f"{len(cells)} cells")
        yield row_of({name: _of_csv(cell, name) for name, cell in zip(COLUMNS, cells, strict=True)})


def _csv_records(lines: Iterator[str]) -> Iterator[list[str]]:
    """The cells of each record, however long; Python's reader has a limit, and one for the process."""
    record = ""
    for line in lines:
        record += line
        if record.count('"') % 2:  # the line ends inside of a cell
            record += "\n"
            continue
        yield [
            plain if quoted is None else quoted.replace('""', '"')
            for quoted, plain in (match.group(1, 2) for match in _CELL.finditer(record))
        ]
        record = ""


_CELL: Final = re.compile(r'(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))')


def _of_csv(text: str, name: str) -> Any:
    """A cell as JSON has it."""
    kind = KINDS[name]
    if not text:
        return None
    if kind is bool:
        return {"true": True, "false": False}.get(text, text)
    if kind is tuple:
        return [int(part) for part in text.split("x")]
    return kind(text) if kind in (int, float) else text


JSON_LINES: Final = LineFormat(b"", json_line, _read_json_lines)
CSV: Final = LineFormat(_csv_line(COLUMNS), _csv_row, _read_csv)
