"""What openvino-xai 1.1.0 has to show maps: functions of arrays, and its Visualizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.explain.explanation import Explanation, Layout
from ovxai_convert.photographs.given import in_order
from ovxai_convert.pictures.rendering import Rendering, enlarged, rendered, scene_of

GRAY_LAYOUTS: Final = frozenset({Layout.ONE_MAP_PER_IMAGE_GRAY, Layout.MULTIPLE_MAPS_PER_IMAGE_GRAY})
COLOR_MAPPED_LAYOUTS: Final = frozenset(set(Layout) - GRAY_LAYOUTS)
ONE_MAP_LAYOUTS: Final = frozenset({Layout.ONE_MAP_PER_IMAGE_GRAY, Layout.ONE_MAP_PER_IMAGE_COLOR})
MULTIPLE_MAP_LAYOUTS: Final = frozenset(set(Layout) - ONE_MAP_LAYOUTS)


def resize(saliency_map: NDArray[Any], output_size: Sequence[int]) -> NDArray[Any]:
    """Maps ``(h, w)`` or ``(n, h, w)`` enlarged to so many rows and columns, in their own number type.

    Cubic, as ``Explainer`` does it, where the old function is linear.
    """
    rows, columns = output_size
    maps = saliency_map if saliency_map.ndim == 3 else saliency_map[np.newaxis]
    larger = np.stack([enlarged(each, (rows, columns)) for each in maps])
    if np.issubdtype(saliency_map.dtype, np.integer):
        larger = np.rint(larger)
    larger = larger.astype(saliency_map.dtype)
    return larger if saliency_map.ndim == 3 else larger[0]


def colormap(saliency_map: NDArray[np.uint8], colormap_type: int = cv2.COLORMAP_JET) -> NDArray[np.uint8]:
    """Grey levels ``(n, h, w)`` in colours, ``(n, h, w, 3)`` red, green, blue, as the old function has them.

    ``Explainer`` says in which order its own pictures are.
    """
    if saliency_map.dtype != np.uint8 or saliency_map.ndim != 3:
        raise UsageError(
            f"grey levels are coloured, uint8 (n, h, w), and not {saliency_map.dtype} {saliency_map.shape}; "
            "scaling() makes them"
        )
    colours = [cv2.applyColorMap(each, colormap_type)[..., ::-1] for each in saliency_map]
    return np.stack(colours).astype(np.uint8)


def overlay(
    saliency_map: NDArray[Any],
    input_image: NDArray[Any],
    overlay_weight: float = 0.5,
    cast_to_uint8: bool = True,
) -> NDArray[Any]:
    """Coloured maps over a picture of their size: ``(1 - weight) * picture + weight * map``, at most 255.

    The weight is the map's, as in ``Explainer``; the old function gives it to the picture, against what its
    ``Explainer`` says of it. At 0.5 they are the same.
    """
    blended = np.minimum((1 - overlay_weight) * input_image + overlay_weight * saliency_map, 255)
    return blended.astype(np.uint8) if cast_to_uint8 else blended


class Visualizer:
    """Shows the maps of an explanation in another way than they were asked for."""

    def __call__(
        self,
        explanation: Explanation,
        original_input_image: NDArray[Any] | None = None,
        output_size: tuple[int, int] | None = None,
        scaling: bool = False,
        resize: bool = True,
        colormap: bool | str = True,
        overlay: bool = False,
        overlay_weight: float = 0.5,
        overlay_prediction: bool = True,
    ) -> Explanation:
        """A copy of the explanation with other pictures, made of its raw maps; it stays as it is itself.

        The arguments are those of ``Explainer``, whose names they have; the picture is in the explanation's
        order of colours, as are the pictures that come back.

        Raises:
            UsageError: an overlay without a picture; enlarging without one and without an ``output_size``.
        """
        if original_input_image is None:
            if overlay:
                raise UsageError("an overlay needs a picture to lay maps over: original_input_image")
            if resize and output_size is None:
                raise UsageError("enlarging needs a size: original_input_image, or output_size")
            original_input_image = np.zeros((*(output_size or (1, 1)), 3), np.uint8)
        maps = explanation.raw or explanation.saliency_map
        how = Rendering(overlay, scaling, resize, colormap, overlay_weight, overlay_prediction, output_size)
        captions = {
            target: replace(caption, colormap=how.colours) for target, caption in explanation.captions.items()
        }
        scene = scene_of(original_input_image, explanation.colour)
        pictures = {
            target: in_order(picture, explanation.colour)
            for target, picture in rendered(maps, how, scene, captions).items()
        }
        return replace(explanation, saliency_map=pictures, raw=maps, captions=captions)

    visualize = __call__
