"""Give a deployed OpenVINO classifier the power to explain itself.

What is named here is loaded when it is first asked for, so that the commands can begin without the libraries.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from ovxai_convert.old_names import register

if TYPE_CHECKING:
    from ovxai_convert.artifact.conversion import ConversionReport
    from ovxai_convert.artifact.reading import read_sidecar
    from ovxai_convert.artifact.sidecar import Description, Sidecar
    from ovxai_convert.blackbox.method import Preset
    from ovxai_convert.errors import (
        ModelReadError,
        OvxaiError,
        Refusal,
        RefusedError,
        UsageError,
        VerificationError,
        WriteError,
    )
    from ovxai_convert.explain.comparing import compare
    from ovxai_convert.explain.comparison import MethodComparison
    from ovxai_convert.explain.explainer import Explainer
    from ovxai_convert.explain.explanation import Explanation
    from ovxai_convert.explain.plan import ExplainMode
    from ovxai_convert.explain.warned import (
        AnswerWarning,
        PictureWarning,
        PreprocessingWarning,
        ProofWarning,
        SettingWarning,
    )
    from ovxai_convert.insertion.insert import insert_xai
    from ovxai_convert.methods import Method
    from ovxai_convert.photographs.hints import PreprocessingHints
    from ovxai_convert.pipeline import convert
    from ovxai_convert.vocabulary import Task

    __version__: str

_HOMES = {
    "artifact.conversion": ("ConversionReport",),
    "artifact.reading": ("read_sidecar",),
    "artifact.sidecar": ("Description", "Sidecar"),
    "blackbox.method": ("Preset",),
    "errors": (
        "ModelReadError",
        "OvxaiError",
        "Refusal",
        "RefusedError",
        "UsageError",
        "VerificationError",
        "WriteError",
    ),
    "explain.comparing": ("compare",),
    "explain.comparison": ("MethodComparison",),
    "explain.explainer": ("Explainer",),
    "explain.explanation": ("Explanation",),
    "explain.plan": ("ExplainMode",),
    "explain.warned": (
        "AnswerWarning",
        "PictureWarning",
        "PreprocessingWarning",
        "ProofWarning",
        "SettingWarning",
    ),
    "insertion.insert": ("insert_xai",),
    "methods": ("Method",),
    "photographs.hints": ("PreprocessingHints",),
    "pipeline": ("convert",),
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
    "MethodComparison",
    "ModelReadError",
    "OvxaiError",
    "PictureWarning",
    "PreprocessingHints",
    "PreprocessingWarning",
    "Preset",
    "ProofWarning",
    "Refusal",
    "RefusedError",
    "SettingWarning",
    "Sidecar",
    "Task",
    "UsageError",
    "VerificationError",
    "WriteError",
    "compare",
    "convert",
    "insert_xai",
    "read_sidecar",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # takes a while

        return version("ovxai-convert")
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """What the package offers, and what Python itself keeps in a module."""
    kept = {name for name in globals() if name.startswith("__")}
    return sorted({*kept, *__all__, "__version__"})


register(sys.modules)  # ``ovxai_convert.explainer`` and others, for scripts that come from openvino-xai
