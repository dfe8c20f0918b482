"""A data set through ``ovxai-explain``, beside what device and decoding allow: ``make bench-dataset``."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.measured_process import Finished, run_measured

_GOALS: Final = {"run": 0.9, "run with pictures": 0.8}
_MODELS: Final = {
    "EfficientNet-Lite0": "python -m fixtures.efficientnet_lite0 {file}",
    "planted-object transformer": "cp fixtures/planted_object.onnx {file}",
}
"""How the file of each is made."""


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description="Measure ovxai-explain over a data set.")
    parser.add_argument("--photographs", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7, help="turns of 200 photographs, run and parts")
    parser.add_argument("--memory", default="200,10000", help="photographs at which memory is measured")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ovxai-dataset-") as name:
        folder = Path(name)
        photographs = folder / "photographs"
        _done([sys.executable, "-m", "benchmarks.dataset_photographs", photographs, str(told.photographs)])
        for number, (title, recipe) in enumerate(_MODELS.items()):
            artifact = _converted(folder / f"model{number}", recipe)
            print(f"\n{title}, {told.photographs} photographs")
            _print_rates(artifact, photographs, told.rounds)
            _print_command(artifact, photographs, folder / "table.jsonl")
            for count in map(int, told.memory.split(",")):
                _print_memory(artifact, _linked(photographs, folder / f"set{count}", count), folder)


def _converted(folder: Path, recipe: str) -> Path:
    folder.mkdir()
    file = folder / "model.onnx"
    program, *arguments = recipe.format(file=file).split()
    _done([sys.executable if program == "python" else program, *arguments])
    _done([_program("ovxai-convert"), file, "-o", folder, "-q", "--preprocess", "inception"])
    return folder / "model_xai.xml"


def _program(name: str) -> Path:
    return Path(sys.executable).with_name(name)


def _done(command: Sequence[str | Path]) -> Finished:
    finished = run_measured(command)
    if finished.exit_code != 0:
        sys.exit(f"{' '.join(map(str, command))}: {finished.reason}")
    return finished


def _print_rates(artifact: Path, photographs: Path, rounds: int) -> None:
    module = [sys.executable, "-m", "benchmarks.dataset_rates"]
    finished = _done([*module, artifact, photographs, "--rounds", str(rounds)])
    rates: Mapping[str, Mapping[str, float]] = json.loads(finished.stdout)
    for by, unit in (("by_clock", "a second"), ("by_processor", "a second of one processor")):
        found = {name: each[by] for name, each in rates.items()}
        alone = ", ".join(f"{name} {found[name]:.1f}" for name in ("device", "prepare", "draw", "encode"))
        print(f"  {unit}: {alone}")
        _print_ratio("table alone", found, "run", ("device", "prepare"))
        _print_ratio("with JPEG overlays", found, "run with pictures", ("device", "prepare", "encode"))
        parts = ("device", "prepare", "draw", "encode")
        _print_ratio("  drawing counted, too", found, "run with pictures", parts, goal=False)


def _print_ratio(
    title: str, rates: Mapping[str, float], run: str, parts: Sequence[str], *, goal: bool = True
) -> None:
    limit = 1 / sum(1 / rates[part] for part in parts)
    aim = f" (goal {_GOALS[run]})" if goal else ""
    print(f"    {title}: {rates[run]:.1f} of {limit:.1f}, ratio {rates[run] / limit:.2f}{aim}")


def _print_command(artifact: Path, photographs: Path, table: Path) -> None:
    """The whole program, once: what it says of itself, and the time from its start to its end."""
    finished = _explained(artifact, photographs, table)
    summary = re.search(r"^\d+ of \d+ explained .*$", finished.stderr, re.MULTILINE)
    said = summary.group() if summary else finished.reason
    print(f"  the command, from start to end {finished.seconds:.1f} s: {said}")


def _print_memory(artifact: Path, photographs: Path, folder: Path) -> None:
    finished = _explained(artifact, photographs, folder / "table.jsonl")
    count = len(os.listdir(photographs))
    print(f"  peak of memory at {count} photographs: {finished.peak_bytes / 2**20:.0f} MiB")


def _explained(artifact: Path, photographs: Path, table: Path) -> Finished:
    table.unlink(missing_ok=True)
    return _done(
        [
            _program("ovxai-explain"),
            artifact,
            photographs,
            "--no-pictures",
            "--table",
            table,
            "--truth",
            "none",
        ]
    )


def _linked(photographs: Path, folder: Path, count: int) -> Path:
    """A folder of so many photographs, the same ones again and again."""
    if folder.exists():
        return folder
    folder.mkdir()
    files = sorted(photographs.iterdir())
    for number in range(count):
        os.link(files[number % len(files)], folder / f"{number:06}.jpg")
    return folder


if __name__ == "__main__":
    main()
