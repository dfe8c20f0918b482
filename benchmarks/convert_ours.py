"""A conversion by the real command, timed beside a process that only reads, compiles twice and saves."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

from benchmarks.measured_process import run_measured
from benchmarks.results import Conversion, Failure

REPETITIONS = 3


def convert_ours(source: Path, method: str, folder: Path) -> Conversion | Failure:
    """Convert `source` into `folder` several times, each time after the process it is compared with.

    The first pair of processes finds the file and the libraries on disk, the others in memory; the median
    leaves that out.
    """
    yardstick_xml = folder / "original.xml"
    yardstick: list[str | Path] = [
        sys.executable,
        "-m",
        "benchmarks.read_compile_save",
        source,
        yardstick_xml,
    ]
    command = _conversion(source, method, folder)
    seconds, ratios, peaks = [], [], []
    for _ in range(REPETITIONS):
        reference = run_measured(yardstick)
        if reference.exit_code != 0:
            return Failure("reading and compiling", reference.reason)
        finished = run_measured(command)
        if finished.exit_code != 0:
            return Failure("conversion", finished.reason)
        seconds.append(finished.seconds)
        ratios.append(finished.seconds / reference.seconds)
        peaks.append(finished.peak_bytes)
    growth = _bin_size(converted_by_ours(source, folder)) - _bin_size(yardstick_xml)
    return Conversion(median(seconds), max(peaks), growth, median(ratios))


def convert_best_classes(source: Path, method: str, folder: Path, top_k: int) -> Failure | None:
    """Convert `source` into `folder` with maps of the `top_k` best classes of each input; why it failed."""
    finished = run_measured([*_conversion(source, method, folder), "--top-k", str(top_k)])
    return Failure(f"conversion with --top-k {top_k}", finished.reason) if finished.exit_code != 0 else None


def converted_by_ours(source: Path, folder: Path) -> Path:
    """What the command calls its result."""
    return folder / f"{source.stem}_xai.xml"


def _conversion(source: Path, method: str, folder: Path) -> list[str | Path]:
    """The command that is installed beside the Python that runs this, with its arguments."""
    command = Path(sys.executable).parent / "ovxai-convert"
    # the ancestor compares nothing with the source's framework either
    options = ["--reference", "none", "--force", "--quiet"]
    return [command, source, "--method", method, "--output-dir", folder, *options]


def _bin_size(xml: Path) -> int:
    return xml.with_suffix(".bin").stat().st_size
