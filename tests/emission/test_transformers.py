"""A transformer's branch in ONNX, with every kernel, class tokens kept and dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray
from openvino import opset15 as ops

from ovxai_convert import convert
from ovxai_convert.emission.saying import said_in_onnx
from ovxai_convert.errors import Refusal
from ovxai_convert.onnx_graph.graph import OnnxGraph
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


def test_a_long_chain_of_sums_is_no_matter() -> None:
    """Each reads the one before twice: 2 ** 200 paths, and one walk."""
    given = ops.parameter([1, 4], np.float32, "given")
    node = given
    for _ in range(200):
        node = ops.add(node, node)
    graph = OnnxGraph(17, "x/")
    said = said_in_onnx([node.output(0)], graph, {given.output(0): "given"}.get)
    assert not isinstance(said, Refusal)
    assert len(graph.nodes) == 200
