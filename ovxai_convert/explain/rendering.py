"""From maps as a method gives them to maps as a user wants to see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.explain.overlay import captioned, coloured, covered, enlarged, grey_levels, laid_over
from ovxai_convert.photographs.image_files import Pixels
from ovxai_convert.photographs.preprocessing import FieldOfView


@dataclass(frozen=True)
class Rendering:
    """How maps are shown.

    Attributes:
        overlay: laid over the picture, in colours; implies ``resize`` and ``colormap``.
        scaling: min-max scaled to grey levels 0 to 255.
        resize: in the size of the picture, or in ``output_size``.
        colormap: in the colours of a heat map; implies ``scaling``.
        overlay_weight: of the map, 0 to 1.
        overlay_prediction: write the class and its score on an overlay.
        output_size: rows and columns; None: those of the picture.
    """

    overlay: bool = False
    scaling: bool = False
    resize: bool = True
    colormap: bool = True
    overlay_weight: float = 0.5
    overlay_prediction: bool = True
    output_size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            UsageError: a weight outside 0 to 1, a size below one.
        """
        if not 0 <= self.overlay_weight <= 1:
            raise UsageError(f"an overlay weight lies between 0 and 1; {self.overlay_weight} does not")
        if self.output_size is not None and (len(self.output_size) != 2 or min(self.output_size) < 1):
            raise UsageError(f"an output size is rows and columns; {self.output_size} is not")


@dataclass(frozen=True)
class Scene:
    """What maps are laid over.

    Attributes:
        picture: ``(H, W, 3)``, blue, green, red.
        region: the part of it that the model saw; None: all.
    """

    picture: Pixels
    region: FieldOfView | None = None


def scene_of(image: NDArray[Any], region: FieldOfView | None = None) -> Scene:
    """A scene of a photograph or of prepared data: ``(H, W)``, ``(H, W, C)``, ``(C, H, W)``, a batch of one.

    Data that are not uint8 are scaled to 0 to 255; grey ones get three channels.

    Raises:
        UsageError: they are no image.
    """
    pixels = np.asarray(image)
    pixels = pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels
    if pixels.ndim == 3 and pixels.shape[2] not in (1, 3) and pixels.shape[0] in (1, 3):
        pixels = pixels.transpose(1, 2, 0)
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.size == 0:
        raise UsageError(f"a picture has the shape (H, W, 3) or (H, W), and not {np.shape(image)}")
    shown = pixels if pixels.dtype == np.uint8 else grey_levels(pixels)
    return Scene(np.ascontiguousarray(np.broadcast_to(shown, (*shown.shape[:2], 3))), region)


def rendered(
    maps: Mapping[int | str, NDArray[Any]],
    rendering: Rendering,
    scene: Scene,
    captions: Mapping[int | str, str],
) -> dict[int | str, NDArray[Any]]:
    """Maps by class: ``(h, w)`` as they are, ``(H, W)`` enlarged or ``(H, W, 3)`` coloured, as is wanted."""
    if rendering.output_size is not None:
        scene = _in_size(scene, rendering.output_size)
    return {
        target: _rendered(saliency, rendering, scene, captions.get(target, ""))
        for target, saliency in maps.items()
    }


def _rendered(saliency: NDArray[Any], rendering: Rendering, scene: Scene, caption: str) -> NDArray[Any]:
    shown = saliency
    size = scene.picture.shape[0], scene.picture.shape[1]
    fills_range = rendering.scaling or rendering.colormap or rendering.overlay
    if rendering.resize or rendering.overlay:
        shown = enlarged(saliency, size, scene.region)
        fills_range |= saliency.dtype == np.uint8  # interpolated grey levels are floats between them
    if fills_range:
        shown = grey_levels(shown)
    if rendering.overlay or rendering.colormap:
        shown = coloured(shown)
    if rendering.overlay:
        where = None if scene.region is None else covered(size, scene.region)
        shown = laid_over(scene.picture, shown, rendering.overlay_weight, where)
        if rendering.overlay_prediction and caption:
            shown = captioned(shown, caption)
    return shown


def _in_size(scene: Scene, size: tuple[int, int]) -> Scene:
    rows, columns = size
    down, across = rows / scene.picture.shape[0], columns / scene.picture.shape[1]
    picture = cv2.resize(scene.picture, (columns, rows), interpolation=cv2.INTER_AREA)
    region = scene.region
    if region is not None:
        region = FieldOfView(
            region.left * across, region.top * down, region.right * across, region.bottom * down
        )
    return Scene(np.asarray(picture, np.uint8), region)
