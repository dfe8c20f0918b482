"""Options that say how a photograph becomes a model's input, and what its classes are called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from ovxai_convert.photographs.preprocessing import InputLayout, PreprocessingHints, Resize

_Command = TypeVar("_Command", bound=Callable[..., Any])


def image_options(command: _Command) -> _Command:
    """Add the options; a command takes them as keyword arguments and gives them to :func:`hints_of`."""
    for option in reversed(
        (
            click.option(
                "--labels",
                "labels_file",
                metavar="FILE",
                type=click.Path(path_type=Path),
                help="Labels of the classes: one per line, or a JSON list.",
            ),
            click.option("--size", metavar="N|HxW", callback=_size, help="Rows and columns of the input."),
            click.option(
                "--mean", metavar="X[,X,X]", callback=_numbers, help="Subtracted from pixels of 0..255."
            ),
            click.option("--scale", metavar="X[,X,X]", callback=_numbers, help="Divides what is left."),
            click.option("--rgb/--bgr", "rgb", default=None, help="Order of the channels."),
            click.option(
                "--layout", type=click.Choice(get_args(InputLayout)), help="Axes, if the graph does not tell."
            ),
            click.option(
                "--resize",
                type=click.Choice(get_args(Resize)),
                help="Cut the middle out, stretch, or pad around, to the input's size.",
            ),
        )
    ):
        command = option(command)
    return command


def hints_of(
    *,
    size: tuple[int, int] | None,
    mean: tuple[float, ...] | None,
    scale: tuple[float, ...] | None,
    rgb: bool | None,
    layout: InputLayout | None,
    resize: Resize | None,
) -> PreprocessingHints:
    """What the options say.

    Raises:
        UsageError: a number that makes no sense.
    """
    colour = None if rgb is None else "rgb" if rgb else "bgr"
    return PreprocessingHints(size, mean, scale, colour, resize, layout)  # type: ignore[arg-type]


def _size(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    rows, _, columns = text.lower().partition("x")
    try:
        return int(rows), int(columns or rows)
    except ValueError:
        raise click.BadParameter(f"'{text}' is neither a number nor two, as in 224x192") from None


def _numbers(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        raise click.BadParameter(f"'{text}' is not one number, or three with commas between") from None
