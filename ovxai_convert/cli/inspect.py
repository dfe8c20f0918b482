"""The command ``ovxai-inspect``."""

from __future__ import annotations

from pathlib import Path

import click

from ovxai_convert.cli import boundary, console, options
from ovxai_convert.cli.choices import SHOWN_CANDIDATES


@click.command("ovxai-inspect", cls=console.Command, context_settings=console.SETTINGS)
@click.argument("model", type=options.PATH)
@click.option("--scores-output", metavar="NAME|INDEX", help="Output that holds the classes, if several may.")
@options.task_option
@click.option(
    "--all", "show_all", is_flag=True, help=f"Show all candidates, not the last {SHOWN_CANDIDATES}."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@options.limit_options
@click.version_option(package_name="ovxai-convert")
def inspect_command(
    model: Path,
    scores_output: str | None,
    task: str,
    show_all: bool,
    as_json: bool,
    limits: boundary.Limits,
    debug: bool,
) -> None:
    """Show what MODEL is: an artifact, or where a branch could stand in it, what auto would take, and why.

    Names in the table can be given to ovxai-convert --target-layer.

    Exit codes: 0 done, 2 usage, 3 not a readable model, 70 unforeseen.
    """
    boundary.supervise(
        "inspect",
        {
            "model": model,
            "scores_output": scores_output,
            "task": task,
            "show_all": show_all,
            "as_json": as_json,
            "debug": debug,
        },
        [model],
        model,
        limits,
        console.print_broken_off,
        lambda: None,
    )
