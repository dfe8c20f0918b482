"""What stands where pixels of an input are covered: nothing, black, or the photograph blurred."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.metrics import blurred
from ovxai_convert.blackbox.streaming import Subject
from ovxai_convert.photographs.image_files import Picture
from ovxai_convert.photographs.preprocessing import Preprocessing, as_type

COVERS: Final = ("zero", "black", "blur")
"""What pixels are covered with: 0 in the input, as RISE's paper has it, which is the mean colour of inputs that
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
