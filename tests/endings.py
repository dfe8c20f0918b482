"""What stands between the scores of a classifier and its outputs, and what comes in beside the image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, Tensor, classifier, image_parameter, named, port_of

CHANNELS: Final = 4
CLASSES: Final = 5
_SPEC: Final = CnnSpec(height=4, width=6)


def trunk(batch: int | None, draw: Draw) -> tuple[Node, Node, Node]:
    """Image, feature map ``target`` ``[N, 4, 4, 6]``, and its mean over the cells."""
    image = image_parameter(CnnSpec(batch=batch, height=_SPEC.height, width=_SPEC.width))
    target = named(ops.tanh(draw.convolution(image, CHANNELS)), "target")
    return image, target, ops.reduce_mean(target, [2, 3], False)


def model_of(outputs: Mapping[str, Tensor], *inputs: Node) -> Model:
    """A model with named outputs."""
    results = []
    for name, tensor in outputs.items():
        port_of(tensor).get_tensor().set_names({name})
        results.append(ops.result(port_of(tensor), name=f"{name}/sink"))
    return Model(results, list(inputs), "net")


def best(scores: Tensor, count: int, mode: str = "max", axis: int = 1) -> Node:
    """TopK: the values, then the indices."""
    return ops.topk(scores, ops.constant(np.int64(count)), axis, mode, "value", index_element_type="i64")


def _outputs(make: str, scores: Node, pooled: Node, target: Node) -> dict[str, Tensor]:
    one, several = best(scores, 1), best(ops.softmax(scores, 1), 3)
    axis = ops.constant(np.array([1], np.int64))
    made: dict[str, Callable[[], dict[str, Tensor]]] = {
        "argmax": lambda: {"class": ops.squeeze(one.output(1), axis)},
        "argmax, kept axis": lambda: {"class": ops.convert(one.output(1), "i32")},
        "top 3 indices": lambda: {"indices": several.output(1)},
        "top 3": lambda: {"values": several.output(0), "indices": several.output(1)},
        "logits and argmax": lambda: {"class": one.output(1), "logits": scores},
        "logits and probabilities": lambda: {"logits": scores, "probabilities": ops.softmax(scores, 1)},
        "logits and pooled": lambda: {"pooled": pooled, "logits": scores},
        "logits and map": lambda: {"map": target, "logits": scores},
    }
    return made[make]()


ENDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "argmax": ("class", "argmax"),
    "argmax, kept axis": ("class", "argmax"),
    "top 3 indices": ("indices", "argmax"),
    "top 3": ("indices", "argmax"),
    "logits and argmax": ("logits", "none"),
    "logits and probabilities": ("probabilities", "softmax"),
    "logits and pooled": ("logits", "none"),
    "logits and map": ("logits", "none"),
}
"""Output that is read, and what stands before it, by ending."""


def with_ending(make: str, batch: int | None = 1) -> Model:
    """A classifier of five classes, ``scores``, with one of :data:`ENDINGS`."""
    draw = Draw(31)
    image, target, pooled = trunk(batch, draw)
    scores = named(draw.linear(pooled, CLASSES), "scores")
    return model_of(_outputs(make, scores, pooled, target), image)


def mean_of_two_heads(batch: int | None, behind_softmax: bool = False) -> Model:
    """Half the sum of a linear head and one with a hidden layer, of logits or of probabilities."""
    draw = Draw(32)
    image, _, pooled = trunk(batch, draw)
    heads = [draw.linear(pooled, CLASSES), draw.linear(ops.tanh(draw.linear(pooled, 6)), CLASSES)]
    if behind_softmax:
        heads = [ops.softmax(head, 1) for head in heads]
    mean = ops.divide(ops.add(*heads), ops.constant(np.float32(2)))
    return classifier(named(mean, "scores"), [image])


def with_metadata(batch: int | None, gate: bool = False) -> Model:
    """An image and a row of two numbers, which are joined to the pooled map, or gate its channels."""
    draw = Draw(33)
    image, _, pooled = trunk(batch, draw)
    row = ops.parameter([batch or -1, 2], np.float32, name="metadata")
    row.output(0).get_tensor().set_names({"metadata"})
    encoded = ops.tanh(draw.linear(row, CHANNELS))
    joined = ops.multiply(pooled, encoded) if gate else ops.concat([encoded, pooled], 1)
    scores = named(draw.linear(ops.tanh(draw.linear(joined, 6)), CLASSES), "scores")
    return classifier(scores, [row, image])
