"""One network through both converters: convert, count, run in turn."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.catalogue import CACHE, ROOT, TOP_K, Network
from benchmarks.convert_ours import convert_best_classes, convert_ours, converted_by_ours
from benchmarks.measured_process import run_measured
from benchmarks.results import Conversion, Failure, Latency, Macs, Row, Side


def measure_network(network: Network, seconds: float, ancestor: str | Failure | None) -> Row:
    """Measure one network.

    Args:
        network: a network whose file is in the cache.
        seconds: how long each pair of models is run in turn.
        ancestor: the Python of the ancestor's environment, why there is none, or None to leave it out.
    """
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as name:
        ours = _measure_ours(network, seconds, Path(name).relative_to(ROOT))
    best_classes: Latency | Failure | None = None
    if isinstance(ours, Side) and network.classes > TOP_K:
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as name:
            best_classes = _measure_best_classes(network, seconds, Path(name).relative_to(ROOT))
    theirs: Side | Failure | None = None
    if ancestor is not None and network.beyond_ancestor:
        theirs = Failure("not tried", network.beyond_ancestor)
    elif isinstance(ancestor, Failure):
        theirs = ancestor
    elif ancestor is not None:
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as name:
            theirs = _measure_ancestor(network, seconds, Path(name).relative_to(ROOT), ancestor)
    return Row(
        network.key,
        network.title,
        network.kind.value,
        network.has_linear_head,
        ours,
        theirs,
        best_classes,
    )


def _measure_ours(network: Network, seconds: float, folder: Path) -> Side | Failure:
    source = network.file.relative_to(ROOT)  # short paths make short error messages
    conversion = convert_ours(source, network.method, folder)
    if isinstance(conversion, Failure):
        return conversion
    converted = converted_by_ours(source, folder)
    macs = _count_macs(source, converted)
    if isinstance(macs, Failure):
        return macs
    more_bytes = _compare_memory(source, converted)
    if isinstance(more_bytes, Failure):
        return more_bytes
    latency = _measure_latency(sys.executable, source, converted, seconds)
    return latency if isinstance(latency, Failure) else Side(conversion, latency, macs, more_bytes)


def _measure_best_classes(network: Network, seconds: float, folder: Path) -> Latency | Failure:
    source = network.file.relative_to(ROOT)
    failure = convert_best_classes(source, network.method, folder, TOP_K)
    if failure is not None:
        return failure
    return _measure_latency(sys.executable, source, converted_by_ours(source, folder), seconds)


def _measure_ancestor(network: Network, seconds: float, folder: Path, python: str) -> Side | Failure:
    source = network.ancestor_file.relative_to(ROOT)
    original, converted = folder / "original.xml", folder / "converted.xml"
    saved = run_measured([python, "-m", "benchmarks.read_compile_save", source, original])
    if saved.exit_code != 0:
        return Failure("reading and compiling", saved.reason)
    finished = run_measured([python, "-m", "benchmarks.convert_ancestor", source, converted, network.method])
    if finished.exit_code != 0:
        return Failure("conversion", finished.reason)
    sizes = [(ROOT / xml).with_suffix(".bin").stat().st_size for xml in (original, converted)]
    conversion = Conversion(finished.seconds, finished.peak_bytes, sizes[1] - sizes[0])
    latency = _measure_latency(python, source, converted, seconds)
    return latency if isinstance(latency, Failure) else Side(conversion, latency)


def _compare_memory(original: Path, converted: Path) -> int | Failure:
    peaks = []
    for model in (original, converted):
        finished = run_measured([sys.executable, "-m", "benchmarks.run_once", model])
        if finished.exit_code != 0:
            return Failure("running once", finished.reason)
        peaks.append(finished.peak_bytes)
    return peaks[1] - peaks[0]


def _count_macs(original: Path, converted: Path) -> Macs | Failure:
    finished = run_measured([sys.executable, "-m", "benchmarks.macs", original, converted])
    if finished.exit_code != 0:
        return Failure("counting operations", finished.reason)
    return Macs(**json.loads(finished.stdout))


def _measure_latency(python: str, original: Path, converted: Path, seconds: float) -> Latency | Failure:
    worker = [python, "-m", "benchmarks.latency"]
    finished = run_measured([*worker, original, converted, "--seconds", str(seconds)])
    if finished.exit_code != 0:
        return Failure("running", finished.reason)
    return Latency.from_dict(json.loads(finished.stdout))
