"""ONNX's own rules: whether a file keeps them, its types and shapes inferred."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx.checker import ValidationError
from onnx.shape_inference import InferenceError

from ovxai_convert.errors import VerificationError, last_line


def check_rules(source: Path, converted: Path) -> None:
    """Hold a converted file to the rules that its source keeps; a source that breaks them proves nothing.

    Raises:
        VerificationError: the source keeps them, and what was made of it does not.
    """
    reason = _broken(converted)
    if reason is not None and _broken(source) is None:
        raise VerificationError(f"the converted file breaks the rules of ONNX: {reason}")


def _broken(path: Path) -> str | None:
    try:
        onnx.checker.check_model(path, full_check=True)
    except (ValidationError, InferenceError) as error:
        return last_line(error)
    return None
