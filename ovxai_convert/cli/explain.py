"""The command ``ovxai-explain``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from ovxai_convert.cli import boundary, choices, console, options


def _side(text: str) -> int | None:
    try:
        side = 0 if text == "none" else int(text)
    except ValueError:
        side = -1
    if side < 0:
        raise click.BadParameter(f"'{text}' is neither a number of pixels nor none")
    return side or None


@click.command("ovxai-explain", cls=console.Command, context_settings=console.SETTINGS)
@click.argument("model", metavar="ARTIFACT_OR_MODEL", type=options.PATH)
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option("-r", "--recursive", is_flag=True, help="Of folders, also the photographs in those below.")
@options.output_option("<image>_<class>.png")
@click.option(
    "--targets",
    metavar="A,B,...|topN|above:P|all",
    help="Classes to explain, by index or label; default: the model's answer.",
)
@click.option(
    "--mode",
    type=click.Choice(choices.MODES),
    default="auto",
    show_default=True,
    help="By a branch in the model, as a black box, or what is possible.",
)
@click.option("--method", type=click.Choice([*choices.WHITE_BOX, *choices.BLACK_BOX]), help="XAI method.")
@options.task_option
@click.option(
    "--boxes",
    metavar="1,2,...|topN|all",
    help="Explain these boxes of a detector, the best first, each by itself.",
)
@click.option(
    "--target-layer",
    metavar="NAME[:PORT]",
    multiple=True,
    help="Layer to mask, in a model without a branch; of a detector, may be repeated: its class heads.",
)
@click.option(
    "--scores-output",
    metavar="NAME|INDEX,...",
    help="Output that holds the classes, or several; default: all that the artifact has maps of.",
)
@options.device_option
@options.image_options
@options.bands_option
@options.mask_options
@click.option("--seed", type=click.IntRange(min=0), help="RISE: of the random masks.")
@click.option(
    "--overlay-weight",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="How strongly the map covers the photograph.",
)
@click.option(
    "--colormap",
    type=click.Choice(choices.COLORMAPS),
    default=choices.COLORMAPS[0],
    show_default=True,
    help="Colours of the map; those from viridis on have equal steps, cividis also for the colour-blind.",
)
@click.option(
    "--max-side",
    metavar="N|none",
    type=_side,
    default=str(choices.MAX_SIDE),
    show_default=True,
    help="Longest side of a picture, in pixels; none: as the photograph.",
)
@click.option(
    "--image-format",
    type=click.Choice(choices.IMAGE_FORMATS),
    default=choices.IMAGE_FORMATS[0],
    show_default=True,
    help="Of the pictures; png loses nothing, the others are several times smaller.",
)
@click.option(
    "--caption/--no-caption",
    default=True,
    show_default=True,
    help="Whether a strip below each picture tells class, score and colours.",
)
@click.option(
    "--pictures/--no-pictures",
    "with_pictures",
    default=True,
    show_default=True,
    help="Whether to write pictures.",
)
@click.option("--raw", is_flag=True, help="Write each map as it is too, as .npy.")
@options.report_option
@click.option(
    "--table",
    metavar="FILE",
    type=options.PATH,
    help="Write a row for each map, with it: .jsonl, .csv or .parquet.",
)
@click.option("--resume", is_flag=True, help="Go on where the table ends; what has changed is done again.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON lines, and nothing else.")
@click.option(
    "--truth",
    metavar="auto|folder|none|FILE.csv",
    default="auto",
    show_default=True,
    help="What photographs show, for the table: their folders' names, where they are labels (auto) or "
    "indices, too (folder); or a file of paths and classes.",
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    help="Photographs explained at once, or with --engine ray workers; default: by the processors.",
)
@click.option(
    "--engine",
    type=click.Choice(choices.ENGINES),
    default=choices.ENGINES[0],
    show_default=True,
    help="What explains photographs: this process, or workers on a cluster of Ray's.",
)
@click.option(
    "--ray-address",
    metavar="auto|HOST:PORT|...",
    help="The cluster of --engine ray; default: one of this machine, for this run.",
)
@options.pixels_option
@options.limit_options
@options.quiet_option
@click.version_option(package_name="ovxai-convert")
def explain_command(
    model: Path, images: Sequence[str], output_dir: Path, limits: boundary.Limits, **others: Any
) -> None:
    """Show what a classifier or a detector saw in photographs.

    The model is one that ovxai-convert wrote, or any other that OpenVINO reads. Each IMAGE is laid under the
    map of each class in question: red, in the default colours, is where the model saw it. Each map is scaled
    by itself, so that it tells where and not how much: how sure the model is, the strip below it tells.

    An IMAGE is a file, a folder of photographs, a glob in quotation marks, @FILE or - for a list of paths,
    one a line, or a URL. Pictures of what lies in folders lie in folders of the same names.

    How a photograph becomes the input is said by the options --preprocess to --levels; what they leave open,
    by the artifact's JSON file, then by the model's own metadata; what nobody says is assumed, and printed.

    Exit codes: 0 done, 2 usage, 3 not a readable model or image, 4 no classifier or no branch,
    6 cannot write, 70 unforeseen. With several images, the first failure's.
    """
    _check(others)
    _check_engine(others, limits)
    listed = sys.stdin.buffer.read() if "-" in images else b""
    told = {"model": model, "images": images, "listed": listed, "output_dir": output_dir, **others}
    # a report is of all photographs also where a child takes the place of another
    lacks_table = others["report"] is not None and others["table"] is None
    with tempfile.TemporaryDirectory(prefix="ovxai-") if lacks_table else nullcontext() as folder:
        boundary.supervise(
            "explain",
            {**told, "spare_table": None if folder is None else Path(folder) / "rows.jsonl"},
            None,
            model,
            limits,
            console.print_broken_off,
            boundary.tidying(output_dir),
        )


def _check(told: Mapping[str, Any]) -> None:
    """Raise a click.UsageError for options that make no sense together."""
    if told["resume"] and told["table"] is None:
        raise click.UsageError("--resume: name the table to go on with, by --table")
    if not told["with_pictures"] and told["report"] is not None:
        raise click.UsageError("--report shows the pictures, which --no-pictures leaves out")
    if not any(told[name] for name in ("with_pictures", "raw", "table", "as_json")):
        raise click.UsageError("--no-pictures leaves nothing to be made; name a --table, or --json")


def _check_engine(told: Mapping[str, Any], limits: boundary.Limits) -> None:
    """The same of options that say where photographs are explained."""
    if told["engine"] != "ray":
        if told["ray_address"] is not None:
            raise click.UsageError("--ray-address is that of a cluster; say --engine ray, too")
        return
    for name, limit in (("timeout", limits.seconds), ("memory", limits.mebibytes)):
        if limit is not None:
            raise click.UsageError(f"--{name} limits this process, and not the workers of --engine ray")
