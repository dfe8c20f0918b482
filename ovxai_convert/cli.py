"""The commands ``ovxai-convert`` and ``ovxai-inspect``; the only place that prints or exits."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from ovxai_convert.errors import OvxaiError, RefusedError
from ovxai_convert.graph.cost import readable
from ovxai_convert.insertion import DEFAULT_MAX_BRANCH_BYTES
from ovxai_convert.inspection import CandidateRow, Inspection, inspect_model
from ovxai_convert.pipeline import ConversionReport, convert
from ovxai_convert.vocabulary import Method

_SHOWN_CANDIDATES = 12
_METHODS = ["auto", *(method.value for method in Method)]
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.command("ovxai-convert", context_settings=_SETTINGS)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output-dir",
    default=".",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder for <stem>_xai.xml, .bin and .json; made if missing.",
)
@click.option("--method", type=click.Choice(_METHODS), default="auto", show_default=True, help="XAI method.")
@click.option("--target-layer", metavar="NAME[:PORT]", help="Layer to mask; default: the last feature map.")
@click.option("--scores-output", metavar="NAME|INDEX", help="Output that holds the classes, if several may.")
@click.option(
    "--embed-scaling/--no-embed-scaling",
    default=True,
    show_default=True,
    help="Scale each map to 0..255 (u8) inside the model, or output raw scores.",
)
@click.option(
    "--classes", metavar="A,B,...", help="Maps of these classes only, by index or label; default: all."
)
@click.option("--top-k", type=click.IntRange(min=1), help="Maps of the K best classes of each input only.")
@click.option(
    "--max-branch-memory",
    metavar="MIB",
    type=click.IntRange(min=1),
    default=DEFAULT_MAX_BRANCH_BYTES // 2**20,
    show_default=True,
    help="Refuse a branch that needs more than this at once.",
)
@click.option("--exact", is_flag=True, help="Refuse if an original output cannot stay bit-exact.")
@click.option(
    "--verify-with",
    metavar="IMAGE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Photograph to prove the conversion on, beside random inputs; may be repeated.",
)
@click.option("--force", is_flag=True, help="Replace files of these names that exist.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but warnings and errors.")
@click.version_option(package_name="ovxai-convert")
def convert_command(
    models: Sequence[Path],
    output_dir: Path,
    method: str,
    target_layer: str | None,
    scores_output: str | None,
    embed_scaling: bool,
    classes: str | None,
    top_k: int | None,
    max_branch_memory: int,
    exact: bool,
    verify_with: Sequence[Path],
    force: bool,
    quiet: bool,
) -> None:
    """Give image classifiers an output that explains them.

    Every MODEL (OpenVINO IR, ONNX, or any format that OpenVINO reads) is written to the output folder as IR
    with one more output, saliency_map, beside a JSON file that describes it. The original outputs are proved
    to be unchanged before anything is written.

    Exit codes: 0 done, 2 usage, 3 not a readable model, 4 no branch possible, 5 verification failed,
    6 cannot write. With several models, the first failure's.
    """
    signal.signal(signal.SIGTERM, _terminate)
    _check_distinct(models, output_dir)
    exit_codes = []
    for number, path in enumerate(models, start=1):
        if not quiet:
            click.echo(f"[{number}/{len(models)}] {path}: converting ...", err=True)
        try:
            report = convert(
                path,
                output_dir,
                method=method,
                target_layer=target_layer,
                scores_output=scores_output,
                embed_scaling=embed_scaling,
                classes=None if classes is None else [each.strip() for each in classes.split(",")],
                top_k=top_k,
                max_branch_memory=max_branch_memory * 2**20,
                exact=exact,
                force=force,
                verify_with=verify_with,
            )
        except OvxaiError as error:
            _print_error(error, path)
            exit_codes.append(error.exit_code)
        except KeyboardInterrupt:
            click.echo(f"Error: {path}: interrupted, nothing was written", err=True)
            sys.exit(130)
        else:
            for warning in report.warnings:
                click.echo(f"Warning: {path}: {warning}", err=True)
            if not quiet:
                click.echo(_summary(report))
    if len(models) > 1 and not quiet:
        click.echo(f"{len(models) - len(exit_codes)} of {len(models)} converted", err=True)
    sys.exit(exit_codes[0] if exit_codes else 0)


@click.command("ovxai-inspect", context_settings=_SETTINGS)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--scores-output", metavar="NAME|INDEX", help="Output that holds the classes, if several may.")
@click.option(
    "--all", "show_all", is_flag=True, help=f"Show all candidates, not the last {_SHOWN_CANDIDATES}."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.version_option(package_name="ovxai-convert")
def inspect_command(model: Path, scores_output: str | None, show_all: bool, as_json: bool) -> None:
    """Show where a branch could stand in MODEL, what auto would take, and why.

    Names in the table can be given to ovxai-convert --target-layer.
    """
    try:
        found = inspect_model(model, scores_output, priced=None if show_all else _SHOWN_CANDIDATES)
    except OvxaiError as error:
        _print_error(error, model)
        sys.exit(error.exit_code)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, sort_keys=True, ensure_ascii=False))
    else:
        click.echo("\n".join(_inspection_lines(found, None if show_all else _SHOWN_CANDIDATES)))


def _terminate(number: int, frame: FrameType | None) -> None:
    """Leave on SIGTERM the way Ctrl-C does, so that temporary files are removed."""
    raise KeyboardInterrupt


def _check_distinct(models: Sequence[Path], output_dir: Path) -> None:
    stem, count = Counter(path.stem for path in models).most_common(1)[0]
    if count > 1:
        raise click.UsageError(f"{count} models would be written to {output_dir / f'{stem}_xai.xml'}")


def _print_error(error: OvxaiError, path: Path) -> None:
    text = " ".join(str(error).split())
    where = "" if text.startswith(str(path)) else f"{path}: "
    hint = f"; 'ovxai-inspect {path}' shows what was found" if isinstance(error, RefusedError) else ""
    click.echo(f"Error: {where}{text}{hint}", err=True)


def _summary(report: ConversionReport) -> str:
    sidecar = report.sidecar
    target, proof = sidecar.target_layer, sidecar.verification
    assert target is not None, "a white-box conversion has a target"
    outputs = "bit-exact" if all(check.bit_exact for check in proof.outputs) else "within tolerance"
    cells = proof.saliency_map.positions_checked
    return (
        f"{report.xml}: {sidecar.method} at '{target.name}' {_shape(target.shape)} {target.layout}; "
        f"outputs {outputs} on {proof.inputs} inputs, {cells} map cells checked"
    )


def _inspection_lines(found: Inspection, limit: int | None) -> list[str]:
    lines = [f"{found.file} ({found.format})"]
    if found.converted:
        lines.append("converted: it already has an output 'saliency_map'")
    if found.scores is not None:
        scores = found.scores
        lines.append(
            f"scores:   '{scores.name}' {_shape(scores.shape)}, {scores.class_count} classes, "
            f"final activation: {scores.activation}, output '{scores.output}'"
        )
    for row in found.methods:
        where = f" (at '{row.node}')" if row.node else ""
        lines.append(f"{row.method}: " + ("possible" if row.possible else f"refused: {row.reason}{where}"))
    if found.refusal is not None:
        lines.append(f"no target: {found.refusal}")
    shown = found.candidates[:limit]
    if shown:
        lines += [
            "",
            "candidates for --target-layer, the nearest to the scores first, with what a branch adds:",
        ]
        lines += _table(shown)
    if len(shown) < len(found.candidates):
        lines.append(f"... and {len(found.candidates) - len(shown)} more (--all)")
    return lines


def _table(rows: Sequence[CandidateRow]) -> list[str]:
    cells = [("", "name", "type", "shape", "layout", "MACs", "memory", "note")]
    cells += [
        (
            "->" if row.chosen else "",
            row.name,
            row.type,
            _shape(row.shape),
            row.layout or "-",
            "-" if row.macs_share is None else f"{100 * row.macs_share:.1f} %",
            "-" if row.peak_bytes is None else readable(row.peak_bytes),
            row.note,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]


def _shape(shape: Sequence[int]) -> str:
    return "[" + ",".join("?" if extent < 0 else str(extent) for extent in shape) + "]"
