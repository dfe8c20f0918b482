"""A slice of the spoiled inputs, the same in every run; and that what is wrong in an outcome is seen."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from fixtures.broken_files import onnx_classifier
from fixtures.endless import save_endless
from tests.fuzz import corpus, minimise
from tests.fuzz.case import OUT, Case, Command, load_case
from tests.fuzz.kinds import KINDS, draw
from tests.fuzz.supervising import Limits, Outcome, Worker, by_the_program
from tests.fuzz.verdict import fault

SEEDS: Final = range(16)
LIMITS: Final = Limits(seconds=60, mebibytes=4096)
CONVERT: Final = Command("convert", ("net.onnx", "-o", OUT, "-q"))
GOOD: Final = Outcome(CONVERT, 0, left=(OUT, f"{OUT}/net.bin", f"{OUT}/net.json", f"{OUT}/net.xml"))
BAD: Final = Outcome(CONVERT, 3, stderr="Error: net.onnx: no model\n")


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker(LIMITS) as worker:
        yield worker


@pytest.mark.parametrize("kind", KINDS)
def test_spoiled_inputs(kind: str, worker: Worker, tmp_path: Path) -> None:
    for seed in SEEDS:
        case = draw(kind, seed)
        for outcome in worker.run(case, tmp_path / case.name):
            if outcome.broken_off:  # then the program itself has to say so
                outcome = by_the_program(case, tmp_path / f"{case.name} again", outcome.command, LIMITS)
            assert fault(outcome) is None, (case.name, fault(outcome), outcome)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_draws_one_case(kind: str) -> None:
    assert draw(kind, 3) == draw(kind, 3)
    drawn = [draw(kind, seed) for seed in range(20)]
    assert len({(case.files[case.spoiled], case.commands) for case in drawn}) > 15


def test_whole_inputs_are_taken(worker: Worker, tmp_path: Path) -> None:
    """What is spoiled was whole before."""
    for number, files in enumerate((*corpus.onnx_files(), *corpus.ir_files()[:-1])):
        name = next(name for name in files if name.endswith((".onnx", ".xml")))
        command = Command("convert", (name, "-o", OUT, "-q", "--scores-output", "0"))
        (outcome,) = worker.run(Case(str(number), files, (command,)), tmp_path / str(number))
        assert (outcome.exit_code, fault(outcome)) == (0, None), (number, outcome)


@pytest.mark.parametrize(
    ("outcome", "seen"),
    [
        (GOOD, None),
        (replace(GOOD, stderr="Warning: net.onnx: something\n"), None),
        (BAD, None),
        (replace(BAD, exit_code=70), "exit 70"),
        (replace(BAD, exit_code=1), "exit 1"),
        (replace(BAD, exit_code=130), "exit 130"),
        (replace(BAD, stderr=BAD.stderr * 2), "2 lines of error"),
        (replace(BAD, stderr=""), "0 lines of error"),
        (replace(BAD, stderr="Traceback (most recent call last):\n"), "1 lines of error"),
        (replace(BAD, stderr="Error: \x1b[2J\n"), r"control characters ["),
        (replace(BAD, stderr="Error: \u202e\n"), r"control characters ["),
        (replace(BAD, stdout="half an answer"), "something on stdout"),
        (replace(BAD, left=(OUT,)), "left behind"),
        (replace(GOOD, stderr="RuntimeWarning: invalid value\n"), "lines that are no warnings"),
        (replace(GOOD, left=(*GOOD.left, f"{OUT}/.ovxai-1.tmp")), "left behind"),
        (replace(GOOD, left=(*GOOD.left, "elsewhere")), "left behind"),
        (replace(GOOD, left=(OUT, f"{OUT}/net.xml")), "1 files written"),
    ],
)
def test_verdict(outcome: Outcome, seen: str | None) -> None:
    told = fault(outcome)
    assert told == seen if seen is None else (told or "").startswith(seen)


def test_what_never_ends_is_broken_off(tmp_path: Path) -> None:
    content = save_endless(tmp_path / "net.onnx").read_bytes()
    case = Case("endless", {"net.onnx": content}, (CONVERT,))
    whole = Case("whole", {"net.onnx": onnx_classifier().SerializeToString()}, (CONVERT,))
    with Worker(Limits(seconds=4)) as worker:
        (outcome,) = worker.run(case, tmp_path / "endless")
        assert (outcome.broken_off, outcome.exit_code) == ("time", None)
        (outcome,) = worker.run(whole, tmp_path / "whole")  # by another process
        assert fault(outcome) is None
    again = by_the_program(case, tmp_path / "again", CONVERT, Limits(seconds=4))
    assert (again.exit_code, fault(again)) == (3, None)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (f"import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})", "crash SIGSEGV"),
        ("hold = b'x' * 200 * 2**20; import time; time.sleep(60)", "memory"),
    ],
)
def test_worker_that_dies(script: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = "import sys; sys.stdin.readline(); print(flush=True); sys.stdin.readline(); "
    started = subprocess.Popen
    monkeypatch.setattr(
        subprocess,
        "Popen",
        lambda _, **options: started([sys.executable, "-c", first + script], **options),
    )
    with Worker(Limits(mebibytes=100)) as worker:
        (outcome,) = worker.run(Case("dies", {}, (CONVERT,)), tmp_path / "case")
    assert outcome.broken_off == told


def test_case_is_read_as_it_was_written(tmp_path: Path) -> None:
    case = draw("sidecar", 5)
    assert load_case(case.save(tmp_path / "case")) == case


def test_minimising(tmp_path: Path) -> None:
    model = onnx_classifier(metadata={"one": "1", "two": "2"}).SerializeToString()
    smaller = minimise.minimised(model, lambda content: b"two" in content, [minimise.fewer_fields])
    assert len(smaller) < 20
    data = json.dumps({"a": 1, "b": [1, 2], "c": {"d": 5}}).encode()
    ways: list[minimise.Smaller] = [minimise.fewer_entries, minimise.fewer_bytes]
    assert minimise.minimised(data, lambda content: b"c" in content, ways) == b"c"
    xml = b"<net><layers><layer a='1'/><layer/></layers><edges/></net>"
    assert minimise.minimised(xml, lambda text: b"edges" in text, [minimise.fewer_elements]).count(b"<") == 3
