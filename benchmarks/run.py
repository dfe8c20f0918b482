"""Runs the benchmark: `python -m benchmarks.run`; the report on stdout, progress on stderr."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from benchmarks.blackbox.cases import CASES, MODEL_KEY
from benchmarks.blackbox.goals import method_verdicts
from benchmarks.blackbox.measuring import measure_case
from benchmarks.blackbox.report import method_report, short_method_line
from benchmarks.blackbox.results import MethodRow
from benchmarks.catalogue import NETWORKS, Network
from benchmarks.environments import ANCESTOR, ensure
from benchmarks.failures import BenchmarkError
from benchmarks.goals import GOALS, Verdict
from benchmarks.measuring import measure_network
from benchmarks.obtaining import obtain
from benchmarks.report import report, short_line, verdicts_table
from benchmarks.results import Failure, Row


@click.command()
@click.option("--models", metavar="A,B", help="Networks to measure; default: all. 'list' prints their names.")
@click.option(
    "--only",
    type=click.Choice(["whitebox", "blackbox"]),
    help="Converted models only, or the black-box methods only, which explain one network.",
)
@click.option("--seconds", default=10.0, show_default=True, help="How long what is compared runs in turn.")
@click.option("--skip-ancestor", is_flag=True, help="Measure this project only.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write all here too."
)
def main(
    models: str | None, only: str | None, seconds: float, skip_ancestor: bool, json_file: Path | None
) -> None:
    """Measure converted models against their originals, black-box methods against the device alone.

    Both against the package openvino-xai 1.1.0, too.
    """
    if models == "list":
        click.echo("\n".join(f"{network.key:20s}{network.title}, {network.kind}" for network in NETWORKS))
        return
    networks = _chosen(models)
    cases = CASES if only != "whitebox" and any(each.key == MODEL_KEY for each in networks) else ()
    if only == "blackbox":
        if not cases:
            raise click.BadParameter(f"black-box methods explain {MODEL_KEY} only", param_hint="--models")
        networks = [network for network in networks if network.key == MODEL_KEY]
    try:
        obtain(networks)
    except BenchmarkError as error:
        raise click.ClickException(str(error)) from error
    ancestor = None if skip_ancestor else _ancestor()
    found = _Found(seconds, json_file)
    if only != "blackbox":
        for number, network in enumerate(networks, start=1):
            found.rows.append(measure_network(network, seconds, ancestor))
            found.keep(f"[{number}/{len(networks)}] {short_line(found.rows[-1])}")
    for number, case in enumerate(cases, start=1):
        found.methods.append(measure_case(case, seconds, ancestor))
        found.keep(f"[{number}/{len(cases)}] {short_method_line(found.methods[-1])}")
    parts = [report(found.rows)] if found.rows else []
    parts += [method_report(found.methods)] if found.methods else []
    click.echo("\n\n".join([*parts, verdicts_table(found.verdicts())]))


@dataclass
class _Found:
    """What has been measured until now."""

    seconds: float
    json_file: Path | None
    rows: list[Row] = field(default_factory=list)
    methods: list[MethodRow] = field(default_factory=list)

    def verdicts(self) -> list[Verdict]:
        """Of the goals that were asked about."""
        converted = [goal(self.rows) for goal in GOALS] if self.rows else []
        return converted + (method_verdicts(self.methods) if self.methods else [])

    def keep(self, line: str) -> None:
        """Show a line, and write the file, so that an interrupted run is not lost."""
        click.echo(line, err=True)
        if self.json_file is not None:
            self.json_file.write_text(self._as_json(), encoding="utf-8")

    def _as_json(self) -> str:
        machine = {"cpus": os.cpu_count(), "processor": platform.machine(), "system": platform.platform()}
        content = {
            "machine": machine,
            "seconds": self.seconds,
            "rows": [asdict(row) for row in self.rows],
            "black_box": [asdict(row) for row in self.methods],
            "goals": [asdict(verdict) for verdict in self.verdicts()],
        }
        return json.dumps(content, indent=2, sort_keys=True) + "\n"


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


if __name__ == "__main__":
    main()
