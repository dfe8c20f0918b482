"""Compiling a model for a device, for one answer at a time or for many at once."""

from __future__ import annotations

from typing import Literal

import openvino as ov

from ovxai_convert.compiling import compile_in_float32
from ovxai_convert.errors import ModelReadError, UsageError, last_line

Hint = Literal["LATENCY", "THROUGHPUT"]


def compile_for(model: ov.Model, device: str, hint: Hint) -> ov.CompiledModel:
    """Compile in float32, so that a map does not depend on what the device computes in by default.

    Raises:
        UsageError: there is no such device.
        ModelReadError: the device cannot run the model.
    """
    there = ov.Core().available_devices
    kind = device.split(":")[0].split(".")[0]
    if kind not in {name.split(".")[0] for name in there} | {
        "AUTO",
        "HETERO",
        "MULTI",
        "BATCH",
    }:
        raise UsageError(f"no device '{device}' here; there are {', '.join(there)}")
    try:
        return compile_in_float32(model, device, PERFORMANCE_HINT=hint)
    except RuntimeError as error:
        raise ModelReadError(f"device '{device}' cannot run the model: {last_line(error)}") from error
