"""Exports by an environment with torch, from this one: it writes what a cache lacks and tells how that went.

One process exports many, since loading torch takes longer than most exports; if it dies, another goes on
behind what was under way.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from benchmarks.catalogue import ROOT
from benchmarks.environments import Environment, ensure


class Exported(Protocol):
    """What is exported to a file."""

    @property
    def key(self) -> str:
        """Its name on the command line and in file names."""

    @property
    def file(self) -> Path:
        """Where it lies in the cache."""


@dataclass(frozen=True)
class Exporter:
    """A program of an environment that exports what it is told.

    Attributes:
        environment: the one with torch.
        module: what is run there, with keys, and calls `tell`.
        memory: a file that keeps which exports failed.
    """

    environment: Environment
    module: str
    memory: Path

    def failed(self) -> dict[str, str]:
        """Reasons, by key, of the exports that were tried and failed."""
        if not self.memory.is_file():
            return {}
        return dict(json.loads(self.memory.read_text(encoding="utf-8")))

    def export_missing(self, wanted: Sequence[Exported]) -> Iterator[tuple[str, str | None]]:
        """Export what has no file and is not known to fail; keys and reasons of failure as they come.

        Raises:
            BenchmarkError: the environment cannot be made.
        """
        failed = self.failed()
        left = [each.key for each in wanted if not each.file.is_file() and each.key not in failed]
        if not left:
            return
        python = ensure(self.environment)
        self.memory.parent.mkdir(parents=True, exist_ok=True)
        while left:
            for key, reason in _listen([python, "-m", self.module, *left], left[0]):
                left = left[left.index(key) + 1 :]
                if reason is not None:
                    failed[key] = reason
                    text = json.dumps(failed, indent=2, sort_keys=True) + "\n"
                    self.memory.write_text(text, encoding="utf-8")
                yield key, reason


def _listen(command: list[str], first: str) -> Iterator[tuple[str, str | None]]:
    """Lines of one exporting process; if it dies, a last one for what was under way."""
    under_way: str | None = first
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                told = json.loads(line)
                under_way = None if told["ended"] else told["key"]
                if told["ended"]:
                    yield told["key"], told["reason"]
        except BaseException:
            process.kill()
            raise
    if under_way is not None:
        yield under_way, f"the exporting process ended with {process.returncode}"


def tell(keys: Sequence[str], export: Callable[[str], object]) -> None:
    """Export, in an environment with torch, and print a line of JSON when each begins and when it has ended.

    One that fails does not stop the rest, and whoever reads the lines knows which one was under way if the
    process dies.
    """
    with _only_our_lines() as lines:
        for key in keys:
            print(json.dumps({"key": key, "reason": None, "ended": False}), file=lines, flush=True)
            try:
                export(key)
                reason = None
            except Exception as error:  # whatever a package raises is a row of the report
                text = str(error).strip().splitlines()
                reason = f"{type(error).__name__}: {text[0] if text else ''}"
            print(json.dumps({"key": key, "reason": reason, "ended": True}), file=lines, flush=True)


@contextlib.contextmanager
def whole(final: Path) -> Iterator[Path]:
    """A name to write a file under, or an IR, which gets its final one only when it is whole."""
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f".{os.getpid()}.{final.name}")
    try:
        yield temporary
        if temporary.with_suffix(".bin").exists():
            temporary.with_suffix(".bin").replace(final.with_suffix(".bin"))
        temporary.replace(final)
    finally:
        for suffix in (temporary.suffix, ".bin"):
            temporary.with_suffix(suffix).unlink(missing_ok=True)


@contextlib.contextmanager
def _only_our_lines() -> Iterator[IO[str]]:
    """Our own stdout; what exporters print goes to stderr."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as ours:
        os.dup2(2, 1)
        yield ours
