"""What the commands print, and how: errors as one line, nothing of a file's that a terminal would obey."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from ovxai_convert.cli import boundary
from ovxai_convert.errors import OvxaiError, RefusedError, quoted, reason_of
from ovxai_convert.source.label_values import FoundLabels

SETTINGS: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
UNFORESEEN: Final = 70
"""Exit code of what no code foresaw, as BSD's ``EX_SOFTWARE``."""


class Command(click.Command):
    """A command whose errors of usage, which quote what was given, hold nothing that a terminal obeys."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does."""
        with _harmless_usage_errors():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does."""
        with _harmless_usage_errors():
            return super().invoke(ctx)


@contextmanager
def _harmless_usage_errors() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        error.message = harmless(error.message)  # type: ignore[misc]  # it is shown later, and only here set
        raise


def say(text: str, *, err: bool = False) -> None:
    """Print a line or several; of control characters only the ends of lines."""
    click.echo("\n".join(map(harmless, text.split("\n"))), err=err)


def warn(path: Path | str, text: str) -> None:
    """One line on stderr of something that the user should know."""
    say(f"Warning: {harmless(str(path))}: {_one_line(text)}", err=True)


def say_labels(path: Path, found: FoundLabels) -> None:
    """One line on stderr that tells how labels were read, unless they are a plain list."""
    if found.form and found.labels:
        last = len(found.labels) - 1
        ends = f"0 is {quoted(found.labels[0])}, {last} is {quoted(found.labels[-1])}"
        say(f"{harmless(str(path))}: labels read from {found.form}: {_one_line(ends)}", err=True)


def print_error(error: OvxaiError | str, path: Path | str | None) -> None:
    """One line on stderr that begins with the file it is about; None: the error itself says which."""
    said = error.in_command if isinstance(error, OvxaiError) else error
    if path is None:
        say(f"Error: {harmless(_one_line(said))}", err=True)
        return
    name = harmless(str(path))
    text = _one_line(said.removeprefix(f"{path}: "))
    hint = f"; 'ovxai-inspect {name}' shows what was found" if isinstance(error, RefusedError) else ""
    say(f"Error: {name}: {text}{hint}", err=True)


def print_broken_off(reason: str, path: Path | str, exit_code: int) -> None:
    """The same for a file that a process was at when it ended."""
    print_error(reason, path)


def say_json(told: Mapping[str, Any]) -> None:
    """Print an object for programs, on a line of its own."""
    click.echo(json.dumps(told))


def harmless(text: str) -> str:
    """A line in which control characters and what is no text are written as escapes."""
    return "".join(each if each.isprintable() or each == "\t" else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def _one_line(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True)
class Reported:
    """Prints an error about a file as one line and notes its exit code; leaves at Ctrl-C.

    What no code foresaw is such a line, too; ``debug`` shows where it came from. ``told`` is told the reason
    and the exit code.
    """

    path: Path | str | None
    exit_codes: list[int]
    interrupted: str = "interrupted"
    debug: bool = False
    told: Callable[[str, int], None] = lambda reason, exit_code: None

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is None or isinstance(
            error, SystemExit | GeneratorExit | BrokenPipeError | click.ClickException
        ):
            return False
        if isinstance(error, KeyboardInterrupt):
            print_error(self.interrupted, self.path)
            self.told(self.interrupted, boundary.INTERRUPTED)
            boundary.tell(interrupted=True)
            sys.exit(boundary.INTERRUPTED)
        assert isinstance(error, Exception), "what ends a process was looked at above"
        note_error(error, self.path, self.exit_codes, debug=self.debug)
        self.told(reason_of(error, str(self.path)), self.exit_codes[-1])
        return True


def note_error(
    error: Exception, path: Path | str | None, exit_codes: list[int], *, debug: bool, shown: bool = True
) -> None:
    """Print an error about a file as one line, unless it is told elsewhere, and note its exit code."""
    reason: OvxaiError | str = error if isinstance(error, OvxaiError) else reason_of(error)
    exit_code = UNFORESEEN
    if isinstance(error, OvxaiError):
        exit_code = error.exit_code
    elif isinstance(error, MemoryError):
        exit_code = boundary.BROKEN_OFF
    else:
        reason = f"{reason}; please report it (--debug shows where it came from)"
    if shown:
        print_error(reason, path)
    if debug:
        say("".join(traceback.format_exception(error)), err=True)
    exit_codes.append(exit_code)
    boundary.tell(code=exit_code)
