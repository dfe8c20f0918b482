"""The photographs on which a method did worst, small, with the maps of all methods: what to look at."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.evaluation.measurements import Contender, Measurement
from ovxai_convert.evaluation.measures import Measure
from ovxai_convert.evaluation.measuring import Measured
from ovxai_convert.evaluation.views import DrawnBoxes, boxes_in
from ovxai_convert.photographs.image_files import Picture, Pixels
from ovxai_convert.photographs.levels import shown_picture
from ovxai_convert.photographs.preprocessing import FieldOfView
from ovxai_convert.pictures.colormaps import DEFAULT_COLORMAP, coloured
from ovxai_convert.pictures.rendering import covered_box, enlarged, grey_levels, laid_over

MOST_EXAMPLES: Final = 8
_LONGEST: Final = 240
"""Pixels of the longer side of a picture."""
_OF_BOXES: Final = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class Example:
    """One photograph ``(H, W, 3)`` with its boxes, and the map of each contender laid over it."""

    path: str
    label: str
    score: float
    value: float
    photograph: Pixels
    overlays: Mapping[Contender, Pixels]


@dataclass
class Examples:
    """Those on which a contender's value of a measure is worst."""

    contender: Contender
    measure: Measure
    _worst: list[tuple[float, int, Example]] = field(default_factory=list)
    _seen: int = 0

    @property
    def worst(self) -> list[Example]:
        """The worst one first."""
        return [example for _, _, example in sorted(self._worst, reverse=True)]

    def add(self, measured: Measured, picture: Picture, boxes: DrawnBoxes) -> None:
        """Look at one photograph."""
        row = self._row(measured.rows)
        if row is None or row.value is None:
            return
        badness = -row.value if self.measure.higher_is_better else row.value
        self._seen += 1
        if len(self._worst) == MOST_EXAMPLES and badness <= self._worst[0][0]:
            return
        shown = _shrunk(shown_picture(picture, None))
        scale = shown.shape[1] / picture.shape[1], shown.shape[0] / picture.shape[0]
        maps = {
            contender: _overlay(shown, saliency, region, scale)
            for contender, (saliency, region) in measured.maps.items()
        }
        example = Example(
            row.path, str(row.label), float(row.score or 0), row.value, _boxed(shown, boxes, scale), maps
        )
        entry = badness, -self._seen, example
        if len(self._worst) < MOST_EXAMPLES:
            heapq.heappush(self._worst, entry)
        else:
            heapq.heapreplace(self._worst, entry)

    def _row(self, rows: Iterable[Measurement]) -> Measurement | None:
        """The first class's."""
        wanted = self.contender, self.measure.name
        return next((row for row in rows if (row.contender, row.metric) == wanted), None)


def _shrunk(picture: Pixels) -> Pixels:
    factor = min(1.0, _LONGEST / max(picture.shape[:2]))
    size = max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _overlay(
    shown: Pixels, saliency: NDArray[Any], region: FieldOfView, scale: tuple[float, float]
) -> Pixels:
    across, down = scale
    smaller = FieldOfView(
        region.left * across, region.top * down, region.right * across, region.bottom * down
    )
    size = shown.shape[0], shown.shape[1]
    levels = grey_levels(enlarged(saliency, size, smaller))
    return laid_over(shown, coloured(levels, DEFAULT_COLORMAP), 0.5, covered_box(size, smaller))


def _boxed(shown: Pixels, boxes: DrawnBoxes, scale: tuple[float, float]) -> Pixels:
    drawn, (across, down) = shown.copy(), scale
    for box in boxes_in(boxes):
        corners = [
            (round(column * across), round(row * down))
            for column, row in ((box.left, box.top), (box.right, box.bottom))
        ]
        for colour, width in zip(_OF_BOXES[::-1], (3, 1), strict=True):
            cv2.rectangle(drawn, corners[0], corners[1], colour, width)
    return drawn
