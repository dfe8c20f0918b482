"""Give a deployed OpenVINO classifier the power to explain itself."""

from __future__ import annotations

from ovxai_convert.errors import (
    ModelReadError,
    OvxaiError,
    Refusal,
    RefusedError,
    UsageError,
    VerificationError,
    WriteError,
)
from ovxai_convert.insertion import insert_xai
from ovxai_convert.pipeline import ConversionReport, convert
from ovxai_convert.sidecar import Sidecar, read_sidecar
from ovxai_convert.vocabulary import Method, Task

__all__ = [
    "ConversionReport",
    "Method",
    "ModelReadError",
    "OvxaiError",
    "Refusal",
    "RefusedError",
    "Sidecar",
    "Task",
    "UsageError",
    "VerificationError",
    "WriteError",
    "convert",
    "insert_xai",
    "read_sidecar",
]
