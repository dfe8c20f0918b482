"""One command in a process of its own: what it printed, how long it took, how much memory it needed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.catalogue import ROOT

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Finished:
    """A process that has ended.

    Attributes:
        exit_code: negative for a signal, as in `subprocess`.
        seconds: wall time from start to end.
        peak_bytes: the largest resident set it had.
        stdout: what it printed.
        stderr: what it complained about.
    """

    exit_code: int
    seconds: float
    peak_bytes: int
    stdout: str
    stderr: str

    @property
    def reason(self) -> str:
        """Why it failed, in one line: the last that it wrote, or how it ended."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        if self.exit_code < 0:
            return f"killed by signal {-self.exit_code}"
        return lines[-1] if lines else f"exit code {self.exit_code}"


def run_measured(command: Sequence[str | Path]) -> Finished:
    """Run a command in the project's root and wait for it.

    The kernel counts the caller's own memory at the moment of the start into the child's peak, so whoever
    calls this must stay small: no OpenVINO, no NumPy.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen([*map(str, command)], cwd=ROOT, stdout=out, stderr=err)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for already
        peak = usage.ru_maxrss * _MAXRSS_UNIT
        return Finished(process.returncode, seconds, peak, _content(out), _content(err))


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
