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
from benchmarks.coverage.limited_process import Ended, run_limited
from benchmarks.coverage.outcomes import LIMITS, onnx_form, outcome_of
from benchmarks.coverage.results import Check, Outcome, Proof, Result

_MOST_GREY_LEVELS: Final = 1.0
"""What rounding to grey levels may move."""


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
    """Convert and check; whatever goes wrong is a result.

    An ONNX file is to become IR and ONNX at once, and IR alone where that fails.
    """
    model, converter = file_digest(architecture), converter_digest(command)
    source = architecture.file
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:

        def converted(form: str) -> Ended:
            arguments: list[str | Path] = [command, source, "--method", method, "-o", folder, "--quiet"]
            # deep networks of random weights magnify the rounding in which frameworks differ
            return run_limited([*arguments, "--format", form, "--reference", "none"], LIMITS)

        is_onnx = source.suffix == ".onnx"
        both = converted("both") if is_onnx else None
        ended = both if both is not None and both.exit_code == 0 else converted("ir")
        outcome, reason = outcome_of(ended, source)
        known: dict[str, Any] = {"seconds": ended.seconds, "peak_bytes": ended.peak_bytes}
        if outcome is Outcome.CONVERTED:
            sidecar_file = Path(folder) / f"{source.stem}_xai.json"
            sidecar = json.loads(sidecar_file.read_text(encoding="utf-8"))
            if sidecar["mode"] == "whitebox":
                known |= _described(sidecar)
                outcome, reason, known["check"] = _checked(architecture, sidecar_file, seconds)
                if both is not None:
                    known["onnx"] = onnx_form(source, both, sidecar_file, sidecar, seconds)
            else:  # no branch was possible, and the model is to be explained from outside
                outcome = Outcome.REFUSED
            reason = reason or _refused(sidecar)
    return Result(architecture.key, model, converter, outcome, reason, **known)


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
    ended = run_limited([*command, "--seconds", str(seconds)], LIMITS)
    if ended.stopped_for or ended.exit_code != 0:
        return Outcome.UNCHECKED, ended.reason, None
    check = Check(**json.loads(ended.stdout))
    if check.max_grey_diff is not None and not check.max_grey_diff <= _MOST_GREY_LEVELS:
        return Outcome.WRONG, f"its map is off by {check.max_grey_diff:.3g} grey levels", check
    return Outcome.CONVERTED, "", check
