"""From maps as a method gives them to pictures as a user wants them: enlarged, coloured, on a photograph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.given import Order, as_picture
from ovxai_convert.photographs.image_files import Pixels
from ovxai_convert.photographs.levels import shown_picture
from ovxai_convert.photographs.preprocessing import FieldOfView
from ovxai_convert.pictures.boxes import pixels_of_parts, with_boxes
from ovxai_convert.pictures.captions import Caption, captioned
from ovxai_convert.pictures.colormaps import DEFAULT_COLORMAP, colormap_named, coloured

_HALF_AS_BRIGHT: Final = np.rint(np.arange(256) * 0.5).astype(np.uint8)
_BY_ONE_THREAD: Final = 2**18
"""Products of numbers, within a product of matrices, that OpenBLAS gives to no threads."""
PictureBox: TypeAlias = tuple[slice, slice]
"""Rows and columns of a picture."""
Maps: TypeAlias = Mapping[int | str, NDArray[Any]]
"""Maps by class, by ``"per_image_map"`` where one stands for all."""


@dataclass(frozen=True)
class Rendering:
    """How maps are shown, see :meth:`~ovxai_convert.explain.explainer.Explainer.__call__`.

    ``overlay`` implies ``resize`` and ``colormap``, which implies ``scaling``. A weight outside 0 to 1, a
    size below one and a colour map that does not exist are UsageErrors.
    """

    overlay: bool = False
    scaling: bool = False
    resize: bool = True
    colormap: bool | str = True
    overlay_weight: float = 0.5
    overlay_prediction: bool = True
    output_size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.overlay_weight <= 1:
            raise UsageError(f"an overlay weight lies between 0 and 1; {self.overlay_weight} does not")
        if self.output_size is not None and (len(self.output_size) != 2 or min(self.output_size) < 1):
            raise UsageError(f"an output size is rows and columns; {self.output_size} is not")
        colormap_named(self.colormap)

    @property
    def colours(self) -> str | None:
        """The colour map that pictures have; None: they are not coloured."""
        return colormap_named(self.colormap) or (DEFAULT_COLORMAP if self.overlay else None)


@dataclass(frozen=True)
class Scene:
    """What maps are laid over: ``(H, W, 3)``, and the part of it that the model saw (None: all)."""

    picture: Pixels
    region: FieldOfView | None = None


def scene_of(
    image: NDArray[Any], order: Order = "bgr", bands: Sequence[int] | None = None, channels: int = 3
) -> Scene:
    """A scene of a picture or of prepared data: ``(H, W)``, ``(H, W, C)``, ``(C, H, W)``, a batch of one.

    Three channels are in this order; of others :func:`shown_picture` says which ``bands`` are shown. Axes are
    told apart by 1, 3 and the model's ``channels``. Data that are not uint8 are scaled from their lowest to
    their highest number to 0 to 255; what is no picture is a UsageError.
    """
    pixels = np.asarray(image)
    pixels = pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels
    counts = {1, 3, channels}
    if pixels.ndim == 3 and pixels.shape[2] not in counts and pixels.shape[0] in counts:
        pixels = pixels.transpose(1, 2, 0)
    if pixels.ndim not in (2, 3) or pixels.size == 0:
        raise UsageError(f"a picture has the shape (H, W, C) or (H, W), and not {np.shape(image)}")
    pixels = as_picture(pixels, order)
    if pixels.dtype == np.uint8:
        return Scene(np.ascontiguousarray(shown_picture(pixels, bands)))
    shown = (
        shown_picture(grey_levels(pixels), bands)
        if pixels.shape[2] in (1, 3)
        else shown_picture(pixels, bands)
    )
    return Scene(np.ascontiguousarray(shown))


def rendered(
    maps: Maps,
    rendering: Rendering,
    scene: Scene,
    captions: Mapping[int | str, Caption],
    boxes: Mapping[int | str, NDArray[np.float64]] = MappingProxyType({}),
) -> Maps:
    """Maps by class: ``(h, w)`` as they are, ``(H, W)`` enlarged or ``(H, W, 3)`` coloured, as is wanted.

    ``boxes`` ``[n, 4]`` (left, top, right, bottom, in parts of what the model saw) are drawn on overlays.
    """
    if rendering.output_size is not None:
        scene = _in_size(scene, rendering.output_size)
    return {
        target: _rendered(saliency, rendering, scene, captions.get(target), boxes.get(target))
        for target, saliency in maps.items()
    }


def _rendered(
    saliency: NDArray[Any],
    rendering: Rendering,
    scene: Scene,
    caption: Caption | None,
    boxes: NDArray[np.float64] | None,
) -> NDArray[Any]:
    size = scene.picture.shape[0], scene.picture.shape[1]
    resizes, colours = rendering.resize or rendering.overlay, rendering.colours
    picture: NDArray[Any] = enlarged(saliency, size, scene.region) if resizes else saliency
    # Grey levels that were interpolated are floats between them.
    if rendering.scaling or colours is not None or (resizes and saliency.dtype == np.uint8):
        picture = _scaled(picture) if resizes else grey_levels(picture)
    if colours is not None:
        picture = coloured(picture, colours)
    if rendering.overlay:
        box = None if scene.region is None else covered_box(size, scene.region)
        picture = laid_over(scene.picture, picture, rendering.overlay_weight, box)
        if boxes is not None:
            picture = with_boxes(picture, pixels_of_parts(boxes, size, scene.region))
        if rendering.overlay_prediction and caption is not None:
            picture = captioned(picture, caption)
    return picture


def _in_size(scene: Scene, size: tuple[int, int]) -> Scene:
    rows, columns = size
    down, across = rows / scene.picture.shape[0], columns / scene.picture.shape[1]
    how = cv2.INTER_CUBIC if min(down, across) > 1 else cv2.INTER_AREA
    picture = cv2.resize(scene.picture, (columns, rows), interpolation=how)
    region = scene.region
    if region is not None:
        region = FieldOfView(
            region.left * across, region.top * down, region.right * across, region.bottom * down
        )
    return Scene(np.asarray(picture, np.uint8), region)


def enlarged(
    saliency: NDArray[Any], size: tuple[int, int], region: FieldOfView | None = None
) -> NDArray[np.float32]:
    """A map ``(h, w)`` in a picture's size (rows, columns), as float32 within the map's own range.

    Cubic, since bilinear interpolation would show the map's few cells as diamonds. What lies outside the
    region (None: all of the picture), see :func:`covered`, takes the values of the map's edge.
    """
    rows, columns = size
    whole = FieldOfView(0, 0, columns, rows)
    region = region or whole
    values = np.array(saliency, np.float32)
    if values.shape == size and region == whole:
        return values
    down = _cubic_weights(rows, saliency.shape[0], region.top, region.bottom)
    across = _cubic_weights(columns, saliency.shape[1], region.left, region.right)
    stretched = _product(_product(down, values), across.T)
    return np.clip(stretched, values.min(), values.max(), out=stretched)


def _product(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """A matrix product of few rows at a time.

    Larger ones are given to threads by BLAS, which take longer than the product, and get in each other's way
    where several maps are drawn at once.
    """
    found = np.empty((len(one), other.shape[1]), np.float32)
    step = max(1, _BY_ONE_THREAD // other.size)
    for first in range(0, len(one), step):
        np.matmul(one[first : first + step], other, out=found[first : first + step])
    return found


@lru_cache(maxsize=32)
def _cubic_weights(pixels: int, cells: int, start: float, end: float) -> NDArray[np.float32]:
    """What each cell of a map that lies from start to end gives to each pixel of a line, ``(pixels, cells)``.

    Keys' cubic convolution with OpenCV's parameter, -0.75, between the centres of cells; beyond the first and
    the last one the map goes on as there.
    """
    centres = (np.arange(pixels) + 0.5 - start) * (cells / (end - start)) - 0.5
    below = np.floor(centres)
    weights = np.zeros((pixels, cells))
    for step in range(-1, 3):
        distance = np.abs(centres - (below + step))
        near = ((1.25 * distance - 2.25) * distance) * distance + 1
        far = ((-0.75 * distance + 3.75) * distance - 6) * distance + 3
        cell = np.clip(below + step, 0, cells - 1).astype(np.intp)
        np.add.at(weights, (np.arange(pixels), cell), np.where(distance <= 1, near, far))
    found = weights.astype(np.float32)
    found.flags.writeable = False
    return found


def covered_box(size: tuple[int, int], region: FieldOfView) -> PictureBox:
    """The pixels of a picture (rows, columns) whose centres lie in a region."""
    return _centred_between(size[0], region.top, region.bottom), _centred_between(
        size[1], region.left, region.right
    )


def _centred_between(pixels: int, start: float, end: float) -> slice:
    """Which pixels of a line have their centres there."""
    centres = np.arange(pixels) + 0.5
    return slice(int(np.searchsorted(centres, start)), int(np.searchsorted(centres, end, "right")))


def covered(size: tuple[int, int], region: FieldOfView) -> NDArray[np.bool_]:
    """The same, ``(rows, columns)``: which pixels they are."""
    where = np.zeros(size, np.bool_)
    where[covered_box(size, region)] = True
    return where


def grey_levels(saliency: NDArray[Any]) -> Pixels:
    """A map min-max scaled to 0 to 255; a constant one is all 0."""
    return _scaled(saliency.astype(np.float32))


def _scaled(values: NDArray[np.float32]) -> Pixels:
    """The same of a map that nobody needs any more: its memory is used."""
    low, high = values.min(), values.max()
    spread = high - low
    if spread == 0 or not np.isfinite(spread):
        return np.zeros(values.shape, np.uint8)
    values -= low
    values /= spread
    values *= 255
    return np.asarray(cv2.convertScaleAbs(values), np.uint8).reshape(values.shape)  # which rounds


def laid_over(picture: Pixels, colours: Pixels, weight: float, box: PictureBox | None = None) -> Pixels:
    """A picture and a heat map, ``(H, W, 3)`` both, blended: ``(1 - weight) * picture + weight * colours``.

    Pixels outside the box that the map covers (None: all of the picture) are shown grey and half as bright.
    """
    rows, columns = box or np.s_[0 : picture.shape[0], 0 : picture.shape[1]]
    shown = np.empty(picture.shape, np.uint8)
    if picture[rows, columns].size:
        cv2.addWeighted(
            picture[rows, columns], 1 - weight, colours[rows, columns], weight, 0, shown[rows, columns]
        )
    for outside in (
        np.s_[: rows.start, :],
        np.s_[rows.stop :, :],
        np.s_[rows, : columns.start],
        np.s_[rows, columns.stop :],
    ):
        if picture[outside].size:
            grey = cv2.LUT(cv2.cvtColor(picture[outside], cv2.COLOR_BGR2GRAY), _HALF_AS_BRIGHT)
            shown[outside] = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    return shown
