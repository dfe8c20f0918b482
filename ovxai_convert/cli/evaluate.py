"""The command ``ovxai-evaluate``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click

from ovxai_convert.cli import boundary, choices, console, options

_SUFFIXES: Final = (".jsonl", ".csv")


def _words(known: Sequence[str], *, none: bool = False) -> Callable[[str], tuple[str, ...]]:
    """What reads several of these words, between commas; with ``none`` also none of them."""

    def words(text: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",")))
        if none and found == ("none",):
            return ()
        for word in found:
            if word not in known:
                raise click.BadParameter(f"'{word}' is none of {', '.join(known)}")
        return found

    return words


def _table(text: str) -> Path:
    if Path(text).suffix.lower() not in _SUFFIXES:
        raise click.BadParameter(f"'{text}' ends neither with {' nor with '.join(_SUFFIXES)}")
    return Path(text)


@click.command("ovxai-evaluate", cls=console.Command, context_settings=console.SETTINGS)
@click.argument("model", metavar="ARTIFACT_OR_MODEL", type=options.PATH)
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option("--recursive", is_flag=True, help="Also the photographs of the folders in a folder.")
@click.option(
    "--also",
    metavar="MODEL",
    multiple=True,
    type=options.PATH,
    help="One more model, measured on the same photographs and classes; may be repeated.",
)
@click.option(
    "--methods",
    metavar="A,B,...|all",
    type=_words(["auto", "all", *choices.WHITE_BOX, *choices.BLACK_BOX]),
    default="auto",
    show_default=True,
    help=f"What is measured: {', '.join((*choices.WHITE_BOX, *choices.BLACK_BOX))}; "
    "auto: what ovxai-explain would show.",
)
@click.option(
    "--target-layer",
    "layers",
    metavar="NAME[:PORT]",
    multiple=True,
    help="Layer that white-box methods mask; may be repeated. 'default': the one that is taken without.",
)
@click.option(
    "--metrics",
    metavar="A,B,...",
    type=_words(choices.MEASURABLE),
    help=f"Of {', '.join(choices.MEASURABLE)}; default: all that are possible.",
)
@click.option(
    "--boxes",
    metavar="FILE|FOLDER",
    type=options.PATH,
    help="Boxes around the objects, for pointing: COCO's JSON, or XML files as Pascal VOC has them.",
)
@click.option("--any-box", is_flag=True, help="Boxes of every label count, whatever class is explained.")
@click.option(
    "--margin",
    metavar="PIXELS",
    type=click.FloatRange(min=0),
    default=0,
    show_default=True,
    help="By which boxes are made larger, in pixels of the photograph.",
)
@click.option(
    "--targets",
    metavar="A,B,...|topN|above:P|truth|all",
    help="Classes to measure; truth: those that the photograph shows; default: the model's answer.",
)
@click.option(
    "--truth",
    metavar="auto|folder|none|FILE.csv",
    default="auto",
    show_default=True,
    help="What photographs show: their folders' names, where they are labels (auto) or indices, too "
    "(folder); or a file of paths and classes. Boxes go before it.",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=choices.CURVE_STEPS,
    show_default=True,
    help="In so many steps pixels are covered and shown.",
)
@click.option(
    "--cover",
    type=click.Choice(choices.COVERED_WITH),
    default=choices.COVERED_WITH[0],
    show_default=True,
    help="What pixels are covered with: 0 in the input, black in the photograph, or the input blurred.",
)
@click.option(
    "--baselines",
    metavar="A,B|none",
    type=_words(choices.KNOW_NOTHING, none=True),
    default=",".join(choices.KNOW_NOTHING),
    show_default=True,
    help="Maps that know nothing, to compare with.",
)
@click.option(
    "--random-maps",
    metavar="N",
    type=click.IntRange(min=1),
    default=choices.MAPS_AT_RANDOM,
    show_default=True,
    help="Random maps of each photograph; their mean counts.",
)
@click.option("--scores-output", metavar="NAME|INDEX", help="Output that holds the classes, of several.")
@options.device_option
@options.image_options
@options.mask_options
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of random maps, and of RISE's masks.",
)
@click.option(
    "--table",
    metavar="FILE.jsonl|.csv",
    type=_table,
    help="Write a row for each photograph, class, method and measure; a file of this name is replaced.",
)
@options.report_option
@options.pixels_option
@options.limit_options
@options.quiet_option
@click.version_option(package_name="ovxai-convert")
def evaluate_command(
    model: Path,
    images: Sequence[str],
    also: Sequence[Path],
    table: Path | None,
    limits: boundary.Limits,
    **others: Any,
) -> None:
    """Measure how well the maps of a classifier name what it saw.

    Each IMAGE is a photograph, a folder of them, a quoted glob, @FILE with a path in each line, or - for such
    a list on stdin. Deletion and insertion cover and show the pixels of a photograph in the order of its map;
    pointing asks whether the map's highest point lies in a box around the object; adcc explains once more
    what the map shows. docs/evaluating.md says what the numbers mean.

    What is printed are means over the photographs with intervals of 95 %, and the differences of methods on
    the same photographs. A photograph that cannot be measured is a row of the table with the reason; Ctrl-C
    ends with what is done.

    Exit codes: 0 done, 2 usage, 3 not a readable model or image, 4 no classifier or no method possible,
    6 cannot write, 70 unforeseen, 130 interrupted. With several images, the first failure's.
    """
    if others["metrics"] is not None and "pointing" in others["metrics"] and others["boxes"] is None:
        raise click.UsageError("--metrics pointing needs --boxes")
    models = (model, *also)
    listed = sys.stdin.buffer.read() if "-" in images else b""
    with tempfile.TemporaryDirectory(prefix="ovxai-") as folder:
        # where nobody wants a table, one is what a child goes on with that takes the place of another
        kept = Path(folder) / "measurements.jsonl" if table is None else table
        boundary.supervise(
            "evaluate",
            {"models": models, "images": images, "listed": listed, "table": kept, **others},
            None,
            model,
            limits,
            console.print_broken_off,
            lambda: None,
        )
