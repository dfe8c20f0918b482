"""Recipro-CAM equals its definition whatever the extents, the opset, the precision and the input are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import onnx
import openvino as ov
import pytest
from onnx import TensorProto, defs, helper, numpy_helper
from openvino import opset15 as ops
from openvino.preprocess import ColorFormat, PrePostProcessor, ResizeAlgorithm

from fixtures.networks import CnnSpec, Draw, Head, Layout, classifier, cnn, image_parameter, named
from tests.running import CORE, check_reciprocam, compile_f32, random_inputs, run

NEWEST: Final = defs.onnx_opset_version()
INTEGERS: Final = {"u8": np.uint8, "i8": np.int8}
OPSETS: Final = (7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24)


ONE_LINE: Final = ((1, 9), (9, 1), (2, 1))


@pytest.mark.parametrize("head", ["gap", "gmp", "flatten", "gap_mlp"])
@pytest.mark.parametrize("size", ONE_LINE, ids=str)
def test_one_row_or_column(size: tuple[int, int], head: Head) -> None:
    """Every head in both layouts, at one of the sizes each at least; so is every size."""
    layout: Layout = "NCHW" if (ONE_LINE.index(size) + len(head)) % 2 else "NHWC"
    spec = CnnSpec(height=size[0], width=size[1], strides=(1, 1), head=head, layout=layout, batch=2)
    assert check_reciprocam(cnn(spec)).place.target.grid == size


@pytest.mark.parametrize("batch", [2, 5])
@pytest.mark.parametrize("head", ["gap_baked_reshape", "flatten", "gap_conv1x1"])
def test_fixed_batch(head: Head, batch: int) -> None:
    """The batch is baked into a Reshape."""
    check_reciprocam(cnn(CnnSpec(batch=batch, head=head)))


@pytest.mark.parametrize("head", ["gap", "gmp", "gap_conv1x1", "fc_maps"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_open_rows_and_columns(layout: Layout, head: Head) -> None:
    """The map's size follows the image's."""
    model = cnn(CnnSpec(batch=None, dynamic_size=True, channels=2, head=head, layout=layout))
    for size in ((10, 14), (7, 21)):
        check_reciprocam(model, inputs=random_inputs(model, size=size))


def test_fewer_channels_than_rows() -> None:
    assert check_reciprocam(cnn(CnnSpec(channels=2, strides=(1, 1)))).place.target.layout == "NCHW"


def _exported(opset: int) -> bytes:
    """Convolution, Relu, BatchNorm, a mean in the form of its time, Gemm, Softmax."""
    rng = np.random.default_rng(opset)

    def weight(name: str, *shape: int) -> TensorProto:
        return numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name)

    weights = [weight("kernel", 4, 3, 3, 3), weight("shift", 4), weight("matrix", 4, 3), weight("bias", 3)]
    weights += [weight("gain", 4), weight("offset", 4), weight("mean", 4)]
    weights.append(numpy_helper.from_array(np.array([0.5, 1, 2, 1.5], np.float32), "variance"))
    if opset >= 18:  # from then on the axes are an input
        weights.append(numpy_helper.from_array(np.array([2, 3], np.int64), "axes"))
        mean = helper.make_node("ReduceMean", ["target", "axes"], ["pooled"], keepdims=1)
    elif opset % 2:
        mean = helper.make_node("ReduceMean", ["target"], ["pooled"], axes=[2, 3], keepdims=1)
    else:
        mean = helper.make_node("GlobalAveragePool", ["target"], ["pooled"])
    nodes = [
        helper.make_node("Conv", ["image", "kernel", "shift"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["conv", "gain", "offset", "mean", "variance"], ["normed"]),
        helper.make_node("Relu", ["normed"], ["target"]),
        mean,
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["output"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [2, 3, 4, 6])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [2, 3])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("opset", [each for each in OPSETS if each <= NEWEST])
def test_onnx_opset(opset: int) -> None:
    insertion = check_reciprocam(CORE.read_model(_exported(opset)))
    assert "target" in insertion.place.target.port.get_names()


@pytest.mark.parametrize("kind", INTEGERS)
def test_compressed_weights(kind: str, tmp_path: Path) -> None:
    """Weights as integers with a zero point and a scale per channel, as compression writes them, stay so."""
    draw, image = Draw(51), image_parameter(CnnSpec(height=4, width=6))
    target = named(ops.relu(draw.convolution(image, 16)), "target")
    stored = np.random.default_rng(5).integers(0, 100, (3, 16)).astype(INTEGERS[kind])
    shifted = ops.subtract(ops.convert(ops.constant(stored), "f32"), ops.constant(np.float32(50)))
    weights = ops.multiply(shifted, draw.numbers(3, 1, scale=0.02))
    scores = ops.matmul(ops.reduce_mean(target, [2, 3], False), weights, False, True)
    path = tmp_path / "net.xml"
    ov.save_model(classifier(named(scores, "scores"), [image]), path, compress_to_fp16=False)
    converted = check_reciprocam(CORE.read_model(path)).model
    kept = [node for node in converted.get_ordered_ops() if node.get_type_name() == "Constant"]
    assert [node.get_element_type().get_type_name() for node in kept].count(kind) == 1


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_embedded_preprocessing(layout: Layout) -> None:
    """Pixels of any size, blue first, are resized and normed inside of the model."""
    processor = PrePostProcessor(cnn(CnnSpec(layout=layout, ending="softmax")))
    tensor = processor.input().tensor()
    tensor.set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_spatial_dynamic_shape()
    tensor.set_color_format(ColorFormat.BGR)
    steps = processor.input().preprocess()
    steps.convert_element_type(ov.Type.f32).convert_color(ColorFormat.RGB)
    steps.resize(ResizeAlgorithm.RESIZE_LINEAR).mean([100.0, 110.0, 120.0]).scale([50.0, 60.0, 55.0])
    processor.input().model().set_layout(ov.Layout(layout))
    model = processor.build()
    pixels = np.random.default_rng(6).integers(0, 256, (1, 31, 45, 3), np.uint8)
    insertion = check_reciprocam(model, inputs={"image": pixels})
    assert insertion.place.target.port.get_node().get_friendly_name() == "target"
    assert insertion.place.target.grid == (5, 7)


def test_precision_hints_change_rounding_only() -> None:
    """In bfloat16 scores and map move together, by what its eight bits explain."""
    model = cnn(CnnSpec(channels=8, head="gap_mlp"))
    insertion = check_reciprocam(model)
    inputs = random_inputs(model)
    precise = run(insertion.model, inputs)[-1].astype(np.float64)
    rough = CORE.compile_model(insertion.model, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})(inputs)
    assert abs(rough["saliency_map"].astype(np.float64) - precise).max() <= 24
    again = compile_f32(insertion.model)(inputs)["saliency_map"]
    assert np.array_equal(again, precise)
