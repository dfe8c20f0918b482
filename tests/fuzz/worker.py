"""The process that does many cases, one command after another: ``python -m tests.fuzz.worker MIB``.

A line of JSON on stdin is a command: a folder, a program, its arguments; a line on stdout is what came of it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import click
from click.testing import CliRunner

from ovxai_convert.cli import child
from ovxai_convert.cli.convert import convert_command
from ovxai_convert.cli.explain import explain_command
from ovxai_convert.cli.inspect import inspect_command

PROGRAMS: Final = {"convert": convert_command, "explain": explain_command, "inspect": inspect_command}
UNFORESEEN: Final = 70


def main(mebibytes: int) -> None:
    """Do commands until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    child._State.inside = True
    child.keep_to_yourself()
    for program in PROGRAMS:  # before the first command's clock starts
        importlib.import_module(f"ovxai_convert.cli.work.{program}")
    child._limit_memory(mebibytes)
    for line in sys.stdin:
        order = json.loads(line)
        os.chdir(order["folder"])
        print(json.dumps(_done(PROGRAMS[order["program"]], order["arguments"])), file=answers, flush=True)


def _done(command: click.Command, arguments: list[str]) -> dict[str, Any]:
    """How a command ends; where it comes from, if no code foresaw it."""
    with Path(os.devnull).open("w") as nowhere:
        sys.stderr, kept = nowhere, sys.stderr
        try:
            began = time.monotonic()
            result = CliRunner().invoke(command, arguments)
            seconds = time.monotonic() - began
            where = ""
            if result.exit_code == UNFORESEEN:
                where = CliRunner().invoke(command, [*arguments, "--debug"]).stderr
        finally:
            sys.stderr = kept
    strange = result.exception is not None and not isinstance(result.exception, SystemExit)
    return {
        "exit_code": UNFORESEEN if strange else result.exit_code,
        "stdout": result.stdout,
        "stderr": result.stderr + (repr(result.exception) if strange else ""),
        "seconds": seconds,
        "where": where,
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
