"""Networks of unusual form: skips past the target, tokens, state, several outputs, exporters' habits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import openvino as ov
from onnx import TensorProto, helper, numpy_helper
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, classifier, cnn, image_parameter, named, reshaped, transposed
from tests.running import CORE

CLASSES = 3
CHANNELS = 4
_SPEC = CnnSpec(height=4, width=6)


def whole(*values: int) -> Node:
    """A vector of i64."""
    return ops.constant(np.array(values, np.int64))


def _trunk(batch: int | None, draw: Draw) -> tuple[Node, Node, Node]:
    """Image, a first map ``stem`` and a second map ``target``, both ``[N, 4, 4, 6]``."""
    image = image_parameter(CnnSpec(batch=batch, height=_SPEC.height, width=_SPEC.width))
    stem = named(ops.tanh(draw.convolution(image, CHANNELS)), "stem")
    target = named(ops.tanh(draw.convolution(stem, CHANNELS)), "target")
    return image, stem, target


def skip_past_target(batch: int | None) -> Model:
    """``fc(gap(target) * gap(stem))``: each sample has its own tensor that no masking changes."""
    draw = Draw(11)
    image, stem, target = _trunk(batch, draw)
    pooled, shared = ops.reduce_mean(target, [2, 3], False), ops.reduce_max(stem, [2, 3], False)
    scores = draw.linear(ops.tanh(ops.multiply(draw.linear(pooled, CHANNELS), shared)), CLASSES)
    return classifier(named(scores, "scores"), [image])


def concat_past_target(batch: int | None) -> Model:
    """``fc([gap(stem), gap(target)])`` behind a hidden layer."""
    draw = Draw(12)
    image, stem, target = _trunk(batch, draw)
    pooled, shared = ops.reduce_mean(target, [2, 3], False), ops.reduce_max(stem, [2, 3], False)
    hidden = ops.tanh(draw.linear(ops.concat([shared, pooled], 1), 5))
    return classifier(named(draw.linear(hidden, CLASSES), "scores"), [image])


def token_first(batch: int | None) -> Model:
    """``[N, C, H, W] -> [N, C, T] -> [T, N, C]``, a layer on tokens, and back for the mean."""
    draw = Draw(13)
    image, _, target = _trunk(batch, draw)
    flat = reshaped(target, [0, CHANNELS, _SPEC.height * _SPEC.width])
    hidden = ops.tanh(draw.linear(transposed(flat, [2, 0, 1]), CHANNELS))
    back = transposed(hidden, [1, 0, 2])
    return classifier(named(draw.linear(ops.reduce_mean(back, [1], False), CLASSES), "scores"), [image])


def token_mean(batch: int | None) -> Model:
    """Patches to tokens ``[N, T, C]``, an MLP with a residual (``target``), a mean over tokens, a layer."""
    draw = Draw(14)
    image = image_parameter(CnnSpec(batch=batch, height=_SPEC.height, width=_SPEC.width))
    tokens = transposed(
        reshaped(draw.convolution(image, CHANNELS), [0, CHANNELS, _SPEC.height * _SPEC.width]), [0, 2, 1]
    )
    norm = ops.mvn(tokens, [2], True, 1e-5, "inside_sqrt")
    mlp = draw.linear(ops.gelu(draw.linear(norm, 7), "erf"), CHANNELS)
    target = named(ops.add(tokens, mlp), "target")
    return classifier(
        named(draw.linear(ops.reduce_mean(target, [1], False), CLASSES), "scores"), [image], "softmax"
    )


def subsampled_tokens(batch: int | None) -> Model:
    """Attention of every other row and column over all cells, without a residual, and a mean over its tokens.

    As LeViT shrinks its map: nothing but the queries says which cell a token of the result stands for.
    """
    draw = Draw(24)
    image = image_parameter(CnnSpec(batch=batch, height=_SPEC.height, width=_SPEC.width))
    grid = transposed(draw.convolution(image, CHANNELS), [0, 2, 3, 1])
    every_other = ops.slice(grid, whole(0, 0), whole(4, 6), whole(2, 2), whole(1, 2))
    queries = draw.linear(reshaped(every_other, [0, 6, CHANNELS]), CHANNELS)
    tokens = reshaped(grid, [0, 24, CHANNELS])
    weights = ops.softmax(ops.matmul(queries, draw.linear(tokens, CHANNELS), False, True), 2)
    target = named(ops.tanh(ops.matmul(weights, tokens, False, False)), "target")
    return classifier(named(draw.linear(ops.reduce_mean(target, [1], False), CLASSES), "scores"), [image])


def windows(batch: int | None, grid: bool = False) -> Model:
    """Cells in windows of 2x3, or in one of all: a layer there, with a residual (``inside``), and back.

    As MaxViT's blocks end: what the last layer makes has an axis of windows, the map ``target`` is only what
    these are put together to.
    """
    draw = Draw(25)
    image = image_parameter(CnnSpec(batch=batch, height=_SPEC.height, width=_SPEC.width))
    x = transposed(draw.convolution(image, CHANNELS), [0, 2, 3, 1])
    if grid:
        cells: Node = reshaped(x, [0, 1, 24, CHANNELS])
        inside = named(ops.add(cells, ops.tanh(draw.linear(cells, CHANNELS))), "inside")
        back = reshaped(transposed(inside, [0, 2, 1, 3]), [0, 4, 6, CHANNELS])
    else:
        apart = transposed(reshaped(x, [0, 2, 2, 2, 3, CHANNELS]), [0, 1, 3, 2, 4, 5])
        cells = reshaped(apart, [0, 4, 6, CHANNELS])
        inside = named(ops.add(cells, ops.tanh(draw.linear(cells, CHANNELS))), "inside")
        together = transposed(reshaped(inside, [0, 2, 2, 2, 3, CHANNELS]), [0, 1, 3, 2, 4, 5])
        back = reshaped(together, [0, 4, 6, CHANNELS])
    target = named(transposed(back, [0, 3, 1, 2]), "target")
    return classifier(named(draw.linear(ops.reduce_mean(target, [2, 3], False), CLASSES), "scores"), [image])


def class_token() -> Model:
    """A class token is joined to the patch tokens and alone read by the last layer."""
    draw = Draw(15)
    image = image_parameter(CnnSpec(height=_SPEC.height, width=_SPEC.width))
    patches = transposed(reshaped(draw.convolution(image, CHANNELS), [0, CHANNELS, 24]), [0, 2, 1])
    tokens = named(ops.concat([draw.numbers(1, 1, CHANNELS), patches], 1), "tokens")
    mixing = ops.softmax(ops.matmul(tokens, tokens, False, True), 2)
    mixed = named(ops.add(ops.matmul(mixing, tokens, False, False), tokens), "mixed")
    first = ops.gather(mixed, ops.constant(np.int64(0)), ops.constant(np.int64(1)))
    return classifier(named(draw.linear(first, CLASSES), "scores"), [image])


def perceptron(colours: int = 3) -> Model:
    """Two layers on the flattened image: there is no feature map."""
    draw = Draw(16)
    image = ops.parameter([1, colours, _SPEC.height, _SPEC.width], np.float32, name="image")
    image.output(0).get_tensor().set_names({"image"})
    hidden = named(ops.tanh(draw.linear(reshaped(image, [0, colours * 24]), 5)), "hidden")
    return classifier(named(draw.linear(hidden, CLASSES), "scores"), [image])


def vgg_like(batch: int | None) -> Model:
    """A 2x2 pooling between the map and two layers on all its cells, as VGG has."""
    draw = Draw(17)
    image, _, target = _trunk(batch, draw)
    pooled = ops.max_pool(target, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2])
    flat = reshaped(named(pooled.output(0).get_node(), "pooling").output(0), [0, CHANNELS * 6])
    return classifier(named(draw.linear(ops.relu(draw.linear(flat, 8)), CLASSES), "scores"), [image])


def two_class_outputs(batch: int | None = 1, ending: str = "none") -> Model:
    """Two class tensors, ``first`` and ``second``, and between them the feature map as ``features``.

    ``ending``: ``"softmax"`` stands behind the second one then.
    """
    draw = Draw(18)
    image, _, target = _trunk(batch, draw)
    results = []
    pooled = ops.reduce_mean(target, [2, 3], False)
    first = named(draw.linear(pooled, CLASSES), "first_scores")
    second = named(draw.linear(pooled, 2), "second_scores")
    if ending == "softmax":
        second = ops.softmax(second, 1)
    for name, tensor in (("first", first), ("features", target), ("second", second)):
        tensor.output(0).get_tensor().set_names({name})
        results.append(ops.result(tensor, name=f"{name}/sink"))
    return Model(results, [image], "two_heads")


def stateful(batch: int = 1) -> Model:
    """A running sum of the pooled map, kept in a variable, is added before the last layer."""
    draw = Draw(19)
    image, _, target = _trunk(batch, draw)
    pooled = ops.reduce_mean(target, [2, 3], False)
    start = ops.constant(np.full((batch, CHANNELS), 0.5, np.float32))
    before = ops.read_value(start, "running", np.float32, [batch, CHANNELS])
    total = ops.add(before, pooled)
    sink = ops.assign(total, "running")
    scores = named(draw.linear(ops.tanh(total), CLASSES), "scores")
    scores.output(0).get_tensor().set_names({"output"})
    return Model([ops.result(scores, name="output/result")], [sink], [image], "stateful")


def compressed(folder: Path) -> Model:
    """A classifier read back from IR whose weights were stored as FP16."""
    path = folder / "compressed.xml"
    ov.save_model(cnn(CnnSpec(channels=16)), path, compress_to_fp16=True)
    return CORE.read_model(path)


def labelled() -> Model:
    """A classifier with the metadata that Model API reads."""
    model = cnn(CnnSpec())
    for key, value in (
        ("model_type", "Classification"),
        ("labels", "cat dog bird"),
        ("mean_values", "1 2 3"),
    ):
        model.set_rt_info(value, ["model_info", key])
    return model


FlattenForm = Literal["flatten", "baked_reshape", "shape_subgraph"]


def exported_onnx(form: FlattenForm, batch: int | None, seed: int = 20) -> bytes:
    """Conv, BatchNorm, Relu, GlobalAveragePool, one of three ways to flatten, Gemm: nodes are unnamed."""
    rng = np.random.default_rng(seed)

    def weight(name: str, *shape: int, offset: float = 0.0) -> TensorProto:
        return numpy_helper.from_array((offset + 0.5 * rng.standard_normal(shape)).astype(np.float32), name)

    def whole(name: str, *values: int) -> TensorProto:
        return numpy_helper.from_array(np.array(values, np.int64), name)

    weights = [weight("w", CHANNELS, 3, 3, 3), weight("b", CHANNELS), weight("gain", CHANNELS, offset=1.0)]
    weights += [weight("shift", CHANNELS), weight("mean", CHANNELS)]
    weights += [numpy_helper.from_array(np.linspace(0.5, 2, CHANNELS, dtype=np.float32), "variance")]
    weights += [weight("fc", CLASSES, CHANNELS), weight("fc_b", CLASSES)]
    nodes = [
        helper.make_node("Conv", ["image", "w", "b"], ["conv"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("BatchNormalization", ["conv", "gain", "shift", "mean", "variance"], ["bn"]),
        helper.make_node("Relu", ["bn"], ["target"]),
        helper.make_node("GlobalAveragePool", ["target"], ["pooled"]),
    ]
    if form == "flatten":
        nodes += [helper.make_node("Flatten", ["pooled"], ["flat"], axis=1)]
    elif form == "baked_reshape":
        weights += [whole("pattern", batch or -1, CHANNELS)]
        nodes += [helper.make_node("Reshape", ["pooled", "pattern"], ["flat"])]
    else:
        weights += [whole("zero", 0), whole("minus_one", -1)]
        nodes += [
            helper.make_node("Shape", ["pooled"], ["shape"]),
            helper.make_node("Gather", ["shape", "zero"], ["count"], axis=0),
            helper.make_node("Concat", ["count", "minus_one"], ["pattern"], axis=0),
            helper.make_node("Reshape", ["pooled", "pattern"], ["flat"]),
        ]
    nodes += [helper.make_node("Gemm", ["flat", "fc", "fc_b"], ["logits"], transB=1)]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch or "batch", 3, 5, 7])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch or "batch", CLASSES])
    graph = helper.make_graph(nodes, "exported", [image], [logits], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


WITH_TARGET: dict[str, Callable[[int | None], Model]] = {
    "skip_past_target": skip_past_target,
    "concat_past_target": concat_past_target,
    "token_first": token_first,
    "token_mean": token_mean,
    "subsampled_tokens": subsampled_tokens,
    "vgg_like": vgg_like,
}
"""Builders, by batch, of networks whose node ``target`` can be masked."""
