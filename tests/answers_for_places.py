"""Networks that answer for places of an image, or for candidates, with what each is to be called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, Tensor, image_parameter, reshaped, transposed
from tests.endings import best, model_of, trunk

CELLS: Final = 24
"""Rows times columns of the trunk's map, as of its image."""


def _coarse(seed: int = 51) -> tuple[Draw, Node, Node, Node]:
    """An image of 8x12, a map of half its size, and one of a quarter."""
    draw = Draw(seed)
    image = image_parameter(CnnSpec(height=8, width=12))
    half = _halved(ops.tanh(draw.convolution(image, 4)))
    return draw, image, half, _halved(ops.tanh(draw.convolution(half, 4)))


def _halved(data: Tensor) -> Node:
    return ops.avg_pool(data, [2, 2], [0, 0], [0, 0], [2, 2], True)


def _whole(*values: int) -> Node:
    return ops.constant(np.array(values, np.int64))


def cells_behind_channels() -> Model:
    """Nine numbers for every cell of one grid, flattened."""
    draw, image, half, _ = _coarse()
    return model_of({"output": reshaped(draw.convolution(half, 9, 1), [0, 9, -1])}, image)


def boxes_joined_with_classes() -> Model:
    """Boxes, and classes behind a sigmoid, joined as newer YOLOs export them."""
    draw, image, half, quarter = _coarse()

    def on_both_grids(count: int) -> Node:
        each = [reshaped(draw.convolution(grid, count, 1), [0, count, -1]) for grid in (half, quarter)]
        return ops.concat(each, 2)

    boxes = ops.multiply(on_both_grids(4), ops.constant(np.float32(8)))
    return model_of({"output": ops.concat([boxes, ops.sigmoid(on_both_grids(5))], 1)}, image)


def grids_of_two_sizes() -> Model:
    """The heads of an anchor-based detector as they are."""
    draw, image, half, quarter = _coarse()
    return model_of({"p3": draw.convolution(half, 18, 1), "p4": draw.convolution(quarter, 18, 1)}, image)


def anchors_like_classes() -> Model:
    """One score for each of thirty anchors, which has the shape of a class tensor, beside their boxes."""
    draw, image, half, quarter = _coarse()

    def of_anchors(count: int) -> Node:
        each = [draw.convolution(grid, count, 1) for grid in (half, quarter)]
        rows = [reshaped(transposed(grid, [0, 2, 3, 1]), [0, -1, count]) for grid in each]
        return ops.concat(rows, 1)

    return model_of({"regressors": of_anchors(16), "classificators": of_anchors(1)}, image)


def queries() -> Model:
    """Boxes and classes of ten learned queries that attend to the cells."""
    draw, image, target, _ = trunk_of(52)
    tokens = transposed(reshaped(target, [0, 4, CELLS]), [0, 2, 1])
    weights = ops.softmax(ops.matmul(draw.numbers(1, 10, 4), tokens, False, True), 2)
    found = ops.matmul(weights, tokens, False, False)
    return model_of({"logits": draw.linear(found, 7), "boxes": ops.sigmoid(draw.linear(found, 4))}, image)


def trunk_of(seed: int) -> tuple[Draw, Node, Node, Node]:
    """A network's beginning: what draws its weights, image, feature map, means."""
    draw = Draw(seed)
    return draw, *trunk(1, draw)


def heatmaps() -> Model:
    """A heatmap of half the image's size for each of seven joints."""
    draw, image, half, _ = _coarse()
    return model_of({"output": draw.convolution(half, 7, 1)}, image)


def depth() -> Model:
    """One number for every pixel."""
    draw, image, target, _ = trunk_of(53)
    return model_of({"output": draw.convolution(target, 1, 1)}, image)


def many_classes_of_pixels() -> Model:
    """Twelve numbers for every pixel, no activation behind them."""
    draw, image, target, _ = trunk_of(54)
    return model_of({"output": draw.convolution(target, 12, 1)}, image)


def flat_pixels() -> Model:
    """Classes of all pixels in one long row, as Keras reshapes them ahead of its softmax."""
    draw, image, target, _ = trunk_of(55)
    rows = reshaped(transposed(draw.convolution(target, 5, 1), [0, 2, 3, 1]), [0, CELLS, 5])
    return model_of({"output": ops.softmax(rows, 2)}, image)


def tokens_without_head() -> Model:
    """Normalised tokens, a class token first, that no head reads."""
    draw, image, half, _ = _coarse()
    tokens = transposed(reshaped(half, [0, 4, CELLS]), [0, 2, 1])
    joined = ops.concat([draw.numbers(1, 1, 4), tokens], 1)
    return model_of({"output": ops.mvn(joined, _whole(2), True, 1e-6, "inside_sqrt")}, image)


def columns_of_text() -> Model:
    """Eleven characters' scores for every column, as text is read."""
    draw, image, target, _ = trunk_of(56)
    columns = transposed(ops.reduce_mean(target, [2], False), [0, 2, 1])
    return model_of({"output": ops.softmax(draw.linear(columns, 11), 2)}, image)


def best_of_all_cells() -> Model:
    """The best three of all cells, six numbers each, as detectors give them that need no suppression."""
    draw, image, half, _ = _coarse()
    rows = transposed(reshaped(draw.convolution(half, 6, 1), [0, 6, CELLS]), [0, 2, 1])
    index = best(ops.reduce_max(rows, _whole(2), False), 3).output(1)
    return model_of({"output": ops.gather(rows, ops.squeeze(index, _whole(0)), _whole(1))}, image)


ANSWERS_FOR_PLACES: Final[Mapping[Callable[[], Model], str]] = {
    cells_behind_channels: "a detector (output 'output' [1,9,24]: 9 numbers for each of 24 places)",
    boxes_joined_with_classes: "a detector (output 'output' [1,9,30]: 9 numbers for each of 30 places)",
    grids_of_two_sizes: "a detector (output 'p3' [1,18,4,6] and output 'p4' [1,18,2,3]: grids of several",
    anchors_like_classes: "a detector (output 'regressors' [1,30,16]: 16 numbers for each of 30 candidates)",
    queries: "a detector (output 'boxes' [1,10,4]: 4 numbers for each of 10 candidates)",
    best_of_all_cells: "a detector (output 'output' [1,3,6] is of the best places)",
    heatmaps: "a network for segmentation or keypoints, or one without its head (output 'output' [1,7,4,6]:",
    depth: "a network for segmentation or depth (output 'output' [1,1,4,6]:",
    many_classes_of_pixels: "a segmentation network (output 'output' [1,12,4,6]:",
    flat_pixels: "a segmentation network (output 'output' [1,24,5]:",
    tokens_without_head: "a transformer without its head (output 'output' [1,25,4]:",
    columns_of_text: "a reader of text (output 'output' [1,6,11]:",
}
"""What a refusal says that each looks like."""
