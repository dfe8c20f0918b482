"""ovxai-evaluate: what it prints and writes, what goes wrong, and what an interruption leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest

from ovxai_convert.evaluation.measured_files import read_measurements
from ovxai_convert.evaluation.measurements import Measurement
from tests.evaluation.cases import LABELS, picture, saved_model
from tests.explain.report_cases import Page
from tests.program.invocation import UNSAID, Convert, Outcome, assert_one_error
from tests.program.test_boundary import children, wait_for

PHOTOGRAPHS: Final = 3
FEW: Final = ("--steps", 3, "--random-maps", 1)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return saved_model(tmp_path / "models" / "small.xml", described=True)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """``photos/cat/0.png`` and so on, in folders of their class."""
    for number in range(PHOTOGRAPHS):
        path = tmp_path / "photos" / LABELS[number] / f"{number}.png"
        path.parent.mkdir(parents=True)
        assert cv2.imwrite(str(path), picture(number))
    return tmp_path / "photos"


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """Of all photographs: a cat in the left half."""
    images = [{"id": number, "file_name": f"{number}.png"} for number in range(PHOTOGRAPHS)]
    annotations = [{"image_id": each["id"], "category_id": 5, "bbox": [0, 0, 7, 10]} for each in images]
    annotations.append({"image_id": 0, "category_id": 6, "bbox": [7, 0, 7, 10]})
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 5, "name": "cat"}, {"id": 6, "name": "lynx"}],
    }
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def rows_of(path: Path) -> list[Measurement]:
    return list(read_measurements(path))


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_table_page_and_summary(
    model: Path, photographs: Path, boxes: Path, run_evaluate: Convert, tmp_path: Path, suffix: str
) -> None:
    table, report = tmp_path / "made" / f"t{suffix}", tmp_path / "made" / "page.html"
    outcome = run_evaluate(
        model,
        photographs,
        *("--recursive", "--methods", "reciprocam,rise", "--num-masks", 20, "--boxes", boxes, *FEW),
        *("--targets", "cat", "--table", table, "--report", report),
    )
    assert (outcome.exit_code, outcome.errors) == (0, [])
    rows = rows_of(table)
    assert len(rows) == PHOTOGRAPHS * 4 * 7
    assert [row.path for row in rows[:: 4 * 7]] == [
        str(photographs / LABELS[each] / f"{each}.png") for each in sorted(range(3), key=LABELS.__getitem__)
    ]
    assert all(row.error is None and row.label == "cat" and row.value is not None for row in rows)
    mean = np.mean(
        [float(row.value or 0) for row in rows if (row.method, row.metric) == ("reciprocam", "deletion")]
    )
    lines = outcome.stdout.splitlines()
    assert lines[0].startswith("3 photographs measured")
    deletion = lines.index("Deletion (lower is better)")
    assert lines[deletion + 1].split()[:2] == ["reciprocam", f"{mean:.3f}"]
    assert "Pointing game (higher is better)" in lines
    page = Page(report.read_text(encoding="utf-8"))
    assert f"{mean:.3f}" in page.text
    assert "small.xml" in page.text
    assert "Where reciprocam does worst" in page.text
    assert page.count("img") == PHOTOGRAPHS * 3, "the photograph and a map of each method"


def test_defaults(model: Path, photographs: Path, run_evaluate: Convert, tmp_path: Path) -> None:
    """The method that explains anyway, the model's answer, all that is possible without boxes."""
    table = tmp_path / "t.jsonl"
    outcome = run_evaluate(model, photographs / "cat" / "0.png", "--table", table)
    assert outcome.exit_code == 0
    assert "one photograph" in outcome.stdout
    rows = rows_of(table)
    assert {row.method for row in rows} == {"reciprocam", "random", "centre"}
    assert list(dict.fromkeys(row.metric for row in rows)) == [
        *("deletion", "insertion", "adcc", "average_drop", "coherency", "complexity")
    ]
    assert {len(row.curve) for row in rows if row.curve} == {33}
    quiet = run_evaluate(model, photographs / "cat" / "0.png", "-q", *FEW)
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "", "")


def test_what_photographs_show(
    model: Path, photographs: Path, boxes: Path, run_evaluate: Convert, tmp_path: Path
) -> None:
    table = tmp_path / "t.jsonl"
    asked = (model, photographs, "--recursive", "--targets", "truth", "--table", table, "-q", *FEW)
    only = ("--metrics", "deletion", "--baselines", "none")
    assert run_evaluate(*asked, *only).exit_code == 0
    assert [(row.label, row.truth) for row in rows_of(table)] == [(each, each) for each in sorted(LABELS)]
    outcome = run_evaluate(*asked, *only, "--boxes", boxes)
    assert [row.label for row in rows_of(table)] == ["cat"] * 3
    assert "labels of boxes that are no classes of the model: 'lynx'" in outcome.stderr
    listed = tmp_path / "truth.csv"
    listed.write_text("0.png,bird\n1.png,bird\n", encoding="utf-8")
    outcome = run_evaluate(*asked, *only, "--truth", listed)
    assert outcome.exit_code == 2
    labels = {Path(row.path).name: row.label or row.error for row in rows_of(table)}
    assert labels["0.png"] == labels["1.png"] == "bird"
    assert "neither boxes nor its folder" in str(labels["2.png"])


def test_models_and_layers(model: Path, photographs: Path, run_evaluate: Convert, tmp_path: Path) -> None:
    other, table = saved_model(tmp_path / "other.xml", described=True), tmp_path / "t.csv"
    outcome = run_evaluate(
        model,
        photographs,
        "--recursive",
        *("--also", other, "--target-layer", "default", "--target-layer", "block0", "--table", table, *FEW),
        *("--metrics", "deletion"),
    )
    assert outcome.exit_code == 0
    found = [(Path(str(row.model)).name, row.method, row.target_layer) for row in rows_of(table)]
    one = [("reciprocam", None), ("reciprocam", "block0"), ("random", None), ("centre", None)]
    assert found == [(name, *each) for name in ("small.xml", "other.xml") for each in one] * PHOTOGRAPHS
    assert "reciprocam at block0, small.xml" in outcome.stdout
    assert "no difference" in outcome.stdout, "the second model is the first one"


def test_a_photograph_that_fails_is_a_row(
    model: Path, photographs: Path, run_evaluate: Convert, tmp_path: Path
) -> None:
    table, broken = tmp_path / "t.jsonl", photographs / "cat" / "a.png"
    broken.write_text("no picture")
    outcome = run_evaluate(model, photographs, "--recursive", "--table", table, "--metrics", "deletion", *FEW)
    assert outcome.exit_code == 3
    assert outcome.errors == [f"Error: {broken}: not an image that can be read"]
    rows = rows_of(table)
    (failed,) = [row for row in rows if row.error is not None]
    assert failed == Measurement(str(broken), error="not an image that can be read")
    assert len(rows) == 1 + PHOTOGRAPHS * 3
    assert "3 photographs measured; 1 more could not be measured" in outcome.stdout


def test_what_nobody_says_of_levels_is_told_once(
    photographs: Path, run_evaluate: Convert, tmp_path: Path
) -> None:
    """A wrong recipe makes wrong maps, and numbers of them."""
    model = saved_model(tmp_path / "silent.xml")
    outcome = run_evaluate(model, photographs, "--recursive", "--metrics", "deletion", *FEW)
    assert outcome.exit_code == 0
    told = [line for line in outcome.stderr.splitlines() if UNSAID in line]
    assert len(told) == 1
    assert "--preprocess imagenet" in outcome.stderr
    assert "assumed, since nothing says it: colours rgb, resize crop" in outcome.stderr
    deep = tmp_path / "deep.png"
    assert cv2.imwrite(str(deep), picture().astype(np.uint16) * 200)
    outcome = run_evaluate(
        model, deep, "--rgb", "--mean", 0, "--scale", 64, "--resize", "crop", "--metrics", "deletion", *FEW
    )
    assert "Warning" in outcome.stderr, "levels of 16 bits, where numbers are for 8"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (["--methods", "banana"], 2, "'banana' is none of auto, all, reciprocam"),
        (["--metrics", "pointing"], 2, "--metrics pointing needs --boxes"),
        (["--metrics", "iou"], 2, "'iou' is none of deletion, insertion, pointing, adcc"),
        (["--baselines", "center"], 2, "'center' is none of random, centre"),
        (["--table", "t.txt"], 2, "ends neither with .jsonl nor with .csv"),
        (["--targets", "lion"], 2, "no class labelled 'lion'"),
        (["--target-layer", "nowhere"], 2, "nowhere"),
        (["--steps", "100000"], 2, "--steps must be at most 5000"),
        (["--boxes", "none.json"], 3, "none.json: cannot be read"),
        (["--methods", "vitreciprocam"], 4, "vitreciprocam: no attention"),
        (["--report", "."], 6, "cannot be written: it is a folder"),
        (["--table", "folder.csv"], 6, "cannot be written: it is a folder"),
    ],
    ids=str,
)
def test_what_is_refused(
    arguments: list[str],
    exit_code: int,
    says: str,
    model: Path,
    photographs: Path,
    run_evaluate: Convert,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    outcome = run_evaluate(model, photographs / "cat", "-q", *FEW, *arguments)
    assert outcome.exit_code == exit_code, outcome
    assert says in outcome.stderr
    assert len(outcome.errors) == 1
    assert "Traceback" not in outcome.stderr


def test_an_older_table_stays_where_nothing_begins(
    model: Path, photographs: Path, run_evaluate: Convert, tmp_path: Path
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("older")
    for arguments in ((tmp_path / "none.xml", photographs / "cat"), (model, tmp_path / "none")):
        outcome = run_evaluate(*arguments, "--table", table, "-q", "--targets", "lion")
        assert outcome.exit_code in (2, 3)
        assert table.read_text() == "older"
    assert_one_error(run_evaluate(tmp_path / "none.xml", photographs / "cat", "-q"), 3, "none.xml")
    assert_one_error(run_evaluate(model, photographs, "-q"), 2, "there is no photograph in this folder")


def started(*arguments: object) -> subprocess.Popen[str]:
    """The command in a process of its own, which Ctrl-C ends."""
    code = "from ovxai_convert.cli.evaluate import evaluate_command as c; c(prog_name='ovxai-evaluate')"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )


def ended(process: subprocess.Popen[str]) -> Outcome:
    stdout, stderr = process.communicate(timeout=120)
    return Outcome(process.returncode, stdout, stderr)


def measured_in(table: Path) -> list[str]:
    """Paths of the photographs in a table that is being written."""
    return list(dict.fromkeys(row.path for row in rows_of(table))) if table.exists() else []


MANY: Final = 6


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder of photographs that take their time."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(MANY):
        assert cv2.imwrite(str(folder / f"{number:02}.png"), picture(number))
    return folder


@pytest.fixture
def begin(model: Path, many: Path, tmp_path: Path) -> Callable[[], subprocess.Popen[str]]:
    """Starts measuring them, slowly, and waits for two of them."""

    def begin() -> subprocess.Popen[str]:
        process = started(
            model,
            many,
            *("--methods", "rise", "--num-masks", 6000, "--metrics", "deletion,adcc"),
            *("--table", tmp_path / "t.jsonl", "--report", tmp_path / "page.html", *FEW),
        )
        wait_for(lambda: len(measured_in(tmp_path / "t.jsonl")) >= 2)
        return process

    return begin


def test_interrupted(begin: Callable[[], subprocess.Popen[str]], tmp_path: Path) -> None:
    process = begin()
    process.send_signal(signal.SIGINT)
    outcome = ended(process)
    assert outcome.exit_code == 130, outcome
    done = len(measured_in(tmp_path / "t.jsonl"))
    assert 2 <= done < MANY
    assert outcome.errors[0].endswith(f"interrupted; {done} of {MANY} photographs are done")
    assert f"{done} photographs measured" in outcome.stdout
    assert "Deletion" in Page((tmp_path / "page.html").read_text(encoding="utf-8")).text


def test_child_that_dies(begin: Callable[[], subprocess.Popen[str]], many: Path, tmp_path: Path) -> None:
    """Its photograph is a row, and all others count: those before it, and those behind it."""
    process = begin()
    (child,) = children(process.pid)
    os.kill(child, signal.SIGKILL)
    outcome = ended(process)
    assert outcome.exit_code == 3
    rows = rows_of(tmp_path / "t.jsonl")
    (failed,) = [row for row in rows if row.error is not None]
    assert "its process was killed" in str(failed.error)
    assert sorted(measured_in(tmp_path / "t.jsonl")) == sorted(map(str, many.iterdir()))
    assert len(rows) == 1 + (MANY - 1) * 3 * 5
    assert outcome.stdout.startswith(f"{MANY - 1} photographs measured; 1 more could not be measured")
    assert f"{MANY - 1}; 1 more could not be measured" in (tmp_path / "page.html").read_text(encoding="utf-8")
    values: list[Any] = [row.value for row in rows if (row.method, row.metric) == ("rise", "deletion")]
    assert f"{np.mean(values):.3f}" in outcome.stdout
