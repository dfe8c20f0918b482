"""A photograph as one model takes it: its input, what covers that, which of its classes are measured."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.streaming import Trial
from ovxai_convert.errors import UsageError
from ovxai_convert.evaluation.annotations import ObjectBox
from ovxai_convert.evaluation.canvases import canvas_of
from ovxai_convert.evaluation.evaluated_models import EvaluatedModel
from ovxai_convert.evaluation.inquiry import TRUTH, Inquiry
from ovxai_convert.evaluation.pointing import PointedAt
from ovxai_convert.explain.explained import chosen_by
from ovxai_convert.photographs.given import Photograph
from ovxai_convert.photographs.image_files import Picture
from ovxai_convert.photographs.preprocessing import FieldOfView

DrawnBoxes: TypeAlias = Sequence[ObjectBox] | UsageError | None
"""Boxes around objects of a photograph; None where nobody has drawn any, or why they cannot be had."""


def boxes_in(drawn: DrawnBoxes) -> Sequence[ObjectBox]:
    """The boxes that there are."""
    return () if drawn is None or isinstance(drawn, UsageError) else drawn


@dataclass(frozen=True)
class View:
    """One photograph and one model.

    Attributes:
        model: that model.
        trial: the image as the model takes it, and the stream of its scores.
        canvas: what stands where it is covered.
        scores: of the image as it is, ``(K,)``.
        size: rows and columns of the photograph.
        region: the part of it that the input shows.
        boxes: around objects.
        truth: the class that the photograph's folder says, if it is one of the model's.
    """

    model: EvaluatedModel
    trial: Trial
    canvas: NDArray[Any]
    scores: NDArray[np.float32]
    size: tuple[int, int]
    region: FieldOfView
    boxes: DrawnBoxes
    truth: int | None

    def shown_classes(self) -> list[int]:
        """The classes that the photograph is said to show: those of its boxes, else that of its folder."""
        called = [self.model.class_called(box.label) for box in boxes_in(self.boxes)]
        found = [index for index in dict.fromkeys(called) if index is not None]
        return found or ([] if self.truth is None else [self.truth])

    def classes(self, targets: str | None) -> list[int]:
        """The classes that are measured, see :class:`Inquiry`; a UsageError where there is none.

        The word for those that are shown is a class, where one has that label.
        """
        if targets == TRUTH and self.model.class_called(TRUTH) is None:
            if found := self.shown_classes():
                return found
            raise UsageError("neither boxes nor its folder say which of the model's classes it shows")
        chosen = chosen_by(targets, self.model.labels, self.model.answer)(self.scores)
        return list(range(len(self.scores))) if chosen is None else chosen

    def pointed_at(self, target: int, asked: Inquiry) -> PointedAt:
        """Where points are hits for a class; a UsageError where there is no box of it that the model sees."""
        if self.boxes is None:
            raise UsageError("there are no boxes of this photograph")
        if isinstance(self.boxes, UsageError):
            raise self.boxes
        boxes = [box for box in self.boxes if asked.any_box or self.model.class_called(box.label) == target]
        if not boxes:
            raise UsageError("none of its boxes is of the class that is explained")
        pointed = PointedAt(self.size, self.region, self.trial.size, boxes, asked.margin)
        if not pointed.chance:
            raise UsageError("the model sees none of its boxes, or less than a pixel")
        return pointed


def view_of(
    model: EvaluatedModel, picture: Picture, asked: Inquiry, boxes: DrawnBoxes, truth: str | None
) -> View:
    """A photograph as a model takes it.

    Raises:
        UsageError: a picture that does not fit the model, or of which it makes no finite scores.
    """
    prepared = model.explainer.preprocessing
    (trial,) = model.explainer.explainer.trials(Photograph(picture))
    canvas = canvas_of(asked.cover, trial, prepared, picture)
    rows, columns = picture.shape[:2]
    return View(
        model,
        trial,
        canvas,
        scores_of_image(trial, trial.image),
        (rows, columns),
        prepared.region(rows, columns),
        boxes,
        None if truth is None else model.class_called(truth),
    )


def scores_of_image(trial: Trial, image: NDArray[Any]) -> NDArray[np.float32]:
    """Scores ``(K,)`` of an image in the input's shape and type."""

    def unaltered(_: int, out: NDArray[Any]) -> None:
        out[...] = image

    with closing(trial.scores(1, unaltered)) as stream:
        return np.array(next(stream)[0])
