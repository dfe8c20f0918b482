"""How the proof runs models: on the CPU, in float32, so that equal means equal; two other ways in need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.compiling import compile_in_float32
from ovxai_convert.ops import Trait, has
from ovxai_convert.proof.trial_inputs import Feed


@dataclass(frozen=True)
class Execution:
    """One way to run models, named as the sidecar records it, with properties of the runtime beside float32.

    ``warning`` is for a user whose model could be proved in this way alone.
    """

    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    warning: str | None = None

    def compiled(self, model: ov.Model) -> ov.CompiledModel:
        """The model, ready to run; a RuntimeError of OpenVINO if it cannot."""
        return compile_in_float32(model, **self.properties)


PLAIN: Final = Execution("CPU")
ONE_THREAD: Final = Execution(
    "CPU, one thread",
    {"INFERENCE_NUM_THREADS": 1},
    "the runtime gives other numbers for equal inputs when the model runs on several threads; it was proved "
    "on one thread",
)
IN_FLOATS: Final = Execution(
    "CPU, quantisation in float32",
    {"LP_TRANSFORMS_MODE": "NO"},
    "the head is quantised: its map is as defined where quantisation is computed in float32; in integers the "
    "runtime rounds maps, as it does scores, by steps of the quantisation",
)
"""Integers round sums that floats keep: two ways to compute one score differ by steps of the quantisation."""


def run(compiled: ov.CompiledModel, feed: Feed) -> tuple[NDArray[Any], ...]:
    """Copies of all outputs; the runtime uses its own again."""
    results = compiled(feed)
    return tuple(np.array(results[index]) for index in range(len(compiled.outputs)))


def quantises(model: ov.Model) -> bool:
    """Whether a model holds an op that the runtime may execute in integers."""
    return any(has(node, Trait.ROUNDING) for node in model.get_ops())
