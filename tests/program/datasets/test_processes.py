"""Runs over photographs that are killed, interrupted or broken down by one of them."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pytest

from ovxai_convert.datasets.rows import Row
from ovxai_convert.datasets.tables import read_table, rows_so_far
from tests.program.disturbing import disturbed
from tests.program.invocation import BIN, Outcome, snapshot, start

COUNT: Final = 40
PATIENCE: Final = 120.0


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of photographs, of which some are broken."""
    folder = tmp_path_factory.mktemp("photographs")
    for number, coarse in enumerate(np.random.default_rng(4).integers(0, 256, (COUNT, 5, 6, 3), np.uint8)):
        path = folder / f"{number:03}.jpg"
        assert cv2.imwrite(str(path), cv2.resize(coarse, (60, 44)))
        if number % 9 == 5:
            path.write_bytes(path.read_bytes()[:200])
    return folder


@pytest.fixture
def slow(tmp_path: Path) -> Mapping[str, str]:
    return disturbed(tmp_path / "disturbed", 0.15)


def begun(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    return start("ovxai-explain", arguments, env=env)


def ended(process: subprocess.Popen[str]) -> Outcome:
    stdout, stderr = process.communicate(timeout=PATIENCE)
    return Outcome(process.returncode, stdout, stderr)


def but_seconds(path: Path) -> list[Row]:
    return [replace(row, seconds=None) for row in read_table(path)]


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def has_gone_on(table: Path, lines: int, process: subprocess.Popen[str]) -> bool:
    return count_so_far(table) > lines or process.poll() is not None


def count_so_far(table: Path) -> int:
    return table.read_bytes().count(b"\n") if table.exists() else 0


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_killed_again_and_again(
    suffix: str, artifact: Path, photographs: Path, tmp_path: Path, slow: Mapping[str, str]
) -> None:
    """What a run leaves that is killed at any moment and resumed is what an undisturbed one leaves."""
    draw = random.Random(7)
    table = tmp_path / f"killed{suffix}"
    command = [artifact, photographs, "--image-format", "jpeg", "--targets", "top2", "-q"]
    disturbed_run = [*command, "-o", tmp_path / "killed", "--table", table, "--resume"]
    seen = []
    for _ in range(4):
        process = begun(*disturbed_run, env=slow)
        wait_for(partial(has_gone_on, table, count_so_far(table) + 4, process))
        time.sleep(draw.uniform(0, 0.3))
        process.kill()
        ended(process)
        seen.append(count_so_far(table))
    assert len(set(seen)) > 2, "it went on each time"
    outcome = ended(begun(*disturbed_run))
    assert outcome.exit_code == 3
    whole = ended(begun(*command, "-o", tmp_path / "whole", "--table", tmp_path / f"whole{suffix}"))
    assert whole.exit_code == 3
    rows = but_seconds(table)
    assert rows == but_seconds(tmp_path / f"whole{suffix}")
    assert len({row.path for row in rows}) == COUNT
    assert snapshot(tmp_path / "killed") == snapshot(tmp_path / "whole")
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(
    number: signal.Signals, artifact: Path, photographs: Path, tmp_path: Path, slow: Mapping[str, str]
) -> None:
    table = tmp_path / "table.csv"
    command = [artifact, photographs, "--no-pictures", "--table", table]
    process = begun(*command, env=slow)
    wait_for(lambda: count_so_far(table) > 6)
    process.send_signal(number)
    outcome = ended(process)
    assert outcome.exit_code == 130
    done = len(list(read_table(table)))
    assert 0 < done < COUNT
    (line,) = [line for line in outcome.errors if "interrupted" in line]
    assert line.endswith(f"interrupted; {done} of {COUNT} photographs are done; --resume goes on from there")
    assert f"{COUNT} explained in " in outcome.stderr
    resumed = ended(begun(*command, "--resume"))
    assert resumed.exit_code == 3
    assert [row.path for row in read_table(table)] == sorted(map(str, photographs.iterdir()))


def test_interrupted_in_a_black_box(artifact: Path, photographs: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    options = ["--mode", "blackbox", "--num-masks", 10_000_000]
    process = begun(artifact, photographs / "000.jpg", "--no-pictures", "--table", table, *options)
    wait_for(lambda: table.exists())
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    outcome = ended(process)
    assert outcome.exit_code == 130
    assert outcome.errors == [f"Error: {photographs}/000.jpg: interrupted; --resume goes on from there"]
    assert table.read_bytes() == b""


def with_one(folder: Path, photographs: Path, name: str) -> Path:
    """A folder of photographs with one more in their midst."""
    folder.mkdir()
    sound = [path for path in sorted(photographs.iterdir()) if path.stat().st_size > 200][:20]
    for number, path in enumerate(sound):
        (folder / f"{'a' if number < 10 else 'z'}{path.name}").write_bytes(path.read_bytes())
    (folder / name).write_bytes(sound[0].read_bytes())
    return folder


@pytest.mark.parametrize("suffix", [".jsonl", None], ids=["table", "pictures"])
def test_photograph_that_breaks_the_process_down(
    suffix: str | None, artifact: Path, photographs: Path, tmp_path: Path
) -> None:
    """It alone has failed, whatever was explained beside it."""
    folder = with_one(tmp_path / "set", photographs, "deadly.jpg")
    table = tmp_path / "table.jsonl"
    env = disturbed(tmp_path / "disturbed", 0.02)
    wanted: list[object] = ["-o", tmp_path / "out"] if suffix is None else ["--no-pictures", "--table", table]
    outcome = ended(begun(artifact, folder, *wanted, env=env))
    assert outcome.exit_code == 3
    reason = "the runtime broke down (SIGSEGV)"
    assert outcome.errors == [f"Error: {folder}/deadly.jpg: {reason}; nothing was written"]
    if suffix is None:
        found = {path.name.partition("_")[0] for path in (tmp_path / "out").iterdir()}
        assert found == {path.stem for path in folder.iterdir()} - {"deadly"}
        return
    rows = list(read_table(table))
    assert [row.path for row in rows] == sorted(map(str, folder.iterdir()))
    assert [row.error for row in rows if row.error is not None] == [reason]
    assert "20 of 21 explained" not in outcome.stderr or ", 1 failed" in outcome.stderr


def test_two_that_break_the_process_down(artifact: Path, photographs: Path, tmp_path: Path) -> None:
    """Each fails once, and so does what could not be read before them."""
    folder = with_one(tmp_path / "set", photographs, "deadly1.jpg")
    (folder / "deadly2.jpg").write_bytes((folder / "deadly1.jpg").read_bytes())
    (folder / "absent.jpg").symlink_to(folder / "nowhere.jpg")
    table = tmp_path / "table.jsonl"
    command = [artifact, folder, "--no-pictures", "--table", table]
    outcome = ended(begun(*command, env=disturbed(tmp_path / "disturbed", 0.02)))
    assert outcome.exit_code == 3
    reason = "the runtime broke down (SIGSEGV)"
    assert outcome.errors == [
        f"Error: {folder}/absent.jpg: no such image",
        f"Error: {folder}/deadly1.jpg: {reason}; nothing was written",
        f"Error: {folder}/deadly2.jpg: {reason}; nothing was written",
    ]
    rows = list(read_table(table))
    assert [row.path for row in rows] == sorted(map(str, folder.iterdir()))
    assert [row.error for row in rows if row.error is not None] == ["no such image", reason, reason]


def test_report_of_few_after_a_breakdown(artifact: Path, photographs: Path, tmp_path: Path) -> None:
    """It shows those, too, that the process explained that broke down."""
    folder, out = with_one(tmp_path / "set", photographs, "deadly.jpg"), tmp_path / "out"
    env, report = disturbed(tmp_path / "disturbed", 0.02), out / "report.html"
    outcome = ended(begun(artifact, folder, "-o", out, "--report", report, env=env))
    assert outcome.exit_code == 3
    page = report.read_text()
    found = re.search(r"<title>.*: saliency report of (.*)</title>", page)
    assert found is not None
    assert found.group(1) == "21 photographs"
    pictures = {path.name for path in out.iterdir()} - {"report.html"}
    assert len(pictures) == 20
    assert all(path.stem in page for path in folder.iterdir()), "also the one that is not explained"
    assert [name for name in pictures if name.startswith(".")] == []


def test_photograph_that_takes_too_long(artifact: Path, photographs: Path, tmp_path: Path) -> None:
    folder = with_one(tmp_path / "set", photographs, "endless.jpg")
    table = tmp_path / "table.csv"
    command = [artifact, folder, "--no-pictures", "--table", table, "--timeout", 10]
    outcome = ended(begun(*command, env=disturbed(tmp_path / "disturbed")))
    assert outcome.exit_code == 3
    assert len(outcome.errors) == 1
    assert f"{folder}/endless.jpg: it took longer than 10 s" in outcome.errors[0]
    rows = list(read_table(table))
    assert [row.path for row in rows] == sorted(map(str, folder.iterdir()))
    assert [row.error for row in rows if row.error] == ["it took longer than 10 s"]


def test_table_that_another_run_is_writing(artifact: Path, photographs: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.jsonl"
    command = [artifact, photographs, "--no-pictures", "-q", "--table", table]
    first = begun(*command, env=disturbed(tmp_path / "disturbed", 1.5))
    wait_for(lambda: count_so_far(table) > 2)
    second = ended(begun(*command, "--resume"))
    assert (second.exit_code, second.errors) == (
        6,
        [f"Error: {table}: another run is writing this table"],
    )
    assert ended(first).exit_code == 3
    assert len(list(rows_so_far(table))) == COUNT


def test_list_on_standard_input(artifact: Path, photographs: Path) -> None:
    paths = sorted(map(str, photographs.iterdir()))[:5]
    process = subprocess.Popen(
        [BIN / "ovxai-explain", artifact, "-", "--json", "--no-pictures"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stdout, _ = process.communicate("\n".join(paths), timeout=PATIENCE)
    assert process.returncode == 0
    assert [line.split('"')[3] for line in stdout.splitlines()] == paths


def test_progress_where_there_is_no_terminal(artifact: Path, photographs: Path, tmp_path: Path) -> None:
    env = disturbed(tmp_path / "disturbed", 1.2)
    command = [artifact, photographs, "--no-pictures", "--json", "--jobs", 4]
    outcome = ended(begun(*command, env=env))
    told = [line for line in outcome.stderr.splitlines() if " left" in line]
    assert 1 <= len(told) <= 4
    assert f" of {COUNT}, " in told[0]
    assert os.linesep not in told[0]
