"""Reading the target so that the runtime neither merges nor re-fuses the model's own ops."""

from __future__ import annotations

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.errors import Refusal
from ovxai_convert.insertion.tap import tap_at_depth
from ovxai_convert.tensors.ports import find_port

SHAPE = [1, 3, 4, 5]


def _model() -> tuple[ov.Model, ov.Output]:
    """Convolution, bias, ReLU (the target), sigmoid."""
    rng = np.random.default_rng(0)
    image = ops.parameter(SHAPE, np.float32, name="image")
    weights = rng.standard_normal((3, 3, 1, 1)).astype(np.float32)
    convolved = ops.convolution(image, weights, [1, 1], [0, 0], [0, 0], [1, 1])
    convolved.set_friendly_name("convolution")
    biased = ops.add(convolved, rng.standard_normal((1, 3, 1, 1)).astype(np.float32))
    target = ops.relu(biased)
    target.set_friendly_name("target")
    output = ops.sigmoid(target)
    output.set_friendly_name("head")
    return ov.Model([ops.result(output)], [image], "tapped"), target.output(0)


def _runtime_sigmoids(tap_depth: int) -> int:
    """How many sigmoids are left when a branch repeats the head's own on a tapped target."""
    model, target = _model()
    tap = tap_at_depth(DataFlow(model), target, tap_depth)
    assert not isinstance(tap, Refusal)
    model.add_outputs(ops.negative(ops.sigmoid(tap)).output(0))
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    executed = compiled.get_runtime_model().get_ops()
    layers = ",".join(node.get_rt_info()["originalLayersNames"].value for node in executed).split(",")
    return sum(layer == "head" or layer.startswith("Sigmoid") for layer in layers)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_a_tapped_tensor_is_equal_to_the_target(depth: int) -> None:
    model, target = _model()
    tap = tap_at_depth(DataFlow(model), target, depth)
    assert not isinstance(tap, Refusal)
    compared = ov.Model([ops.result(target), ops.result(tap)], model.get_parameters(), "compared")
    image = np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32)
    results = ov.Core().compile_model(compared, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([image])
    np.testing.assert_array_equal(results[0], results[1])
    assert np.ptp(results[0]) > 0


def test_the_runtime_merges_what_reads_the_target_itself_and_nothing_else() -> None:
    assert _runtime_sigmoids(0) == 1
    assert _runtime_sigmoids(1) == 2


def test_from_depth_two_on_the_target_has_no_further_consumer() -> None:
    for depth, consumers in ((0, 1), (1, 2), (2, 1)):
        model, target = _model()
        tap = tap_at_depth(DataFlow(model), target, depth)
        assert not isinstance(tap, Refusal)
        assert len({user.get_node() for user in target.get_target_inputs()}) == consumers


def test_what_is_costly_is_not_computed_twice() -> None:
    model, target = _model()
    flow = DataFlow(model)
    refused = tap_at_depth(flow, target, 4)
    assert isinstance(refused, Refusal)
    assert refused.reason == "Convolution is too costly to compute twice"
    assert refused.node == find_port(model, "convolution").get_node().get_friendly_name()
