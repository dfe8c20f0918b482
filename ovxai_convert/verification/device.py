"""The device of the proof: CPU, in float32, so that equal means equal."""

from __future__ import annotations

from typing import Final

import openvino as ov

DEVICE: Final = "CPU"
ONE_THREAD: Final = "CPU, one thread"
"""Where a model gives other outputs for equal inputs as soon as its work is shared."""
EXACT: Final = {"INFERENCE_PRECISION_HINT": "f32"}
"""Newer CPUs compute in bfloat16 by default, which would hide a difference or make one."""


def compile_exact(model: ov.Model, device: str = DEVICE) -> ov.CompiledModel:
    """Compile for the CPU in float32; ``device`` is :data:`DEVICE` or :data:`ONE_THREAD`."""
    threads = {"INFERENCE_NUM_THREADS": 1} if device == ONE_THREAD else {}
    return ov.Core().compile_model(model, DEVICE, {**EXACT, **threads})
