"""What of an image a map shows, and what stands where it is covered: nothing, black, or the image blurred."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.metrics import blurred
from ovxai_convert.blackbox.streaming import Subject
from ovxai_convert.photographs.image_files import Picture
from ovxai_convert.photographs.preprocessing import Preprocessing, as_type

COVERS: Final = ("zero", "black", "blur")
"""What pixels are covered with: 0 in the input, as in RISE's paper, which is the mean colour where inputs
are brought to mean 0; black in the photograph, as openvino-xai has it; or the input through a Gaussian."""


def canvas_of(cover: str, subject: Subject, preprocessing: Preprocessing, picture: Picture) -> NDArray[Any]:
    """An image in the input's shape and type that has nothing of a photograph, or nothing sharp."""
    if cover == "blur":
        return blurred(subject.image, subject.spatial_axes)
    if cover == "black":
        return np.asarray(preprocessing(np.zeros_like(picture))[0])
    return np.zeros_like(subject.image)


def shown_by(saliency_map: NDArray[Any], subject: Subject, canvas: NDArray[Any]) -> NDArray[Any]:
    """The image as much as a map of 0 to 1, ``(H, W)`` in its size, shows of it, on a canvas."""
    share = subject.aligned(np.asarray(saliency_map, np.float32))
    background = canvas.astype(np.float32)
    return as_type(background + share * (subject.image.astype(np.float32) - background), subject.image.dtype)


def scaled_to_one(saliency_map: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map from its lowest to its highest number as 0 to 1; one that is the same everywhere is 0."""
    low, high = float(saliency_map.min()), float(saliency_map.max())
    if not high > low:
        return np.zeros_like(saliency_map)
    return np.asarray((saliency_map - low) / np.float32(high - low), np.float32)
