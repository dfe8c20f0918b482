"""The command ``ovxai-convert``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ovxai_convert.artifact.repository import ModelServer, artifact_files
from ovxai_convert.cli import boundary, choices, console, options
from ovxai_convert.cli.conversion_facts import failed_conversion
from ovxai_convert.errors import OvxaiError
from ovxai_convert.vocabulary import SALIENCY_MAP, OutputFormat


@click.command("ovxai-convert", cls=console.Command, context_settings=console.SETTINGS)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=options.PATH)
@options.output_option("<name>.xml, .bin and .json")
@options.task_option
@click.option(
    "--method",
    type=click.Choice(["auto", *choices.WHITE_BOX]),
    default="auto",
    show_default=True,
    help="XAI method.",
)
@click.option(
    "--target-layer",
    metavar="NAME[:PORT]",
    multiple=True,
    help="Layer to mask; default: the last feature map. Of a detector, may be repeated: its class heads.",
)
@click.option(
    "--scores-output",
    metavar="NAME|INDEX,...",
    help="Output that holds the classes, if several may; or several, each of which gets a map.",
)
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
    default=choices.MAX_BRANCH_MIB,
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
    type=click.Choice(["auto", "none", *choices.REFERENCES]),
    default="auto",
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
    "--format",
    "output_format",
    type=click.Choice([form.value for form in OutputFormat]),
    default=OutputFormat.IR.value,
    show_default=True,
    help="Write OpenVINO IR, or an ONNX file as the ONNX file that it is, with the branch as ONNX nodes.",
)
@click.option(
    "--output-name",
    metavar="NAME",
    default=SALIENCY_MAP,
    show_default=True,
    help="Name of the map's output, where the model has one of this name already.",
)
@click.option("--force", is_flag=True, help="Replace files of these names that exist.")
@options.pixels_option
@options.limit_options
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print a JSON object for each model, one a line, and nothing else.",
)
@options.quiet_option
@click.version_option(package_name="ovxai-convert")
def convert_command(
    models: Sequence[Path], output_dir: Path, method: str, limits: boundary.Limits, **others: Any
) -> None:
    """Give image classifiers and detectors an output that explains them.

    Every MODEL (OpenVINO IR, ONNX, or any format that OpenVINO reads) is written to the output folder as IR
    with one more output, saliency_map, beside a JSON file that describes it. The original outputs are proved
    to be unchanged before anything is written. An ONNX file stays one with --format onnx. Where no branch is
    possible, the model is written as it is, and the JSON file says to explain it as a black box.

    --labels, and the options on the answer and on how a photograph becomes the input (--multilabel to
    --levels), are recorded in the JSON file and in the model itself, for programs that show the map.

    Exit codes: 0 done, 2 usage, 3 not a readable model, 4 no branch possible, 5 verification failed,
    6 cannot write, 70 unforeseen. With several models, the first failure's.
    """
    settings = options.given_options(method, others)
    _check_distinct(models, output_dir, others["name"], others["repository"], others["output_format"])
    boundary.supervise(
        "convert",
        {"models": models, "output_dir": output_dir, "method": method, "settings": settings, **others},
        models,
        models[0],
        limits,
        _print_both if others["as_json"] else console.print_broken_off,
        boundary.tidying(output_dir),
    )


def _print_both(reason: str, path: Path | str, exit_code: int) -> None:
    """On stderr for people, and as an object for programs."""
    console.print_broken_off(reason, path, exit_code)
    console.say_json(failed_conversion(path, reason, exit_code))


def _check_distinct(
    models: Sequence[Path], output_dir: Path, name: str | None, server: str | None, form: str
) -> None:
    kind = None if server is None else ModelServer(server)
    try:
        files = Counter(artifact_files(path, name, kind, OutputFormat(form)).models[0] for path in models)
    except OvxaiError as error:
        raise click.UsageError(f"--name: {error}") from None
    file, count = files.most_common(1)[0]
    if count > 1:
        advice = "name them apart, as by --name '{folder}_{stem}_{suffix}'"
        raise click.UsageError(f"{count} models would be written to {output_dir / file}; {advice}")
