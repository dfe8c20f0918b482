"""Runs the benchmark: `python -m benchmarks.run`; the report on stdout, progress on stderr."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from benchmarks.catalogue import NETWORKS, Network
from benchmarks.environments import ANCESTOR, ensure
from benchmarks.failures import BenchmarkError
from benchmarks.goals import GOALS
from benchmarks.measuring import measure_network
from benchmarks.obtaining import obtain
from benchmarks.report import report, short_line
from benchmarks.results import Failure, Row


@click.command()
@click.option("--models", metavar="A,B", help="Networks to measure; default: all. 'list' prints their names.")
@click.option("--seconds", default=10.0, show_default=True, help="How long each pair of models runs in turn.")
@click.option("--skip-ancestor", is_flag=True, help="Measure this project only.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write all here too."
)
def main(models: str | None, seconds: float, skip_ancestor: bool, json_file: Path | None) -> None:
    """Measure converted models against their originals, and against the package openvino-xai 1.1.0."""
    if models == "list":
        click.echo("\n".join(f"{network.key:20s}{network.title}, {network.kind}" for network in NETWORKS))
        return
    networks = _chosen(models)
    try:
        obtain(networks)
    except BenchmarkError as error:
        raise click.ClickException(str(error)) from error
    ancestor = None if skip_ancestor else _ancestor()
    rows: list[Row] = []
    for number, network in enumerate(networks, start=1):
        row = measure_network(network, seconds, ancestor)
        click.echo(f"[{number}/{len(networks)}] {short_line(row)}", err=True)
        rows.append(row)
        if json_file is not None:  # after each, so that an interrupted run is not lost
            json_file.write_text(_as_json(rows, seconds), encoding="utf-8")
    click.echo(report(rows))


def _chosen(models: str | None) -> list[Network]:
    if models is None:
        return list(NETWORKS)
    names = [name.strip() for name in models.split(",") if name.strip()]
    known = [network.key for network in NETWORKS]
    if not names or (unknown := [name for name in names if name not in known]):
        what = f"no network {', '.join(unknown)}" if names else "no network is named"
        raise click.BadParameter(f"{what}; there are {', '.join(known)}", param_hint="--models")
    return [network for network in NETWORKS if network.key in names]


def _ancestor() -> str | Failure:
    try:
        return ensure(ANCESTOR)
    except BenchmarkError as error:
        return Failure("environment", str(error))


def _as_json(rows: Sequence[Row], seconds: float) -> str:
    content = {
        "machine": {"cpus": os.cpu_count(), "processor": platform.machine(), "system": platform.platform()},
        "seconds": seconds,
        "rows": [asdict(row) for row in rows],
        "goals": [asdict(goal(rows)) for goal in GOALS],
    }
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    main()
