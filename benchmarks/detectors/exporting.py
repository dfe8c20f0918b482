"""Has the environment with torch write what the cache lacks, and remembers what it could not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.detectors.catalogue import FOLDER, Detector
from benchmarks.environments import DETECTORS
from benchmarks.exporting import Exporter

_EXPORTER: Final = Exporter(DETECTORS, "benchmarks.detectors.export", FOLDER / "not_exported.json")


def failed_exports() -> dict[str, str]:
    """Reasons, by key, of the exports that were tried and failed."""
    return _EXPORTER.failed()


def export_missing(detectors: Sequence[Detector]) -> Iterator[tuple[str, str | None]]:
    """Export what is neither in the cache nor known to fail; keys and reasons of failure as they come.

    Raises:
        BenchmarkError: the environment cannot be made.
    """
    return _EXPORTER.export_missing(detectors)
