"""Boxes that a detector finds, from pixels of its input to parts of it and to pixels of the photograph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.detections.boxes import Detections
from ovxai_convert.explain.observation import Observation
from ovxai_convert.explain.samples import Sample
from ovxai_convert.pictures.boxes import pixels_of_parts


def in_parts(found: Detections, values: NDArray[Any], spatial_axes: tuple[int, int]) -> NDArray[np.float64]:
    """Boxes ``[n, 4]`` (left, top, right, bottom) in parts of the input's width and height."""
    rows, columns = (values.shape[1 + axis] for axis in spatial_axes)
    return np.asarray(found.boxes.astype(np.float64) / (columns, rows, columns, rows))


def in_photograph(found: Detections, sample: Sample, spatial_axes: tuple[int, int]) -> Detections:
    """The same boxes in pixels of the photograph, of which the input may show a part."""
    rows, columns = sample.scene.picture.shape[:2]
    parts = in_parts(found, sample.values, spatial_axes)
    boxes = pixels_of_parts(parts, (rows, columns), sample.scene.region)
    return replace(found, boxes=boxes.astype(np.float32))


def drawn_boxes(
    seen: Observation, values: NDArray[Any], spatial_axes: tuple[int, int]
) -> dict[int | str, NDArray[np.float64]]:
    """The boxes ``[n, 4]`` that are drawn over each map, in parts of the input."""
    if seen.found is None:
        return {}
    parts = in_parts(seen.found, values, spatial_axes)
    return {target: parts[numbers] for target, numbers in seen.boxes.items() if numbers}
