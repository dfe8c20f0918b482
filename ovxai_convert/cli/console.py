"""What the commands share: settings, and how errors and shapes are shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from ovxai_convert.errors import OvxaiError, RefusedError

SETTINGS: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def quiet_libraries(command: Callable[..., Any]) -> Callable[..., Any]:
    """While a command runs, let nothing reach the terminal that libraries write past Python.

    Readers of models and pictures log to file descriptor 2; their verdict comes as an exception all the same.
    The process is the command's own: code that is imported into others does not do this.
    """

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        real, ours = sys.stderr, os.dup(2)
        with open(os.devnull, "wb") as nowhere, open(ours, "w", encoding=real.encoding, buffering=1) as kept:
            os.dup2(nowhere.fileno(), 2)
            if real is sys.__stderr__:
                sys.stderr = kept
            try:
                return command(*args, **kwargs)
            finally:
                sys.stderr = real
                os.dup2(ours, 2)

    return run


def print_error(error: OvxaiError, path: Path) -> None:
    """One line on stderr that begins with the file it is about."""
    text = " ".join(str(error).split())
    where = "" if text.startswith(str(path)) else f"{path}: "
    hint = f"; 'ovxai-inspect {path}' shows what was found" if isinstance(error, RefusedError) else ""
    click.echo(f"Error: {where}{text}{hint}", err=True)


@dataclass(frozen=True)
class Reported:
    """Prints an error about a file as one line and notes its exit code; leaves at Ctrl-C."""

    path: Path
    exit_codes: list[int]
    interrupted: str = "interrupted"

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, KeyboardInterrupt):
            click.echo(f"Error: {self.path}: {self.interrupted}", err=True)
            sys.exit(130)
        if isinstance(error, OvxaiError):
            print_error(error, self.path)
            self.exit_codes.append(error.exit_code)
        return isinstance(error, OvxaiError)


def interrupt_on_terminate(number: int, frame: FrameType | None) -> None:
    """Leave on SIGTERM the way Ctrl-C does, so that temporary files are removed."""
    raise KeyboardInterrupt


def shape_text(shape: Sequence[int]) -> str:
    """Extents as ``[1,?,224,224]``, ``?`` where dynamic."""
    return "[" + ",".join("?" if extent < 0 else str(extent) for extent in shape) + "]"
