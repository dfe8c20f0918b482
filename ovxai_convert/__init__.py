"""Give a deployed OpenVINO classifier the power to explain itself."""

from __future__ import annotations

from ovxai_convert.artifact.reading import read_sidecar
from ovxai_convert.artifact.sidecar import Description, Sidecar
from ovxai_convert.errors import (
    ModelReadError,
    OvxaiError,
    Refusal,
    RefusedError,
    UsageError,
    VerificationError,
    WriteError,
)
from ovxai_convert.explain.explainer import Explainer, ExplainMode, ProofWarning
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.insertion.insert import insert_xai
from ovxai_convert.methods import Method
from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.pipeline import ConversionReport, convert
from ovxai_convert.vocabulary import Task

__all__ = [
    "ConversionReport",
    "Description",
    "ExplainMode",
    "Explainer",
    "Explanation",
    "Method",
    "ModelReadError",
    "OvxaiError",
    "PreprocessingHints",
    "ProofWarning",
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
