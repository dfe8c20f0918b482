"""Calling the two programs, and what a folder holds before and after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import click
import pytest
from click.testing import CliRunner

BIN: Final = Path(sys.executable).parent
Snapshot: TypeAlias = "dict[str, bytes | None]"


@dataclass(frozen=True)
class Outcome:
    """How a program ended and what it said, also past Python's own streams."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def errors(self) -> list[str]:
        """Lines that begin with ``Error:``."""
        return [line for line in self.stderr.splitlines() if line.startswith("Error:")]


UNSAID: Final = "nothing says how levels of pixels become its input"
"""What is warned of where a test says nothing of preprocessing."""


def but_unsaid(lines: Iterable[str]) -> list[str]:
    """Warnings but for those on levels of which nobody says anything; there is one of them at least."""
    found = list(lines)
    about = [line for line in found if UNSAID in line or "--preprocess " in line]
    assert any(UNSAID in line for line in about), found
    return [line for line in found if line not in about]


def call(command: click.Command, arguments: Sequence[object], capfd: pytest.CaptureFixture[str]) -> Outcome:
    """Run a command in this process; a bug's exception comes through."""
    capfd.readouterr()
    before = signal.getsignal(signal.SIGTERM)
    try:
        result = CliRunner().invoke(command, [str(each) for each in arguments], catch_exceptions=False)
    finally:
        signal.signal(signal.SIGTERM, before)
    past_python = capfd.readouterr()
    return Outcome(result.exit_code, result.stdout + past_python.out, result.stderr + past_python.err)


def start(
    program: str, arguments: Sequence[object], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start an installed program, which Ctrl-C ends even if the tests run where it is ignored."""
    return subprocess.Popen(
        [str(BIN / program), *(str(each) for each in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=None if env is None else {**os.environ, **env},
        preexec_fn=_heed_interrupts,
    )


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def call_process(program: str, arguments: Sequence[object], cwd: Path | None = None) -> Outcome:
    """Run an installed program to its end."""
    process = start(program, arguments, cwd)
    stdout, stderr = process.communicate(timeout=60)
    return Outcome(process.returncode, stdout, stderr)


def snapshot(folder: Path) -> Snapshot | None:
    """Bytes of every file below a folder by relative path, None for folders; None if there is no folder."""
    if not folder.exists():
        return None
    below = sorted(folder.rglob("*"))
    return {str(each.relative_to(folder)): each.read_bytes() if each.is_file() else None for each in below}


def assert_one_error(outcome: Outcome, exit_code: int, text: str) -> None:
    """One line on stderr, saying ``text``; nothing on stdout."""
    assert outcome.exit_code == exit_code, outcome
    assert len(outcome.errors) == 1, outcome.stderr
    assert text in outcome.errors[0], outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert outcome.stderr.splitlines() == outcome.errors, outcome.stderr
    assert outcome.stdout == ""


Convert: TypeAlias = Callable[..., Outcome]
"""A program with its arguments still to come."""
