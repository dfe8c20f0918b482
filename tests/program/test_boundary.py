"""The process boundary: whatever becomes of the child, one line says so, and the next file is done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from fixtures.endless import save_endless
from ovxai_convert.cli import choices, console
from ovxai_convert.cli.work import convert as work
from ovxai_convert.evaluation.canvases import COVERS
from ovxai_convert.evaluation.inquiry import MEASURED_STEPS
from ovxai_convert.evaluation.measures import METRICS
from ovxai_convert.explain.baselines import BASELINES, RANDOM_MAPS
from ovxai_convert.explain.plan import ExplainMode
from ovxai_convert.insertion.request import DEFAULT_MAX_BRANCH_BYTES
from ovxai_convert.methods import WHITE_BOX_METHODS, Method
from ovxai_convert.photographs.recipes import RECIPES
from ovxai_convert.pictures.colormaps import COLOUR_TABLES, DEFAULT_COLORMAP
from ovxai_convert.pictures.picture_files import DEFAULT_PICTURES, PICTURE_FORMATS, PictureOptions
from ovxai_convert.proof.framework import FRAMEWORKS
from tests.program.invocation import Convert, Outcome, assert_one_error, but_unsaid, start

PATIENCE: Final = 60.0
LIBRARIES: Final = frozenset({"numpy", "openvino", "cv2", "onnx", "jsonschema"})


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A model that the runtime never finishes."""
    return save_endless(tmp_path / "endless.onnx")


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def wait_for(condition: Any) -> Any:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise TimeoutError


def is_in_the_runtime(pid: int) -> bool:
    """Whether a process spends its time on what never ends: it has used some seconds of the processor."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") > 2.5


def started(*arguments: object) -> tuple[subprocess.Popen[str], int]:
    """The program, and its child once that is in the runtime."""
    process = start("ovxai-convert", arguments)
    (child,) = wait_for(lambda: children(process.pid))
    wait_for(lambda: is_in_the_runtime(child))
    return process, child


def ended(process: subprocess.Popen[str]) -> Outcome:
    stdout, stderr = process.communicate(timeout=PATIENCE)
    return Outcome(process.returncode, stdout, stderr)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (signal.SIGSEGV, "the runtime broke down (SIGSEGV) while compiling and running the original"),
        (signal.SIGABRT, "the runtime broke down (SIGABRT) while"),
        (signal.SIGKILL, "its process was killed, as systems do that run out of memory while"),
    ],
    ids=["SIGSEGV", "SIGABRT", "SIGKILL"],
)
def test_child_that_dies(
    number: signal.Signals, text: str, endless: Path, onnx_model: Path, out: Path
) -> None:
    process, child = started(endless, onnx_model, "-o", out, "-q")
    os.kill(child, number)
    outcome = ended(process)
    assert outcome.exit_code == 3
    (line,) = but_unsaid(outcome.stderr.splitlines())
    assert line.startswith(f"Error: {endless}: {text}")
    assert line.endswith("; nothing was written")
    assert sorted(path.name for path in out.iterdir()) == [
        "classifier_xai.bin",
        "classifier_xai.json",
        "classifier_xai.xml",
    ]


def test_model_that_takes_too_long(endless: Path, onnx_model: Path, out: Path) -> None:
    process = start("ovxai-convert", [endless, onnx_model, "-o", out, "--timeout", 8])
    outcome = ended(process)
    assert outcome.exit_code == 3
    assert [line.split(":")[0] for line in but_unsaid(outcome.stderr.splitlines())] == [
        f"[1/2] {endless}",
        "Error",
        f"[2/2] {onnx_model}",
        "1 of 2 converted",
    ]
    assert "it took longer than 8 s while compiling and running the original" in outcome.errors[0]
    assert len(list(out.iterdir())) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_inside_the_runtime(number: signal.Signals, endless: Path, out: Path) -> None:
    process, child = started(endless, "-o", out, "-q")
    began = time.monotonic()
    process.send_signal(number)
    outcome = ended(process)
    assert time.monotonic() - began < 5, "a second on a machine that has nothing else to do"
    assert_one_error(outcome, 130, f"{endless}: interrupted, nothing was written")
    assert not Path(f"/proc/{child}").exists()
    assert not out.parent.exists()


def test_child_does_not_outlive_its_parent(endless: Path, out: Path) -> None:
    process, child = started(endless, "-o", out, "-q")
    process.kill()
    process.communicate(timeout=PATIENCE)
    wait_for(lambda: not Path(f"/proc/{child}").exists())


def test_too_much_memory(onnx_model: Path, out: Path) -> None:
    process = start("ovxai-convert", [onnx_model, "-o", out, "-q", "--memory", 40])
    assert_one_error(ended(process), 3, "40 MiB")
    assert not out.parent.exists()


def test_reader_that_goes_away(onnx_model: Path) -> None:
    with start("ovxai-inspect", [onnx_model, "--json"]) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.parametrize("program", ["convert", "inspect", "explain", "evaluate"])
def test_parent_needs_click_alone(program: str) -> None:
    script = f"import ovxai_convert.cli.{program}, json, sys; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(result.stdout)}
    assert "click" in loaded
    assert not loaded & LIBRARIES
    script = f"from ovxai_convert.cli.{program} import {program}_command as command; command()"
    shown = subprocess.run(
        [sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=True
    )
    assert "Exit codes: 0 done" in shown.stdout


def test_choices_are_those_of_the_library() -> None:
    assert tuple(choices.WHITE_BOX) == tuple(method.name for method in WHITE_BOX_METHODS)
    assert tuple(method.value for method in Method if method.is_black_box) == choices.BLACK_BOX
    assert tuple(mode.value for mode in ExplainMode) == choices.MODES
    assert tuple(FRAMEWORKS) == choices.REFERENCES
    assert tuple(RECIPES) == choices.RECIPE_NAMES
    assert tuple(COLOUR_TABLES) == choices.COLORMAPS
    assert choices.COLORMAPS[0] == DEFAULT_COLORMAP
    assert tuple(PICTURE_FORMATS) == choices.IMAGE_FORMATS
    assert (
        PictureOptions(max_side=choices.MAX_SIDE, image_format=choices.IMAGE_FORMATS[0]) == DEFAULT_PICTURES
    )
    assert tuple(METRICS) == choices.MEASURABLE
    assert (BASELINES, COVERS) == (choices.KNOW_NOTHING, choices.COVERED_WITH)
    assert (MEASURED_STEPS, RANDOM_MAPS) == (choices.CURVE_STEPS, choices.MAPS_AT_RANDOM)
    assert choices.MAX_BRANCH_MIB * 2**20 == DEFAULT_MAX_BRANCH_BYTES
    for method in WHITE_BOX_METHODS:
        told = [asdict(option) for option in choices.WHITE_BOX[method.name]]
        assert told == [asdict(option) for option in method.options]


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("by\nnothing \x1b[31m")

    monkeypatch.setattr(work, "convert", fail)


@pytest.mark.usefixtures("faulty")
def test_what_no_code_foresaw(onnx_model: Path, out: Path, run_convert: Convert) -> None:
    outcome = run_convert(onnx_model, "-o", out, "-q")
    assert_one_error(outcome, 70, r"unforeseen ZeroDivisionError: by nothing \x1b[31m; please report it")
    shown = run_convert(onnx_model, "-o", out, "-q", "--debug")
    assert shown.exit_code == 70
    assert "Traceback (most recent call last):" in shown.stderr
    assert "in fail" in shown.stderr


def test_no_memory_left(
    onnx_model: Path, out: Path, run_convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(work, "convert", fail)
    assert_one_error(run_convert(onnx_model, "-o", out, "-q"), 3, "there is not enough memory for it")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Bär, 猫", "plain, Bär, 猫"),
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("a\tb", "a\tb"),
        ("half \udcff", r"half \udcff"),
        ("right to left \u202e", r"right to left \u202e"),
        ("\x9b31m", r"\x9b31m"),
    ],
)
def test_nothing_that_a_terminal_obeys(text: str, shown: str) -> None:
    assert console.harmless(text) == shown


@pytest.mark.parametrize("name", ["\x1b]0;title\x07", "\u202egnp.xml", "line\nfeed"])
def test_files_of_such_names(name: str, tmp_path: Path, out: Path, run_convert: Convert) -> None:
    outcome = run_convert(tmp_path / f"{name}.onnx", "-o", out, "-q")
    assert outcome.exit_code == 3
    assert len(outcome.stderr.splitlines()) == 1
    assert not set(outcome.stderr.rstrip("\n")) & set("\x1b\x07\u202e\n")
