"""A conversion that is broken off at any step leaves the output folder exactly as it was."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import onnx
import pytest

from ovxai_convert import WriteError, convert, pipeline
from ovxai_convert.artifact import writing
from ovxai_convert.artifact.staging import Staging
from ovxai_convert.proof import prover
from tests.program.invocation import Convert, Snapshot, assert_one_error, snapshot, start

LIGHT: Final = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
INTERRUPT: Final = KeyboardInterrupt()
DISK_FULL: Final = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
NAMES: Final = ("classifier_xai.xml", "classifier_xai.bin", "classifier_xai.json")
REPOSITORY: Final = ("net/1/model.xml", "net/1/model.bin", "net/config.pbtxt", "net/1/model.json")
STEPS: Final[tuple[tuple[object, str], ...]] = (
    (pipeline, "read_source"),
    (pipeline, "insert_branches"),
    (writing, "describe"),
    (writing, "write_ir"),
    (prover, "run_original"),
    (prover, "read_model"),
    (prover, "compare_interfaces"),
    (prover, "compare_outputs"),
    (prover, "check_maps"),
    (pipeline, "with_proof"),
    (Path, "write_text"),
)
"""Every function that a conversion runs, in order; each is broken off before and after its work."""

each_folder = pytest.mark.parametrize("before", ["absent", "empty", "artifact", "strangers"])
each_layout = pytest.mark.parametrize("names", [NAMES, REPOSITORY], ids=["plain", "repository"])


def fail_at(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, error: BaseException, when: str, nth: int = 1
) -> list[int]:
    """Make the n-th call of a function raise, before or after its work; the list holds one item per call."""
    original: Callable[..., Any] = getattr(owner, name)
    calls: list[int] = []

    def broken(*args: Any, **kwargs: Any) -> Any:
        calls.append(len(calls) + 1)
        if calls[-1] != nth:
            return original(*args, **kwargs)
        if when == "after":
            original(*args, **kwargs)
        raise error

    monkeypatch.setattr(owner, name, broken)
    return calls


def prepare(out: Path, state: str, names: Sequence[str] = NAMES) -> Snapshot | None:
    """Bring an output folder into a state; what its parent's parent then holds."""
    if state != "absent":
        out.mkdir(parents=True)
    if state in ("artifact", "strangers"):
        last = out / names[-1]
        last.parent.mkdir(parents=True, exist_ok=True)
        last.write_text("old json")
    if state == "artifact":
        for name in names[:-1]:
            (out / name).write_text(f"old {name.rpartition('.')[2]}")
    if state == "strangers":
        (last.parent / "notes.txt").write_text("not ours")
        (out / "folder").mkdir()
    return snapshot(out.parent.parent)


@pytest.mark.parametrize("before", ["absent", "artifact"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("owner", "name"), STEPS, ids=[name for _, name in STEPS])
def test_interrupt_at_a_step(
    owner: object,
    name: str,
    when: str,
    before: str,
    onnx_model: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = prepare(out, before)
    calls = fail_at(monkeypatch, owner, name, INTERRUPT, when)
    with pytest.raises(KeyboardInterrupt):
        convert(onnx_model, out, force=True)
    assert calls == [1]
    assert snapshot(out.parent.parent) == held


@pytest.mark.parametrize("before", ["absent", "artifact"])
def test_disk_that_is_full_when_the_sidecar_is_written(
    before: str, onnx_model: Path, out: Path, run_convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = prepare(out, before)
    fail_at(monkeypatch, Path, "write_text", DISK_FULL, "before")
    outcome = run_convert(onnx_model, "-o", out, "--force", "-q")
    monkeypatch.undo()
    assert_one_error(outcome, 6, "No space left on device")
    assert snapshot(out.parent.parent) == held


def test_weights_that_cannot_be_written(
    onnx_model: Path, out: Path, run_convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = prepare(out, "artifact")

    def into_a_file(model: Any, xml: Path) -> None:
        blocker = xml.with_name("blocker")
        blocker.touch()
        genuine(model, blocker / xml.name)

    genuine: Callable[..., None] = vars(writing)["write_ir"]
    monkeypatch.setattr(writing, "write_ir", into_a_file)
    outcome = run_convert(onnx_model, "-o", out, "--force", "-q")
    assert_one_error(outcome, 6, "cannot write the model")
    assert snapshot(out.parent.parent) == held


def stage(out: Path, names: Sequence[str] = NAMES) -> None:
    """Write new files the way a conversion does."""
    with Staging(out, names, force=True) as staging:
        for name in names:
            (staging.folder / name).write_text(f"new {name}")
        staging.commit()


def count_calls(
    out: Path, names: Sequence[str], state: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> int:
    """How often an undisturbed writing makes a system call."""
    prepare(out, state, names)
    calls = fail_at(monkeypatch, os, name, INTERRUPT, "before", nth=0)
    stage(out, names)
    monkeypatch.undo()
    assert [(out / each).read_text() for each in names] == [f"new {each}" for each in names]
    assert not list(out.glob(".*"))
    return len(calls)


@each_layout
@each_folder
@pytest.mark.parametrize(
    ("error", "when"),
    [(INTERRUPT, "before"), (INTERRUPT, "after"), (DISK_FULL, "before")],
    ids=["interrupt-before", "interrupt-after", "full-disk"],
)
@pytest.mark.parametrize(("name", "at_least"), [("mkdir", 1), ("rename", 3), ("replace", 1), ("fsync", 9)])
def test_every_system_call_of_the_writing(
    name: str,
    at_least: int,
    error: BaseException,
    when: str,
    before: str,
    names: Sequence[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "whole").mkdir()
    count = count_calls(tmp_path / "whole" / "made" / "out", names, before, name, monkeypatch)
    assert count >= at_least
    left_behind = []
    for nth in range(1, count + 1):
        out = tmp_path / str(nth) / "made" / "out"
        out.parent.parent.mkdir()
        held = prepare(out, before, names)
        calls = fail_at(monkeypatch, os, name, error, when, nth)
        with pytest.raises(KeyboardInterrupt if error is INTERRUPT else WriteError):
            stage(out, names)
        monkeypatch.undo()
        assert len(calls) >= nth
        if snapshot(out.parent.parent) != held:
            left_behind.append((name, nth))
    assert not left_behind, f"of {count} calls"


@pytest.mark.parametrize("nth", [1, 6])
@pytest.mark.parametrize("when", ["before", "after"])
def test_interrupt_at_a_rename_of_a_conversion(
    nth: int, when: str, onnx_model: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = prepare(out, "artifact")
    calls = fail_at(monkeypatch, os, "rename", INTERRUPT, when, nth)
    with pytest.raises(KeyboardInterrupt):
        convert(onnx_model, out, force=True)
    assert len(calls) >= nth
    assert snapshot(out.parent.parent) == held


@each_layout
def test_second_interrupt_while_files_are_put_back(
    names: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that were replaced are never lost, however impatient the user."""
    out = tmp_path / "made" / "out"
    prepare(out, "artifact", names)
    last = 2 * len(names)
    genuine = os.rename
    calls: list[object] = []

    def impatient(*args: Any, **kwargs: Any) -> None:
        calls.append(args)
        if len(calls) in (last - 1, last):
            raise KeyboardInterrupt
        genuine(*args, **kwargs)

    monkeypatch.setattr(os, "rename", impatient)
    with pytest.raises(KeyboardInterrupt):
        stage(out, names)
    monkeypatch.undo()
    assert len(calls) >= last
    kept = {path.read_text() for path in out.parent.parent.rglob("*") if path.is_file()}
    assert kept >= {f"old {name.rpartition('.')[2]}" for name in names}


def test_second_interrupt_behind_a_file_that_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "made" / "out"
    held = prepare(out, "artifact")
    genuine = os.rename
    calls: list[object] = []

    def impatient(*args: Any, **kwargs: Any) -> None:
        calls.append(args)
        if len(calls) == 6:  # the last file of the three is not put in place any more
            raise KeyboardInterrupt
        genuine(*args, **kwargs)
        if len(calls) == 7:  # the first of the old ones
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", impatient)
    with pytest.raises(KeyboardInterrupt):
        stage(out)
    monkeypatch.undo()
    assert snapshot(out.parent.parent) == held


@pytest.mark.parametrize("committed", [True, False])
def test_folder_that_others_use_stays(committed: bool, tmp_path: Path) -> None:
    with Staging(tmp_path, REPOSITORY, force=False) as staging:
        assert [each for each in tmp_path.iterdir() if each != staging.folder] == []
        (tmp_path / "net" / "2").mkdir(parents=True)
        if committed:
            for name in REPOSITORY:
                staging.write_text(name, name)
            staging.commit()
    held = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert held == {"net", "net/2", *(("net/1", *REPOSITORY) if committed else ())}


def test_file_where_a_folder_has_to_be(tmp_path: Path) -> None:
    (tmp_path / "net").write_text("a file")
    with pytest.raises(WriteError, match="net is no folder"), Staging(tmp_path, REPOSITORY, force=True):
        pass
    assert snapshot(tmp_path) == {"net": b"a file"}


def test_file_in_a_folder_is_replaced_by_force_alone(tmp_path: Path) -> None:
    stage(tmp_path, REPOSITORY)
    with (
        pytest.raises(WriteError, match=r"net/1/model\.xml exists"),
        Staging(tmp_path, REPOSITORY, force=False),
    ):
        pass
    assert set(snapshot(tmp_path) or ()) == {"net", "net/1", *REPOSITORY}


def test_interrupt_is_told_in_one_line(
    onnx_model: Path, out: Path, run_convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, prover, "run_original", INTERRUPT, "before")
    outcome = run_convert(onnx_model, "-o", out, "-q")
    assert_one_error(outcome, 130, "interrupted, nothing was written")
    assert not out.parent.exists()


def test_error_while_cleaning_up_does_not_hide_the_first(
    onnx_model: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, prover, "run_original", WriteError("the first"), "before")

    def stubborn(path: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise DISK_FULL

    monkeypatch.setattr(shutil, "rmtree", stubborn)
    with pytest.raises(WriteError, match="the first"):
        convert(onnx_model, out)


@pytest.mark.parametrize(
    ("number", "before"),
    [(signal.SIGINT, "absent"), (signal.SIGTERM, "artifact")],
    ids=["SIGINT", "SIGTERM"],
)
def test_real_signal(number: signal.Signals, before: str, tmp_path: Path) -> None:
    path = tmp_path / "classifier.onnx"
    shutil.copy(LIGHT / "light_resnet50.onnx", path)
    out = tmp_path / "made" / "out"
    held = prepare(out, before)
    process = start("ovxai-convert", [path, "-o", out, "--force", "-q"])
    deadline = time.monotonic() + 60
    while not list(out.glob(".ovxai-*.tmp/*.bin")):  # written, and the proof is still to come
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr == f"Error: {path}: interrupted, nothing was written\n"
    assert stdout == ""
    assert snapshot(tmp_path) == held
