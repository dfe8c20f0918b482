"""Networks of half precision: proved, and their maps within a grey level of the definition in float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray
from openvino import Model
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, classifier, image_parameter, named
from ovxai_convert import convert
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods import Method
from tests import oracle
from tests.mosaic.test_odd_heads import CHANNELS, COLUMNS, HEADS, ROWS, Head
from tests.oracle import Port, assert_grey_levels_equal
from tests.running import compile_f32, insert_branch
from tests.transformers import VitSpec, masked_places, transformer


def network(head: Head, batch: int | None = 1) -> Model:
    """A CNN that ends in a head."""
    draw = Draw(61)
    image = image_parameter(CnnSpec(batch=batch, height=ROWS, width=COLUMNS))
    target = named(ops.tanh(draw.convolution(image, CHANNELS)), "target")
    return classifier(named(head(draw, target), "scores"), [image])


def in_type(model: Model, element: ov.Type, rounded: ov.Type) -> Model:
    """A copy whose floating-point weights are rounded to one type and stored in another; so is its input."""
    copy = model.clone()
    for node in copy.get_ordered_ops():
        if node.get_type_name() == "Constant" and node.get_element_type() == ov.Type.f32:
            values = node.data.astype(rounded.to_dtype()).astype(element.to_dtype())
            constant = ops.constant(values, element)
            constant.set_friendly_name(node.get_friendly_name())
            node.output(0).replace(constant.output(0))
    for parameter in copy.get_parameters():
        parameter.set_element_type(element)
    copy.validate_nodes_and_infer_types()
    return copy


def _run(xml: Path, image: NDArray[Any]) -> NDArray[Any]:
    """The map that a converted model gives of one input of any type."""
    return np.array(compile_f32(ov.Core().read_model(xml))([image]).to_tuple()[-1])


@pytest.mark.parametrize("head", HEADS, ids=lambda head: str(head.__name__))
def test_a_network_of_half_precision(head: Head, tmp_path: Path) -> None:
    single = in_type(network(head), ov.Type.f32, ov.Type.f16)
    ov.serialize(in_type(network(head), ov.Type.f16, ov.Type.f16), tmp_path / "net.xml")
    report = convert(tmp_path / "net.xml", tmp_path / "out", method="reciprocam", target_layer="target")
    image = np.random.default_rng(0).standard_normal((1, 3, ROWS, COLUMNS)).astype(np.float16)
    found = _run(report.xml, image)
    inputs = {"image": image.astype(np.float32)}
    assert_grey_levels_equal(found, oracle.reciprocam(single, Port("target"), Port("scores"), "NCHW", inputs))
    check = report.sidecar.verification.saliency_map
    assert check is not None
    assert check.maps_compared > 0


@pytest.mark.parametrize("head", ["class", "mean"])
def test_a_transformer_of_half_precision(head: str, tmp_path: Path) -> None:
    spec = VitSpec(head="mean") if head == "mean" else VitSpec()
    single = in_type(transformer(spec), ov.Type.f32, ov.Type.f16)
    ov.serialize(in_type(transformer(spec), ov.Type.f16, ov.Type.f16), tmp_path / "net.xml")
    report = convert(tmp_path / "net.xml", tmp_path / "out", method="vitreciprocam")
    port = single.inputs[0]
    shape = [extent.get_length() for extent in port.get_partial_shape()]
    image = np.random.default_rng(0).standard_normal(shape).astype(np.float16)
    found = _run(report.xml, image)
    inputs = {port.get_any_name(): image.astype(np.float32)}
    expected = oracle.vitreciprocam(single, masked_places(spec), Port("scores"), inputs, spec.grid)
    assert_grey_levels_equal(found, expected)


def test_mixed_precisions(tmp_path: Path) -> None:
    """Half precision up to the pooled vector, single behind it."""
    draw = Draw(64)
    image = image_parameter(CnnSpec(batch=1, height=ROWS, width=COLUMNS))
    half = ops.convert(image, "f16")
    weights = draw.numbers(CHANNELS, 3, 3, 3)
    filtered = ops.convolution(half, ops.convert(weights, "f16"), [1, 1], [1, 1], [1, 1], [1, 1])
    target = named(ops.relu(filtered), "target")
    pooled = ops.convert(ops.reduce_mean(target, [2, 3], False), "f32")
    model = classifier(named(draw.linear(ops.tanh(pooled), 3), "scores"), [image])
    ov.serialize(model, tmp_path / "net.xml")
    report = convert(tmp_path / "net.xml", tmp_path / "out")
    inputs = {"image": np.random.default_rng(0).standard_normal((1, 3, ROWS, COLUMNS)).astype(np.float32)}
    found = _run(report.xml, inputs["image"])
    expected = oracle.reciprocam(model, Port("target"), Port("scores"), "NCHW", inputs)
    assert_grey_levels_equal(found, expected)


def test_more_cells_than_half_precision_counts(tmp_path: Path) -> None:
    """2521 cells: no number of 16 bits is one less."""
    draw = Draw(65)
    image = image_parameter(CnnSpec(batch=1, height=1, width=2521))
    target = named(ops.tanh(draw.convolution(image, CHANNELS)), "target")
    behind = ops.tanh(draw.convolution(target, CHANNELS, 1))
    model = classifier(named(draw.linear(ops.reduce_mean(behind, [2, 3], False), 3), "scores"), [image])
    single = in_type(model, ov.Type.f32, ov.Type.f16)
    insertion = insert_branch(in_type(model, ov.Type.f16, ov.Type.f16), Request(Method.RECIPROCAM, "target"))
    values = np.random.default_rng(0).standard_normal((1, 3, 1, 2521)).astype(np.float16)
    found = np.array(compile_f32(insertion.model)([values]).to_tuple()[-1])
    inputs = {"image": values.astype(np.float32)}
    expected = oracle.reciprocam(single, Port("target"), Port("scores"), "NCHW", inputs)
    assert_grey_levels_equal(found, expected)
