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

Print = Callable[[str, Path | str, int], None]
"""Says why a child gave up a file, and with which exit code."""
_POLL: Final = 0.1
"""Seconds between two looks at a child's memory."""
_GRACE: Final = 0.4
"""Seconds that a child has to tidy up by itself when it is interrupted."""
_TOO_LONG: Final = "it took longer than"
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
    """What a child has told: at which file it is since when, what it does, codes of failures, a farewell.

    ``name`` is that of the file, where the child alone knows it; ``ahead`` is the last one that it has begun
    with. ``finishing``: it brings to an end what is not to be lost.
    """

    at: int | None = None
    name: str | None = None
    ahead: int = -1
    finishing: bool = False
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
                if told["at"] != self.at:
                    self.since, self.steps = time.monotonic(), ()
                self.at, self.name, self.ahead = told["at"], told.get("name"), told.get("ahead", told["at"])
            self.steps = tuple(told.get("steps", self.steps))
            self.codes += [told["code"]] if "code" in told else []
            self.finishing |= "finishing" in told
            self.interrupted |= "interrupted" in told

    def where(self, files: Sequence[Path] | None, whole: Path) -> Path | str:
        """What it is at, in words."""
        if self.at is None:
            return whole
        return self.name or (whole if files is None else files[self.at])


def tell(**told: Any) -> None:
    """Tell the parent something; nothing where there is none."""
    child.send(told)


def supervise(
    work: str,
    arguments: Mapping[str, Any],
    files: Sequence[Path] | None,
    whole: Path,
    limits: Limits,
    print_error: Print,
    tidy: Callable[[], None],
) -> NoReturn:
    """Do a command's work on files and leave with its exit code, that of the first failure.

    A child may be at several files at once; where it dies, another one takes each of them by itself, so that
    it is seen which one it was.

    Args:
        work: module of :mod:`ovxai_convert.cli.work` whose ``work`` does it, given where to start and
            the arguments.
        arguments: plain data.
        files: those that the work goes through, one after another; None: the child alone knows them, tells
            their names, and is started once more also behind the last one, to finish.
        whole: what it is about while it is at none of them.
        limits: of each file.
        print_error: says it, as one line.
        tidy: removes what a child that was killed has left behind.
    """
    if child.inside() or os.name == "nt":  # whose pipes cannot be waited for
        child.do(work, arguments, child.Start())
    codes: list[int] = []
    start = child.Start()
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        while True:
            end = _child_ends(work, arguments, start, limits)
            watch = end.watch
            codes += watch.codes
            if end.broken_off is None:
                sys.exit(codes[0] if codes else end.exit_code)
            tidy()
            if watch.at is not None and watch.ahead > watch.at and not end.too_long:
                start = child.Start(watch.at, len(codes), alone=watch.ahead)
                continue
            doing = f" while {' and '.join(watch.steps)}" if watch.steps else ""
            reason = f"{end.broken_off}{doing}"
            print_error(f"{reason}; nothing was written", watch.where(files, whole), BROKEN_OFF)
            codes.append(BROKEN_OFF)
            if watch.at is None or (files is not None and watch.at + 1 >= len(files)):
                sys.exit(codes[0])
            start = child.Start(watch.at + 1, len(codes), reason, start.alone)
    except _KilledError as killed:
        tidy()
        where = killed.watch.where(files, whole)
        print_error("interrupted, nothing was written", where, INTERRUPTED)
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
    """How a child ended: by itself with an exit code, or broken off, and by what; for its time, perhaps."""

    watch: _Watch
    exit_code: int
    broken_off: str | None
    too_long: bool = False


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
        too_long = broken_off is not None and broken_off.startswith(_TOO_LONG)
        exit_code = process.wait()
    except KeyboardInterrupt:
        _interrupted(process, told, watch)
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
    return _End(watch, exit_code, broken_off, too_long)


def _watched(process: subprocess.Popen[bytes], told: int, watch: _Watch, limits: Limits) -> str | None:
    """Listen to a child until it ends; why it was broken off, None if it was not."""
    while True:
        if select([told], [], [], _POLL)[0]:
            data = os.read(told, 65536)
            if not data:
                return None
            watch.read(data)
        late = limits.seconds is not None and time.monotonic() - watch.since > limits.seconds
        if late and not watch.finishing:
            _kill(process)
            _read_rest(told, watch)
            return f"{_TOO_LONG} {limits.seconds:g} s"
        if limits.mebibytes is not None and resident(process.pid) > limits.mebibytes:
            _kill(process)
            _read_rest(told, watch)
            return f"it needs more than {limits.mebibytes} MiB"


def _read_rest(told: int, watch: _Watch) -> None:
    while select([told], [], [], 0)[0] and (data := os.read(told, 65536)):
        watch.read(data)


def _interrupted(process: subprocess.Popen[bytes], told: int, watch: _Watch) -> None:
    """Let a child tidy up, and kill it if it does not come to it, as inside the runtime.

    One that says that it is finishing has the time that it needs, unless it is interrupted once more.
    """
    process.send_signal(signal.SIGINT)
    end = time.monotonic() + _GRACE
    with suppress(KeyboardInterrupt):
        while time.monotonic() < end and process.poll() is None:
            if select([told], [], [], _POLL / 2)[0]:
                watch.read(os.read(told, 65536))
            if watch.finishing and not watch.interrupted:
                end = time.monotonic() + _GRACE
    _kill(process)
    _read_rest(told, watch)


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
