"""Which constants a branch gets a copy of: those that are stored once all the same."""

from __future__ import annotations

import numpy as np
from openvino import opset15 as ops
from openvino.op import Constant

from fixtures.networks import reshaped
from ovxai_convert.tensors.recreate import own_constant

BIAS = np.linspace(-1, 1, 12, dtype=np.float32)


def test_a_bias_is_copied_under_other_axes_too() -> None:
    bias = ops.constant(BIAS)
    for port in (bias.output(0), reshaped(bias, [1, 12, 1, 1]).output(0)):
        copy = own_constant(port)
        assert copy != port
        assert isinstance(copy.get_node(), Constant)
        assert copy.get_node().data.tobytes() == BIAS.tobytes()
        assert list(copy.get_shape()) == list(port.get_shape())


def test_a_part_of_a_constant_is_not() -> None:
    """It would be stored once more."""
    for port in ops.split(ops.constant(BIAS), ops.constant(0), 3).outputs():
        assert own_constant(port) == port


def test_zero_points_are_converted() -> None:
    port = ops.convert(ops.constant(np.array([3], np.int8)), "f32").output(0)
    copy = own_constant(port).get_node()
    assert isinstance(copy, Constant)
    assert copy.data.tolist() == [3.0]
