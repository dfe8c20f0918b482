"""The input that takes the image: how photographs are prepared for it, and whether prepared data fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from openvino import Model

from ovxai_convert.anatomy.inputs import input_layout
from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.preprocessing import InputLayout, Preprocessing, PreprocessingHints
from ovxai_convert.tensors.ports import extents

_FROM_THE_OTHER: Final[dict[InputLayout, tuple[int, ...]]] = {"NCHW": (0, 3, 1, 2), "NHWC": (0, 2, 3, 1)}
"""Order of axes that turns the other layout into this one."""
_ANY_SIZE: Final = 224
"""Rows and columns where the model takes any."""


@dataclass(frozen=True)
class ImageInput:
    """A model's only input.

    Attributes:
        shape: its extents, None where dynamic.
        dtype: its element type.
        layout: the order of its axes, None where nothing tells.
    """

    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]
    layout: InputLayout | None

    @property
    def batch(self) -> int | None:
        """How many samples it takes at once; None: any number."""
        return self.shape[0]

    @property
    def spatial_axes(self) -> tuple[int, int]:
        """Indices of rows and columns in one sample (without the batch axis).

        Raises:
            UsageError: the layout is not known.
        """
        layout = self.known_layout()
        return layout.index("H") - 1, layout.index("W") - 1

    def known_layout(self) -> InputLayout:
        """The layout.

        Raises:
            UsageError: it is not known.
        """
        if self.layout is None:
            raise UsageError(
                f"nothing tells which axes of the input {self} are rows and columns; name its layout"
            )
        return self.layout

    def __str__(self) -> str:
        return "[" + ",".join("?" if extent is None else str(extent) for extent in self.shape) + "]"


def image_input(model: Model, layout: InputLayout | None = None) -> ImageInput:
    """The input of a model that takes one image.

    Args:
        model: the model.
        layout: order of the axes, where the user or a sidecar names it.

    Raises:
        UsageError: it has several inputs, or one that is no image.
    """
    if len(model.inputs) != 1:
        raise UsageError(f"the model has {len(model.inputs)} inputs; one that takes the image is explained")
    port = model.inputs[0]
    if not takes_image(model):
        raise UsageError(f"the model's input {port.get_partial_shape()} does not take an image")
    shape = extents(port) or ()
    found = layout or input_layout(port)
    return ImageInput(shape, np.dtype(port.get_element_type().to_dtype()), found)  # type: ignore[arg-type]


def takes_image(model: Model) -> bool:
    """Whether a model's only input has the rank of a batch of images."""
    return len(model.inputs) == 1 and len(extents(model.inputs[0]) or ()) == 4


def preprocessing_for(image: ImageInput, hints: PreprocessingHints) -> tuple[Preprocessing, tuple[str, ...]]:
    """Preprocessing that fits an input, and what had to be assumed because nothing says it.

    Assumed are photographs in red, green, blue, cut to the middle, with pixels of 0 to 255 as they are (less
    128 where the input is i8).

    Raises:
        UsageError: the hints contradict the input.
    """
    layout = image.known_layout()
    rows, columns, channels = (image.shape[layout.index(axis)] for axis in "HWC")
    channels = 3 if channels is None else channels
    if channels not in (1, 3):
        raise UsageError(f"the input {image} takes {channels} channels; a photograph has three, or is grey")
    wanted = hints.size or (rows or _ANY_SIZE, columns or _ANY_SIZE)
    if rows not in (None, wanted[0]) or columns not in (None, wanted[1]):
        raise UsageError(f"the input {image} takes no image of {wanted[0]}x{wanted[1]}")
    offset = 128.0 if image.dtype == np.int8 else 0.0
    mean, scale = hints.mean or (offset,), hints.scale or (1.0,)
    if channels == 1 and max(len(mean), len(scale)) > 1:
        raise UsageError("the input is grey: its mean and its scale are one number each")
    resize, colour = hints.resize or "crop", hints.colour or "rgb"
    found = Preprocessing(
        wanted, channels, image.dtype, mean, scale, colour, resize, layout, hints.pad_value or 0
    )
    return found, tuple(_assumptions(image, hints, found))


def _assumptions(image: ImageInput, hints: PreprocessingHints, found: Preprocessing) -> Sequence[str]:
    said = []
    if hints.size is None and None in (image.shape[found.layout.index(axis)] for axis in "HW"):
        said.append(f"size {found.size[0]}x{found.size[1]}")
    if hints.colour is None and found.channels == 3:
        said.append(f"colours {found.colour}")
    if hints.resize is None:
        said.append(f"resize {found.resize}")
    if hints.mean is None:
        said.append(f"mean {found.mean[0]:g}")
    if hints.scale is None:
        said.append(f"scale {found.scale[0]:g}")
    return said


def as_samples(data: NDArray[Any], image: ImageInput) -> NDArray[Any]:
    """Prepared data as samples of an input: ``(N, ...)`` in its layout and element type.

    Args:
        data: ``(H, W)``, ``(H, W, C)``, ``(C, H, W)``, or a batch of one of the latter two.
        image: the input.

    Raises:
        UsageError: the data do not fit, with both shapes.
    """
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise UsageError(f"the image holds {array.dtype}, not numbers")
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim == 3:
        array = array[np.newaxis]
    if array.ndim != 4 or array.size == 0:
        raise UsageError(f"an image has the shape (H, W, C), a batch (N, H, W, C), and not {np.shape(data)}")
    choices = [array]
    if image.layout is not None:
        choices.append(array.transpose(_FROM_THE_OTHER[image.layout]))
    for choice in choices:
        if _fits(choice.shape, image):
            return _as_type(choice, image.dtype)
    raise UsageError(_misfit(array, image))


def _fits(shape: Sequence[int], image: ImageInput) -> bool:
    channels = None if image.layout is None else image.layout.index("C")
    for axis in range(1, 4):
        wanted = image.shape[axis]
        if wanted is None and axis == channels:
            if shape[axis] not in (1, 3):
                return False
        elif wanted not in (None, shape[axis]):
            return False
    return True


def _misfit(array: NDArray[Any], image: ImageInput) -> str:
    layout = image.layout
    given = "(" + ", ".join(map(str, array.shape)) + ")"
    if layout is not None:
        channels = image.shape[layout.index("C")] or 3
        if channels not in (array.shape[1], array.shape[3]):
            return f"an image of shape {given} has no {channels} channels, which the input {image} takes"
    return f"an image of shape {given} does not fit the input {image}; resize it, or give a preprocess_fn"


def _as_type(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind in "iu" and not np.can_cast(array.dtype, dtype):
        bounds = np.iinfo(dtype)
        array = np.clip(np.rint(array.astype(np.float64)), bounds.min, bounds.max)
    return np.ascontiguousarray(array, dtype)
