"""Which photographs of an earlier run are done, and which of its rows stay."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ovxai_convert.datasets.resuming import Earlier, run_digest
from ovxai_convert.datasets.rows import Row
from ovxai_convert.datasets.sources import Item
from ovxai_convert.datasets.tables import Table
from tests.datasets.table_cases import explained

each_kind = pytest.mark.parametrize("suffix", [".jsonl", ".csv"])


def photograph(folder: Path, name: str) -> Item:
    path = folder / f"{name}.jpg"
    path.write_bytes(name.encode())
    return Item(path, name)


def row_of_item(item: Item, index: int = 0, run: str = "a") -> Row:
    return explained(str(item.path), index, run, hashlib.sha256(item.path.read_bytes()).hexdigest())


def left_by_a_run(path: Path, rows: list[Row]) -> Path:
    table = Table(path)
    table.write(rows)
    table.close()
    return path


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    found = [photograph(tmp_path, name) for name in "abcd"]
    before = time.time() - 100
    for item in found:
        os.utime(item.path, (before, before))
    return found


@each_kind
def test_last_photograph_is_done_again_since_rows_of_it_may_be_missing(
    suffix: str, tmp_path: Path, items: list[Item]
) -> None:
    a, b, c, d = items
    rows = [row_of_item(a), row_of_item(a, 1), row_of_item(b), row_of_item(c), row_of_item(c, 1)]
    path = left_by_a_run(tmp_path / f"table{suffix}", rows)
    earlier = Earlier(path, "a")
    assert [earlier.is_done(item) for item in items] == [True, True, False, False]
    assert list(earlier.rows()) == rows[:3]
    whole = Earlier(path, "a", same_run=True)
    assert [whole.is_done(item) for item in items] == [True, True, True, False]
    whole.forget(c)
    assert not whole.is_done(c)
    assert list(whole.rows()) == rows[:3]
    assert (b.name, d.name) == ("b", "d")


def test_what_could_not_be_read_is_tried_again_by_another_run(tmp_path: Path, items: list[Item]) -> None:
    a, b, c, _ = items
    rows = [row_of_item(a), Row(str(b.path), error="gone", run="a"), row_of_item(c)]
    path = left_by_a_run(tmp_path / "table.jsonl", rows)
    other, same = Earlier(path, "a"), Earlier(path, "a", same_run=True)
    assert [other.is_done(item) for item in (a, b)] == [True, False]
    assert [same.is_done(item) for item in (a, b, c)] == [True, True, True]
    assert same.failure_of(b) == "gone"
    assert list(same.rows()) == rows


def test_nothing_is_done_without_a_table(tmp_path: Path, items: list[Item]) -> None:
    earlier = Earlier(tmp_path / "table.jsonl", "a")
    assert not any(map(earlier.is_done, items))
    assert list(earlier.rows()) == []


def test_other_models_and_options_are_done_again(tmp_path: Path, items: list[Item]) -> None:
    rows = [row_of_item(item, run=run) for item, run in zip(items, "abaa", strict=True)]
    earlier = Earlier(left_by_a_run(tmp_path / "table.jsonl", rows), "a")
    assert [earlier.is_done(item) for item in items] == [True, False, True, False]
    assert earlier.others == 1
    assert list(earlier.rows()) == [rows[0], rows[2]]


def test_rows_of_photographs_that_are_not_meant_now_stay(tmp_path: Path, items: list[Item]) -> None:
    rows = [row_of_item(item) for item in items]
    earlier = Earlier(left_by_a_run(tmp_path / "table.jsonl", rows), "a")
    assert earlier.is_done(items[1])
    assert list(earlier.rows()) == rows[:3]


@pytest.mark.parametrize("kept_time", [False, True])
def test_photograph_that_has_changed(kept_time: bool, tmp_path: Path, items: list[Item]) -> None:
    rows = [row_of_item(item) for item in items]
    path = left_by_a_run(tmp_path / "table.jsonl", rows)
    status = items[1].path.stat()
    items[1].path.write_bytes(b"another")
    if kept_time:  # the time of what the system knows of the file is another all the same
        os.utime(items[1].path, (status.st_atime, status.st_mtime))
    items[2].path.touch()
    earlier = Earlier(path, "a")
    assert [earlier.is_done(item) for item in items] == [True, False, True, False]
    assert list(earlier.rows()) == [rows[0], rows[2]]
    items[0].path.unlink()
    assert not earlier.is_done(items[0])


def test_failures(tmp_path: Path, items: list[Item]) -> None:
    a, b, _, _ = items
    failed = Row(str(a.path), row_of_item(a).sha256, error="it is empty", run="a")
    unread = Row(str(b.path), error="no such image", run="a")
    path = left_by_a_run(tmp_path / "table.jsonl", [failed, unread, *map(row_of_item, items[2:])])
    earlier = Earlier(path, "a")
    assert earlier.is_done(a)
    assert earlier.failure_of(a) == "it is empty"
    assert not earlier.is_done(b), "it may be there now"
    assert earlier.failure_of(items[2]) is None
    assert next(iter(earlier.rows())) == failed


def test_pictures_that_are_lost(tmp_path: Path, items: list[Item]) -> None:
    rows = [replace(row_of_item(item), picture=f"{item.name}_cat.png") for item in items]
    path = left_by_a_run(tmp_path / "table.jsonl", rows)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "a_cat.png").write_bytes(b"x")
    (pictures / "b_cat.png").touch()
    earlier = Earlier(path, "a", pictures)
    assert [earlier.is_done(item) for item in items] == [True, False, False, False]
    assert [Earlier(path, "a").is_done(item) for item in items] == [True, True, True, False]


def test_digest_of_a_run() -> None:
    digest = run_digest(["model", Path("x")], [("targets", "top5"), ("seed", 1)])
    assert len(digest) == 16
    assert digest == run_digest(["model", Path("x")], [("targets", "top5"), ("seed", 1)])
    for facts, options in (
        (["other", Path("x")], [("targets", "top5"), ("seed", 1)]),
        (["model", Path("x")], [("targets", "top4"), ("seed", 1)]),
        (["model", Path("x")], [("targets", "top5"), ("seed", 2)]),
        (["model", Path("x"), None], [("targets", "top5"), ("seed", 1)]),
    ):
        assert run_digest(facts, options) != digest
    assert run_digest(["\udcff"], []) != run_digest(["\udcfe"], [])
