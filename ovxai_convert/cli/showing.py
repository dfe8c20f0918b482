"""What the commands share: settings, and how errors and shapes are shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from ovxai_convert.errors import OvxaiError, RefusedError

SETTINGS: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def print_error(error: OvxaiError, path: Path) -> None:
    """One line on stderr that begins with the file it is about."""
    text = " ".join(str(error).split())
    where = "" if text.startswith(str(path)) else f"{path}: "
    hint = f"; 'ovxai-inspect {path}' shows what was found" if isinstance(error, RefusedError) else ""
    click.echo(f"Error: {where}{text}{hint}", err=True)


def interrupt_on_terminate(number: int, frame: FrameType | None) -> None:
    """Leave on SIGTERM the way Ctrl-C does, so that temporary files are removed."""
    raise KeyboardInterrupt


def shape_text(shape: Sequence[int]) -> str:
    """Extents as ``[1,?,224,224]``, ``?`` where dynamic."""
    return "[" + ",".join("?" if extent < 0 else str(extent) for extent in shape) + "]"
