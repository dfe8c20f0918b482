"""Runs the coverage bench: `python -m benchmarks.coverage.run`; the report on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

import click

from benchmarks.coverage.catalogue import ARCHITECTURES, FOLDER, Architecture
from benchmarks.coverage.report import report, short_line
from benchmarks.coverage.results import Outcome, Result
from benchmarks.coverage.trying import converter_digest, file_digest, try_architecture
from benchmarks.environments import COVERAGE
from benchmarks.exporting import Exporter
from benchmarks.failures import BenchmarkError

_RESULTS = FOLDER / "results"
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--models", metavar="A,B", help="Keys or patterns (timm-*); default: all. 'list' prints them.")
@click.option("--report", "report_file", type=_FILE, help="Write the report here, and as JSON beside it.")
@click.option(
    "--converter", type=_FILE, default=Path(sys.executable).parent / "ovxai-convert", help="Another command."
)
@click.option("--method", default="auto", show_default=True, help="What the converter is asked for.")
@click.option("--seconds", default=1.0, show_default=True, help="How long each pair of models runs in turn.")
@click.option("--again", is_flag=True, help="Convert again what this code has converted already.")
@click.option("--older", is_flag=True, help="Report results of older code rather than convert again.")
def main(
    models: str | None,
    report_file: Path | None,
    converter: Path,
    method: str,
    seconds: float,
    *,
    again: bool,
    older: bool,
) -> None:
    """Export many architectures, convert each, check each apart from the converter, and say how it went."""
    if models == "list":
        click.echo("\n".join(f"{key:60s}{each.exporter}" for key, each in ARCHITECTURES.items()))
        return
    chosen = _chosen(models)
    exporter = Exporter(COVERAGE, "benchmarks.coverage.export", FOLDER / "not_exported.json")
    try:
        for key, reason in exporter.export_missing(chosen):
            click.echo(f"exported {key}" if reason is None else f"{key}  not exported  {reason}", err=True)
    except BenchmarkError as error:
        raise click.ClickException(str(error)) from error
    failed, results = exporter.failed(), list[Result]()
    for number, architecture in enumerate(chosen, start=1):
        result = None if again else _remembered(architecture, converter, method, older=older)
        if result is None:
            if architecture.file.is_file():
                result = try_architecture(architecture, converter, method, seconds)
                _remember(result, method)
            else:
                reason = failed.get(architecture.key, "")
                result = Result(architecture.key, "", "", Outcome.NOT_EXPORTED, reason)
            click.echo(f"[{number}/{len(chosen)}] {short_line(result)}", err=True)
        results.append(result)
        if report_file is not None:  # after each, so that an interrupted run is not lost
            _write(report_file, results)
    click.echo(report(results))


def _chosen(models: str | None) -> list[Architecture]:
    if models is None:
        return list(ARCHITECTURES.values())
    patterns = [name.strip() for name in models.split(",") if name.strip()]
    for pattern in patterns:
        if not any(fnmatchcase(key, pattern) for key in ARCHITECTURES):
            raise click.BadParameter(f"no key fits {pattern}; 'list' prints them", param_hint="--models")
    fitting = (key for key in ARCHITECTURES if any(fnmatchcase(key, pattern) for pattern in patterns))
    return [ARCHITECTURES[key] for key in fitting]


def _remembered(architecture: Architecture, converter: Path, method: str, *, older: bool) -> Result | None:
    """The stored result of an architecture, if it is of the same file and, unless `older`, the same code."""
    path = _result_file(architecture.key, method)
    if not path.is_file():
        return None
    result = Result.from_dict(json.loads(path.read_text(encoding="utf-8")))
    same_code = older or result.converter == converter_digest(converter)
    return result if same_code and result.model == file_digest(architecture) else None


def _remember(result: Result, method: str) -> None:
    path = _result_file(result.key, method)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")


def _result_file(key: str, method: str) -> Path:
    return _RESULTS / method / f"{key}.json"


def _write(report_file: Path, results: Sequence[Result]) -> None:
    report_file.write_text(report(results), encoding="utf-8")
    content = json.dumps([asdict(each) for each in results], indent=2) + "\n"
    report_file.with_suffix(".json").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
