"""Recipro-CAM on heads that are more than a mean and a layer equals its definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from openvino import Node
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, classifier, image_parameter, named, reshaped, transposed
from tests.running import check_reciprocam

CHANNELS, ROWS, COLUMNS = 4, 4, 6
CLASSES: Final = 3
Head = Callable[[Draw, Node], Node]


def _mean(x: Node, keep: bool = False) -> Node:
    return ops.reduce_mean(x, [2, 3], keep)


def _tokens(x: Node) -> Node:
    return transposed(reshaped(x, [0, CHANNELS, ROWS * COLUMNS]), [0, 2, 1])


def squeeze_excitation(draw: Draw, x: Node) -> Node:
    """Channels of a convolution behind the target are gated by its own mean."""
    y = draw.convolution(x, CHANNELS, 1)
    gate = ops.sigmoid(draw.convolution(ops.relu(draw.convolution(_mean(y, True), 2, 1)), CHANNELS, 1))
    return draw.linear(_mean(ops.relu(ops.multiply(y, gate))), CLASSES)


def mean_and_maximum(draw: Draw, x: Node) -> Node:
    """Two poolings side by side."""
    return draw.linear(ops.concat([_mean(x), ops.reduce_max(x, [2, 3], False)], 1), CLASSES)


def pyramid(draw: Draw, x: Node) -> Node:
    """Tiles of two sizes and the whole map, flattened and joined."""
    tiles = [ops.avg_pool(x, size, [0, 0], [0, 0], size, True) for size in ([2, 2], [2, 3], [4, 6])]
    flat = [reshaped(each, [0, CHANNELS * cells]) for each, cells in zip(tiles, (6, 4, 1), strict=True)]
    return draw.linear(ops.concat(flat, 1), CLASSES)


def branches_of_kernels(draw: Draw, x: Node) -> Node:
    """Convolutions of three sizes side by side, as Inception's blocks end."""
    parts = [ops.relu(draw.convolution(x, 3, kernel)) for kernel in (1, 3, 5)]
    return draw.linear(_mean(ops.concat(parts, 1)), CLASSES)


def residual_block(draw: Draw, x: Node) -> Node:
    """A skip within the head."""
    y = draw.convolution(ops.relu(draw.convolution(x, CHANNELS)), CHANNELS)
    return draw.linear(_mean(ops.relu(ops.add(x, y))), CLASSES)


def maps_of_classes(draw: Draw, x: Node) -> Node:
    """A map of every class, its maximum over columns and mean over rows."""
    maps = draw.convolution(x, CLASSES, 1)
    return ops.reduce_mean(ops.reduce_max(maps, [3], False), [2], False)


def log_sum_exp(draw: Draw, x: Node) -> Node:
    """A soft maximum of per-class maps."""
    maps = draw.convolution(x, CLASSES, 1)
    return ops.log(ops.reduce_sum(ops.exp(maps), [2, 3], False))


def generalised_mean(draw: Draw, x: Node) -> Node:
    """The third root of the mean of third powers."""
    powers = ops.power(ops.maximum(x, np.float32(1e-6)), np.float32(3))
    return draw.linear(ops.power(_mean(powers), np.float32(1 / 3)), CLASSES)


def pooled_by_attention(draw: Draw, x: Node) -> Node:
    """A learned query asks all cells, as in the heads of SigLIP and CaiT."""
    tokens = _tokens(x)
    keys, values = draw.linear(tokens, CHANNELS), draw.linear(tokens, CHANNELS)
    weights = ops.softmax(ops.matmul(draw.numbers(1, 1, CHANNELS), keys, False, True), 2)
    asked = reshaped(ops.matmul(weights, values, False, False), [0, CHANNELS])
    return draw.linear(ops.tanh(draw.linear(asked, CHANNELS)), CLASSES)


def weighted_by_a_gate(draw: Draw, x: Node) -> Node:
    """Cells are weighted by a softmax of what a 1x1 convolution says of each."""
    scores = reshaped(draw.convolution(x, 1, 1), [0, 1, ROWS * COLUMNS])
    weights = ops.softmax(scores, 2)
    flat = reshaped(x, [0, CHANNELS, ROWS * COLUMNS])
    return draw.linear(ops.reduce_sum(ops.multiply(flat, weights), [2], False), CLASSES)


def pooled_by_a_mean_that_asks(draw: Draw, x: Node) -> Node:
    """The mean of the cells asks all cells and itself, as CLIP's ResNets end."""
    tokens = _tokens(x)
    joined = ops.concat([ops.reduce_mean(tokens, [1], True), tokens], 1)
    placed = ops.add(joined, draw.numbers(1, ROWS * COLUMNS + 1, CHANNELS))
    query, keys, values = (draw.linear(placed, CHANNELS) for _ in range(3))
    first = ops.slice(query, *(ops.constant([each], np.int64) for each in (0, 1, 1, 1)))
    weights = ops.softmax(ops.matmul(first, keys, False, True), 2)
    return draw.linear(reshaped(ops.matmul(weights, values, False, False), [0, CHANNELS]), CLASSES)


def second_order(draw: Draw, x: Node) -> Node:
    """Products of channels, averaged over the cells (bilinear pooling)."""
    flat = reshaped(x, [0, CHANNELS, ROWS * COLUMNS])
    products = ops.divide(ops.matmul(flat, flat, False, True), np.float32(ROWS * COLUMNS))
    return draw.linear(reshaped(products, [0, CHANNELS * CHANNELS]), CLASSES)


def cosine(draw: Draw, x: Node) -> Node:
    """Features of length one against directions of length one."""
    features = ops.normalize_l2(_mean(x), ops.constant([1], np.int64), 1e-9, "add")
    directions = np.random.default_rng(7).standard_normal((CHANNELS, CLASSES)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=0)
    return ops.multiply(ops.matmul(features, ops.constant(directions), False, False), np.float32(16))


HEADS: Final[tuple[Head, ...]] = (
    squeeze_excitation,
    mean_and_maximum,
    pyramid,
    branches_of_kernels,
    residual_block,
    maps_of_classes,
    log_sum_exp,
    generalised_mean,
    pooled_by_attention,
    weighted_by_a_gate,
    pooled_by_a_mean_that_asks,
    second_order,
    cosine,
)


@pytest.mark.parametrize(
    ("head", "batch"),
    [(head, batch) for number, head in enumerate(HEADS) for batch in (1 + number % 2, None)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_map_is_the_definition(head: Head, batch: int | None) -> None:
    draw = Draw(61)
    image = image_parameter(CnnSpec(batch=batch, height=ROWS, width=COLUMNS))
    target = named(ops.tanh(draw.convolution(image, CHANNELS)), "target")
    model = classifier(named(head(draw, target), "scores"), [image])
    check_reciprocam(model, "target")
