"""From the map to the overlay: `saliency_map.upsampling`."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from by_description.photograph import Array, Json, crop_size, letterbox, scaled_size


class Box(NamedTuple):
    """A part of a picture, in its pixels; it may reach beyond the picture."""

    left: float
    top: float
    width: float
    height: float


def seen(how: Json, height: int, width: int) -> Box:
    """The box of the photograph that the input shows, in pixels of the photograph."""
    whole = Box(0, 0, width, height)
    box = whole if how["resize"] == "none" else shown(how, height, width, (how["pad"] or {}).get("where"))
    if how["embedded"] is None:
        return box
    rows, columns = (height, width) if how["resize"] == "none" else how["size"]
    inner = shown(how["embedded"], rows, columns, how["embedded"]["pad_where"])  # in pixels of the input
    across, down = box.width / columns, box.height / rows
    left, top = box.left + inner.left * across, box.top + inner.top * down
    return Box(left, top, inner.width * across, inner.height * down)


def shown(how: Json, height: int, width: int, where: str | None) -> Box:
    """The box of a picture that is there after resizing."""
    rows, columns = how["size"]
    if how["resize"] == "stretch":
        return Box(0, 0, width, height)
    if how["resize"] == "letterbox":
        left, top, inner_width, inner_height = letterbox(height, width, rows, columns, str(where))
        across, down = width / inner_width, height / inner_height  # photograph's pixels to one of the input's
        return Box(-left * across, -top * down, columns * across, rows * down)
    if how.get("resize_to") is not None:
        scaled_rows, scaled_columns = scaled_size(height, width, how["resize_to"])
        across, down = width / scaled_columns, height / scaled_rows
        left, top = (scaled_columns - columns) // 2, (scaled_rows - rows) // 2
        return Box(left * across, top * down, columns * across, rows * down)
    box_width, box_height = crop_size(height, width, rows, columns)
    return Box((width - box_width) // 2, (height - box_height) // 2, box_width, box_height)


def lay_over(photo: Array, grid: Array, box: Box, description: Json) -> Array:
    """Half the photograph, half the map in colours; what the model did not see in grey."""
    height, width = photo.shape[:2]
    cubic = description["saliency_map"]["upsampling"]["interpolation"] == "cubic"
    values = grid.astype(np.float64)
    lowest, highest = values.min(), values.max()
    if description["saliency_map"]["scaling"] == "none" and highest > lowest:  # raw scores to grey levels
        values, lowest, highest = (values - lowest) * (255 / (highest - lowest)), 0.0, 255.0
    down = weights(height, box.top, box.height, grid.shape[0], cubic)
    across = weights(width, box.left, box.width, grid.shape[1], cubic)
    levels = np.rint((down @ values @ across.T).clip(lowest, highest).clip(0, 255)).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_JET)
    grey = cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    mixed = cv2.addWeighted(photo, 0.5, colours, 0.5, 0)
    y, x = np.arange(height)[:, None] + 0.5 - box.top, np.arange(width) + 0.5 - box.left
    inside = (y >= 0) & (y <= box.height) & (x >= 0) & (x <= box.width)
    return np.where(inside[..., None], mixed, grey)


def weights(pixels: int, start: float, length: float, cells: int, cubic: bool) -> Array:
    """How much each cell counts in each pixel, [pixels, cells]; the cells fill the length from start on.

    Cells behind the edge are as the edge's own.
    """
    places = (np.arange(pixels) + 0.5 - start) * cells / length - 0.5  # in cells, 0 at the first one's centre
    found = np.zeros((pixels, cells))
    for offset in (-1, 0, 1, 2):
        neighbour = np.floor(places).astype(int) + offset
        weight = kernel(np.abs(places - neighbour), cubic)
        np.add.at(found, (np.arange(pixels), neighbour.clip(0, cells - 1)), weight)
    return found


def kernel(distance: Array, cubic: bool) -> Array:
    """Weight of a cell by its distance: as INTER_LINEAR, or as INTER_CUBIC, whose parameter is -3/4."""
    if not cubic:
        return (1 - distance).clip(0)
    a = -0.75
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
