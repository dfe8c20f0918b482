"""Tensors by name, their addresses, and values that hide behind small subgraphs."""

from __future__ import annotations

import numpy as np
import pytest
from openvino import Model
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, image_parameter, named
from ovxai_convert.errors import UsageError
from ovxai_convert.tensors.ports import address, constant_ints, constant_value, extents, find_port, rank
from tests.running import CORE
from tests.special_networks import exported_onnx


@pytest.fixture
def model() -> Model:
    """A Split of three outputs, and one node whose name looks like an address of it."""
    image = image_parameter(CnnSpec(batch=None, height=4, width=6))
    split = named(ops.split(image, np.int64(1), 3), "split")
    split.output(2).get_tensor().set_names({"blue"})
    tricky = named(ops.relu(split.output(0)), "split:1")
    return Model([ops.result(tricky), ops.result(split.output(1)), ops.result(split.output(2))], [image])


@pytest.mark.parametrize(
    ("wanted", "node", "index"),
    [("split", "split", 0), ("split:2", "split", 2), ("blue", "split", 2), ("split:1", "split:1", 0)],
)
def test_names(model: Model, wanted: str, node: str, index: int) -> None:
    port = find_port(model, wanted)
    assert (port.get_node().get_friendly_name(), port.get_index()) == (node, index)


@pytest.mark.parametrize("wanted", ["split:3", "splitt", "split:x", "split:-1", ""])
def test_unknown_names(model: Model, wanted: str) -> None:
    with pytest.raises(UsageError):
        find_port(model, wanted)


def test_addresses_lead_back(model: Model) -> None:
    port = find_port(model, "split:2")
    assert address(port) == "split:2"
    assert find_port(model, address(port)) == port


def test_extents(model: Model) -> None:
    assert extents(find_port(model, "split")) == (None, 1, 4, 6)
    assert rank(find_port(model, "split")) == 4
    open_rank = ops.parameter([-1], np.float32)
    anything = ops.reshape(open_rank, ops.parameter([-1], np.int64), special_zero=False)
    assert extents(anything.output(0)) is None
    assert rank(anything.output(0)) is None


def test_values() -> None:
    assert constant_ints(ops.constant(np.array([[2], [-3]], np.int32)).output(0)) == [2, -3]
    assert constant_value(ops.parameter([2], np.float32).output(0)) is None


def test_axes_computed_by_a_subgraph() -> None:
    """ONNX GlobalAveragePool reduces ``Range(2, rank)``, known although the batch is not."""
    model = CORE.read_model(exported_onnx("flatten", None))
    mean = next(node for node in model.get_ordered_ops() if node.get_type_name() == "ReduceMean")
    assert constant_ints(mean.input_value(1)) == [2, 3]


def test_an_open_shape_is_no_value(model: Model) -> None:
    assert constant_value(ops.shape_of(find_port(model, "split")).output(0)) is None
