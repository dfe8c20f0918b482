"""What can go wrong, as one family of exceptions that carry the program's exit code."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """Why something could not be done to this model: a value, not an exception.

    Attributes:
        reason: one sentence that a user understands.
        node: friendly name of the node where the attempt stopped, or None.
        method: the XAI method that was tried; None where none got so far.
    """

    reason: str
    node: str | None = None
    method: str | None = None

    def __str__(self) -> str:
        tried = f"{self.method}: " if self.method else ""
        return f"{tried}{self.reason}" + (f" (at '{self.node}')" if self.node else "")


@dataclass(frozen=True)
class TooBig(Refusal):
    """A refusal for the memory that it would take, which another target layer may not need."""


class OvxaiError(Exception):
    """Root of every error that a user can cause; its text is one line that says what to do."""

    exit_code = 1

    @property
    def in_command(self) -> str:
        """The same line for one who has a command's options and not Python's arguments."""
        return str(self)


class UsageError(OvxaiError):
    """The request names something that does not exist: a layer, an output, an option's value.

    A text that names an argument of Python comes with what a command says ``in_command``.
    """

    exit_code = 2

    def __init__(self, text: str = "", in_command: str | None = None) -> None:
        super().__init__(text)
        self._in_command = in_command

    @property
    def in_command(self) -> str:
        """See :class:`OvxaiError`."""
        return str(self) if self._in_command is None else self._in_command


def no_such_value(name: str, rule: str) -> UsageError:
    """Of an argument that is an option of a command, too: a value that breaks the rule."""
    return UsageError(f"{name} {rule}", f"{flag(name)} {rule}")


def flag(name: str) -> str:
    """An argument of Python as a command's option: ``num_masks`` as ``--num-masks``."""
    return f"--{name.replace('_', '-')}"


class ModelReadError(OvxaiError):
    """The input cannot be read as a model, an image or a sidecar."""

    exit_code = 3


class RefusedError(OvxaiError):
    """No branch is possible with what was asked; ``refusals`` holds every attempt and its reason."""

    exit_code = 4

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__("; ".join(str(refusal) for refusal in self.refusals))

    def __reduce__(self) -> tuple[type[RefusedError], tuple[tuple[Refusal, ...]]]:
        """Pickled as what it was made of, which an exception is not by itself."""
        return type(self), (self.refusals,)


class VerificationError(OvxaiError):
    """The converted model does not do what it must; nothing was written."""

    exit_code = 5


class WriteError(OvxaiError):
    """The output folder cannot take the artifact, or already holds one."""

    exit_code = 6


def reason_of(error: Exception, about: str = "") -> str:
    """One line that says what went wrong with a file, without its name where it begins with that.

    What no code foresaw is said to be such.
    """
    if isinstance(error, OvxaiError):
        return _one_line(error.in_command.removeprefix(f"{about}: "))
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    text = _one_line(str(error))
    text = text if len(text) <= _LONGEST_UNFORESEEN else f"{text[:_LONGEST_UNFORESEEN]} ..."
    return f"unforeseen {type(error).__name__}: {text}"


_LONGEST_UNFORESEEN = 300
"""Characters of what a library says of an error that no code foresaw."""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def last_line(error: Exception) -> str:
    """What a runtime has to say: the last line of an error whose others name places in its source."""
    return next(
        (line.strip() for line in reversed(str(error).splitlines()) if line.strip()), "no reason given"
    )


def quoted(name: str) -> str:
    """A name in quotation marks, so that it can be typed in a shell as it stands."""
    if "'" not in name:
        return f"'{name}'"
    return shlex.quote(name) if re.search(r'["$`\\!]', name) else f'"{name}"'


_MOST_COMPARED, _LONGEST_COMPARED = 20_000, 200


def did_you_mean(wanted: str, known: Iterable[str], otherwise: str = "") -> str:
    """Ending of an error line that offers up to three names like the one not found.

    Names are compared letter by letter: of very many the first are, and very long ones not.
    """
    short = [name for name in sorted(set(known)) if len(name) <= _LONGEST_COMPARED]
    lowered = {name.lower(): name for name in short[:_MOST_COMPARED]}
    if len(wanted) > _LONGEST_COMPARED:
        return otherwise
    close = difflib.get_close_matches(wanted.lower(), lowered, n=3, cutoff=0.5)
    close = close or [low for low in lowered if wanted.lower() in low][:3]
    if not close:
        return otherwise
    return f"; did you mean {', '.join(quoted(lowered[low]) for low in close)}?"
