"""The device alone: as many evaluations as OpenVINO makes of a model when nothing else is to be done."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray

FLOAT32: Final = {"INFERENCE_PRECISION_HINT": "f32"}


class Device:
    """A model compiled for throughput, run as OpenVINO's own benchmark tool runs it.

    As many requests as the device calls optimal, each given its input once and then started again and again:
    no input is copied and no result is read.

    Args:
        model: path of a model with one input.
        image: what it is run on.
    """

    def __init__(self, model: str, image: NDArray[Any]) -> None:
        core = ov.Core()
        compiled = core.compile_model(
            core.read_model(model), "CPU", {"PERFORMANCE_HINT": "THROUGHPUT", **FLOAT32}
        )
        self._queue = ov.AsyncInferQueue(compiled)  # the optimal number
        for request in self._queue:
            request.get_input_tensor(0).data[:] = image

    def evaluate(self, count: int) -> None:
        """So many evaluations."""
        for _ in range(count):
            self._queue.start_async()
        self._queue.wait_all()


def predicted_class(model: str, image: NDArray[Any]) -> int:
    """The class that a model scores highest."""
    core = ov.Core()
    request = core.compile_model(core.read_model(model), "CPU", FLOAT32).create_infer_request()
    request.infer([image])
    return int(np.argmax(request.get_output_tensor(0).data))
