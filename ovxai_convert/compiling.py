"""Compiling models: always in float32, whatever a device computes in by default."""

from __future__ import annotations

from typing import Any, Final

import openvino as ov

_IN_FLOAT32: Final = {"INFERENCE_PRECISION_HINT": "f32"}
"""Newer CPUs compute in bfloat16 otherwise, which would hide a difference or make one."""


def compile_in_float32(model: ov.Model, device: str = "CPU", **properties: Any) -> ov.CompiledModel:
    """The model, ready to run with further properties of the runtime.

    Raises:
        RuntimeError: the device cannot run it.
    """
    return ov.Core().compile_model(model, device, {**_IN_FLOAT32, **properties})
