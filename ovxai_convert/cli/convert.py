"""The command ``ovxai-convert``."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ovxai_convert.artifact.repository import ModelServer
from ovxai_convert.cli import console, options
from ovxai_convert.errors import OvxaiError
from ovxai_convert.insertion.request import DEFAULT_MAX_BRANCH_BYTES
from ovxai_convert.methods import WHITE_BOX_METHODS
from ovxai_convert.pipeline import ConversionReport, artifact_files, convert
from ovxai_convert.proof.framework import AUTO, FRAMEWORKS, NONE
from ovxai_convert.source.labels import read_labels
from ovxai_convert.vocabulary import SALIENCY_MAP

_METHODS = ["auto", *(method.name for method in WHITE_BOX_METHODS)]


@click.command("ovxai-convert", context_settings=console.SETTINGS)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=options.PATH)
@options.output_option("<name>.xml, .bin and .json")
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
@options.method_options
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
    type=options.PATH,
    help="Photograph to prove the conversion on, beside random inputs; may be repeated.",
)
@click.option(
    "--reference",
    type=click.Choice([AUTO, NONE, *FRAMEWORKS]),
    default=AUTO,
    show_default=True,
    help="Framework of the source, whose outputs OpenVINO's must equal; auto: if it is installed.",
)
@click.option("--require-whitebox", is_flag=True, help="Refuse a model in which no branch is possible.")
@options.image_options
@click.option(
    "--feature-vector", is_flag=True, help="One more output: the mean of the masked layer over its cells."
)
@click.option(
    "--name",
    metavar="NAME",
    help="Name of the files; {stem}, {folder} and {suffix} in it are the model's. Default: {stem}_xai.",
)
@click.option(
    "--repository",
    type=click.Choice([server.value for server in ModelServer]),
    help="Write the folder that this model server loads: NAME/1/model.xml and what belongs to it.",
)
@click.option(
    "--output-name",
    metavar="NAME",
    default=SALIENCY_MAP,
    show_default=True,
    help="Name of the map's output, where the model has one of this name already.",
)
@click.option("--force", is_flag=True, help="Replace files of these names that exist.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but warnings and errors.")
@click.version_option(package_name="ovxai-convert")
@console.quiet_libraries
def convert_command(
    models: Sequence[Path],
    output_dir: Path,
    method: str,
    classes: str | None,
    max_branch_memory: int,
    labels_file: Path | None,
    quiet: bool,
    **others: Any,
) -> None:
    """Give image classifiers an output that explains them.

    Every MODEL (OpenVINO IR, ONNX, or any format that OpenVINO reads) is written to the output folder as IR
    with one more output, saliency_map, beside a JSON file that describes it. The original outputs are proved
    to be unchanged before anything is written. Where no branch is possible, the model is written as it is,
    and the JSON file says to explain it as a black box.

    --labels, and the options on the answer and on how a photograph becomes the input (--multilabel to
    --resize-to), are recorded in the JSON file and in the model itself, for programs that show the map.

    Exit codes: 0 done, 2 usage, 3 not a readable model, 4 no branch possible, 5 verification failed,
    6 cannot write. With several models, the first failure's.
    """
    settings, hints = options.given_options(method, others), options.taken_hints(others)
    # What is left of the others are arguments of convert().
    signal.signal(signal.SIGTERM, console.interrupt_on_terminate)
    _check_distinct(models, output_dir, others["name"], others["repository"])
    exit_codes: list[int] = []
    for number, path in enumerate(models, start=1):
        if not quiet:
            click.echo(f"[{number}/{len(models)}] {path}: converting ...", err=True)
        report = None
        with console.Reported(path, exit_codes, "interrupted, nothing was written"):
            report = convert(
                path,
                output_dir,
                method=method,
                classes=None if classes is None else [name.strip() for name in classes.split(",")],
                max_branch_memory=max_branch_memory * 2**20,
                labels=None if labels_file is None else read_labels(labels_file),
                preprocessing=options.hints_of(**hints),
                **settings,
                **others,
            )
        if report is None:
            continue
        for warning in report.warnings:
            click.echo(f"Warning: {path}: {warning}", err=True)
        if not quiet:
            click.echo(_summary(report))
    if len(models) > 1 and not quiet:
        click.echo(f"{len(models) - len(exit_codes)} of {len(models)} converted", err=True)
    sys.exit(exit_codes[0] if exit_codes else 0)


def _check_distinct(models: Sequence[Path], output_dir: Path, name: str | None, server: str | None) -> None:
    kind = None if server is None else ModelServer(server)
    try:
        files = Counter(artifact_files(path, name, kind).xml for path in models)
    except OvxaiError as error:
        raise click.UsageError(f"--name: {error}") from None
    file, count = files.most_common(1)[0]
    if count > 1:
        advice = "name them apart, as by --name '{folder}_{stem}_{suffix}'"
        raise click.UsageError(f"{count} models would be written to {output_dir / file}; {advice}")


def _summary(report: ConversionReport) -> str:
    sidecar = report.sidecar
    target, proof = sidecar.target_layer, sidecar.verification
    outputs = "bit-exact" if all(check.bit_exact for check in proof.outputs) else "within tolerance"
    proved = f"outputs {outputs} on {proof.inputs} inputs"
    if target is None or proof.saliency_map is None:
        return f"{report.xml}: as it was, {proved}; to be explained by {sidecar.method}"
    where = f"'{target.name}' {console.shape_text(target.shape)} {target.layout}"
    checked = f"{proof.saliency_map.positions_checked} map cells checked"
    if proof.reference is not None:
        checked += f"; {proof.reference.runtime} gives the same outputs"
    return f"{report.xml}: {sidecar.method} at {where}; {proved}, {checked}"
