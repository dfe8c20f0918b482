"""A worker under watch: what becomes of it at each command, within limits of time and memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from select import select
from types import TracebackType
from typing import Final

from ovxai_convert.cli.boundary import resident
from tests.fuzz.case import OUT, Case, Command

ROOT: Final = Path(__file__).resolve().parents[2]
_POLL: Final = 0.05
_COMMANDS_EACH: Final = 400
"""After so many a worker is replaced: what libraries keep must not be taken for what one input needs."""


@dataclass(frozen=True)
class Limits:
    """What a command may take."""

    seconds: float = 20.0
    mebibytes: int = 4096


@dataclass(frozen=True)
class Outcome:
    """How a command ended: with an exit code and lines, or broken off, and what it left in its folder."""

    command: Command
    exit_code: int | None
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    where: str = ""
    broken_off: str = ""
    left: tuple[str, ...] = ()


class Worker:
    """A process that does commands, started when it is needed and again when it has come to an end."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._unread, self._done = b"", 0

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def run(
        self, case: Case, folder: Path, stop: Callable[[Outcome], bool] = lambda _: False
    ) -> list[Outcome]:
        """Write a case into a folder and do its commands there, up to one at which to stop."""
        case.save(folder)
        outcomes = []
        before = _below(folder)
        for command in case.commands:
            outcome = self._outcome(command, folder)
            outcomes.append(_with(outcome, tuple(sorted(_below(folder) - before))))
            if stop(outcomes[-1]) or outcome.broken_off:
                break
            before = _below(folder)
        return outcomes

    def _outcome(self, command: Command, folder: Path) -> Outcome:
        process = self._running()
        assert process.stdin is not None, "it was asked for"
        order = {"folder": str(folder), "program": command.program, "arguments": command.arguments}
        began = time.monotonic()
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()
        self._done += 1
        broken_off = ""
        while not broken_off:
            answer = self._answer(process)
            if answer is not None:
                told = json.loads(answer)
                return Outcome(command, **told)
            if process.poll() is not None:
                broken_off = _by_signal(process.returncode)
            elif time.monotonic() - began > self._limits.seconds:
                broken_off = "time"
            elif resident(process.pid) > self._limits.mebibytes:
                broken_off = "memory"
        self._end()
        return Outcome(command, None, broken_off=broken_off, seconds=time.monotonic() - began)

    def _answer(self, process: subprocess.Popen[bytes]) -> bytes | None:
        """The next line of a worker, if it says one soon."""
        assert process.stdout is not None, "it was asked for"
        if select([process.stdout], [], [], _POLL)[0]:
            self._unread += os.read(process.stdout.fileno(), 65536)
        line, end, rest = self._unread.partition(b"\n")
        if not end:
            return None
        self._unread = rest
        return line

    def _running(self) -> subprocess.Popen[bytes]:
        if self._done >= _COMMANDS_EACH:
            self._end()
        if self._process is None:
            self._unread, self._done = b"", 0
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.worker", str(self._limits.mebibytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                start_new_session=True,
            )
            self._wait_until_it_listens(self._process)
        return self._process

    def _wait_until_it_listens(self, process: subprocess.Popen[bytes]) -> None:
        """Loading the libraries is no command's time."""
        assert process.stdin is not None, "it was asked for"
        assert process.stdout is not None, "it was asked for"
        order = {"folder": "/", "program": "inspect", "arguments": ["/nowhere.onnx"]}
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()
        if not process.stdout.readline():
            raise RuntimeError("the worker does not start: python -m tests.fuzz.worker says why")

    def _end(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None, "it was asked for"
                with suppress(BrokenPipeError):
                    pipe.close()
            self._process.wait()
            self._process = None


def _with(outcome: Outcome, left: tuple[str, ...]) -> Outcome:
    return Outcome(**{**vars(outcome), "left": left})


def _below(folder: Path) -> set[str]:
    """All below a folder, by relative path."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def _by_signal(code: int) -> str:
    return f"crash {signal.Signals(-code).name}" if code < 0 else f"exit {code} of the whole process"


def by_the_program(case: Case, folder: Path, command: Command, limits: Limits) -> Outcome:
    """The same command as it is installed, in a process of its own and under its own limits."""
    case.save(folder)
    before = _below(folder)
    arguments = [*command.arguments, "--timeout", f"{limits.seconds:g}", "--memory", str(limits.mebibytes)]
    began = time.monotonic()
    result = subprocess.run(
        [Path(sys.executable).with_name(f"ovxai-{command.program}"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=limits.seconds * 3 + 30,
    )
    seconds = time.monotonic() - began
    left = tuple(sorted(_below(folder) - before))
    return Outcome(command, result.returncode, result.stdout, result.stderr, seconds, left=left)


__all__ = ["OUT", "Limits", "Outcome", "Worker", "by_the_program"]
