"""Maps as pictures: laid over the part of a photograph that the model saw, in colours."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.photographs.image_files import Pixels
from ovxai_convert.photographs.preprocessing import FieldOfView

_MARGIN: Final = 4
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_UNSEEN_BRIGHTNESS: Final = 0.5


def enlarged(
    saliency: NDArray[Any], size: tuple[int, int], region: FieldOfView | None = None
) -> NDArray[np.float32]:
    """A map ``(h, w)`` in a picture's size (rows, columns), as float32 within the map's own range.

    Cubic, since a map has a few cells and bilinear interpolation would show each of them as a diamond.

    Args:
        saliency: the map.
        size: rows and columns of the picture.
        region: the part of the picture that the map covers; None: all of it. What lies outside takes the
            values of the map's edge; :func:`covered` tells where that is.
    """
    rows, columns = size
    whole = FieldOfView(0, 0, columns, rows)
    region = region or whole
    if saliency.shape == size and region == whole:
        return np.array(saliency, np.float32)
    across = saliency.shape[1] / (region.right - region.left)
    down = saliency.shape[0] / (region.bottom - region.top)
    # A pixel has its centre at x + 0.5, which is (x + 0.5 - left) * across on the map, and so has a cell.
    to_map = np.array(
        [
            [across, 0, (0.5 - region.left) * across - 0.5],
            [0, down, (0.5 - region.top) * down - 0.5],
        ]
    )
    values = np.asarray(saliency, np.float32)
    stretched = cv2.warpAffine(
        values,
        to_map,
        (columns, rows),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.clip(stretched, values.min(), values.max())


def covered(size: tuple[int, int], region: FieldOfView) -> NDArray[np.bool_]:
    """Which pixels of a picture (rows, columns) lie in a region."""
    rows, columns = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    down = (rows >= region.top) & (rows <= region.bottom)
    across = (columns >= region.left) & (columns <= region.right)
    return np.logical_and.outer(down, across)


def grey_levels(saliency: NDArray[Any]) -> Pixels:
    """A map min-max scaled to 0 to 255; a constant one is all 0."""
    values = saliency.astype(np.float32)
    spread = float(np.ptp(values))
    if spread == 0 or not np.isfinite(spread):
        return np.zeros(values.shape, np.uint8)
    return np.asarray(np.rint((values - values.min()) / np.float32(spread) * 255), np.uint8)


def coloured(grey: Pixels) -> Pixels:
    """Grey levels ``(H, W)`` in the colours of a heat map, ``(H, W, 3)`` blue, green, red: 255 is red."""
    return np.asarray(cv2.applyColorMap(grey, cv2.COLORMAP_JET), np.uint8)


def laid_over(
    picture: Pixels, colours: Pixels, weight: float, where: NDArray[np.bool_] | None = None
) -> Pixels:
    """A picture and a heat map blended: ``(1 - weight) * picture + weight * colours``.

    Args:
        picture: ``(H, W, 3)``.
        colours: ``(H, W, 3)``.
        weight: of the colours, 0 to 1.
        where: ``(H, W)``, the pixels that the map covers; the others are shown grey and dark. None: all.
    """
    blended = np.asarray(cv2.addWeighted(picture, 1 - weight, colours, weight, 0), np.uint8)
    if where is None or where.all():
        return blended
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) * _UNSEEN_BRIGHTNESS
    return np.where(where[..., np.newaxis], blended, np.rint(grey).astype(np.uint8)[..., np.newaxis])


def captioned(picture: Pixels, text: str) -> Pixels:
    """A copy of a picture with a text in its upper left corner, as large as fits; only ASCII is shown."""
    shown = text.encode("ascii", "replace").decode()
    (width, height), _ = cv2.getTextSize(shown, _FONT, 1.0, 1)
    size = min(
        1.0, picture.shape[0] / (16 * max(height, 1)), (picture.shape[1] - 2 * _MARGIN) / max(width, 1)
    )
    copy = picture.copy()
    if size <= 0:
        return copy
    left, base = _MARGIN, _MARGIN + round(height * size)
    for right, down in ((-1, 0), (1, 0), (0, -1), (0, 1)):  # a dark outline, to be read on any picture
        cv2.putText(copy, shown, (left + right, base + down), _FONT, size, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.putText(copy, shown, (left, base), _FONT, size, (255, 255, 255), 1, cv2.LINE_AA)
    return copy
