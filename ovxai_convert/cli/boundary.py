"""The process boundary: a command's work is done in a child, so that no file can take the command down.

The parent needs nothing but click. It hands the child the arguments, is told over a pipe which file the child
is at and what it does, and when the child dies, hangs or needs too much memory, says so in one line and
starts another one for the files that are left.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from types import FrameType
from typing import Any, Final, NoReturn

from ovxai_convert.artifact.recovery import recover
from ovxai_convert.cli import child

Print = Callable[[str, Path], None]
"""Prints one line of error about a file."""
_POLL: Final = 0.1
"""Seconds between two looks at a child's memory."""
_GRACE: Final = 0.4
"""Seconds that a child has to tidy up by itself when it is interrupted."""
BROKEN_OFF: Final = 3
"""Exit code of what took more memory or time than it may, or broke down the runtime."""
INTERRUPTED: Final = 130


@dataclass(frozen=True)
class Limits:
    """What a child may take for one file: seconds, MiB, pixels of a photograph; None without a limit."""

    seconds: float | None = None
    mebibytes: int | None = None
    pixels: int | None = None


@dataclass
class _Watch:
    """What a child has told: at which file it is since when, what it does, codes of failures, a farewell."""

    at: int | None = None
    since: float = field(default_factory=time.monotonic)
    steps: tuple[str, ...] = ()
    codes: list[int] = field(default_factory=list)
    interrupted: bool = False
    unread: bytes = b""

    def read(self, data: bytes) -> None:
        """Take in what the child has told."""
        *lines, self.unread = (self.unread + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            if "at" in told:
                self.at, self.since, self.steps = told["at"], time.monotonic(), ()
            self.steps = tuple(told.get("steps", self.steps))
            self.codes += [told["code"]] if "code" in told else []
            self.interrupted |= "interrupted" in told


def tell(**told: Any) -> None:
    """Tell the parent something; nothing where there is none."""
    child.send(told)


def supervise(
    work: str,
    arguments: Mapping[str, Any],
    files: Sequence[Path],
    whole: Path,
    limits: Limits,
    print_error: Print,
    tidy: Callable[[], None],
) -> NoReturn:
    """Do a command's work on files and leave with its exit code, that of the first failure.

    Args:
        work: module of :mod:`ovxai_convert.cli.work` whose ``work`` does it, given where to start and
            the arguments.
        arguments: plain data.
        files: those that the work goes through, one after another.
        whole: what it is about while it is at none of them.
        limits: of each file.
        print_error: prints a line of error.
        tidy: removes what a child that was killed has left behind.
    """
    if child.inside() or os.name == "nt":  # whose pipes cannot be waited for
        child.do(work, arguments, child.Start())
    codes: list[int] = []
    first = 0
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        while True:
            end = _child_ends(work, arguments, child.Start(first, len(codes)), limits)
            codes += end.watch.codes
            if end.broken_off is None:
                sys.exit(codes[0] if codes else end.exit_code)
            at = end.watch.at
            where = whole if at is None else files[at]
            doing = f" while {' and '.join(end.watch.steps)}" if end.watch.steps else ""
            tidy()
            print_error(f"{end.broken_off}{doing}; nothing was written", where)
            codes.append(BROKEN_OFF)
            if at is None or at + 1 >= len(files):
                sys.exit(codes[0])
            first = at + 1
    except _KilledError as killed:
        tidy()
        where = whole if killed.watch.at is None else files[killed.watch.at]
        print_error("interrupted, nothing was written", where)
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, previous)


def tidying(folder: Path) -> Callable[[], None]:
    """What removes the things that a killed child leaves in a folder, or the folder if it was not there."""
    missing = [each for each in (folder, *folder.absolute().parents) if not os.path.exists(each)]

    def tidy() -> None:
        recover(folder)
        for made in missing:
            with suppress(OSError):
                made.rmdir()

    return tidy


@dataclass(frozen=True)
class _End:
    """How a child ended: by itself with an exit code, or broken off, and by what."""

    watch: _Watch
    exit_code: int
    broken_off: str | None


class _KilledError(Exception):
    """The command was interrupted, and its child had to be killed."""

    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self.watch = watch


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _child_ends(work: str, arguments: Mapping[str, Any], start: child.Start, limits: Limits) -> _End:
    """Start a child at a file and watch it to its end."""
    told, telling = os.pipe()
    order = pickle.dumps((work, dict(arguments), start, limits.mebibytes, limits.pixels))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", child.__name__, str(telling)],
        stdin=subprocess.PIPE,
        pass_fds=[telling],
        start_new_session=True,  # Ctrl-C is the parent's to hand on
    )
    os.close(telling)
    watch = _Watch()
    try:
        assert process.stdin is not None, "it was asked for"
        with suppress(BrokenPipeError), process.stdin as stdin:
            stdin.write(order)
        broken_off = _watched(process, told, watch, limits)
        exit_code = process.wait()
    except KeyboardInterrupt:
        _interrupted(process)
        _read_rest(told, watch)
        if not watch.interrupted:
            raise _KilledError(watch) from None
        sys.exit(INTERRUPTED)
    finally:
        _kill(process)
        os.close(told)
    if broken_off is None and exit_code < 0:
        broken_off = _by_signal(-exit_code)
        if limits.mebibytes is not None:
            broken_off += f", perhaps for want of more than {limits.mebibytes} MiB"
    return _End(watch, exit_code, broken_off)


def _watched(process: subprocess.Popen[bytes], told: int, watch: _Watch, limits: Limits) -> str | None:
    """Listen to a child until it ends; why it was broken off, None if it was not."""
    while True:
        if select([told], [], [], _POLL)[0]:
            data = os.read(told, 65536)
            if not data:
                return None
            watch.read(data)
        if limits.seconds is not None and time.monotonic() - watch.since > limits.seconds:
            _kill(process)
            _read_rest(told, watch)
            return f"it took longer than {limits.seconds:g} s"
        if limits.mebibytes is not None and resident(process.pid) > limits.mebibytes:
            _kill(process)
            _read_rest(told, watch)
            return f"it needs more than {limits.mebibytes} MiB"


def _read_rest(told: int, watch: _Watch) -> None:
    while select([told], [], [], 0)[0] and (data := os.read(told, 65536)):
        watch.read(data)


def _interrupted(process: subprocess.Popen[bytes]) -> None:
    """Let a child tidy up, and kill it if it does not come to it, as inside the runtime."""
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def resident(pid: int) -> float:
    """MiB of memory that a process holds; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _by_signal(number: int) -> str:
    """What a signal that ended a child tells."""
    if number == signal.SIGKILL:
        return "its process was killed, as systems do that run out of memory"
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"the runtime broke down ({name})"
