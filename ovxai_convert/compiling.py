"""Compiling models: always in float32, whatever a device computes in by default."""

from __future__ import annotations

from typing import Any

import openvino as ov


def compile_in_float32(model: ov.Model, device: str = "CPU", **properties: Any) -> ov.CompiledModel:
    """The model, ready to run with further properties of the runtime; its RuntimeError if it cannot.

    Newer CPUs compute in bfloat16 otherwise, which would hide a difference or make one.
    """
    return ov.Core().compile_model(model, device, {"INFERENCE_PRECISION_HINT": "f32", **properties})
