"""Measures converted ONNX files in ONNX Runtime: `python -m benchmarks.onnx_run`; the report on stdout."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click

from benchmarks.catalogue import CACHE, NETWORKS, ROOT, Kind, Network
from benchmarks.failures import BenchmarkError
from benchmarks.goals import Verdict, geometric_mean
from benchmarks.measured_process import run_measured
from benchmarks.obtaining import obtain
from benchmarks.report import verdicts_table
from benchmarks.results import Failure, Latency

_GEOMETRIC_MEAN: Final = 1.15
_VIT_LATENCY: Final = 1.2
_GROWTH: Final = 64 * 1024
_ROW: Final = "| {} | {} | {} | {} | {} | {} | {} | {} |"
_HEADINGS: Final = (
    "network",
    "latency",
    "processor time",
    "nodes",
    "bytes",
    "described in",
    "outputs",
    "original, ms",
)


@dataclass(frozen=True)
class Measured:
    """One converted ONNX file.

    Attributes:
        latency: beside its source, in ONNX Runtime.
        processor: the same by the processor's time on one thread.
        nodes: how many were added.
        grown: bytes that nodes and constants add.
        described: bytes that metadata add.
    """

    latency: Latency
    processor: Latency
    nodes: int
    grown: int
    described: int


@dataclass(frozen=True)
class Row:
    """One network."""

    network: Network
    found: Measured | Failure


@click.command()
@click.option("--models", metavar="A,B", help="Networks to measure; default: all. 'list' prints their names.")
@click.option("--seconds", default=10.0, show_default=True, help="How long what is compared runs in turn.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write all here too."
)
def main(models: str | None, seconds: float, json_file: Path | None) -> None:
    """Measure ONNX files with a branch beside their sources, in ONNX Runtime on two threads."""
    if models == "list":
        click.echo("\n".join(f"{network.key:20s}{network.title}" for network in NETWORKS))
        return
    networks = _chosen(models)
    try:
        obtain(networks)
    except BenchmarkError as error:
        raise click.ClickException(str(error)) from error
    rows: list[Row] = []
    for number, network in enumerate(networks, start=1):
        rows.append(Row(network, _measured(network, seconds)))
        click.echo(f"[{number}/{len(networks)}] {_cells(rows[-1])}", err=True)
        if json_file is not None:
            told = [{"network": row.network.key, **asdict(row.found)} for row in rows]
            json_file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    click.echo("\n\n".join([_table(rows), verdicts_table(verdicts(rows))]))


def verdicts(rows: Sequence[Row]) -> list[Verdict]:
    """The goals of ONNX files; one that was not converted misses them."""
    pooled = [row for row in rows if row.network.kind is Kind.POOLED_CNN]
    vit = [row for row in rows if row.network.key == "vit_b16"]
    growths = [row.found.grown for row in rows if isinstance(row.found, Measured)]
    growth = f"growth of the file without its description <= {_GROWTH // 1024} KiB"
    largest = f"at most {max(growths):,} B" if growths else "not measured"
    return [
        _mean(f"mean-pooled CNNs, geometric mean <= {_GEOMETRIC_MEAN}", pooled, _GEOMETRIC_MEAN),
        _mean(f"ViT-B/16 <= {_VIT_LATENCY}", vit, _VIT_LATENCY),
        Verdict(growth, largest, max(growths) <= _GROWTH if growths else None),
    ]


def _mean(what: str, rows: Sequence[Row], bar: float) -> Verdict:
    goal = f"latency with branch / without in ONNX Runtime, {what}"
    ratios = [row.found.latency.ratio.median for row in rows if isinstance(row.found, Measured)]
    failed = [row.network.title for row in rows if isinstance(row.found, Failure)]
    if not rows:
        return Verdict(goal, "not measured", None)
    complaint = f"not converted: {', '.join(failed)}" if failed else ""
    if not ratios:
        return Verdict(goal, complaint, False)
    mean = geometric_mean(ratios)
    spent = [row.found.processor.ratio.median for row in rows if isinstance(row.found, Measured)]
    found = f"{mean:.3f} over {len(ratios)}, of processor time {geometric_mean(spent):.3f}" + (
        f"; {complaint}" if failed else ""
    )
    return Verdict(goal, found, mean <= bar and not failed)


def _measured(network: Network, seconds: float) -> Measured | Failure:
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="run-") as name:
        folder, source = Path(name).relative_to(ROOT), network.file.relative_to(ROOT)
        command: list[str | Path] = [Path(sys.executable).parent / "ovxai-convert", source, "--quiet"]
        finished = run_measured([*command, "--format", "onnx", "--method", network.method, "-o", folder])
        if finished.exit_code != 0:
            return Failure("conversion", finished.reason)
        converted = folder / f"{source.stem}_xai.onnx"
        told = json.loads((ROOT / converted).with_suffix(".json").read_text(encoding="utf-8"))["onnx"]
        worker: list[str | Path] = [sys.executable, "-m", "benchmarks.onnx_latency", source, converted]
        worker += ["--seconds", str(seconds)]
        runs = [run_measured(worker), run_measured([*worker, "--processor-time"])]
        if broken := next((run for run in runs if run.exit_code != 0), None):
            return Failure("running", broken.reason)
        latency, processor = (json.loads(run.stdout) for run in runs)
        described = latency["described"]
        times = Latency.from_dict(latency["latency"]), Latency.from_dict(processor["latency"])
        return Measured(*times, told["nodes_added"], told["bytes_added"] - described, described)


def _table(rows: Sequence[Row]) -> str:
    lines = [_ROW.format(*_HEADINGS), "| --- |" + " ---: |" * (len(_HEADINGS) - 1)]
    return "\n".join([*lines, *map(_cells, rows)])


def _cells(row: Row) -> str:
    found = row.found
    if isinstance(found, Failure):
        return _ROW.format(row.network.title, f"{found.step} failed: {found.reason}", *[""] * 6)
    latency = found.latency
    ratios = map(_spread, (latency, found.processor))
    outputs = "bit-exact" if latency.bit_exact else f"moved by {latency.max_abs_diff:.1e}"
    sizes = f"{found.grown:,}", f"{found.described:,}"
    original = f"{latency.original_ms.median:.2f}"
    return _ROW.format(row.network.title, *ratios, found.nodes, *sizes, outputs, original)


def _spread(latency: Latency) -> str:
    ratio = latency.ratio
    return f"{ratio.median:.3f} [{ratio.lower:.2f}, {ratio.upper:.2f}]"


def _chosen(models: str | None) -> list[Network]:
    names = [name.strip() for name in (models or "").split(",") if name.strip()]
    known = {network.key for network in NETWORKS}
    if unknown := set(names) - known:
        what = f"no network {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
        raise click.BadParameter(what, param_hint="--models")
    return [network for network in NETWORKS if not names or network.key in names]


if __name__ == "__main__":
    main()
