"""A model for Triton's Python backend that runs the IR beside it with OpenVINO, in float32.

Triton itself reads the configuration, checks requests and speaks to clients, as with its OpenVINO backend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import triton_python_backend_utils as triton  # type: ignore[import-not-found]


class TritonPythonModel:
    """What the backend looks for."""

    def initialize(self, arguments: Mapping[str, str]) -> None:
        """Compile the model of the version that is loaded."""
        xml = Path(arguments["model_repository"]) / arguments["model_version"] / "model.xml"
        self._compiled = ov.Core().compile_model(xml, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer each request with all outputs."""
        return [self._answered(request) for request in requests]

    def _answered(self, request: Any) -> Any:
        names = [port.get_any_name() for port in self._compiled.inputs]
        inputs = {name: triton.get_input_tensor_by_name(request, name).as_numpy() for name in names}
        results = self._compiled(inputs)
        outputs = [(port.get_any_name(), np.ascontiguousarray(results[port])) for port in results]
        return triton.InferenceResponse([triton.Tensor(name, values) for name, values in outputs])
