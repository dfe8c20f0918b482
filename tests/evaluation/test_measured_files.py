"""Tables of measurements: written and read back, and what is no such table."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Final

import pytest

from ovxai_convert import ModelReadError, UsageError, WriteError
from ovxai_convert.evaluation.measured_files import MeasuredTable, check_measured_file, read_measurements
from ovxai_convert.evaluation.measurements import MEASURED_COLUMNS, Measurement

ROWS: Final = (
    Measurement(
        'photos/a,"b".png',
        "m.xml",
        "reciprocam",
        "/t/t.8:0",
        3,
        "tench, Tinca tinca\nfish",
        0.1 + 0.2,
        "cat",
        "deletion",
        1e-9,
        (0.25, 1 / 3),
        0.5,
    ),
    Measurement("猫.png", error="no such image"),
    Measurement("c.png", "m.xml", "rise", None, 0, "0", 1.0, None, "pointing", 0.0),
)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".CSV"])
def test_written_and_read_back(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "made" / f"table{suffix}"
    table = MeasuredTable(path)
    table.add(ROWS[:2])
    assert tuple(read_measurements(path)) == ROWS[:2], "they are in the file at once"
    table.add(ROWS[2:])
    table.close()
    assert tuple(read_measurements(path)) == ROWS
    more = MeasuredTable(path, goes_on=True)
    more.add(ROWS[1:2])
    more.close()
    assert tuple(read_measurements(path)) == (*ROWS, ROWS[1])
    linked = path.with_name(f"linked{suffix}")
    linked.symlink_to(path)
    MeasuredTable(linked).close()
    assert tuple(read_measurements(linked)) == ()
    assert tuple(read_measurements(path)) == (*ROWS, ROWS[1]), "what a link leads to stays"
    MeasuredTable(path).close()
    assert tuple(read_measurements(path)) == ()


def test_others_can_read_it(tmp_path: Path) -> None:
    for suffix in (".jsonl", ".csv"):
        table = MeasuredTable(tmp_path / f"t{suffix}")
        table.add(ROWS)
        table.close()
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    assert list(cells[0]) == list(MEASURED_COLUMNS)
    assert (cells[0]["label"], cells[0]["curve"]) == ("tench, Tinca tinca\nfish", f"0.25 {1 / 3!r}")
    assert cells[1]["error"] == "no such image"
    lines = (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()
    first = json.loads(lines[0])
    assert list(first) == list(MEASURED_COLUMNS)
    assert (first["score"], first["curve"]) == (0.1 + 0.2, [0.25, 1 / 3])


def test_half_a_character_is_escaped(tmp_path: Path) -> None:
    for suffix in (".jsonl", ".csv"):
        table = MeasuredTable(tmp_path / f"t{suffix}")
        table.add([Measurement("p", error="half \udcff")])
        table.close()
        (row,) = read_measurements(tmp_path / f"t{suffix}")
        assert row.error in ("half \udcff", r"half \udcff")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.jsonl", "{}\n"),
        ("t.jsonl", "{\n"),
        ("t.jsonl", json.dumps(dict.fromkeys(MEASURED_COLUMNS, "x")) + "\n"),
        ("t.csv", "a,b\n1,2\n"),
        ("t.csv", ",".join(MEASURED_COLUMNS) + "\n" + "p," * 20 + "\n"),
    ],
)
def test_what_is_no_table(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ModelReadError, match="not a table of measurements"):
        list(read_measurements(tmp_path / name))


def test_where_none_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"written as one of \.jsonl, \.csv"):
        check_measured_file(tmp_path / "t.txt")
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(WriteError, match="cannot be written: it is a folder"):
        MeasuredTable(tmp_path / "t.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="cannot be written"):
        MeasuredTable(tmp_path / "file" / "t.csv")
    with pytest.raises(ModelReadError, match="cannot be read"):
        list(read_measurements(tmp_path / "none.csv"))
