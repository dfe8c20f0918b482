"""Give a deployed OpenVINO classifier the power to explain itself.

What is named here is loaded when it is first asked for, so that the commands can begin without the libraries.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from ovxai_convert.explain.explainer import (
        AnswerWarning,
        Explainer,
        ExplainMode,
        PictureWarning,
        ProofWarning,
    )
    from ovxai_convert.explain.explanation import Explanation
    from ovxai_convert.insertion.insert import insert_xai
    from ovxai_convert.methods import Method
    from ovxai_convert.photographs.hints import PreprocessingHints
    from ovxai_convert.pipeline import ConversionReport, convert
    from ovxai_convert.vocabulary import Task

_HOMES = {
    "artifact.reading": ("read_sidecar",),
    "artifact.sidecar": ("Description", "Sidecar"),
    "errors": (
        "ModelReadError",
        "OvxaiError",
        "Refusal",
        "RefusedError",
        "UsageError",
        "VerificationError",
        "WriteError",
    ),
    "explain.explainer": ("AnswerWarning", "Explainer", "ExplainMode", "PictureWarning", "ProofWarning"),
    "explain.explanation": ("Explanation",),
    "insertion.insert": ("insert_xai",),
    "methods": ("Method",),
    "photographs.hints": ("PreprocessingHints",),
    "pipeline": ("ConversionReport", "convert"),
    "vocabulary": ("Task",),
}
"""The module that each name comes from."""

__all__ = [
    "AnswerWarning",
    "ConversionReport",
    "Description",
    "ExplainMode",
    "Explainer",
    "Explanation",
    "Method",
    "ModelReadError",
    "OvxaiError",
    "PictureWarning",
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


def __getattr__(name: str) -> Any:
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
