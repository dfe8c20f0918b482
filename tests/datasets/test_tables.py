"""Tables as JSON lines and CSV: what is written is read, however a run ended; nothing else is replaced."""

from __future__ import annotations

import csv
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovxai_convert.datasets.rows import COLUMNS, Row, by_photograph, written_path
from ovxai_convert.datasets.tables import Table, read_table, rows_so_far
from ovxai_convert.errors import ModelReadError, UsageError, WriteError
from tests.datasets.table_cases import explained, rows

HOSTILE = ('a"b', "a,b", "a\nb", "a\r\nb", "\u2028", " a ", "=1+1", "\x00", "é猫😀", "'", "null", "\\n")
each_kind = pytest.mark.parametrize("suffix", [".jsonl", ".csv"])


def written(path: Path, some: list[Row]) -> Path:
    table = Table(path)
    for together in by_photograph(iter(some)):
        table.write(together)
    table.close()
    return path


@each_kind
@given(some=st.lists(rows(), max_size=5))
def test_what_is_written_is_read(
    suffix: str, some: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("table") / f"table{suffix}"
    assert list(read_table(written(path, some))) == some


@each_kind
def test_names_that_are_hostile(suffix: str, tmp_path: Path) -> None:
    some = [Row(name, label=name, error=name) for name in HOSTILE]
    assert list(read_table(written(tmp_path / f"table{suffix}", some))) == some


def test_others_read_json_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "table.jsonl", [explained("a.jpg")])
    (line,) = path.read_text(encoding="ascii").splitlines()
    told: dict[str, Any] = json.loads(line)
    assert list(told) == list(COLUMNS)
    assert (told["path"], told["map"], told["map_shape"]) == ("a.jpg", "AAECAwQF", [2, 3])
    assert (told["score"], told["truth"], told["error"]) == (0.1 + 0.2, None, None)


def test_others_read_csv(tmp_path: Path) -> None:
    path = written(tmp_path / "table.csv", [explained("a,\n.jpg"), Row("b.jpg", error="it is empty")])
    with path.open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["path"], first["map"], first["map_shape"]) == ("a,\n.jpg", "AAECAwQF", "2x3")
    assert float(first["score"]) == 0.1 + 0.2
    assert (second["score"], second["error"]) == ("", "it is empty")


@each_kind
def test_map_longer_than_a_cell_of_pythons_reader(suffix: str, tmp_path: Path) -> None:
    large = Row("a.jpg", map=bytes(400 * 500), map_shape=(400, 500))
    assert list(read_table(written(tmp_path / f"table{suffix}", [large]))) == [large]


@each_kind
def test_table_that_is_cut_anywhere(suffix: str, tmp_path: Path) -> None:
    """As a process leaves it that is killed: all rows before the cut, and nothing that is half."""
    some = [explained('a,\n".jpg'), explained('a,\n".jpg', 1), Row("b.jpg", error="x\ny"), explained("c.jpg")]
    content = written(tmp_path / f"whole{suffix}", some).read_bytes()
    path = tmp_path / f"cut{suffix}"
    counts = []
    for end in range(len(content) + 1):
        path.write_bytes(content[:end])
        found = list(rows_so_far(path))
        assert found == some[: len(found)]
        counts.append(len(found))
    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2, 3, 4}


@each_kind
def test_what_follows_a_spoiled_row_is_not_believed(suffix: str, tmp_path: Path) -> None:
    some = [explained("a.jpg"), explained("b.jpg"), explained("c.jpg")]
    path = written(tmp_path / f"table{suffix}", some)
    path.write_bytes(path.read_bytes().replace(b"b.jpg", b"b\xff\x00pg"))
    assert list(rows_so_far(path)) == some[:1]
    with pytest.raises(ModelReadError, match="no row of a table of photographs"):
        list(read_table(path))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.jsonl", b'{"a": 1}\n'),
        ("x.jsonl", b"[1]\n"),
        ("x.jsonl", b"null\n"),
        ("x.jsonl", b"hello\n"),
        ("x.jsonl", b"\xff\xfe\n"),
        ("x.csv", b"path,label\na.jpg,cat\n"),
        ("x.csv", b"cat\ndog\n"),
    ],
)
def test_file_that_is_no_table(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelReadError, match=r"line 1: no row of a table"):
        list(read_table(path))
    with pytest.raises(ModelReadError):
        list(rows_so_far(path))
    with pytest.raises(WriteError, match="it is a file that is no such table"):
        Table(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "change",
    [
        {"map": "AAEC"},
        {"map": "????"},
        {"map_shape": [2]},
        {"map_shape": None},
        {"score": "high"},
        {"rank": 1.5},
        {"rank": True},
        {"correct": 1},
        {"path": None},
        {"path": 3},
    ],
    ids=repr,
)
def test_row_whose_cells_make_no_sense(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({**explained("a.jpg").as_plain(), **change}) + "\n")
    with pytest.raises(ModelReadError, match="no row"):
        list(read_table(path))


@pytest.mark.parametrize("name", ["table.txt", "table", "table.json", "table.xlsx"])
def test_names_of_no_known_kind(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a table's name ends in \.jsonl, \.csv or \.parquet"):
        Table(tmp_path / name)
    with pytest.raises(UsageError, match="ends in"):
        read_table(tmp_path / name)


@each_kind
def test_one_run_at_a_time(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{suffix}"
    first = Table(path)
    first.write([explained("a.jpg")])
    with pytest.raises(WriteError, match="another run is writing this table"):
        Table(path)
    first.write([explained("b.jpg")])
    assert [row.path for row in first.rows()] == ["a.jpg", "b.jpg"]
    first.close()
    Table(path, [explained("c.jpg")]).close()
    assert [row.path for row in read_table(path)] == ["c.jpg"]
    assert [each.name for each in tmp_path.iterdir()] == [path.name], "nothing else is left"


def test_table_where_something_else_stands(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(WriteError, match="it is a folder"):
        Table(tmp_path / "folder.jsonl")
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="cannot be written"):
        Table(tmp_path / "file" / "table.jsonl")


def test_rows_are_kept_by_an_interrupt_while_the_older_ones_are_copied(tmp_path: Path) -> None:
    path = written(tmp_path / "table.jsonl", [explained("a.jpg"), explained("b.jpg")])
    before = path.read_bytes()

    def interrupted() -> Any:
        yield explained("a.jpg")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Table(path, interrupted())
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_rows_come_onto_the_disk_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(tmp_path / "table.jsonl")
    synced: list[int] = []
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(os, "fsync", synced.append)
    table._synced = 0.0
    counts = []
    for _ in range(20):
        now += 1
        table.write([explained("a.jpg")])
        counts.append(len(synced))
    monkeypatch.undo()
    assert counts[4] == 0
    assert counts[-1] == 3
    table.close()


@pytest.mark.parametrize(("path", "text"), [("a/b.jpg", "a/b.jpg"), ("caf\udce9.jpg", "caf\\udce9.jpg")])
def test_path_as_text(path: str, text: str) -> None:
    assert written_path(path) == text
    assert written_path(Path(path)) == text
    text.encode()


def test_levels_of_a_map() -> None:
    found = explained("a.jpg").levels
    assert found is not None
    assert found.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert Row("a.jpg").levels is None
