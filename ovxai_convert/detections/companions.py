"""Outputs of a detector that belong together: boxes with scores and labels beside them, or with classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ovxai_convert.detections.arrangements import Apart, BoxesAndClasses, RowsWithScore
from ovxai_convert.detections.forms import Open
from ovxai_convert.detections.outputs import BoxHints, BoxOrder, OutputShape
from ovxai_convert.errors import Refusal

Outputs = Sequence[OutputShape]

BOX_WORDS: Final = ("box", "dets")
_LABEL_WORDS: Final = ("label", "class", "cls")
_SCORE_WORDS: Final = ("score", "conf", "prob")


def by_name(outputs: Outputs, *names: str) -> int | None:
    """The first output that has one of some names, in whatever case; None where there is none."""
    for index, output in enumerate(outputs):
        if {name.lower().partition(":")[0] for name in output.names} & set(names):
            return index
    return None


def rows_and_labels(outputs: Outputs) -> RowsWithScore | Refusal | None:
    """Rows of corners and a score, and labels beside them; rows alone if they have no batch but a name."""
    rows = [index for index, output in enumerate(outputs) if output.rank in (2, 3) and output.shape[-1] == 5]
    found = [RowsWithScore(row, label) for row in rows for label in _labels_beside(outputs, row)]
    if len(found) > 1:
        return Refusal("which outputs hold boxes and labels is not clear")
    if found:
        return found[0]
    alone = len(rows) == 1 and outputs[rows[0]].rank == 2 and outputs[rows[0]].named(*BOX_WORDS)
    return RowsWithScore(rows[0], None) if alone else None


def boxes_scores_labels(outputs: Outputs) -> Apart | Refusal | None:
    """Boxes, and a score and a label beside each."""
    found = []
    for box in _boxes(outputs):
        labels = _labels_beside(outputs, box)
        scores = [index for index in _beside(outputs, box) if index not in labels and outputs[index].is_real]
        scores = _rather_named(outputs, scores, _SCORE_WORDS)
        found += [Apart(box, score, label) for score in scores for label in labels]
    if len(found) > 1:
        return Refusal("which outputs hold boxes, scores and labels is not clear")
    return found[0] if found else None


def boxes_and_classes(outputs: Outputs, hints: BoxHints) -> BoxesAndClasses | Refusal | None:
    """Boxes, and the numbers of all classes of each."""
    found = []
    for box in _boxes(outputs):
        pairs = [(index, _class_axis(outputs[box], output, hints)) for index, output in enumerate(outputs)]
        beside = [index for index, axis in pairs if axis is not None and index != box]
        beside = _rather_named(outputs, beside, (*_SCORE_WORDS, *_LABEL_WORDS))
        found += [(box, index, axis) for index, axis in pairs if index in beside and axis is not None]
    if len(found) > 1:
        return Refusal("which outputs hold boxes, and which their classes, is not clear")
    if not found:
        return None
    box, index, axis = found[0]
    if isinstance(axis, Refusal):
        return axis
    return BoxesAndClasses(box, index, classes_first=axis == -2)


def named_order(output: OutputShape, hints: BoxHints) -> BoxOrder | Open | Refusal:
    """What the four numbers of a box are, by the name of their output."""
    if hints.order is not None:
        return hints.order
    if output.named("cxcywh"):
        return "cxcywh"
    if output.named("xyxy"):
        return "xyxy"
    if output.named("xywh"):
        return Refusal(f"{output} does not say whether x, y is the centre of a box or its left upper corner")
    return "open"


def _boxes(outputs: Outputs) -> list[int]:
    """Outputs of four numbers in a row; of several those that are named so."""
    found = [
        index
        for index, output in enumerate(outputs)
        if output.rank in (2, 3) and output.shape[-1] == 4 and output.is_real
    ]
    return _rather_named(outputs, found, BOX_WORDS)


def _beside(outputs: Outputs, rows: int) -> list[int]:
    """Outputs that have one number for each row of another one."""
    return [index for index, output in enumerate(outputs) if output.shape == outputs[rows].shape[:-1]]


def _labels_beside(outputs: Outputs, rows: int) -> list[int]:
    """Of these the ones that are integers, or named labels; of several integers those that are named so."""
    found = [
        index
        for index in _beside(outputs, rows)
        if not outputs[index].is_real
        or (outputs[index].named(*_LABEL_WORDS) and not outputs[index].named(*_SCORE_WORDS))
    ]
    return _rather_named(outputs, found, _LABEL_WORDS)


def _rather_named(outputs: Outputs, indices: list[int], words: Sequence[str]) -> list[int]:
    """Those of several outputs that are named so, if any is."""
    named = [index for index in indices if outputs[index].named(*words)]
    return named if len(indices) > 1 and named else indices


def _class_axis(boxes: OutputShape, output: OutputShape, hints: BoxHints) -> int | Refusal | None:
    """The axis, -1 or -2, along which an output holds classes of boxes; None where it holds none of them.

    The other one is as long as there are boxes, or as open.
    """
    if output.rank != boxes.rank or not output.is_real:
        return None
    count = hints.class_count
    fitting = [
        axis
        for axis, other in ((-1, -2), (-2, -1))
        if output.shape[other] == boxes.shape[-2]
        and (count is None or output.shape[axis] in (None, count, count + 1))
    ]
    if len(fitting) == 2:
        return Refusal(f"which axis of {output} holds classes cannot be told; their number would tell")
    return fitting[0] if fitting else None
