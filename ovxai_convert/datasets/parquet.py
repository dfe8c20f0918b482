"""Tables as Parquet, by pyarrow where that is installed: written whole, read group by group."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from ovxai_convert.datasets.rows import COLUMNS, KINDS, Row, row_of
from ovxai_convert.errors import ModelReadError, UsageError

_BATCH: Final = 1000
"""Rows of a group, which are held at once."""


def pyarrow(path: Path) -> Any:
    """The library; a UsageError, which names the table, where it is not installed."""
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ImportError:
        raise UsageError(f"{path}: Parquet needs pyarrow: pip install 'ovxai-convert[parquet]'") from None


def _schema(arrow: Any) -> Any:
    """The columns, none of which has to hold anything but the path."""
    kinds = {
        str: arrow.string(),
        int: arrow.int64(),
        float: arrow.float64(),
        bool: arrow.bool_(),
        bytes: arrow.binary(),
        tuple: arrow.list_(arrow.int64()),
    }
    return arrow.schema([arrow.field(name, kinds[KINDS[name]], name != "path") for name in COLUMNS])


def write_parquet(file: BinaryIO, path: Path, rows: Iterator[Row]) -> None:
    """Write rows into a file that is open; ``path`` is where it will be."""
    arrow = pyarrow(path)
    with arrow.parquet.ParquetWriter(file, _schema(arrow)) as writer:
        while batch := list(islice(rows, _BATCH)):
            writer.write_table(arrow_table(arrow, batch))


def arrow_table(arrow: Any, rows: Sequence[Row]) -> Any:
    """Rows as a table of pyarrow's, which is ``arrow``."""
    plain = [{name: getattr(row, name) for name in COLUMNS} for row in rows]
    return arrow.Table.from_pylist(plain, _schema(arrow))


def read_parquet(path: Path) -> Iterator[Row]:
    """The rows of a table; a ModelReadError if it is none, a UsageError where pyarrow is not installed."""
    arrow = pyarrow(path)
    try:
        with arrow.parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_BATCH):
                yield from map(row_of, batch.to_pylist())
    except (OSError, ValueError) as error:  # arrow's own are both
        reason = " ".join(str(error).split())
        raise ModelReadError(f"{path}: no table of photographs: {reason}") from error
