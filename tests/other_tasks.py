"""Networks that take an image or something else and are no classifiers, with the reason for a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import Draw, Tensor, reshaped, transposed
from tests.endings import best, model_of, trunk

CELLS: Final = 24
_ANCHORS: Final = (("boxes", 4), ("confidence", 5))


def _whole(*values: int) -> Node:
    return ops.constant(np.array(values, np.int64))


def _features(seed: int = 41) -> tuple[Draw, Node, Node, Node]:
    draw = Draw(seed)
    return draw, *trunk(1, draw)


def _input(name: str, shape: list[int], kind: type) -> Node:
    parameter = ops.parameter(shape, kind, name=name)
    parameter.output(0).get_tensor().set_names({name})
    return parameter


def embedder() -> Model:
    """A linear layer whose rows are scaled to length one by NormalizeL2."""
    draw, image, _, pooled = _features()
    return model_of({"output": ops.normalize_l2(draw.linear(pooled, 8), _whole(1), 1e-12, "add")}, image)


def embedder_by_division() -> Model:
    """The same, written out as torch exports it."""
    draw, image, _, pooled = _features()
    rows = draw.linear(pooled, 8)
    length = ops.clamp(ops.reduce_l2(rows, _whole(1), True), 1e-12, 1e30)
    return model_of({"output": ops.divide(rows, length)}, image)


def embedder_by_squares() -> Model:
    """The same with a sum of squares and a power of -1/2."""
    draw, image, _, pooled = _features()
    rows = draw.linear(pooled, 8)
    total = ops.reduce_sum(ops.multiply(rows, rows), _whole(1), True)
    return model_of({"output": ops.multiply(ops.power(total, ops.constant(np.float32(-0.5))), rows)}, image)


def embedder_by_name() -> Model:
    """Pooled features: only the output's name tells what they are."""
    _, image, _, pooled = _features()
    return model_of({"face_embedding": pooled}, image)


def landmarks() -> Model:
    """Ten coordinates out of a linear layer, told by the name."""
    draw, image, _, pooled = _features()
    return model_of({"landmarks": draw.linear(pooled, 10)}, image)


def landmark_pairs() -> Model:
    """Five pairs of coordinates."""
    draw, image, _, pooled = _features()
    return model_of({"output": reshaped(draw.linear(pooled, 10), [0, 5, 2])}, image)


def segmenter() -> Model:
    """Class scores for every pixel."""
    draw, image, target, _ = _features()
    return model_of({"output": ops.softmax(draw.convolution(target, 5, 1), 1)}, image)


def segmenter_with_argmax() -> Model:
    """The best class of every pixel."""
    draw, image, target, _ = _features()
    index = best(draw.convolution(target, 5, 1), 1).output(1)
    return model_of({"output": ops.squeeze(index, _whole(1))}, image)


def super_resolution() -> Model:
    """An image of twice the size."""
    draw, image, target, _ = _features()
    return model_of({"output": ops.depth_to_space(draw.convolution(target, 12, 1), "blocks_first", 2)}, image)


def detector() -> Model:
    """Boxes and scores of every anchor."""
    draw, image, target, _ = _features()
    outputs = {name: reshaped(draw.convolution(target, 4 * each), [0, -1, each]) for name, each in _ANCHORS}
    return model_of(outputs, image)


def detector_with_suppression() -> Model:
    """The boxes that NonMaxSuppression leaves, in rows that look like scores of four classes."""
    draw, image, target, _ = _features()
    boxes = transposed(reshaped(draw.convolution(target, 4), [0, 4, CELLS]), [0, 2, 1])
    scores = ops.sigmoid(reshaped(draw.convolution(target, 5), [0, 5, CELLS]))
    limits = [ops.constant(np.int64(9)), *(ops.constant(np.float32(each)) for each in (0.5, 0.1))]
    kept = ops.gather(ops.non_max_suppression(boxes, scores, *limits).output(0), _whole(2), _whole(1))
    rows: Tensor = ops.gather(ops.squeeze(boxes, _whole(0)), ops.squeeze(kept, _whole(1)), _whole(0))
    return model_of({"output": rows}, image)


def best_anchors() -> Model:
    """The three largest confidences of all anchors and their places: no classes."""
    draw, image, target, _ = _features()
    top = best(reshaped(draw.convolution(target, 2), [2, CELLS]), 3)
    return model_of({"output": top.output(1)}, image)


def best_scores_alone() -> Model:
    """The three best scores without the classes that they belong to."""
    draw, image, _, pooled = _features()
    return model_of({"output": best(draw.linear(pooled, 5), 3).output(0)}, image)


def least_class() -> Model:
    """The index of the smallest number: a nearest neighbour, no best class."""
    draw, image, _, pooled = _features()
    return model_of({"output": best(draw.linear(pooled, 5), 1, "min").output(1)}, image)


def language_model() -> Model:
    """The next token's scores out of the last of seven tokens."""
    draw, ids = Draw(42), _input("input_ids", [1, 7], np.int64)
    tokens = ops.gather(draw.numbers(20, 8), ids, ops.constant(np.int64(0)))
    mixing = ops.softmax(ops.matmul(tokens, tokens, False, True), 2)
    mixed = ops.add(tokens, ops.matmul(mixing, tokens, False, False))
    last = ops.gather(mixed, ops.constant(np.int64(-1)), ops.constant(np.int64(1)))
    return model_of({"logits": draw.linear(last, 20)}, ids)


def text_classifier() -> Model:
    """Three classes of a sequence of tokens of any length."""
    draw, ids = Draw(43), _input("input_ids", [-1, -1], np.int64)
    tokens = ops.gather(draw.numbers(20, 8), ids, ops.constant(np.int64(0)))
    pooled = ops.reduce_mean(ops.tanh(draw.linear(tokens, 8)), [1], False)
    return model_of({"output": ops.softmax(draw.linear(pooled, 3), 1)}, ids)


def table_classifier() -> Model:
    """Three classes of a row of nine numbers."""
    draw, row = Draw(44), _input("row", [-1, 9], np.float32)
    return model_of({"output": ops.softmax(draw.linear(ops.tanh(draw.linear(row, 6)), 3), 1)}, row)


def comparison_of_images() -> Model:
    """Whether two images show the same: each has a feature map of its own."""
    draw = Draw(45)
    first, second = (_input(name, [1, 3, 4, 6], np.float32) for name in ("first", "second"))
    pooled = [ops.reduce_mean(ops.tanh(draw.convolution(each, 4)), [2, 3], False) for each in (first, second)]
    return model_of({"output": draw.linear(ops.concat(pooled, 1), 2)}, first, second)


OTHER_TASKS: Final[Mapping[Callable[[], Model], str]] = {
    embedder: "output 'output' is an embedding, not class scores: each row is divided by its length",
    embedder_by_division: "output 'output' is an embedding, not class scores",
    embedder_by_squares: "output 'output' is an embedding, not class scores",
    embedder_by_name: "output 'face_embedding' is named after embedding, not after classes",
    landmarks: "output 'landmarks' is named after landmarks, not after classes; if it holds class scores, "
    "say so with --scores-output landmarks",
    landmark_pairs: "output 'output' [1,5,2] is not a class tensor [N, K]: it holds 5 rows of 2 numbers; if "
    "these are 5 classifications, make each row an output of its own, as docs/outputs.md shows",
    segmenter: "this looks like a segmentation network (output 'output' [1,5,4,6]: numbers for every place); "
    "only classifiers and detectors are explained",
    segmenter_with_argmax: "this looks like a segmentation network (output 'output' [1,4,6]:",
    super_resolution: "a network for segmentation, or one that makes pictures (output 'output' [1,3,8,12]:",
    detector: "this looks like a detector (output 'boxes' [1,96,4]: 4 numbers for each of 96 candidates)",
    detector_with_suppression: "this looks like a detector (NonMaxSuppression picks boxes)",
    best_anchors: "this looks like a detector (output 'output' [2,3] is of the best places)",
    best_scores_alone: "output 'output' holds the best scores without the classes that they belong to",
    least_class: "output 'output' [1,1] is not a class tensor [N, K]",
    language_model: "no input takes an image: 'input_ids' [1,7] i64",
    text_classifier: "no input takes an image: 'input_ids' [?,?] i64",
    table_classifier: "no input takes an image: 'row' [?,9] f32",
    comparison_of_images: "the inputs meet only behind their last feature maps; name one with --target-layer",
}
"""The reason that a refusal gives, by network."""
