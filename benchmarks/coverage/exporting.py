"""Has the environment with torch write what the cache lacks, and remembers what it could not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.catalogue import ROOT
from benchmarks.coverage.catalogue import FOLDER, Architecture
from benchmarks.environments import COVERAGE, ensure

_FAILED: Final = FOLDER / "not_exported.json"


def failed_exports() -> dict[str, str]:
    """Reasons, by key, of the exports that were tried and failed."""
    if not _FAILED.is_file():
        return {}
    return dict(json.loads(_FAILED.read_text(encoding="utf-8")))


def export_missing(architectures: Sequence[Architecture]) -> Iterator[tuple[str, str | None]]:
    """Export what is neither in the cache nor known to fail; keys and reasons of failure as they come.

    One process exports many, since loading torch takes longer than most exports; if it dies, another goes on
    behind the architecture that was under way.

    Raises:
        BenchmarkError: the environment cannot be made.
    """
    failed = failed_exports()
    left = [each.key for each in architectures if not each.file.is_file() and each.key not in failed]
    if not left:
        return
    python = ensure(COVERAGE)
    FOLDER.mkdir(parents=True, exist_ok=True)
    while left:
        for key, reason in _run([python, "-m", "benchmarks.coverage.export", *left]):
            left = left[left.index(key) + 1 :]
            if reason is not None:
                failed[key] = reason
                _FAILED.write_text(json.dumps(failed, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            yield key, reason


def _run(command: list[str]) -> Iterator[tuple[str, str | None]]:
    """Lines of one exporting process; if it dies, a last one for the architecture that was under way."""
    under_way: str | None = command[3]
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
