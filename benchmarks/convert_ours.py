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
    command: list[str | Path] = [_command(), source, "--method", method]
    command += ["--output-dir", folder, "--force", "--quiet"]
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


def converted_by_ours(source: Path, folder: Path) -> Path:
    """What the command calls its result."""
    return folder / f"{source.stem}_xai.xml"


def _command() -> Path:
    """The command that is installed beside the Python that runs this."""
    return Path(sys.executable).parent / "ovxai-convert"


def _bin_size(xml: Path) -> int:
    return xml.with_suffix(".bin").stat().st_size
