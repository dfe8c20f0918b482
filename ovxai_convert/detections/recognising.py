"""Which of a model's outputs hold boxes, and in which form, by their names, shapes and element types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from ovxai_convert.detections.arrangements import Apart, BoxesAndClasses, Joined, SevenColumns, SixColumns
from ovxai_convert.detections.companions import (
    BOX_WORDS,
    boxes_and_classes,
    boxes_scores_labels,
    by_name,
    named_order,
    rows_and_labels,
)
from ovxai_convert.detections.forms import BoxForm
from ovxai_convert.detections.joined import joined_form
from ovxai_convert.detections.outputs import BoxHints, OutputShape, no_boxes
from ovxai_convert.errors import Refusal

Look: TypeAlias = Callable[[Sequence[OutputShape], BoxHints], BoxForm | Refusal | None]
"""Looks for one form; None where it is not there."""


def recognise(outputs: Sequence[OutputShape], hints: BoxHints | None = None) -> BoxForm | Refusal:
    """How a model's outputs hold boxes, or a Refusal that says why that is not clear, and what to do.

    Outputs that are no part of the form are ignored. The first form is taken that is there:

    - ``[1, 1, N, 7]``: image, label, score, corners in parts of the input (DetectionOutput);
    - ``detection_boxes``, ``detection_scores``, ``detection_classes``: TensorFlow's Object Detection API,
      whose corners have the vertical before the horizontal, in parts of the input;
    - ``pred_boxes`` ``[B, Q, 4]`` and ``logits`` or ``pred_logits`` ``[B, Q, columns]`` (DETR, and all that
      has its names): centre, width, height in parts of the input;
    - ``[N, 5]`` or ``[B, N, 5]`` of corners and score, and one label for each (OTX, MMDetection); without a
      batch also alone, of one class, if it is named as boxes;
    - boxes ``[N, 4]``, scores ``[N]`` and labels ``[N]``, or each with a batch (torchvision);
    - boxes ``[B, A, 4]`` and classes ``[B, A, K]`` or ``[B, K, A]``;
    - one output ``[B, a, b]`` of candidates or rows (YOLO, RT-DETR), see ``joined.joined_form``.

    What names and shapes do not tell, the first results do (``BoxForm.settled``): whether boxes are in pixels
    or in parts of the input, whether scores are probabilities yet, of boxes in an output of their own what
    their four numbers are unless it is named ``xyxy`` or ``cxcywh``, and of classes in one which column is
    the background, unless the number of classes says that none is.
    """
    hints = BoxHints() if hints is None else hints
    for look in _LOOKS:
        found = look(outputs, hints)
        if isinstance(found, Refusal):
            return no_boxes(outputs, found.reason)
        if found is not None and hints.activation == "softmax" and not _has_classes(found):
            return no_boxes(outputs, "there are no numbers of all classes, which a softmax is made of")
        if found is not None:
            return replace(found, **_told(hints))
    return no_boxes(outputs, "no output has a known form of boxes")


def _has_classes(form: BoxForm) -> bool:
    return isinstance(form.arrangement, BoxesAndClasses | Joined)


def _told(hints: BoxHints) -> dict[str, Any]:
    """What hints say of a form, over what its names and shapes do."""
    told: dict[str, Any] = {
        "order": hints.order,
        "activation": hints.activation,
        "background": hints.background,
        "unit": None if hints.normalised is None else "parts" if hints.normalised else "pixels",
    }
    return {name: value for name, value in told.items() if value is not None}


def _detection_output(outputs: Sequence[OutputShape], hints: BoxHints) -> BoxForm | Refusal | None:
    found = [
        index
        for index, output in enumerate(outputs)
        if output.rank == 4 and output.shape[3] == 7 and {*output.shape[:2]} <= {1, None}
    ]
    if len(found) > 1:
        return Refusal("several outputs hold boxes")
    return BoxForm(SevenColumns(found[0]), "xyxy", "parts") if found else None


def _tensorflow(outputs: Sequence[OutputShape], hints: BoxHints) -> BoxForm | None:
    boxes, scores, labels = (by_name(outputs, f"detection_{part}") for part in ("boxes", "scores", "classes"))
    if boxes is None or scores is None or labels is None:
        return None
    return BoxForm(Apart(boxes, scores, labels), "yxyx", "parts")


def _detr(outputs: Sequence[OutputShape], hints: BoxHints) -> BoxForm | Refusal | None:
    boxes, classes = by_name(outputs, "pred_boxes"), by_name(outputs, "pred_logits", "logits")
    if boxes is None or classes is None:
        return None
    form = BoxForm(BoxesAndClasses(boxes, classes, picked=True), "cxcywh", "parts", may_be_background=(-1,))
    return _with_background(form, outputs[classes].shape[-1], outputs[classes], hints)


def _rows(outputs: Sequence[OutputShape], hints: BoxHints) -> BoxForm | Refusal | None:
    found = rows_and_labels(outputs)
    if found is None or isinstance(found, Refusal):
        return found
    return BoxForm(found, "open" if found.labels is None else "xyxy")


def _apart(outputs: Sequence[OutputShape], hints: BoxHints) -> BoxForm | Refusal | None:
    found = boxes_scores_labels(outputs)
    if found is None or isinstance(found, Refusal):
        return found
    order = named_order(outputs[found.boxes], hints)
    return order if isinstance(order, Refusal) else BoxForm(found, order)


def _with_classes(outputs: Sequence[OutputShape], hints: BoxHints) -> BoxForm | Refusal | None:
    found = boxes_and_classes(outputs, hints)
    if found is None or isinstance(found, Refusal):
        return found
    order = named_order(outputs[found.boxes], hints)
    if isinstance(order, Refusal):
        return order
    classes = outputs[found.classes]
    return _with_background(
        BoxForm(found, order), classes.shape[-2 if found.classes_first else -1], classes, hints
    )


def _with_background(
    form: BoxForm, columns: int | None, classes: OutputShape, hints: BoxHints
) -> BoxForm | Refusal:
    """With what the number of classes says of a column for the background; the numbers decide the rest."""
    count = hints.class_count
    if count is not None and columns == count:
        return form
    if count is None or columns is None:
        return replace(form, background="open")
    if columns == count + 1:
        only = form.may_be_background[0] if len(form.may_be_background) == 1 else None
        return replace(form, background="open" if only is None else only, has_background=True)
    return Refusal(f"{classes} has {columns} classes, and not {count}")


def _one_output(outputs: Sequence[OutputShape], hints: BoxHints) -> BoxForm | Refusal | None:
    found = [
        index
        for index, output in enumerate(outputs)
        if output.rank == 3 and output.is_real and all(each is None or each > 4 for each in output.shape[1:])
    ]
    if len(found) > 1:
        found = [index for index in found if outputs[index].named(*BOX_WORDS, "output", "pred", "detect")]
        if len(found) != 1:
            return Refusal("which output holds boxes is not clear")
    if not found:
        return None
    arrangement = joined_form(outputs, found[0], hints)
    if isinstance(arrangement, Refusal):
        return arrangement
    if isinstance(arrangement, Joined):
        return BoxForm(arrangement, "cxcywh", multiplied=hints.multiplied)
    return BoxForm(arrangement, "xyxy" if isinstance(arrangement, SixColumns) else "open")


_LOOKS: Final[Sequence[Look]] = (
    _detection_output,
    _tensorflow,
    _detr,
    _rows,
    _apart,
    _with_classes,
    _one_output,
)
