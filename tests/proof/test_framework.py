"""The source in its own framework: agreement is recorded, a difference fails the proof, doubts are said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import openvino as ov
import pytest
from onnx import TensorProto, helper
from openvino import Model
from openvino import opset15 as ops

from fixtures.broken_files import onnx_classifier, save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import UsageError, VerificationError, convert
from ovxai_convert.proof.comparison import Reference
from ovxai_convert.proof.execution import PLAIN
from ovxai_convert.proof.framework import Framework, compare_with_framework
from ovxai_convert.proof.trial_inputs import first_trials
from ovxai_convert.source.reading import read_source
from ovxai_convert.source.tflite_weights import unsigned_weights
from ovxai_convert.tensors.precision import has_narrow_tensors

FRAMEWORK: Final = '''
"""Stands in for ONNX Runtime: OpenVINO itself, whose outputs are moved."""
import numpy as np
import openvino as ov
__version__ = "9.9"
class _Argument:
    def __init__(self, name): self.name = name
class InferenceSession:
    def __init__(self, path, providers):
        self._model = ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    def get_inputs(self):
        return [_Argument(port.get_any_name()) for port in self._model.inputs]
    def run(self, _, feeds):
        results = self._model([feeds[port.get_any_name()] for port in self._model.inputs])
        return [MOVED(np.array(results[index])) for index in range(len(self._model.outputs))]
'''


@pytest.fixture
def onnx_model(tmp_path: Path) -> Path:
    """A whole ONNX classifier."""
    onnx.save(onnx_classifier(), tmp_path / "classifier.onnx")
    return tmp_path / "classifier.onnx"


@pytest.fixture
def framework(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which a module ``onnxruntime`` may be written."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    yield folder / "onnxruntime.py"
    sys.modules.pop("onnxruntime", None)


def test_one_that_agrees_is_recorded(onnx_model: Path, framework: Path, tmp_path: Path) -> None:
    framework.write_text(FRAMEWORK.replace("MOVED", ""), encoding="utf-8")
    check = convert(onnx_model, tmp_path / "out").sidecar.verification.reference
    assert check is not None
    assert (check.runtime, check.max_abs_diff) == ("onnxruntime 9.9", 0.0)


@pytest.mark.parametrize(
    ("moved", "text"),
    [
        ("(lambda x: 1.01 * x)", "differs by 0.0"),
        (
            "(lambda x: x[:, ::-1])",
            "OpenVINO reads this file otherwise than onnxruntime: on normal numbers, output 0",
        ),
        ("(lambda x: x[:, :1])", "differs by inf of its range"),
    ],
    ids=["hundredth", "classes reversed", "fewer classes"],
)
def test_one_that_differs_fails_the_proof(
    moved: str, text: str, onnx_model: Path, framework: Path, tmp_path: Path
) -> None:
    framework.write_text(FRAMEWORK.replace("MOVED", moved), encoding="utf-8")
    with pytest.raises(VerificationError, match=text):
        convert(onnx_model, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert convert(onnx_model, tmp_path / "out", reference="none").sidecar.verification.reference is None


def test_one_that_does_not_run_it_is_told_and_fails_who_asked_for_it(
    onnx_model: Path, framework: Path, tmp_path: Path
) -> None:
    framework.write_text(FRAMEWORK.replace("MOVED", "(lambda x: 1 / 0)"), encoding="utf-8")
    report = convert(onnx_model, tmp_path / "out")
    assert report.sidecar.verification.reference is None
    told = "onnxruntime does not run the source: division by zero; so the two were not compared"
    assert told in report.warnings
    with pytest.raises(VerificationError, match="does not run the source: division by zero"):
        convert(onnx_model, tmp_path / "asked", reference="onnxruntime")
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(
    ("there", "agrees"), [(-np.inf, True), (np.inf, False), (np.nan, False), (0.0, False)]
)
def test_an_infinite_score_must_be_the_same(there: float, agrees: bool, onnx_model: Path) -> None:
    """As a mask of classes leaves it; no number but itself is near it."""
    model = cnn(CnnSpec())
    trial = first_trials(model)[0]
    here = np.array([[1.0, -np.inf, 3.0]], np.float32)
    beside = Framework("beside", "onnx", ("numpy",), lambda *_: lambda _: [np.array([[1.0, there, 3.0]])])
    reference = Reference(model, (trial,), ((here,),), PLAIN)
    if agrees:
        check = compare_with_framework(beside, onnx_model, reference, rounded=False)
        assert (check.max_abs_diff, check.max_relative_diff) == (0.0, 0.0)
    else:
        with pytest.raises(VerificationError, match="differs by inf of its range"):
            compare_with_framework(beside, onnx_model, reference, rounded=False)


def test_a_reference_that_cannot_be(onnx_model: Path, tmp_path: Path) -> None:
    for name, text in (
        ("tflite", "runs files of the format tflite, and not onnx"),
        ("paddle", "no reference 'paddle'"),
    ):
        with pytest.raises(UsageError, match=text):
            convert(onnx_model, tmp_path / "out", reference=name)
    source = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    with pytest.raises(UsageError, match="and not ir"):
        convert(source, tmp_path / "out", reference="onnxruntime")


def _reduction(path: Path, op: str, opset: int) -> Path:
    """A model of one reduction over rows and columns."""
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
    node = helper.make_node(op, ["x", "axes"] if opset >= 18 else ["x"], ["y"], name="reduced", keepdims=0)
    if opset < 18:
        node.attribute.append(helper.make_attribute("axes", [2, 3]))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4, 5])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "net", [x], [y], [axes] if opset >= 18 else [])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
    return path


@pytest.mark.parametrize("op", ["ReduceL1", "ReduceLogSum", "ReduceLogSumExp", "ReduceL2", "ReduceMean"])
@pytest.mark.parametrize("opset", [12, 13, 17, 18])
def test_reductions_whose_axes_are_passed_over(op: str, opset: int, tmp_path: Path) -> None:
    """What is said to be misread is, by the runtime of today; what is not is read rightly by all."""
    source = read_source(_reduction(tmp_path / "net.onnx", op, opset))
    image = np.random.default_rng(0).uniform(0.1, 1, (1, 3, 4, 5)).astype(np.float32)
    result = ov.Core().compile_model(source.model, "CPU")([image])[0]
    assert source.misread or result.shape == (1, 3)
    if source.misread and not ov.get_version().startswith("2026.0."):  # which reads some of them rightly
        assert result.shape != (1, 3)
    if source.misread:
        assert source.misread == (f"{op} 'reduced' of operator set {opset}, whose axes it ignores",)


@pytest.mark.parametrize("kind", ["unsigned", "zero_point", "signed", "no_weights"])
def test_unsigned_weights_without_a_zero_point(kind: str) -> None:
    image = ops.parameter([1, 3, 4, 5], np.float32, name="image")
    dtype = np.int8 if kind == "signed" else np.uint8
    shape = (4, 3, 1, 1) if kind != "no_weights" else (3,)
    numbers = ops.constant(np.full(shape, 100, dtype))
    numbers.set_friendly_name("weights")
    floats = ops.convert(numbers, "f32")
    if kind == "zero_point":
        floats = ops.subtract(floats, np.float32(128))
    scaled = ops.multiply(floats, np.float32(0.01))
    if kind == "no_weights":
        result = ops.add(image, ops.reshape(scaled, np.array([1, 3, 1, 1], np.int64), False))
    else:
        result = ops.convolution(image, scaled, [1, 1], [0, 0], [0, 0], [1, 1])
    found = unsigned_weights(Model([ops.result(result)], [image], "net"))
    expected = ("unsigned 8-bit weights 'weights' without a zero point",)
    assert found == (expected if kind == "unsigned" else ())


@pytest.mark.parametrize("stored", [None, np.int8, np.float16], ids=["f32", "i8", "f16"])
def test_rounded_weights_have_a_wider_tolerance(stored: type | None) -> None:
    """Frameworks round activations, too, where weights are stored in few bits."""
    image = ops.parameter([1, 3, 6, 8], np.float32, name="image")
    weights = np.random.default_rng(0).integers(-90, 90, (4, 3, 3, 3))
    constant = ops.constant(weights.astype(stored or np.float32))
    floats = ops.multiply(ops.convert(constant, "f32") if stored else constant, np.float32(0.01))
    target = ops.relu(ops.convolution(image, floats, [1, 1], [1, 1], [1, 1], [1, 1]))
    scores = ops.reduce_mean(target, np.array([2, 3], np.int64), False)
    assert has_narrow_tensors(Model([ops.result(scores)], [image], "net")) == (stored is not None)
