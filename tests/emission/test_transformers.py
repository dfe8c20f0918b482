"""A transformer's branch in ONNX, with every kernel, class tokens kept and dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from ovxai_convert import convert
from tests.emission.test_branch import answers
from tests.oracle import Floats

PLANTED = Path(__file__).resolve().parents[2] / "fixtures" / "planted_object.onnx"


@pytest.mark.parametrize("kernel", ["gaussian", "single"])
@pytest.mark.parametrize("class_token", ["keep", "drop"])
def test_maps_of_a_transformer(kernel: str, class_token: str, tmp_path: Path) -> None:
    report = convert(
        PLANTED,
        tmp_path,
        output_format="both",
        preprocessing="unit",
        method="vitreciprocam",
        kernel=kernel,
        class_token=class_token,
    )
    given = np.random.default_rng(5).random((2, 3, 48, 48)).astype(np.float32)
    (expected,) = [value for name, value in _in_openvino(report.xml, given).items() if name == "saliency_map"]
    found = answers(report.onnx, given)["saliency_map"]
    assert np.ptp(found) == 255
    assert np.abs(found.astype(int) - expected).max() <= 1


def _in_openvino(xml: Path, given: Floats) -> dict[str, NDArray[Any]]:
    compiled = ov.compile_model(xml, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled(given)
    return {port.get_any_name(): np.array(results[port]) for port in compiled.outputs}
