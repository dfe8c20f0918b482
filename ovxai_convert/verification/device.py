"""The device of the proof: CPU, in float32, so that equal means equal."""

from __future__ import annotations

from typing import Final

import openvino as ov

DEVICE: Final = "CPU"
EXACT: Final = {"INFERENCE_PRECISION_HINT": "f32"}
"""Newer CPUs compute in bfloat16 by default, which would hide a difference or make one."""


def compile_exact(model: ov.Model) -> ov.CompiledModel:
    """Compile for the CPU in float32."""
    return ov.Core().compile_model(model, DEVICE, EXACT)
