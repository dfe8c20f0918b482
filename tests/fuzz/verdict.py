"""What is documented of every command, and whether an outcome keeps to it."""

from __future__ import annotations

import re
from typing import Final

from tests.fuzz.case import OUT
from tests.fuzz.supervising import Outcome

USAGE: Final = 2
DOCUMENTED: Final = frozenset({0, 2, 3, 4, 5, 6})


def fault(outcome: Outcome) -> str | None:
    """What an outcome does that is not documented, in some words; None if nothing.

    A command that was broken off here is no fault: the program itself says so in a line.
    """
    if outcome.broken_off:
        return None
    code = outcome.exit_code
    if code not in DOCUMENTED:
        return f"exit {code}"
    if strange := {each for each in outcome.stdout + outcome.stderr if not _harmless(each)}:
        return f"control characters {sorted(map(ascii, strange))}"
    lines = outcome.stderr.splitlines()
    if code != 0:
        expected = ("Warning: ", "Usage: ", "Try ") if code == USAGE else ("Warning: ",)
        errors = [line for line in lines if line and not line.startswith(expected)]
        if len(errors) != 1 or not errors[0].startswith("Error: "):
            return f"{len(errors)} lines of error"
        if outcome.stdout and outcome.command.program != "explain":
            return "something on stdout beside an error"
        return f"left behind {outcome.left[:3]}" if outcome.left else None
    if not all(line.startswith("Warning: ") for line in lines):
        return "lines that are no warnings"
    return _left(outcome)


def _harmless(character: str) -> bool:
    return character.isprintable() or character in "\n\t"


def _left(outcome: Outcome) -> str | None:
    """What a command that has succeeded left that it should not, or did not leave."""
    hidden = [name for name in outcome.left if "/." in name or name.startswith(".")]
    outside = [name for name in outcome.left if name.split("/")[0] != OUT]
    if hidden or outside:
        return f"left behind {(hidden + outside)[:3]}"
    files = [name for name in outcome.left if name != OUT]
    least = {"inspect": 0, "convert": 3, "explain": 1}[outcome.command.program]
    if "--force" not in outcome.command.arguments and len(files) < least:
        return f"{len(files)} files written"
    return None


def signature(outcome: Outcome) -> str:
    """What outcomes of the same cause have in common."""
    where = re.findall(r'File "[^"]*/(ovxai_convert/[^"]*)", line (\d+)', outcome.where)
    place = ":".join(where[-1]) if where else re.sub(r"[\d'\"].*", "", outcome.stderr)[-80:]
    how = outcome.broken_off or fault(outcome) or f"as documented, {outcome.exit_code}"
    return f"{how} {outcome.command.program} {place}"
