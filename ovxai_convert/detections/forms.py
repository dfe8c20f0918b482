"""How a detector's outputs hold boxes, and reading the results of an inference as detections by that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.detections.arrangements import Arrangement, Joined, RawBoxes
from ovxai_convert.detections.boxes import Detections
from ovxai_convert.detections.class_numbers import (
    are_no_scores,
    are_probabilities,
    as_probabilities,
    background_of,
    best_classes,
)
from ovxai_convert.detections.coordinates import are_corners, confident, corners, in_pixels, unit_of
from ovxai_convert.detections.grids import anchors_per_cell, decoded
from ovxai_convert.detections.outputs import BoxOrder, ToProbability
from ovxai_convert.errors import ModelReadError, Refusal

ReadDetections: TypeAlias = Callable[[Mapping[Any, NDArray[Any]], tuple[int, int], int], list[Detections]]
"""From the results of so many samples, and the input's rows and columns, to the detections of each sample."""

Open: TypeAlias = Literal["open"]
"""In place of what the first numbers of a model decide."""


@dataclass(frozen=True)
class BoxForm:
    """How to read boxes. What is ``"open"`` the numbers decide: see :meth:`settled`.

    Attributes:
        arrangement: where the numbers stand.
        order: what the four numbers of a box are.
        unit: what they count: pixels of the input, parts of its size, or cells of YOLOX's grids.
        activation: what makes probabilities of the numbers of classes, and of objectness.
        background: the column of the classes that is none; None: there is no such column.
        may_be_background: the columns among which it is sought where that is open.
        has_background: whether it is certain that there is one.
        multiplied: whether the numbers of classes have the objectness as a factor.
        notes: what was decided by numbers, in sentences.
    """

    arrangement: Arrangement
    order: BoxOrder | Open = "open"
    unit: Literal["pixels", "parts", "cells", "open"] = "open"
    activation: ToProbability | Open = "open"
    background: int | Open | None = None
    may_be_background: tuple[int, ...] = (0, -1)
    has_background: bool = False
    multiplied: bool = False
    notes: tuple[str, ...] = ()

    @property
    def picked(self) -> bool:
        """Whether boxes are picked already and need no suppression (``boxes.nms``) to be shown."""
        return self.arrangement.picked

    def read(
        self, results: Mapping[Any, NDArray[Any]], size: tuple[int, int], samples: int
    ) -> list[Detections]:
        """Detections of each sample, before any suppression; boxes that are not finite are left out.

        Args:
            results: arrays by the index of the output.
            size: rows and columns of the model's input.
            samples: how many the results are of.

        Raises:
            ModelReadError: results that are not of this form; numbers that are none of boxes, where something
                was still open.
        """
        raw = self.arrangement.raw(results, samples)
        settled = self._settled(raw, size)
        if isinstance(settled, Refusal):
            raise ModelReadError(settled.reason)
        return [settled._detections(each, size) for each in raw]

    def settled(
        self, results: Mapping[Any, NDArray[Any]], size: tuple[int, int], samples: int
    ) -> BoxForm | Refusal:
        """The form with all decided that these results decide: those of a picture that is not altered.

        To be done once before altered pictures are read, each of which could decide otherwise. What no
        number tells, as the unit of boxes where there are none, stays open. A Refusal: numbers that are none
        of boxes or scores. Raises as :meth:`read` does.
        """
        return self._settled(self.arrangement.raw(results, samples), size)

    def _settled(self, raw: list[RawBoxes], size: tuple[int, int]) -> BoxForm | Refusal:
        columns = 0 if raw[0].classes is None else raw[0].classes.shape[1]
        if columns and isinstance(self.background, int) and not -columns <= self.background < columns > 1:
            return Refusal(f"column {self.background} of {columns} classes cannot be the background")
        form = self
        for settle in (_with_activation, _with_order, _with_unit):
            after = settle(form, raw, size)
            if isinstance(after, Refusal):
                return after
            form = after
        return form

    def _detections(self, raw: RawBoxes, size: tuple[int, int]) -> Detections:
        found = self._scored(raw)
        boxes = decoded(raw.boxes, size) if self.unit == "cells" else raw.boxes
        edges = corners(boxes, "xyxy" if self.order == "open" else self.order)
        edges = in_pixels(edges, size) if self.unit == "parts" else edges
        fine = np.isfinite(edges).all(1) & np.isfinite(found.scores) & (found.labels >= 0)
        found = replace(found, boxes=edges, scores=np.clip(found.scores, 0, 1))
        if found.class_scores is not None and not np.isfinite(found.class_scores.min(initial=0)):
            fine &= np.isfinite(found.class_scores).all(1)
        return found if fine.all() else found.taken(fine)

    def _scored(self, raw: RawBoxes) -> Detections:
        """Scores and labels of boxes that are still as the model gives them."""
        activation: ToProbability = "none" if self.activation == "open" else self.activation
        if raw.classes is None:
            assert raw.scores is not None
            assert raw.labels is not None
            return Detections(raw.boxes, as_probabilities(raw.scores, activation), raw.labels)
        classes = as_probabilities(raw.classes, activation)
        objectness = None if raw.objectness is None else as_probabilities(raw.objectness, activation)
        if isinstance(self.background, int):
            objectness = np.asarray(1 - classes[:, self.background], np.float32)  # of any class
            classes = np.delete(classes, self.background, axis=1)
        scores, labels = best_classes(classes)
        if raw.objectness is not None and objectness is not None and not self.multiplied:
            scores = scores * objectness
        return Detections(raw.boxes, scores, labels, classes, objectness)

    def _noting(self, note: str, **decided: Any) -> BoxForm:
        """The form with something decided, and a note on it."""
        return replace(self, notes=(*self.notes, note), **decided)


def _with_activation(form: BoxForm, raw: list[RawBoxes], size: tuple[int, int]) -> BoxForm | Refusal:
    """With the background and the activation decided."""
    if form.activation != "open" and form.background != "open":
        return form
    parts = [part for each in raw for part in (each.classes, each.objectness, each.given_scores)]
    values = np.concatenate([part.ravel() for part in parts if part is not None])
    if not np.isfinite(values).any():
        return form
    if form.background == "open":
        numbers = np.concatenate([each.classes for each in raw if each.classes is not None])
        column = background_of(numbers, form.may_be_background, certain=form.has_background)
        at = "no column" if column is None else f"column {column % numbers.shape[1]}"
        form = form._noting(
            f"{at} of the classes is taken for the background, by its numbers", background=column
        )
    if form.activation != "open":
        return form
    if are_probabilities(values):
        return replace(form, activation="none")
    if are_no_scores(values) or raw[0].classes is None:
        return Refusal("what should be scores is neither probabilities nor logits")
    made: ToProbability = "sigmoid" if form.background is None else "softmax"
    return form._noting(f"scores outside of 0 to 1 are taken for logits: {made}", activation=made)


def _with_order(form: BoxForm, raw: list[RawBoxes], size: tuple[int, int]) -> BoxForm | Refusal:
    """With the four numbers of a box decided."""
    if form.order != "open" or all(len(each.boxes) == 0 for each in raw):
        return form
    order: BoxOrder = "xyxy" if are_corners(np.concatenate([each.boxes for each in raw])) else "cxcywh"
    meant = "two corners" if order == "xyxy" else "centre, width and height"
    return form._noting(f"boxes are taken for {meant}, by their numbers", order=order)


def _with_unit(form: BoxForm, raw: list[RawBoxes], size: tuple[int, int]) -> BoxForm | Refusal:
    """With what the numbers of boxes count decided."""
    if form.unit != "open" or form.order == "open":
        return form
    boxes = np.concatenate([each.boxes for each in raw])
    best = confident(boxes, np.concatenate([form._scored(each).scores for each in raw]))
    if len(best) == 0:
        return form
    unit = unit_of(boxes, best, form.order)
    if unit != "neither":
        meant = "pixels of the input" if unit == "pixels" else "parts of the input's size"
        return form._noting(f"boxes are taken to be in {meant}, by their numbers", unit=unit)
    joined = form.arrangement
    has_cells = isinstance(joined, Joined) and joined.objectness and form.order == "cxcywh"
    if has_cells and anchors_per_cell(len(raw[0].boxes), size) == 1:
        note = "boxes are taken to be counted from the cells of YOLOX's grids, by their numbers"
        return form._noting(note, unit="cells")
    return Refusal("boxes are in neither pixels nor parts of the input's size")
