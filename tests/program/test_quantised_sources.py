"""Quantised networks of other tools: the original stays bit-exact and is executed as before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openvino as ov
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper
from openvino import opset15 as ops

from fixtures.broken_files import save_ir
from ovxai_convert import convert
from ovxai_convert.artifact.checks import SaliencyCheck
from ovxai_convert.errors import VerificationError
from ovxai_convert.insertion.request import Branch
from ovxai_convert.proof.execution import IN_FLOATS, PLAIN, Execution
from ovxai_convert.proof.prover import Prover
from ovxai_convert.source.reading import read_source
from tests.executed import executed_for
from tests.program.invocation import but_unsaid
from tests.program.test_verification import edited, gathered, spoil_insertion
from tests.running import CORE
from tests.transformers import VitSpec, transformer

CHANNELS, CLASSES = 16, 5


def quantised_onnx(path: Path) -> Path:
    """Convolution, Relu, mean and Gemm, every tensor between a QuantizeLinear and a DequantizeLinear."""
    rng = np.random.default_rng(8)
    weights: list[TensorProto] = []
    nodes: list[NodeProto] = []

    def stored(name: str, values: np.ndarray) -> str:
        weights.append(numpy_helper.from_array(values, name))
        return name

    def weight(name: str, shape: tuple[int, ...], axis: int) -> str:
        scale = stored(f"{name}_scale", (0.01 + 0.01 * rng.random(shape[axis])).astype(np.float32))
        zero = stored(f"{name}_zero", np.zeros(shape[axis], np.int8))
        whole = stored(f"{name}_int8", rng.integers(-100, 100, shape, np.int8))
        nodes.append(helper.make_node("DequantizeLinear", [whole, scale, zero], [name], axis=axis))
        return name

    def quantised(name: str, scale: float, zero: int) -> str:
        pair = [stored(f"{name}_s", np.float32(scale)), stored(f"{name}_z", np.uint8(zero))]  # type: ignore[arg-type]
        nodes.append(helper.make_node("QuantizeLinear", [name, *pair], [f"{name}_q"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{name}_q", *pair], [f"{name}_d"]))
        return f"{name}_d"

    image = quantised("image", 0.03, 128)
    kernel = weight("kernel", (CHANNELS, 3, 3, 3), 0)
    shift = stored("shift", rng.standard_normal(CHANNELS).astype(np.float32))
    nodes.append(helper.make_node("Conv", [image, kernel, shift], ["conv"], pads=[1, 1, 1, 1]))
    nodes.append(helper.make_node("Relu", ["conv"], ["relu"]))
    nodes.append(helper.make_node("GlobalAveragePool", [quantised("relu", 0.05, 0)], ["pooled"]))
    nodes.append(helper.make_node("Flatten", [quantised("pooled", 0.02, 0)], ["flat"]))
    matrix = weight("matrix", (CLASSES, CHANNELS), 0)
    nodes.append(helper.make_node("Gemm", ["flat", matrix], ["scores"], transB=1))
    output = quantised("scores", 0.1, 120)
    graph = helper.make_graph(
        nodes,
        "quantised",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 12, 16])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, CLASSES])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def test_onnx_between_quantize_and_dequantize(tmp_path: Path) -> None:
    """Scales and zero points are the branch's own, else the runtime would fuse the last layer otherwise."""
    path = quantised_onnx(tmp_path / "net.onnx")
    report = convert(path, tmp_path / "out", exact=True)
    assert report.warnings == ()
    assert report.sidecar.verification.device == PLAIN.name
    source = read_source(path).model
    before, after = executed_for(source, source), executed_for(source, CORE.read_model(report.xml))
    assert [(each.kind, each.primitive) for each in before] == [(each.kind, each.primitive) for each in after]
    integers = [each.kind for each in before if each.primitive.endswith("I8")]
    assert {"Convolution", "FullyConnected"} <= set(integers), "the original is executed in integers"


def quantised_transformer() -> ov.Model:
    """Every product of two blocks reads its data and its weights through a FakeQuantize."""
    model = transformer(VitSpec(width=32, heads=4, grid=(6, 6)))
    for node in model.get_ordered_ops():
        if node.get_type_name() == "MatMul":
            for index, limit in ((0, 4.0), (1, 1.0)):
                low, high = (ops.constant(np.float32(each)) for each in (-limit, limit * 127 / 128))
                rounded = ops.fake_quantize(node.input_value(index), low, high, low, high, 256)
                node.input(index).replace_source_output(rounded.output(0))
    model.validate_nodes_and_infer_types()
    return model


@pytest.mark.parametrize("rounded", [False, True])
def test_quantised_attention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, rounded: bool) -> None:
    """In integers its map differs from the definition by steps of the quantisation; in floats it must not.

    Whether it does in integers depends on the processor; where it is made to, the proof goes on in floats.
    """
    if rounded:
        monkeypatch.setattr(Prover, "_check_maps", differs_in_integers(Prover._check_maps))
    path = save_ir(quantised_transformer(), tmp_path / "net.xml")
    report = convert(path, tmp_path / "out")
    assert report.sidecar.method == "vitreciprocam"
    assert [check.bit_exact for check in report.sidecar.verification.outputs] == [True]
    device = report.sidecar.verification.device
    assert device == IN_FLOATS.name or (device == PLAIN.name and not rounded)
    said = "the head is quantised: its map is as defined where quantisation is"
    assert [warning.startswith(said) for warning in but_unsaid(report.warnings)] == [True] * (
        device == IN_FLOATS.name
    )


def differs_in_integers(right: Callable[..., SaliencyCheck]) -> Callable[..., SaliencyCheck]:
    """A check that finds maps wrong unless the quantisation is computed in floats."""

    def check(
        prover: Prover, branch: Branch, own: slice, execution: Execution, *trials: Any
    ) -> SaliencyCheck:
        if execution is not IN_FLOATS:
            raise VerificationError("the saliency map is wrong by a step of the quantisation")
        return right(prover, branch, own, execution, *trials)

    return check


def test_wrong_map_of_quantised_attention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of cells swapped: computing the quantisation in floats excuses no mistake."""
    path = save_ir(quantised_transformer(), tmp_path / "net.xml")
    spoil_insertion(monkeypatch, edited(1, gathered(2, [1, 0, 2, 3, 4, 5])))
    with pytest.raises(VerificationError, match="the saliency map is wrong at cell"):
        convert(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
