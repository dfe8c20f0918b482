"""What became of processes that convert or check: how far they came, and all of it of the ONNX form."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.coverage.limited_process import Ended, Limits, run_limited
from benchmarks.coverage.results import OnnxCheck, OnnxForm, Outcome, Proof

LIMITS: Final = Limits(seconds=600, resident_bytes=8 * 2**30)
"""Of every process."""
_REFUSED: Final = 4
_UNPROVED: Final = 5
_RUNTIME: Final = "ONNX Runtime"


def outcome_of(ended: Ended, source: Path) -> tuple[Outcome, str]:
    """How a conversion ended, and why not well."""
    reason = ended.reason.replace(f"Error: {source}: ", "").partition("; 'ovxai-inspect")[0]
    if ended.stopped_for:
        return Outcome.STOPPED, reason
    if ended.exit_code == 0:
        return Outcome.CONVERTED, ""
    if ended.has_traceback or ended.exit_code not in (_REFUSED, _UNPROVED):
        return Outcome.CRASHED, reason
    return (Outcome.REFUSED if ended.exit_code == _REFUSED else Outcome.UNPROVED), reason


def onnx_form(
    source: Path, ended: Ended, sidecar_file: Path, sidecar: dict[str, Any], seconds: float
) -> OnnxForm:
    """What a conversion to both forms says of the ONNX file, which is then checked in another process."""
    outcome, reason = outcome_of(ended, source)
    if outcome is not Outcome.CONVERTED:
        return OnnxForm(outcome, reason)
    told = sidecar["onnx"]
    known = {"opset": told["opset"], "nodes": told["nodes_added"], "bytes_added": told["bytes_added"]}
    there = next((each for each in told["runtimes"] if each["runtime"].startswith(_RUNTIME)), None)
    if there is None:
        return OnnxForm(Outcome.UNCHECKED, f"{_RUNTIME} does not take the source", **known)
    proof = Proof(there["saliency_map"]["positions_checked"], there["saliency_map"]["max_abs_diff"])
    xml, converted = (sidecar_file.with_suffix(suffix) for suffix in (".xml", ".onnx"))
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.coverage.onnx_check"]
    checked = run_limited([*command, source, xml, converted, "--seconds", str(seconds)], LIMITS)
    if checked.stopped_for or checked.exit_code != 0:
        return OnnxForm(Outcome.UNCHECKED, checked.reason, proof=proof, **known)
    check = OnnxCheck(**json.loads(checked.stdout))
    return OnnxForm(Outcome.CONVERTED, "", proof=proof, check=check, **known)
