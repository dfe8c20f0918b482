"""The command ``ovxai-inspect``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ovxai_convert.cli.artifact_lines import artifact_lines
from ovxai_convert.cli.console import SETTINGS, print_error, quiet_libraries, shape_text
from ovxai_convert.cli.options import PATH
from ovxai_convert.errors import OvxaiError
from ovxai_convert.inspection import CandidateRow, Inspection, inspect_model
from ovxai_convert.mosaic.cost import readable

_SHOWN_CANDIDATES = 12


@click.command("ovxai-inspect", context_settings=SETTINGS)
@click.argument("model", type=PATH)
@click.option("--scores-output", metavar="NAME|INDEX", help="Output that holds the classes, if several may.")
@click.option(
    "--all", "show_all", is_flag=True, help=f"Show all candidates, not the last {_SHOWN_CANDIDATES}."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.version_option(package_name="ovxai-convert")
@quiet_libraries
def inspect_command(model: Path, scores_output: str | None, show_all: bool, as_json: bool) -> None:
    """Show where a branch could stand in MODEL, what auto would take, and why.

    Names in the table can be given to ovxai-convert --target-layer.
    """
    try:
        inspection = inspect_model(model, scores_output, priced=None if show_all else _SHOWN_CANDIDATES)
    except OvxaiError as error:
        print_error(error, model)
        sys.exit(error.exit_code)
    if as_json:
        click.echo(json.dumps(inspection.to_dict(), indent=2, sort_keys=True, ensure_ascii=False))
    else:
        click.echo("\n".join(_inspection_lines(inspection, None if show_all else _SHOWN_CANDIDATES)))


def _inspection_lines(inspection: Inspection, limit: int | None) -> list[str]:
    lines = [f"{inspection.file} ({inspection.format})"]
    if inspection.artifact is not None:
        return [*lines, *artifact_lines(inspection.artifact, inspection.doubts)]
    if inspection.scores is not None:
        scores = inspection.scores
        lines.append(
            f"scores:   '{scores.name}' {shape_text(scores.shape)}, {scores.class_count} classes, "
            f"final activation: {scores.activation}, output '{scores.output}'"
        )
    for row in inspection.methods:
        where = f" (at '{row.node}')" if row.node else ""
        lines.append(f"{row.method}: " + ("possible" if row.possible else f"refused: {row.reason}{where}"))
        lines += [f"    all copies are written out at {op}" for op in row.written_out]
    if inspection.refusal is not None:
        lines.append(f"no target: {inspection.refusal}")
    for output in dict.fromkeys(row.scores_output for row in inspection.candidates):
        rows = [row for row in inspection.candidates if row.scores_output == output]
        option = "" if inspection.scores is not None else f" with --scores-output {output}"
        what = f"candidates for --target-layer{option}, the nearest to the scores first"
        lines += ["", f"{what}, with what a branch adds:", *_table(rows[:limit])]
        if limit is not None and len(rows) > limit:
            lines.append(f"... and {len(rows) - limit} more (--all)")
    return lines


def _table(rows: Sequence[CandidateRow]) -> list[str]:
    cells = [("", "name", "type", "shape", "layout", "method", "MACs", "memory", "note")]
    cells += [
        (
            "->" if row.chosen else "",
            row.name,
            row.type,
            shape_text(row.shape),
            row.layout or "-",
            row.method or "-",
            "-" if row.macs_share is None else f"{100 * row.macs_share:.1f} %",
            "-" if row.peak_bytes is None else readable(row.peak_bytes),
            row.note,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
