"""Who may write into a folder, what is never replaced, and how a failure is told."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from ovxai_convert import durable
from ovxai_convert.artifact.recovery import recover, recover_around
from ovxai_convert.artifact.staging import Staging
from ovxai_convert.errors import WriteError
from ovxai_convert.photographs.image_files import write_file
from tests.program.invocation import snapshot
from tests.reliability.killing import in_process

NAMES: Final = ("net.xml", "net.bin", "net.json")
REPOSITORY: Final = ("net/1/model.xml", "net/1/model.bin", "net/1/model.json")
WRITERS: Final = 8
ROOT: Final = Path(__file__).resolve().parents[2]


def stage(out: Path, text: str = "new", *, names: tuple[str, ...] = NAMES, force: bool = True) -> None:
    with Staging(out, names, force=force) as staging:
        for name in names:
            staging.write_text(name, f"{text} {name}")
        staging.commit()


def failure_of(action: Callable[[], object]) -> str | None:
    try:
        action()
    except WriteError as error:
        return str(error)
    return None


def whole(text: str) -> dict[str, bytes | None]:
    return {name: f"{text} {name}".encode() for name in sorted(NAMES)}


def die_in_commit(out: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...] = NAMES) -> Path:
    """What a process leaves that is killed before the last of its renames; the temporary folder."""
    genuine, renamed = os.rename, []

    def last_one_kills(*paths: Path) -> None:
        renamed.append(paths)
        if len(renamed) == 2 * len(names):
            os.kill(os.getpid(), 9)
        genuine(*paths)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", last_one_kills)
        assert in_process(lambda: stage(out, "newer", names=names)) == 9
    (left,) = out.glob(".ovxai-*.tmp")
    return left


def race(folder: Path, *, force: bool, names: Callable[[int], tuple[str, ...]]) -> list[str]:
    """Errors of as many processes that begin to write at one time, ``""`` for one that succeeds."""
    context = multiprocessing.get_context("fork")
    gate, errors = context.Barrier(WRITERS), context.SimpleQueue()

    def write(number: int) -> None:
        gate.wait()
        error = failure_of(lambda: stage(folder, str(number), names=names(number), force=force))
        errors.put(error or "")

    writers = [context.Process(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    found = [errors.get() for _ in writers]
    for writer in writers:
        writer.join()
    return found


@pytest.mark.parametrize("attempt", range(5))
def test_one_of_eight_wins(attempt: int, tmp_path: Path) -> None:
    out = tmp_path / "made" / "out"
    errors = race(out, force=False, names=lambda _: NAMES)
    assert errors.count("") == 1
    assert sum("exists already; --force replaces it" in error for error in errors) == WRITERS - 1, errors
    assert snapshot(out) in [whole(str(number)) for number in range(WRITERS)]


@pytest.mark.parametrize("attempt", range(5))
def test_last_of_eight_wins_by_force(attempt: int, tmp_path: Path) -> None:
    assert race(tmp_path / "out", force=True, names=lambda _: NAMES) == [""] * WRITERS
    assert snapshot(tmp_path / "out") in [whole(str(number)) for number in range(WRITERS)]


def test_eight_of_other_names_all_write(tmp_path: Path) -> None:
    errors = race(tmp_path / "out", force=False, names=lambda number: (f"{number}.xml", f"{number}.json"))
    assert errors == [""] * WRITERS
    assert len(snapshot(tmp_path / "out") or {}) == 2 * WRITERS


def test_others_write_while_one_converts(tmp_path: Path) -> None:
    with Staging(tmp_path, NAMES, force=False) as slow:
        stage(tmp_path, names=("other.xml",))
        recover(tmp_path)
        assert slow.folder.is_dir()
        for name in NAMES:
            slow.write_text(name, f"slow {name}")
        slow.commit()
    assert snapshot(tmp_path) == {**whole("slow"), "other.xml": b"new other.xml"}


def test_folder_that_another_program_keeps_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ovxai_convert.artifact.staging._PATIENCE", 0.05)
    held = durable.lock(tmp_path)
    assert held is not None
    with pytest.raises(WriteError, match="another program keeps it locked"):
        stage(tmp_path)
    os.close(held)
    assert snapshot(tmp_path) == {}


def test_failed_run_removes_no_folder_under_another(tmp_path: Path) -> None:
    out = tmp_path / "made" / "out"
    first, second = Staging(out, NAMES, force=False), Staging(out, ("other.xml",), force=False)
    with first:
        second.__enter__()
    assert second.folder.is_dir()
    second.__exit__(None, None, None)
    assert snapshot(out) == {}


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """Things that may stand where a file is to be written."""
    things = {kind: tmp_path / kind / "net.bin" for kind in ("folder", "dangling", "loop", "pipe", "socket")}
    for path in things.values():
        path.parent.mkdir()
    things["folder"].mkdir()
    things["dangling"].symlink_to("nowhere")
    things["loop"].symlink_to("net.bin")
    os.mkfifo(things["pipe"])
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(things["socket"]))
        yield things


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("folder", "a folder"),
        ("dangling", "a link that leads nowhere"),
        ("loop", "a link that leads nowhere"),
        ("pipe", "no regular file"),
        ("socket", "no regular file"),
    ],
)
def test_what_is_no_file_is_never_replaced(kind: str, what: str, force: bool, odd: dict[str, Path]) -> None:
    path = odd[kind]
    before = path.lstat()
    with pytest.raises(WriteError, match=f"^{path} is {what}; move it away, or write elsewhere$"):
        stage(path.parent, force=force)
    with pytest.raises(WriteError, match=f"^{path}: cannot be written: it is {what}$"):
        write_file(path, b"a picture")
    assert path.lstat() == before
    assert os.listdir(path.parent) == ["net.bin"]


def test_what_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with Staging(tmp_path, NAMES, force=True) as staging:
        for name in NAMES:
            staging.write_text(name, name)
        os.mkfifo(tmp_path / "net.json")
        with pytest.raises(WriteError, match="no regular file"):
            staging.commit()
    assert os.listdir(tmp_path) == ["net.json"]


def test_a_link_is_replaced_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    out = tmp_path / "out"
    out.mkdir()
    for name in NAMES:
        (out / name).symlink_to("../theirs")
    stage(out)
    assert snapshot(out) == whole("new")
    assert not any(path.is_symlink() for path in out.iterdir())
    assert (tmp_path / "theirs").read_text() == "theirs"


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o027])
def test_permissions_are_those_of_the_umask(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        stage(tmp_path / "out", names=REPOSITORY)
        write_file(tmp_path / "out" / "pictures" / "map.png", b"a picture")
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o666 & ~mask}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o777 & ~mask}


def test_longest_name(tmp_path: Path) -> None:
    stem = "n" * 250
    stage(tmp_path, names=(f"{stem}.xml", f"{stem}.json"))
    write_file(tmp_path / f"{stem}.png", b"a picture")
    assert set(snapshot(tmp_path) or {}) == {f"{stem}.xml", f"{stem}.json", f"{stem}.png"}


def test_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="cannot write there: File name too long"):
        stage(tmp_path / "out", names=(f"{'n' * 252}.xml",))
    assert snapshot(tmp_path) == {}


def test_folder_that_is_deleted_meanwhile(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Staging(out, NAMES, force=True) as staging:
        for name in NAMES:
            staging.write_text(name, name)
        shutil.rmtree(out)
        with pytest.raises(WriteError, match="cannot write there: No such file or directory"):
            staging.commit()
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("call", ["fsync", "rename", "replace", "mkdir"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_error_of_the_file_system_at_any_call(
    call: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(tmp_path / "out", "old", names=(*NAMES, *REPOSITORY))
    before, genuine = snapshot(tmp_path), getattr(os, call)
    for nth in range(1, 40):
        made: list[object] = []

        def failing(*arguments: object, made: list[object] = made, nth: int = nth) -> object:
            made.append(arguments)
            if len(made) == nth:
                raise OSError(code, os.strerror(code))
            return genuine(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing)
            error = failure_of(lambda: stage(tmp_path / "out", names=(*NAMES, *REPOSITORY)))
        if error is None:
            assert 1 <= len(made) < nth
            return
        assert error == f"{tmp_path / 'out'}: cannot write there: {os.strerror(code)}"
        assert snapshot(tmp_path) == before
    pytest.fail("it never ended")


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    """A quota by RLIMIT_FSIZE; its signal, SIGXFSZ, must not end the program."""
    stage(tmp_path, "old")

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))
        with pytest.raises(WriteError, match="cannot write there: File too large"):
            stage(tmp_path)
        with pytest.raises(WriteError, match="cannot be written: File too large"):
            write_file(tmp_path / "net.json", b"a picture")

    assert in_process(limited) == 0
    assert snapshot(tmp_path) == whole("old")


def test_killed_one_is_undone_by_a_reader_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage(tmp_path, "old", names=REPOSITORY)
    before = snapshot(tmp_path)
    die_in_commit(tmp_path, monkeypatch, REPOSITORY)
    assert not (tmp_path / REPOSITORY[-1]).exists()
    recover_around(tmp_path / REPOSITORY[0])
    assert snapshot(tmp_path) == before


def test_killed_one_is_undone_before_another_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage(tmp_path, "old")
    die_in_commit(tmp_path, monkeypatch)
    with pytest.raises(WriteError, match="exists already"):
        stage(tmp_path, force=False)
    assert snapshot(tmp_path) == whole("old")


def test_killed_one_is_undone_where_the_folder_has_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(tmp_path / "out", "old")
    die_in_commit(tmp_path / "out", monkeypatch)
    moved = (tmp_path / "out").rename(tmp_path / "moved")
    recover(moved)
    assert snapshot(moved) == whole("old")


def test_what_another_user_left_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage(tmp_path, "old")
    die_in_commit(tmp_path, monkeypatch)
    before = snapshot(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 4711)
        recover(tmp_path)
    assert snapshot(tmp_path) == before


def test_record_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage(tmp_path, "old")
    left = die_in_commit(tmp_path, monkeypatch)
    (left / ".record").write_text("[]")
    before = snapshot(tmp_path)
    recover(tmp_path)
    with pytest.raises(WriteError, match=r"left by a conversion that was killed.*cannot be read"):
        stage(tmp_path)
    assert snapshot(tmp_path) == before


def test_others_of_such_names_stay(tmp_path: Path) -> None:
    (tmp_path / ".ovxai-notes.tmp").write_text("mine")
    (tmp_path / ".ovxai-0123456789ab.tmp.bak").mkdir()
    (tmp_path / ".ovxai-0123456789ab.tmp").symlink_to(".")
    before = os.listdir(tmp_path)
    recover(tmp_path)
    assert os.listdir(tmp_path) == before


def test_picture_that_was_being_written_by_a_killed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path / "map.png", b"older")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: os.kill(os.getpid(), 9))
        assert in_process(lambda: write_file(tmp_path / "map.png", b"newer")) == 9
    assert len(os.listdir(tmp_path)) == 2
    recover(tmp_path)
    assert snapshot(tmp_path) == {"map.png": b"older"}


def test_picture_that_is_being_written_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = os.replace

    def looked_at(*paths: Path) -> None:
        recover(tmp_path)
        genuine(*paths)

    monkeypatch.setattr(os, "replace", looked_at)
    write_file(tmp_path / "map.png", b"newer")
    assert snapshot(tmp_path) == {"map.png": b"newer"}


def test_eight_write_one_picture(tmp_path: Path) -> None:
    def write(number: int) -> None:
        for _ in range(20):
            write_file(tmp_path / "map.png", bytes([number]) * 5000)
            recover(tmp_path)

    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    (name,) = os.listdir(tmp_path)
    content = (tmp_path / name).read_bytes()
    assert content == content[:1] * 5000


def test_recovery_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    for folder in (tmp_path / "none", tmp_path / "file", Path("/proc/1/fd")):
        recover(folder)


WITHOUT_LOCKS: Final = """
import sys
sys.modules["fcntl"] = None
from pathlib import Path
from ovxai_convert.artifact.recovery import recover
from ovxai_convert.artifact.staging import Staging
from ovxai_convert.photographs.image_files import write_file
out = Path(sys.argv[1])
for text in ("first", "second"):
    with Staging(out, ("a.xml", "a.json"), force=True) as staging:
        recover(out)
        staging.write_text("a.xml", text)
        staging.write_text("a.json", text)
        staging.commit()
write_file(out / "map.png", b"a picture")
"""


def test_platform_without_locks(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_LOCKS, str(tmp_path)], check=True, cwd=ROOT)
    assert snapshot(tmp_path) == {"a.json": b"second", "a.xml": b"second", "map.png": b"a picture"}


def test_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(durable, "_try_lock", refused)
    left = tmp_path / ".ovxai-0123456789ab.tmp"
    left.mkdir()
    stage(tmp_path)
    write_file(tmp_path / "map.png", b"a picture")
    shutil.rmtree(left)  # which may be in use, for all that is known
    assert snapshot(tmp_path) == {**whole("new"), "map.png": b"a picture"}


def test_a_waiting_writer_goes_on_when_the_folder_is_free(tmp_path: Path) -> None:
    held = durable.lock(tmp_path)
    assert held is not None
    writer = threading.Thread(target=stage, args=(tmp_path,))
    writer.start()
    time.sleep(0.1)
    assert snapshot(tmp_path) == {}
    os.close(held)
    writer.join()
    assert snapshot(tmp_path) == whole("new")
