"""What detectors of every form answer, made of boxes that are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.detections.boxes import Detections
from ovxai_convert.detections.outputs import BoxHints, OutputShape

Arrays = list[NDArray[Any]]
SIZE = (320, 640)
"""Rows and columns of the input."""
CLASSES = 7
NOTHING = BoxHints()
CELLS = 40 * 80 + 20 * 40 + 10 * 20
"""Of the grids of an input of this size."""


def known(count: int = CELLS, seed: int = 0) -> Detections:
    """Boxes inside the picture, with scores of their classes and an objectness, of which few are high."""
    random = np.random.default_rng(seed)
    rows, columns = SIZE
    centres = random.uniform((10, 10), (columns - 10, rows - 10), (count, 2))
    extents = random.uniform(4, 60, (count, 2))
    boxes = np.concatenate([centres - extents / 2, centres + extents / 2], 1).astype(np.float32)
    classes = (random.random((count, CLASSES)) ** 4).astype(np.float32)
    objectness = (random.random(count) ** 3).astype(np.float32)
    return Detections(boxes, classes.max(1), classes.argmax(1), classes, objectness)


def centred(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Corners as centre, width and height."""
    parts = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    return np.concatenate(parts, 1).astype(np.float32)


def in_parts(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pixels as parts of the input's size."""
    return np.asarray(boxes / np.array([SIZE[1], SIZE[0]] * 2), np.float32)


def logits(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a sigmoid makes these of."""
    clipped = np.clip(probabilities.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped)).astype(np.float32)


def given(values: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Numbers that are there."""
    assert values is not None
    return values


def column(values: NDArray[Any]) -> NDArray[np.float32]:
    """Numbers as one column."""
    return np.asarray(values, np.float32)[:, np.newaxis]


@dataclass(frozen=True)
class Form:
    """A form: names of its outputs, what they answer to known boxes, and what is known beside.

    ``encode`` makes the outputs of one sample, without a batch; ``batched`` where they have one. ``gives``
    names what is read of the known boxes: ``"scores"`` (and labels), ``"classes"``, ``"objectness"``.
    """

    title: str
    names: tuple[str, ...]
    encode: Callable[[Detections], Arrays]
    gives: tuple[str, ...]
    hints: BoxHints = NOTHING
    batched: bool = True
    count: int = CELLS

    def answer(self, pictures: Sequence[Detections]) -> Arrays:
        """The outputs of several samples."""
        arrays = [self.encode(each) for each in pictures]
        if not self.batched:
            assert len(pictures) == 1
            return arrays[0]
        return [np.stack(parts) for parts in zip(*arrays, strict=True)]

    def outputs(self, arrays: Arrays, *open_axes: int) -> list[OutputShape]:
        """What is known of the outputs before they have run, with some axes open."""
        return [
            OutputShape(
                (name,),
                tuple(None if axis in open_axes else extent for axis, extent in enumerate(array.shape)),
                array.dtype,
            )
            for name, array in zip(self.names, arrays, strict=True)
        ]


def rows_and_labels(boxes: Detections) -> Arrays:
    """``[n, 5]`` and ``[n]``."""
    return [np.hstack([boxes.boxes, column(boxes.scores)]), boxes.labels]


def six(boxes: Detections) -> Arrays:
    """``[n, 6]``."""
    return [np.hstack([boxes.boxes, column(boxes.scores), column(boxes.labels)])]


def candidates(boxes: Detections) -> NDArray[np.float32]:
    """``[n, 4 + K]``."""
    return np.hstack([centred(boxes.boxes), scores_of(boxes)])


def with_objectness(boxes: Detections) -> NDArray[np.float32]:
    """``[n, 5 + K]``."""
    return np.hstack([centred(boxes.boxes), column(given(boxes.objectness)), scores_of(boxes)])


def queries(boxes: Detections) -> NDArray[np.float32]:
    """``[n, 4 + K]``, in parts."""
    return np.hstack([in_parts(centred(boxes.boxes)), scores_of(boxes)])


def scores_of(boxes: Detections) -> NDArray[np.float32]:
    """``[n, K]``."""
    return given(boxes.class_scores)


SCORES, VECTORS, ALL = ("scores",), ("scores", "classes"), ("classes", "objectness")
K = BoxHints(CLASSES)
KS = BoxHints(CLASSES, size=SIZE)
S = BoxHints(size=SIZE)
FORMS = (
    Form("otx", ("boxes", "labels"), rows_and_labels, SCORES, batched=False),
    Form("mmdet", ("dets", "labels"), rows_and_labels, SCORES),
    Form("end-to-end", ("output0",), six, SCORES, KS, count=300),
    Form("end-to-end without hints", ("output0",), six, SCORES, count=300),
    Form("ultralytics", ("output0",), lambda boxes: [candidates(boxes).T], VECTORS, K),
    Form("ultralytics by its grids", ("output0",), lambda boxes: [candidates(boxes).T], VECTORS, S),
    Form("ultralytics turned", ("output0",), lambda boxes: [candidates(boxes)], VECTORS, K),
    Form(
        "ultralytics logits",
        ("output0",),
        lambda boxes: [np.hstack([centred(boxes.boxes), logits(scores_of(boxes))]).T],
        VECTORS,
        K,
    ),
    Form(
        "ultralytics in parts",
        ("output0",),
        lambda boxes: [queries(boxes).T],
        VECTORS,
        K,
    ),
    Form("yolov5", ("output",), lambda boxes: [with_objectness(boxes)], ALL, K),
    Form(
        "yolov5 by its anchors", ("output",), lambda boxes: [with_objectness(boxes)], ALL, S, count=3 * CELLS
    ),
    Form(
        "yolov5 by a hint",
        ("output",),
        lambda boxes: [with_objectness(boxes)],
        ALL,
        BoxHints(objectness=True),
    ),
    Form("rt-detr", ("output0",), lambda boxes: [queries(boxes)], VECTORS, K, count=300),
    Form("rt-detr by its queries", ("output0",), lambda boxes: [queries(boxes)], VECTORS, S, count=300),
    Form(
        "torchvision",
        ("boxes", "labels", "scores"),
        lambda boxes: [boxes.boxes, boxes.labels, boxes.scores],
        SCORES,
        batched=False,
    ),
    Form(
        "torchvision without names",
        ("3", "1", "2"),
        lambda boxes: [boxes.boxes, boxes.labels, boxes.scores],
        SCORES,
        batched=False,
    ),
    Form(
        "batches apart",
        ("labels", "boxes", "scores"),
        lambda boxes: [boxes.labels, boxes.boxes, boxes.scores],
        SCORES,
    ),
    Form(
        "tensorflow",
        ("detection_boxes:0", "detection_classes:0", "detection_scores:0", "num_detections:0"),
        lambda boxes: [
            in_parts(boxes.boxes)[:, [1, 0, 3, 2]],
            boxes.labels.astype(np.float32),
            boxes.scores,
            np.array(len(boxes), np.float32),
        ],
        SCORES,
        count=100,
    ),
    Form("pairs", ("904", "913"), lambda boxes: [boxes.boxes, scores_of(boxes)], VECTORS),
    Form("pairs turned", ("scores", "boxes"), lambda boxes: [scores_of(boxes).T, boxes.boxes], VECTORS),
    Form(
        "pairs of centres",
        ("boxes", "scores"),
        lambda boxes: [in_parts(centred(boxes.boxes)), scores_of(boxes)],
        VECTORS,
        K,
    ),
    Form(
        "rf-detr",
        ("dets", "labels"),
        lambda boxes: [in_parts(centred(boxes.boxes)), logits(scores_of(boxes))],
        VECTORS,
        K,
        count=300,
    ),
    Form(
        "deformable detr",
        ("logits", "pred_boxes"),
        lambda boxes: [logits(scores_of(boxes)), in_parts(centred(boxes.boxes))],
        VECTORS,
        K,
        count=300,
    ),
)
"""Forms of which the known boxes come back as they are."""
