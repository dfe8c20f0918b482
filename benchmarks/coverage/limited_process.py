"""One command in a process of its own that may not run or grow for ever."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from benchmarks.catalogue import ROOT

_LOOK_EVERY: Final = 0.1
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Limits:
    """What a process may use.

    Attributes:
        seconds: wall time.
        resident_bytes: memory that it holds at once. Resident, since a runtime reserves far more addresses
            than it uses.
    """

    seconds: float
    resident_bytes: int


@dataclass(frozen=True)
class Ended:
    """A process that has ended.

    Attributes:
        exit_code: negative for a signal, as in `subprocess`.
        seconds: wall time from start to end.
        peak_bytes: the largest resident set that was seen.
        stdout: what it printed.
        stderr: what it complained about.
        stopped_for: the limit that it was stopped for, empty where it ended by itself.
    """

    exit_code: int
    seconds: float
    peak_bytes: int
    stdout: str
    stderr: str
    stopped_for: str = ""

    @property
    def reason(self) -> str:
        """How it failed, in one line: the limit, the signal, or the last line that it wrote."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        if self.stopped_for:
            return self.stopped_for
        if self.exit_code < 0:
            return f"killed by signal {-self.exit_code}"
        return lines[-1] if lines else f"exit code {self.exit_code}"

    @property
    def has_traceback(self) -> bool:
        """Whether it ended with an exception that nobody expected."""
        return "Traceback (most recent call last)" in self.stderr


def run_limited(command: Sequence[str | Path], limits: Limits) -> Ended:
    """Run a command in the project's root until it ends or breaks a limit."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started, peak, stopped_for = time.monotonic(), 0, ""
        process = subprocess.Popen([*map(str, command)], cwd=ROOT, stdout=out, stderr=err)
        try:
            while process.poll() is None:
                peak = max(peak, _resident(process.pid))
                if peak > limits.resident_bytes:
                    stopped_for = f"more than {limits.resident_bytes / 2**30:g} GiB of memory"
                elif time.monotonic() - started > limits.seconds:
                    stopped_for = f"more than {limits.seconds:g} s"
                if stopped_for:
                    process.kill()
                    process.wait()
                    break
                time.sleep(_LOOK_EVERY)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.monotonic() - started
        return Ended(process.returncode, seconds, peak, _content(out), _content(err), stopped_for)


def _resident(pid: int) -> int:
    """Resident set of a process, 0 where it is gone or the system has no such file."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
