"""Tables as Parquet: whole at the end, rows beside them until then."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovxai_convert.datasets.resuming import Earlier
from ovxai_convert.datasets.rows import COLUMNS, Row, by_photograph
from ovxai_convert.datasets.tables import Table, is_whole, journal_of, read_table, rows_so_far
from ovxai_convert.errors import ModelReadError, UsageError, WriteError
from tests.datasets.table_cases import explained, rows

importlib.import_module("pyarrow")  # which `make test` installs


def written(path: Path, some: list[Row]) -> Path:
    table = Table(path)
    for together in by_photograph(iter(some)):
        table.write(together)
    table.close()
    return path


@given(some=st.lists(rows(), max_size=4))
def test_what_is_written_is_read(some: list[Row], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("table") / "table.parquet"
    assert list(read_table(written(path, some))) == some
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_others_read_it(tmp_path: Path) -> None:
    parquet = importlib.import_module("pyarrow.parquet")
    path = written(tmp_path / "table.parquet", [explained("a.jpg"), Row("b.jpg", error="it is empty")])
    table = parquet.read_table(path)
    assert table.column_names == list(COLUMNS)
    assert table["map"].to_pylist() == [bytes(range(6)), None]
    assert str(table.schema.field("map_shape").type).startswith("list")


def test_more_rows_than_are_held_at_once(tmp_path: Path) -> None:
    some = [explained(f"{number}.jpg") for number in range(2500)]
    path = written(tmp_path / "table.parquet", some)
    assert list(read_table(path)) == some
    assert importlib.import_module("pyarrow.parquet").ParquetFile(path).num_row_groups == 3


def test_run_that_is_killed_leaves_its_rows(tmp_path: Path) -> None:
    path = written(tmp_path / "table.parquet", [explained("old.jpg", run="b")])
    table = Table(path)
    table.write([explained("a.jpg")])
    table.write([explained("b.jpg")])
    assert [row.path for row in read_table(path)] == ["old.jpg"], "the older one is whole until the end"
    assert [row.path for row in rows_so_far(path)] == ["a.jpg", "b.jpg"]
    assert not is_whole(path)
    with pytest.raises(WriteError, match="another run"):
        Table(path)
    table._file.close()  # as the system does when a process is killed
    earlier = Earlier(path, "a")
    again = Table(path, earlier.rows())
    again.write([explained("b.jpg")])
    again.close()
    assert [row.path for row in read_table(path)] == ["a.jpg", "b.jpg"]
    assert not journal_of(path).exists()
    assert is_whole(path)


def test_of_a_whole_table_the_last_photograph_is_done(tmp_path: Path) -> None:
    path = written(tmp_path / "table.parquet", [explained("a.jpg")])
    assert list(Earlier(path, "a").rows()) == [explained("a.jpg")]


def test_file_that_is_no_table(tmp_path: Path) -> None:
    arrow = importlib.import_module("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    other = tmp_path / "other.parquet"
    parquet.write_table(arrow.table({"a": [1]}), other)
    (tmp_path / "text.parquet").write_text("hello")
    for path in (other, tmp_path / "text.parquet"):
        with pytest.raises(ModelReadError, match="no table of photographs"):
            list(read_table(path))
        with pytest.raises(WriteError, match="no such table"):
            Table(path)


def test_library_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match=r"Parquet needs pyarrow: pip install 'ovxai-convert\[parquet\]'"):
        Table(tmp_path / "table.parquet")
    assert list(tmp_path.iterdir()) == []
