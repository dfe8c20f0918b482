"""One architecture tried: converted by the real command in a process of its own, then checked in another."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.catalogue import ROOT
from benchmarks.coverage.catalogue import Architecture
from benchmarks.coverage.limited_process import Ended, Limits, run_limited
from benchmarks.coverage.results import Check, Outcome, Proof, Result

_LIMITS: Final = Limits(seconds=600, resident_bytes=8 * 2**30)
_MOST_GREY_LEVELS: Final = 1.0
"""What rounding to grey levels may move."""
_REFUSED: Final = 4
_UNPROVED: Final = 5


def converter_digest(command: Path) -> str:
    """Of the sources of the package that a command runs: those beside its environment, or this project's."""
    beside = command.absolute().parents[2]
    package = (beside if (beside / "ovxai_convert").is_dir() else ROOT) / "ovxai_convert"
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def file_digest(architecture: Architecture) -> str:
    """Of an exported model, empty where there is none."""
    if not architecture.file.is_file():
        return ""
    digest = hashlib.sha256(architecture.file.read_bytes())
    weights = architecture.file.with_suffix(".bin")
    if weights.is_file():
        digest.update(weights.read_bytes())
    return digest.hexdigest()[:16]


def try_architecture(architecture: Architecture, command: Path, method: str, seconds: float) -> Result:
    """Convert and check; whatever goes wrong is a result."""
    model, converter = file_digest(architecture), converter_digest(command)
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        arguments: list[str | Path] = [
            command,
            architecture.file,
            "--method",
            method,
            "-o",
            folder,
            "--quiet",
        ]
        ended = run_limited(arguments, _LIMITS)
        outcome, reason = _conversion_outcome(ended)
        reason = reason.replace(f"Error: {architecture.file}: ", "").partition("; 'ovxai-inspect")[0]
        known: dict[str, Any] = {"seconds": ended.seconds, "peak_bytes": ended.peak_bytes}
        if outcome is Outcome.CONVERTED:
            sidecar_file = Path(folder) / f"{architecture.file.stem}_xai.json"
            sidecar = json.loads(sidecar_file.read_text(encoding="utf-8"))
            if sidecar["mode"] == "whitebox":
                known |= _described(sidecar)
                outcome, reason, known["check"] = _checked(architecture, sidecar_file, seconds)
            else:  # no branch was possible, and the model is to be explained from outside
                outcome = Outcome.REFUSED
            reason = reason or _refused(sidecar)
    return Result(architecture.key, model, converter, outcome, reason, **known)


def _conversion_outcome(ended: Ended) -> tuple[Outcome, str]:
    if ended.stopped_for:
        return Outcome.STOPPED, ended.reason
    if ended.exit_code == 0:
        return Outcome.CONVERTED, ""
    if ended.has_traceback or ended.exit_code not in (_REFUSED, _UNPROVED):
        return Outcome.CRASHED, ended.reason
    return (Outcome.REFUSED if ended.exit_code == _REFUSED else Outcome.UNPROVED), ended.reason


def _refused(sidecar: dict[str, Any]) -> str:
    """Every refusal's reason, behind its method where it is one's alone."""
    return "; ".join(
        ": ".join(filter(None, (each["method"], each["reason"]))) for each in sidecar["refusals"]
    )


def _described(sidecar: dict[str, Any]) -> dict[str, Any]:
    """What the sidecar of a model with a branch says, as fields of a result."""
    proof, target = sidecar["verification"]["saliency_map"], sidecar["target_layer"]
    return {
        "method": sidecar["method"],
        "target": f"{target['name']} {target['shape']} {target['layout']}",
        "proof": Proof(proof["positions_checked"], proof["max_abs_diff"]),
    }


def _checked(architecture: Architecture, sidecar: Path, seconds: float) -> tuple[Outcome, str, Check | None]:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "benchmarks.coverage.check",
        architecture.file,
        sidecar,
    ]
    ended = run_limited([*command, "--seconds", str(seconds)], _LIMITS)
    if ended.stopped_for or ended.exit_code != 0:
        return Outcome.UNCHECKED, ended.reason, None
    check = Check(**json.loads(ended.stdout))
    if check.max_grey_diff is not None and not check.max_grey_diff <= _MOST_GREY_LEVELS:
        return Outcome.WRONG, f"its map is off by {check.max_grey_diff:.3g} grey levels", check
    return Outcome.CONVERTED, "", check
