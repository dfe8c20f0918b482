"""Whether this project's own programs read what has become of an artifact."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.interop.networks import Network, save_photograph
from tests.program.invocation import Outcome, call_process


def unread(network: Network, changed: Path, *, same_class: bool = True) -> list[str]:
    """What is wrong about it: a program fails, names another class, or does not say that the proof is lost.

    That is said unless a sidecar stands beside it.
    """
    expected = not changed.with_suffix(".json").is_file()
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        photograph = Path(name) / "photograph.png"
        save_photograph(network, photograph)
        before, after = (
            call_process("ovxai-explain", [path, photograph, "-o", name])
            for path in (network.artifact, changed)
        )
        inspected = call_process("ovxai-inspect", [changed])
    for program, outcome in (("ovxai-explain", after), ("ovxai-inspect", inspected)):
        if outcome.exit_code:
            wrong.append(f"{program} ends with {outcome.exit_code}: {outcome.stderr.strip()[-200:]}")
    if same_class and not wrong and _class(after) != _class(before):
        wrong.append(f"ovxai-explain names {_class(after)}, and {_class(before)} before")
    if expected != ("Warning: " in after.stderr) or expected != ("not as proved: " in inspected.stdout):
        wrong.append("whether the proof is lost is not said")
    return wrong


def _class(outcome: Outcome) -> str:
    return outcome.stdout.partition(": ")[2].partition(", score")[0]
