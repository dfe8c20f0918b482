"""Options that several commands have: folders, photographs and their preprocessing, and those of methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Final, get_args

import click

from ovxai_convert.cli import boundary
from ovxai_convert.cli.choices import ACTIVATIONS, MAX_PIXELS, RECIPE_NAMES, TASKS, WHITE_BOX
from ovxai_convert.photographs.hints import InputLayout, PreprocessingHints
from ovxai_convert.photographs.recipes import recipe_hints

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
PATH: Final = click.Path(path_type=Path)
_METHOD_OPTIONS: Final = [(method, option) for method, options in WHITE_BOX.items() for option in options]
_HINTS: Final = ("preprocess", "size", "mean", "scale", "rgb", "layout", "resize", "resize_to", "levels")


def output_option(files: str) -> Decorator:
    """The option that names the folder for a command's files."""
    text = f"Folder for {files}; made if missing."
    return click.option("-o", "--output-dir", default=".", show_default=True, type=PATH, help=text)


def device_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the choice of the device that runs the model."""
    return click.option("--device", default="CPU", show_default=True, help="OpenVINO device.")(command)


def task_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the choice of what models are for."""
    text = "What the model is for; auto: as it looks."
    return click.option("--task", type=click.Choice(TASKS), default="auto", show_default=True, help=text)(
        command
    )


def image_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options on labels, answer and preprocessing; the last are for :func:`hints_of`."""
    labels = "Labels of the classes: one per line, a table, or JSON, YAML or Python that holds them."
    resize = "Cut the middle out, stretch, or pad around, to the input's size."
    layouts, ways = click.Choice(get_args(InputLayout)), click.Choice(["crop", "stretch", "letterbox"])
    options = (
        click.option("--labels", "labels_file", metavar="FILE", type=PATH, help=labels),
        click.option(
            "--multilabel/--no-multilabel", default=None, help="Whether several classes may be the answer."
        ),
        click.option(
            "--activation",
            type=click.Choice(ACTIVATIONS),
            help="What the class output's numbers lack to be probabilities; none: show them as they are.",
        ),
        click.option(
            "--confidence-threshold",
            metavar="P",
            type=click.FloatRange(0, 1),
            help="Probability above which a class is part of it, where several may be.",
        ),
        click.option(
            "--preprocess",
            type=click.Choice(RECIPE_NAMES),
            help="Levels and colours by a well-known recipe; options beside it win.",
        ),
        click.option("--size", metavar="N|HxW", type=_size, help="Rows and columns of the input."),
        click.option("--mean", metavar="X[,X,X]", type=_numbers, help="Subtracted from the pixels' levels."),
        click.option("--scale", metavar="X[,X,X]", type=_numbers, help="Divides what is left."),
        click.option("--rgb/--bgr", "rgb", default=None, help="Order of the channels."),
        click.option("--layout", type=layouts, help="Axes, if the graph does not tell."),
        click.option("--resize", type=ways, help=resize),
        click.option(
            "--resize-to",
            metavar="N|HxW",
            type=_sides,
            help="Bring the shorter side to N pixels, or all to HxW, and cut the input out of that.",
        ),
        click.option(
            "--levels",
            metavar="N|LOW..HIGH",
            type=_levels,
            help="Bring these levels of the file, from 0 to N or LOW to HIGH, to 0..255 first.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def taken_hints(arguments: dict[str, Any]) -> dict[str, Any]:
    """The options on preprocessing, taken out of a command's arguments."""
    return {name: arguments.pop(name) for name in _HINTS}


def hints_of(*, preprocess: str | None, rgb: bool | None, **hints: Any) -> PreprocessingHints:
    """What the options on preprocessing say; a UsageError for a number that makes no sense."""
    told = PreprocessingHints(colour=None if rgb is None else "rgb" if rgb else "bgr", **hints)
    return told if preprocess is None else recipe_hints(preprocess, told)


def _size(text: str) -> tuple[int, int]:
    rows, _, columns = text.lower().partition("x")
    try:
        return int(rows), int(columns or rows)
    except ValueError:
        raise click.BadParameter(f"'{text}' is neither a number nor two, as in 224x192") from None


def _sides(text: str) -> int | tuple[int, int]:
    rows, columns = _size(text)
    if min(rows, columns) < 1:
        raise click.BadParameter(f"'{text}' has no pixels")
    return (rows, columns) if "x" in text.lower() else rows


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        raise click.BadParameter(f"'{text}' is not one number, or several with commas between") from None


def _levels(text: str) -> tuple[float, float]:
    low, dots, high = text.partition("..")
    try:
        return (float(low), float(high)) if dots else (0.0, float(low))
    except ValueError:
        raise click.BadParameter(f"'{text}' is neither a level nor two, as in 4095 or -1024..3071") from None


def bands_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the choice of bands that are shown."""
    return click.option(
        "--bands",
        metavar="R,G,B",
        type=_bands,
        help="Bands of the picture to show as red, green, blue, or one as grey, counted from 1.",
    )(command)


def _bands(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise click.BadParameter(f"'{text}' is not one number, or three with commas between") from None


def taken_answer(arguments: dict[str, Any]) -> dict[str, Any]:
    """The options on the answer, taken out of a command's arguments, as AnswerHints calls them."""
    return {
        "multilabel": arguments.pop("multilabel"),
        "threshold": arguments.pop("confidence_threshold"),
        "activation": arguments.pop("activation"),
    }


def method_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of all methods; those that are not given are None."""
    for method, option in reversed(_METHOD_OPTIONS):
        kind: click.ParamType[Any] = click.Choice(option.choices) if option.choices else click.IntRange(min=1)
        text = f"{method}: {option.help}; default: {option.default}."
        metavar = None if option.choices else "N"
        command = click.option(option.flag, type=kind, metavar=metavar, help=text)(command)
    return command


def mask_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options on how many masks RISE takes."""
    most = click.FloatRange(0, 1, max_open=True)
    options = (
        click.option("--num-masks", type=click.IntRange(min=1), help="RISE: exactly so many masks."),
        click.option("--tolerance", type=most, help="RISE: stop when the map moves no more than this."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def given_options(method: str, arguments: dict[str, Any]) -> Mapping[str, Any]:
    """Those given, taken out of a command's arguments; a click.UsageError for another method's."""
    taken = [(owner, option, arguments.pop(option.name)) for owner, option in _METHOD_OPTIONS]
    given = [(owner, option, value) for owner, option, value in taken if value is not None]
    strange = [(owner, option) for owner, option, _ in given if owner != method]
    if strange:
        flags = ", ".join(option.flag for _, option in strange)
        raise click.UsageError(f"{flags}: an option of --method {strange[0][0]}")
    return {option.name: value for _, option, value in given}


def report_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the file of its report."""
    return click.option("--report", metavar="FILE.html", type=PATH, help="Write one page of all.")(command)


def quiet_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the choice to print less."""
    text = "Print nothing but warnings and errors."
    return click.option("-q", "--quiet", is_flag=True, help=text)(command)


def pixels_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that reads photographs the limit of their size, which :func:`limit_options` takes."""
    return click.option(
        "--max-pixels",
        metavar="N",
        type=click.IntRange(1),
        default=MAX_PIXELS,
        show_default=True,
        help="Refuse a photograph of more pixels than this, before it is decoded.",
    )(command)


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the limits of its child, as the argument ``limits``, and ``debug``."""

    @wraps(command)
    def limited(
        *, timeout: float | None, memory: int | None, max_pixels: int | None = None, **others: Any
    ) -> Any:
        return command(limits=boundary.Limits(timeout, memory, max_pixels), **others)

    seconds = click.FloatRange(min=0, min_open=True)
    options = (
        click.option(
            "--timeout", metavar="SECONDS", type=seconds, help="Give up a file that takes longer than this."
        ),
        click.option(
            "--memory",
            metavar="MIB",
            type=click.IntRange(min=1),
            help="Give up a file that needs more than this.",
        ),
        click.option("--debug", is_flag=True, help="Show where an error came from."),
    )
    for option in reversed(options):
        limited = option(limited)
    return limited
