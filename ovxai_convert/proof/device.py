"""The device of the proof: CPU, in float32, so that equal means equal; and two ways to use it in need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import openvino as ov

from ovxai_convert.ops import Trait, has

DEVICE: Final = "CPU"
ONE_THREAD: Final = "CPU, one thread"
"""Where a model gives other outputs for equal inputs as soon as its work is shared."""
IN_FLOATS: Final = "CPU, quantisation in float32"
"""Where the integer arithmetic of a quantised head hides whether its map is as defined: integers round sums
that floats keep, so that two ways to compute the same scores differ by steps of the quantisation."""
EXACT: Final = {"INFERENCE_PRECISION_HINT": "f32"}
"""Newer CPUs compute in bfloat16 by default, which would hide a difference or make one."""


_SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    DEVICE: {},
    ONE_THREAD: {"INFERENCE_NUM_THREADS": 1},
    IN_FLOATS: {"LP_TRANSFORMS_MODE": "NO"},
}


def compile_exact(model: ov.Model, device: str = DEVICE) -> ov.CompiledModel:
    """Compile for the CPU in float32; ``device`` is any of the above."""
    return ov.Core().compile_model(model, DEVICE, {**EXACT, **_SETTINGS[device]})


def quantises(model: ov.Model) -> bool:
    """Whether a model holds an op that the runtime may execute in integers."""
    return any(has(node, Trait.ROUNDING) for node in model.get_ops())
