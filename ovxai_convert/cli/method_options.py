"""Options that methods have of their own, as options of a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import click

from ovxai_convert.methods import WHITE_BOX_METHODS

_OWNERS: Final = {option.name: method.name for method in WHITE_BOX_METHODS for option in method.options}
"""The method that has an option."""


def method_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of all methods; those that are not given are None."""
    options = [(method.name, option) for method in WHITE_BOX_METHODS for option in method.options]
    for name, option in reversed(options):
        kind: click.ParamType[Any] = click.Choice(option.choices) if option.choices else click.IntRange(min=1)
        text = f"{name}: {option.help}; default: {option.default}."
        metavar = None if option.choices else "N"
        command = click.option(_flag(option.name), type=kind, metavar=metavar, help=text)(command)
    return command


def given_options(method: str, arguments: dict[str, Any]) -> Mapping[str, Any]:
    """Those that were given, taken out of a command's arguments.

    Raises:
        click.UsageError: one that belongs to another method than the one that is named.
    """
    given = {name: arguments.pop(name) for name in _OWNERS}
    given = {name: value for name, value in given.items() if value is not None}
    strange = [name for name in given if _OWNERS[name] != method]
    if strange:
        flags = ", ".join(_flag(name) for name in strange)
        raise click.UsageError(f"{flags}: an option of --method {_OWNERS[strange[0]]}")
    return given


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
