"""The last linear layer, and numbers that it can do later instead of its input."""

from __future__ import annotations

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.methods.linear_tail import take_out_divisor
from tests.running import run


def _model() -> tuple[ov.Model, DataFlow, ov.Output]:
    """An image ``[1, 4, 2, 3]``, and what the model itself makes of it."""
    image = ops.parameter([1, 4, 2, 3], np.float32, name="image")
    image.output(0).get_tensor().set_names({"image"})
    own = ops.reshape(ops.divide(image, np.float32(2)), np.array([4, 6]), special_zero=False)
    model = ov.Model([ops.result(own)], [image], "divided")
    return model, DataFlow(model), own.output(0)


def _moved(port: ov.Output) -> ov.Output:
    """The numbers of a tensor ``[4, 6]`` under other axes."""
    apart = ops.reshape(port, np.array([1, 4, 6]), special_zero=False)
    return ops.squeeze(ops.transpose(apart, np.array([0, 2, 1])), np.array([0])).output(0)


def test_a_divisor_behind_moves_is_taken_out() -> None:
    model, flow, own = _model()
    features = _moved(ops.divide(own, np.float32(7)).output(0))
    image = np.random.default_rng(0).standard_normal((1, 4, 2, 3)).astype(np.float32)
    model.add_outputs(features)
    before = run(model.clone(), {"image": image})[1]
    divisor = take_out_divisor(flow, features)
    assert divisor is not None
    assert divisor.get_node().data == 7
    np.testing.assert_allclose(run(model, {"image": image})[1], 7 * before, rtol=1e-6)
    assert take_out_divisor(flow, features) is None


def test_the_models_own_division_stays() -> None:
    _, flow, own = _model()
    assert take_out_divisor(flow, own) is None
    assert take_out_divisor(flow, _moved(own)) is None


@pytest.mark.parametrize(
    "divisor", [np.array([[7]], np.float32), np.arange(1, 7, dtype=np.float32)], ids=["[1,1]", "[6]"]
)
def test_only_a_scalar_is_taken_out(divisor: np.ndarray) -> None:
    """A number per row would not stand where it stood after a Transpose."""
    _, flow, own = _model()
    assert take_out_divisor(flow, _moved(ops.divide(own, divisor).output(0))) is None


def test_a_quotient_that_something_else_reads_stays() -> None:
    model, flow, own = _model()
    quotient = ops.divide(own, np.float32(7)).output(0)
    shape = ops.shape_of(quotient)
    features = _moved(quotient)
    other = ops.exp(quotient)
    model.add_outputs([other.output(0), shape.output(0)])
    assert take_out_divisor(flow, features) is None
    assert other.input_value(0) == quotient


def test_work_between_the_division_and_the_layer_keeps_it() -> None:
    _, flow, own = _model()
    features = _moved(ops.tanh(ops.divide(own, np.float32(7))).output(0))
    assert take_out_divisor(flow, features) is None
