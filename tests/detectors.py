"""Small seeded detectors, each in the form of a family, with what their maps are by the plain definition.

Every one has the convolutions ``classes0``, ``classes1``, ... that make the class scores of a scale (and
``anything0``, ... where that there is anything has a convolution of its own). ``maps`` makes maps of their
values by what the family says of them, and knows nothing of the package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import Draw, Tensor, named, transposed
from tests.oracle import Floats
from tests.running import run

CLASSES: Final = 3
LABELS_OF_RAW: Final = ("a", "b", "c")
SIZE: Final = (32, 48)
Scale: TypeAlias = "Floats"
"""Scores ``[N, A, K, H, W]`` of a scale."""
Scores: TypeAlias = "Callable[[Mapping[str, Floats]], list[Scale]]"


@dataclass(frozen=True)
class Detector:
    """A detector, the tensors to read, and how scores of its scales follow from them."""

    model: Model
    read: tuple[str, ...]
    scores: Scores
    layers: int = 2
    """How many tensors its head is read from."""

    def maps(self, inputs: Mapping[str, Floats]) -> Floats:
        """Maps ``[N, K, H, W]`` by the definition."""
        clone = self.model.clone()
        nodes = {node.get_friendly_name(): node for node in clone.get_ops()}
        probe = Model([ops.result(nodes[name]) for name in self.read], clone.get_parameters())
        return joined(self.scores(dict(zip(self.read, run(probe, inputs), strict=True))))


def joined(scales: Sequence[Scale]) -> Floats:
    """The largest over anchors and scales, of each scale the place in which the middle of the finest lies."""
    rows, columns = max(scale.shape[3] for scale in scales), max(scale.shape[4] for scale in scales)
    samples, _, classes = scales[0].shape[:3]
    maps = np.full((samples, classes, rows, columns), -np.inf)
    for scale in scales:
        for row in range(rows):
            for column in range(columns):
                place = (
                    int((row + 0.5) / rows * scale.shape[3]),
                    int((column + 0.5) / columns * scale.shape[4]),
                )
                found = scale[:, :, :, place[0], place[1]].max(axis=1)
                maps[:, :, row, column] = np.maximum(maps[:, :, row, column], found)
    return maps


def sigmoid(values: Floats) -> Floats:
    """As everybody knows it."""
    return np.asarray(1 / (1 + np.exp(-values.astype(np.float64))))


def softmax(values: Floats, axis: int) -> Floats:
    """Likewise."""
    powers = np.exp(values.astype(np.float64) - values.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def by_anchor(values: Floats, width: int) -> Scale:
    """Channels ``[N, A * width, H, W]`` as ``[N, A, width, H, W]``."""
    samples, channels, rows, columns = values.shape
    return values.reshape(samples, channels // width, width, rows, columns)


def _backbone(draw: Draw, batch: int | None, *, nhwc: bool = False) -> tuple[Node, list[Node]]:
    """The image, and maps of two scales: of 8 x 12 and 4 x 6 places."""
    shape = [batch or -1, *SIZE, 3] if nhwc else [batch or -1, 3, *SIZE]
    image = named(ops.parameter(shape, np.float32), "image")
    image.output(0).set_names({"image"})
    x: Tensor = transposed(image, (0, 3, 1, 2)) if nhwc else image
    fine = ops.relu(draw.convolution(ops.relu(draw.convolution(x, 6, stride=2)), 6, stride=2))
    return image, [fine, ops.relu(draw.convolution(fine, 6, stride=2))]


def _model(image: Node, **outputs: Tensor) -> Model:
    results = []
    for name, tensor in outputs.items():
        result = ops.result(tensor)
        result.output(0).set_names({name})
        results.append(result)
    return Model(results, [image], "detector")


def _head(draw: Draw, data: Node, channels: int, name: str) -> Node:
    return named(draw.convolution(data, channels, kernel=1), name)


def _places_last(data: Tensor, channels: int) -> Node:
    """``[N, C, H, W]`` to ``[N, C, H * W]``."""
    return ops.reshape(data, np.array([0, channels, -1]), special_zero=True)


def _rows(data: Tensor, width: int, anchors: int = 1) -> Node:
    """``[N, A * C, H, W]`` to ``[N, H * W * A, C]``."""
    turned = transposed(data, (0, 2, 3, 1))
    return ops.reshape(turned, np.array([0, -1, width]), special_zero=True)


def _read(*prefixes: str) -> tuple[str, ...]:
    return tuple(f"{prefix}{scale}" for scale in range(2) for prefix in prefixes)


def anchor_free(batch: int | None = None, classes: int = CLASSES) -> Detector:
    """YOLOv8's: classes beside boxes, scales joined, classes split off and a sigmoid of them; no anchors."""
    draw = Draw(1)
    image, maps = _backbone(draw, batch)
    both = [
        _places_last(
            ops.concat([draw.convolution(x, 4, kernel=1), _head(draw, x, classes, f"classes{scale}")], 1),
            4 + classes,
        )
        for scale, x in enumerate(maps)
    ]
    boxes, scores = ops.variadic_split(ops.concat(both, 2), 1, [4, classes]).outputs()
    output = ops.concat([ops.multiply(boxes, np.float32(8)), ops.sigmoid(scores)], 1)
    return Detector(
        _model(image, output0=output),
        _read("classes"),
        lambda values: [sigmoid(each)[:, np.newaxis] for each in values.values()],
        1,
    )


def one_class(batch: int | None = None) -> Detector:
    """The same with one class."""
    return anchor_free(batch, 1)


def anchor_based(batch: int | None = None) -> Detector:
    """YOLOv5's: one convolution for box, objectness and classes of three anchors, a sigmoid of all."""
    draw, width, anchors = Draw(2), 5 + CLASSES, 3
    image, maps = _backbone(draw, batch)
    scales = []
    for scale, x in enumerate(maps):
        head = _head(draw, x, anchors * width, f"classes{scale}")
        rows, columns = SIZE[0] // (4 * 2**scale), SIZE[1] // (4 * 2**scale)
        apart = ops.reshape(head, np.array([0, anchors, width, rows, columns]), special_zero=True)
        all_of = ops.sigmoid(transposed(apart, (0, 1, 3, 4, 2)))
        place, size, rest = ops.variadic_split(all_of, 4, [2, 2, 1 + CLASSES]).outputs()
        whole = [ops.add(ops.multiply(place, np.float32(2)), np.float32(1)), ops.multiply(size, size), rest]
        scales.append(ops.reshape(ops.concat(whole, 4), np.array([0, -1, width]), special_zero=True))

    def scores(values: Mapping[str, Floats]) -> list[Scale]:
        every = [sigmoid(by_anchor(each, width)) for each in values.values()]
        return [each[:, :, 5:] * each[:, :, 4:5] for each in every]

    return Detector(_model(image, output=ops.concat(scales, 1)), _read("classes"), scores)


def decoupled(batch: int | None = None) -> Detector:
    """YOLOX's: a convolution each for box, objectness and classes, joined per scale behind the sigmoid."""
    draw = Draw(3)
    image, maps = _backbone(draw, batch)
    scales = []
    for scale, x in enumerate(maps):
        classes = ops.sigmoid(_head(draw, x, CLASSES, f"classes{scale}"))
        anything = ops.sigmoid(_head(draw, x, 1, f"anything{scale}"))
        whole = ops.concat([draw.convolution(x, 4, kernel=1), anything, classes], 1)
        scales.append(_places_last(whole, 5 + CLASSES))

    def scores(values: Mapping[str, Floats]) -> list[Scale]:
        return [
            (sigmoid(values[f"classes{scale}"]) * sigmoid(values[f"anything{scale}"]))[:, np.newaxis]
            for scale in range(2)
        ]

    output = transposed(ops.concat(scales, 2), (0, 2, 1))
    return Detector(_model(image, output=output), _read("classes", "anything"), scores)


def suppressed(batch: int | None = None) -> Detector:
    """YOLOv7's with the suppression of boxes in the graph: scores are multiplied by the objectness before."""
    draw, width = Draw(4), 5 + CLASSES
    image, maps = _backbone(draw, 1)
    rows = [
        ops.sigmoid(_rows(_head(draw, x, width, f"classes{scale}"), width)) for scale, x in enumerate(maps)
    ]
    boxes, anything, classes = ops.variadic_split(ops.concat(rows, 1), 2, [4, 1, CLASSES]).outputs()
    scores = transposed(ops.multiply(classes, anything), (0, 2, 1))
    picked = ops.non_max_suppression(boxes, scores, np.int64(5), np.float32(0.5), np.float32(0.1))

    def of_values(values: Mapping[str, Floats]) -> list[Scale]:
        every = [sigmoid(each) for each in values.values()]
        return [(each[:, 5:] * each[:, 4:5])[:, np.newaxis] for each in every]

    outputs = {"selected": picked.output(0), "scores": picked.output(1)}
    return Detector(_model(image, **outputs), _read("classes"), of_values, 1)


def detection_output(batch: int | None = None) -> Detector:
    """SSD's of Caffe: rows of all scales flattened, a softmax over the classes, background first."""
    draw, anchors, width = Draw(5), 2, CLASSES + 1
    image, maps = _backbone(draw, 1)
    flat, boxes = [], []
    for scale, x in enumerate(maps):
        head = transposed(_head(draw, x, anchors * width, f"classes{scale}"), (0, 2, 3, 1))
        flat.append(ops.reshape(head, np.array([0, -1]), special_zero=True))
        regressed = transposed(draw.convolution(x, anchors * 4, kernel=1), (0, 2, 3, 1))
        boxes.append(ops.reshape(regressed, np.array([0, -1]), special_zero=True))
    every = ops.reshape(ops.concat(flat, 1), np.array([0, -1, width]), special_zero=True)
    confidence = ops.reshape(ops.softmax(every, 2), np.array([0, -1]), special_zero=True)
    count = 2 * sum((SIZE[0] // side) * (SIZE[1] // side) for side in (4, 8))
    priors = np.random.default_rng(0).random((1, 2, 4 * count)).astype(np.float32)
    found = ops.detection_output(
        ops.concat(boxes, 1),
        confidence,
        ops.constant(priors),
        {
            "background_label_id": 0,
            "top_k": 10,
            "keep_top_k": np.array([5], np.int32),
            "code_type": "caffe.PriorBoxParameter.CENTER_SIZE",
            "nms_threshold": 0.5,
            "confidence_threshold": 0.01,
            "share_location": True,
            "normalized": True,
        },
    )

    def scores(values: Mapping[str, Floats]) -> list[Scale]:
        return [softmax(by_anchor(each, width), 2)[:, :, 1:] for each in values.values()]

    return Detector(_model(image, detection_out=found), _read("classes"), scores, 1)


def outputs_apart(batch: int | None = None) -> Detector:
    """RetinaNet's as torchvision lays it out: logits ``[N, H * W * A, K]`` beside boxes; a sigmoid."""
    draw, anchors = Draw(6), 2
    image, maps = _backbone(draw, batch)

    def laid_out(head: Node, width: int, scale: int) -> Node:
        rows, columns = SIZE[0] // (4 * 2**scale), SIZE[1] // (4 * 2**scale)
        apart = ops.reshape(head, np.array([0, anchors, width, rows, columns]), special_zero=True)
        return ops.reshape(transposed(apart, (0, 3, 4, 1, 2)), np.array([0, -1, width]), special_zero=True)

    logits = [
        laid_out(_head(draw, x, anchors * CLASSES, f"classes{scale}"), CLASSES, scale)
        for scale, x in enumerate(maps)
    ]
    boxes = [laid_out(draw.convolution(x, anchors * 4, kernel=1), 4, scale) for scale, x in enumerate(maps)]
    outputs = {"boxes": ops.concat(boxes, 1), "scores": ops.sigmoid(ops.concat(logits, 1))}
    return Detector(
        _model(image, **outputs),
        _read("classes"),
        lambda values: [sigmoid(by_anchor(each, CLASSES)) for each in values.values()],
        1,
    )


def channels_last(batch: int | None = None) -> Detector:
    """The same as TensorFlow has it: an image with its channels last, heads of an output for each scale."""
    draw, anchors = Draw(7), 2
    image, maps = _backbone(draw, batch, nhwc=True)
    outputs: dict[str, Tensor] = {}
    for scale, x in enumerate(maps):
        scores = ops.sigmoid(_rows(_head(draw, x, anchors * CLASSES, f"classes{scale}"), CLASSES, anchors))
        outputs |= {f"class{scale}": scores, f"box{scale}": _rows(draw.convolution(x, anchors * 4, 1), 4)}
    return Detector(
        _model(image, **outputs),
        _read("classes"),
        lambda values: [sigmoid(by_anchor(each, CLASSES)) for each in values.values()],
    )


def centerness(batch: int | None = None) -> Detector:
    """FCOS's: the root of the product of the classes' scores and that of how central a place is."""
    draw = Draw(8)
    image, maps = _backbone(draw, batch)
    scores, boxes = [], []
    for scale, x in enumerate(maps):
        classes = _rows(ops.sigmoid(_head(draw, x, CLASSES, f"classes{scale}")), CLASSES)
        central = _rows(ops.sigmoid(_head(draw, x, 1, f"anything{scale}")), 1)
        scores.append(ops.sqrt(ops.multiply(classes, central)))
        boxes.append(_rows(ops.relu(draw.convolution(x, 4, kernel=1)), 4))

    def of_values(values: Mapping[str, Floats]) -> list[Scale]:
        return [
            np.sqrt(sigmoid(values[f"classes{scale}"]) * sigmoid(values[f"anything{scale}"]))[:, np.newaxis]
            for scale in range(2)
        ]

    outputs = {"scores": ops.concat(scores, 1), "boxes": ops.concat(boxes, 1)}
    return Detector(_model(image, **outputs), _read("classes", "anything"), of_values)


def peaks(batch: int | None = None) -> Detector:
    """CenterNet's: a heat map of which peaks alone are kept, and of these the best."""
    draw = Draw(9)
    image, (x, _) = _backbone(draw, 1)
    heat = ops.sigmoid(_head(draw, x, CLASSES, "classes0"))
    highest = ops.max_pool(heat, [1, 1], [1, 1], [1, 1], [1, 1], [3, 3]).output(0)
    kept = ops.multiply(heat, ops.convert(ops.equal(heat, highest), "f32"))
    best = ops.topk(ops.reshape(kept, np.array([1, -1]), False), 6, 1, "max", "value", "i64")
    places = ops.mod(best.output(1), np.int64(SIZE[0] // 4 * SIZE[1] // 4))
    flat = ops.reshape(draw.convolution(x, 4, kernel=1), np.array([4, -1]), False)
    boxes = ops.gather(flat, ops.squeeze(places, 0), 1)
    return Detector(
        _model(image, boxes=transposed(boxes, (1, 0)), scores=best.output(0)),
        ("classes0",),
        lambda values: [sigmoid(values["classes0"])[:, np.newaxis]],
        1,
    )


def picked_by_label(batch: int | None = None) -> Detector:
    """SSD's as torchvision exports it: of a softmax one class after another is taken, the first one never."""
    draw, anchors, width = Draw(10), 2, CLASSES + 1
    image, maps = _backbone(draw, 1)
    rows = [
        _rows(_head(draw, x, anchors * width, f"classes{scale}"), width, anchors)
        for scale, x in enumerate(maps)
    ]
    every = ops.squeeze(ops.softmax(ops.concat(rows, 1), 2), 0)
    boxes = ops.squeeze(
        ops.concat([_rows(draw.convolution(x, anchors * 4, kernel=1), 4, anchors) for x in maps], 1), 0
    )
    picked_scores, picked_boxes = [], []
    for label in range(1, width):
        best = ops.topk(ops.gather(every, np.int64(label), 1), 7, 0, "max", "value", "i64")
        picked_scores.append(best.output(0))
        picked_boxes.append(ops.gather(boxes, best.output(1), 0))
    scores = ops.unsqueeze(ops.unsqueeze(ops.concat(picked_scores, 0), 0), 0)
    left = ops.unsqueeze(ops.concat(picked_boxes, 0), 0)
    picked = ops.non_max_suppression(left, scores, np.int64(5), np.float32(0.5), np.float32(0.0))

    def of_values(values: Mapping[str, Floats]) -> list[Scale]:
        return [softmax(by_anchor(each, width), 2)[:, :, 1:] for each in values.values()]

    outputs = {"selected": picked.output(0), "scores": picked.output(1)}
    return Detector(_model(image, **outputs), _read("classes"), of_values, 1)


def sigmoid_of_the_best(batch: int | None = None) -> Detector:
    """EfficientDet's: the best logits of all scales are taken first, and the sigmoid of these alone."""
    draw, anchors = Draw(11), 2
    image, maps = _backbone(draw, 1)
    rows = [
        _rows(_head(draw, x, anchors * CLASSES, f"classes{scale}"), CLASSES, anchors)
        for scale, x in enumerate(maps)
    ]
    flat = ops.reshape(ops.concat(rows, 1), np.array([1, -1]), False)
    best = ops.topk(flat, 9, 1, "max", "value", "i64")
    boxes = ops.squeeze(
        ops.concat([_rows(draw.convolution(x, anchors * 4, kernel=1), 4, anchors) for x in maps], 1), 0
    )
    places = ops.squeeze(ops.divide(best.output(1), np.int64(CLASSES)), 0)
    scores = ops.unsqueeze(ops.sigmoid(best.output(0)), 0)
    left = ops.unsqueeze(ops.gather(boxes, places, 0), 0)
    picked = ops.non_max_suppression(left, scores, np.int64(5), np.float32(0.5), np.float32(0.0))
    outputs = {"selected": picked.output(0), "scores": picked.output(1)}
    return Detector(
        _model(image, **outputs),
        _read("classes"),
        lambda values: [sigmoid(by_anchor(each, CLASSES)) for each in values.values()],
    )


def with_points(batch: int | None = None) -> Detector:
    """YOLOv8's for poses: one class, and behind it points, each with the sigmoid of how visible it is."""
    draw, points = Draw(16), 4
    image, maps = _backbone(draw, batch)
    both = [
        _places_last(ops.concat([draw.convolution(x, 4, 1), _head(draw, x, 1, f"classes{scale}")], 1), 5)
        for scale, x in enumerate(maps)
    ]
    boxes, scores = ops.variadic_split(ops.concat(both, 2), 1, [4, 1]).outputs()
    seen = ops.concat([_places_last(draw.convolution(x, 3 * points, 1), 3 * points) for x in maps], 2)
    places, visible = ops.variadic_split(seen, 1, [2 * points, points]).outputs()
    poses = ops.concat([ops.multiply(places, np.float32(8)), ops.sigmoid(visible)], 1)
    output = ops.concat([ops.multiply(boxes, np.float32(8)), ops.sigmoid(scores), poses], 1)
    return Detector(
        _model(image, output0=output),
        _read("classes"),
        lambda values: [sigmoid(each)[:, np.newaxis] for each in values.values()],
        1,
    )


DENSE: Final[Mapping[str, Callable[[int | None], Detector]]] = {
    "anchor_free": anchor_free,
    "one_class": one_class,
    "anchor_based": anchor_based,
    "decoupled": decoupled,
    "suppressed": suppressed,
    "detection_output": detection_output,
    "outputs_apart": outputs_apart,
    "channels_last": channels_last,
    "centerness": centerness,
    "peaks": peaks,
    "picked_by_label": picked_by_label,
    "sigmoid_of_the_best": sigmoid_of_the_best,
    "with_points": with_points,
}
"""Detectors whose head is found by itself, given the batch (None: open, where that is possible)."""


def raw_anchors(batch: int | None = None) -> Detector:
    """EfficientDet's raw heads: an output of ``[N, A * K, H, W]`` logits and one of boxes for each scale."""
    draw, anchors = Draw(12), 3
    image, maps = _backbone(draw, batch)
    outputs: dict[str, Tensor] = {}
    for scale, x in enumerate(maps):
        outputs[f"class_{scale}"] = _head(draw, x, anchors * CLASSES, f"classes{scale}")
        outputs[f"box_{scale}"] = draw.convolution(x, anchors * 4, kernel=1)
    return Detector(
        _model(image, **outputs),
        _read("classes"),
        lambda values: [by_anchor(each, CLASSES).astype(np.float64) for each in values.values()],
    )


def one_place(batch: int | None = None) -> Detector:
    """SSD's raw heads: an output for each scale, of which the last has one place, and more anchors."""
    draw = Draw(17)
    image, (_, x) = _backbone(draw, batch)
    pooled = ops.reduce_mean(x, np.array([2, 3]), keep_dims=True)
    outputs: dict[str, Tensor] = {}
    for scale, (data, anchors) in enumerate(((x, 2), (pooled, 4))):
        outputs[f"class_{scale}"] = _head(draw, data, anchors * CLASSES, f"classes{scale}")
        outputs[f"box_{scale}"] = draw.convolution(data, anchors * 4, kernel=1)
    return Detector(
        _model(image, **outputs),
        _read("classes"),
        lambda values: [by_anchor(each, CLASSES).astype(np.float64) for each in values.values()],
    )


def darknet(batch: int | None = None) -> Detector:
    """YOLOv3's raw heads: ``[N, A * (5 + K), H, W]`` for each scale, and no activation."""
    draw, anchors, width = Draw(13), 3, 5 + CLASSES
    image, maps = _backbone(draw, batch)
    outputs = {
        f"scale_{scale}": _head(draw, x, anchors * width, f"classes{scale}") for scale, x in enumerate(maps)
    }

    def scores(values: Mapping[str, Floats]) -> list[Scale]:
        every = [sigmoid(by_anchor(each, width)) for each in values.values()]
        return [each[:, :, 5:] * each[:, :, 4:5] for each in every]

    return Detector(_model(image, **outputs), _read("classes"), scores)


def two_stages() -> Model:
    """Faster R-CNN's: classes are those of regions cut out of a map."""
    draw = Draw(14)
    image, (x, _) = _backbone(draw, 1)
    regions = ops.constant(np.array([[0, 0, 4, 4], [2, 2, 6, 6]], np.float32))
    cut = ops.roi_align(x, regions, ops.constant(np.zeros(2, np.int32)), 2, 2, 1, 1.0, "avg")
    flat = draw.linear(ops.reshape(cut, np.array([2, -1]), False), CLASSES + 4)
    classes, boxes = ops.variadic_split(flat, 1, [CLASSES, 4]).outputs()
    scores = ops.unsqueeze(transposed(ops.softmax(classes, 1), (1, 0)), 0)
    picked = ops.non_max_suppression(
        ops.unsqueeze(boxes, 0), scores, np.int64(5), np.float32(0.5), np.float32(0.1)
    )
    return _model(image, selected=picked.output(0))


def queries() -> Model:
    """DETR's: each of some learned queries looks at all places and answers with a box and classes."""
    draw = Draw(15)
    image, (x, _) = _backbone(draw, 1)
    tokens = transposed(_places_last(x, 6), (0, 2, 1))
    asked = draw.numbers(1, 5, 6)
    weights = ops.softmax(ops.matmul(asked, tokens, False, True), 2)
    answers = ops.add(asked, ops.matmul(weights, tokens, False, False))
    logits, boxes = draw.linear(answers, CLASSES + 1), ops.sigmoid(draw.linear(answers, 4))
    return _model(image, logits=logits, pred_boxes=boxes)


def feed(detector: Detector, batch: int = 1, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Random images."""
    shape = [dim.get_length() if dim.is_static else batch for dim in detector.model.input().partial_shape]
    return {"image": np.random.default_rng(seed).standard_normal(shape).astype(np.float32)}
