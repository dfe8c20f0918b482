"""Compiling a model for a device, for one answer at a time or for many at once."""

from __future__ import annotations

from typing import Any, Literal

import openvino as ov

from ovxai_convert.errors import ModelReadError, UsageError, last_line

Hint = Literal["LATENCY", "THROUGHPUT"]


def compile_for(model: ov.Model, device: str, hint: Hint) -> ov.CompiledModel:
    """Compile in float32, so that a map does not depend on what the device computes in by default.

    Raises:
        UsageError: there is no such device.
        ModelReadError: the device cannot run the model.
    """
    core = ov.Core()
    settings: dict[str, Any] = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": "f32"}
    kind = device.split(":")[0].split(".")[0]
    if kind not in {name.split(".")[0] for name in core.available_devices} | {
        "AUTO",
        "HETERO",
        "MULTI",
        "BATCH",
    }:
        raise UsageError(f"no device '{device}' here; there are {', '.join(core.available_devices)}")
    try:
        return core.compile_model(model, device, settings)
    except RuntimeError as error:
        raise ModelReadError(f"device '{device}' cannot run the model: {last_line(error)}") from error
