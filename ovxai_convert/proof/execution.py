"""How the proof runs models: on the CPU, in float32, so that equal means equal; two other ways in need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import openvino as ov

from ovxai_convert.compiling import compile_in_float32
from ovxai_convert.ops import Trait, has


@dataclass(frozen=True)
class Execution:
    """One way to run models.

    Attributes:
        name: as the sidecar records it.
        properties: of the runtime, beside float32.
        warning: what a user should know where a model could be proved in this way alone.
    """

    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    warning: str | None = None

    def compiled(self, model: ov.Model) -> ov.CompiledModel:
        """The model, ready to run."""
        return compile_in_float32(model, **self.properties)


PLAIN: Final = Execution("CPU")
ONE_THREAD: Final = Execution(
    "CPU, one thread",
    {"INFERENCE_NUM_THREADS": 1},
    "the runtime gives other numbers for equal inputs when the model runs on several threads; it was proved "
    "on one thread",
)
"""Where a model gives other outputs for equal inputs as soon as its work is shared."""
IN_FLOATS: Final = Execution(
    "CPU, quantisation in float32",
    {"LP_TRANSFORMS_MODE": "NO"},
    "the head is quantised: its map is as defined where quantisation is computed in float32; in integers the "
    "runtime rounds maps, as it does scores, by steps of the quantisation",
)
"""Where the integer arithmetic of a quantised head hides whether its map is as defined: integers round sums
that floats keep, so that two ways to compute the same scores differ by steps of the quantisation."""


def quantises(model: ov.Model) -> bool:
    """Whether a model holds an op that the runtime may execute in integers."""
    return any(has(node, Trait.ROUNDING) for node in model.get_ops())
