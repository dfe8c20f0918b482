"""What has come of a conversion as plain data, as ``ovxai-convert --json`` prints it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # it needs the libraries, and the process that tells of failures has none
    from ovxai_convert.artifact.conversion import ConversionReport
    from ovxai_convert.artifact.sidecar import TargetLayer

_NOTHING: Final[dict[str, Any]] = {
    "xml": None,
    "onnx": None,
    "sidecar": None,
    "mode": None,
    "method": None,
    "target_layer": None,
    "bit_exact": None,
    "warnings": [],
    "error": None,
    "exit_code": 0,
}


def failed_conversion(path: Path | str, reason: str, exit_code: int) -> dict[str, Any]:
    """Of a model that was not converted: why, and with which exit code."""
    return {"path": str(path), **_NOTHING, "error": reason, "exit_code": exit_code}


def conversion_facts(path: Path, report: ConversionReport) -> dict[str, Any]:
    """Of one that was.

    ``target_layer`` is as ``--target-layer`` takes it, None in a black box; ``bit_exact``: whether all
    original outputs are.
    """
    told = report.sidecar
    return {
        "path": str(path),
        **_NOTHING,
        **{path.suffix[1:]: str(path) for path in report.models},
        "sidecar": str(report.sidecar_path),
        "mode": told.mode,
        "method": told.method,
        "target_layer": _layer_of(told.target_layer),
        "bit_exact": all(check.bit_exact for check in told.verification.outputs),
        "warnings": list(report.warnings),
    }


def _layer_of(layer: TargetLayer | None) -> str | None:
    if layer is None:
        return None
    return f"{layer.name}:{layer.port}" if layer.port else layer.name
