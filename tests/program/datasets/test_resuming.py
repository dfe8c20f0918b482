"""Going on with a table, and the report of what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ovxai_convert.datasets.rows import Row
from tests.program.datasets.cases import COUNT, rows_in
from tests.program.invocation import Convert


def but_seconds(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, seconds=None) for row in rows]


def test_resuming(artifact: Path, folder: Path, out: Path, tmp_path: Path, run_explain: Convert) -> None:
    """What is there is not made again; what is not, or is of another model or option, is."""
    table = tmp_path / "table.jsonl"
    (folder / "bird" / "empty.jpg").touch()
    command = [artifact, folder, "-r", "-o", out, "--table", table]
    assert run_explain(*command, "-q").exit_code == 3
    whole = table.read_bytes()
    rows = rows_in(table)

    lines = whole.splitlines(keepends=True)
    table.write_bytes(b"".join(lines[:7]) + lines[7][:40])
    lost = out / str(rows[2].picture)
    lost.unlink()
    outcome = run_explain(*command, "--resume")
    assert outcome.exit_code == 3, "one of those that were done has failed"
    assert "5 were done before, of which 1 failed" in outcome.stderr
    assert lost.is_file()
    again = rows_in(table)
    assert but_seconds(sorted(again, key=lambda row: row.path)) == but_seconds(rows)
    kept = [row for row in rows[:6] if row.path != rows[2].path]
    assert again[:5] == kept, "also their seconds"

    other = run_explain(*command, "--resume", "--targets", "dog")
    assert f"{table}: 13 photographs in it are of another model or other options" in other.stderr
    assert {row.label for row in rows_in(table)} == {"dog", None}


def test_resuming_what_is_whole(artifact: Path, folder: Path, tmp_path: Path, run_explain: Convert) -> None:
    table = tmp_path / "table.csv"
    command = [artifact, folder, "-r", "--no-pictures", "--table", table]
    run_explain(*command)
    before = rows_in(table)
    outcome = run_explain(*command, "--resume")
    assert outcome.exit_code == 0
    assert "1 of 12 explained in" in outcome.stderr
    assert "; 11 were done before" in outcome.stderr
    assert rows_in(table)[:11] == before[:11]
    run_explain(*command)
    assert rows_in(table)[:11] != before[:11], "without --resume it is all done again"


def test_report_of_a_folder(
    artifact: Path, folder: Path, out: Path, tmp_path: Path, run_explain: Convert
) -> None:
    report = tmp_path / "report.html"
    outcome = run_explain(artifact, folder, "-r", "-o", out, "--report", report, "-q")
    assert outcome.exit_code == 0
    assert report.read_text().count("<tr>") == 1 + COUNT
