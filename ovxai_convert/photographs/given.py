"""What a user hands over as an image: a file's path, a picture of Pillow's, an array, or several of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.image_files import Picture, read_image

Order = Literal["bgr", "rgb"]
"""Order of the colours in a user's arrays, and in the coloured maps that come of them."""
_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (1, True),
    6: (3, False),
    7: (3, True),
    8: (1, False),
}
"""By EXIF's orientation: how many quarters to turn to the left, and whether what is turned is mirrored."""
_KEPT_MODES: Final = {"L": 1, "RGB": 3, "I;16": 1, "I": 1, "F": 1}
"""Modes of Pillow whose numbers are a photograph's; others become one of these."""


@dataclass(frozen=True)
class Photograph:
    """A picture as :data:`Picture` says, which is surely one, and no data prepared for a model."""

    pixels: Picture


def checked_order(colour: str) -> Order:
    """An order of colours; a UsageError for another word."""
    if colour not in ("bgr", "rgb"):
        raise UsageError(f"colour is 'bgr', as OpenCV has it, or 'rgb', and not {colour!r}")
    return colour  # type: ignore[return-value]


def is_list(data: Any) -> bool:
    """Whether several images are handed over one by one, and not as one array."""
    return isinstance(data, list | tuple) and any(
        isinstance(each, str | os.PathLike | Photograph | np.ndarray)
        or hasattr(each, "__array__")
        or _pillow(each)
        for each in data[:1]
        if not isinstance(each, np.generic)
    )


def taken(data: Any, order: Order, channels: int) -> tuple[Photograph | NDArray[Any], Order]:
    """One image, or the array that was given, and the order in which its coloured maps are to be.

    A file is read as by the command, for a model of so many channels. A picture of Pillow's is turned upright
    and is red, green, blue.

    Raises:
        ModelReadError: the file is missing or no image.
        UsageError: what cannot be made an array.
    """
    if data is None:
        raise UsageError("None is no image; cv2.imread() gives it for a file that it cannot read")
    if isinstance(data, Photograph):
        return data, order
    if isinstance(data, str | os.PathLike):
        return Photograph(read_image(Path(data), channels)), order
    if _pillow(data):
        return Photograph(_of_pillow(data, channels)), "rgb"
    try:
        array = np.asarray(data)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"a {type(data).__name__} cannot be made an image: {reason}") from error
    return _native(array), order


def as_picture(array: NDArray[Any], order: Order) -> Picture:
    """An array ``(H, W)`` or ``(H, W, C)`` of a user's as a picture; three channels change places."""
    array = array[..., np.newaxis] if array.ndim == 2 else array
    if array.shape[2] == 3 and order == "rgb":
        array = array[..., ::-1]
    return array


def in_order(picture: NDArray[Any], order: Order) -> NDArray[Any]:
    """A picture whose three channels, if there are three, are blue, green, red, in an order."""
    turns = order == "rgb" and picture.ndim == 3 and picture.shape[2] == 3
    return np.ascontiguousarray(picture[..., ::-1]) if turns else picture


def _pillow(data: Any) -> bool:
    """Pillow need not be there, and what works as its pictures do is taken as one."""
    return all(hasattr(data, name) for name in ("mode", "convert", "getexif", "__array_interface__"))


def _of_pillow(image: Any, channels: int) -> Picture:
    mode, orientation = str(image.mode), image.getexif().get(_ORIENTATION, 1)
    if (mode == "RGBA" and channels == 4) or mode in _KEPT_MODES or mode.startswith("I;16"):
        pixels = np.asarray(image)
    else:
        image = image.convert("LA") if mode == "La" else image
        pixels = np.asarray(image.convert("L" if mode in ("1", "LA", "La") else "RGB"))
    pixels = _native(pixels)
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = pixels.astype(np.float32)
    turned = _upright(pixels, orientation)
    turned = turned[..., np.newaxis] if turned.ndim == 2 else turned
    return np.ascontiguousarray(turned[..., ::-1] if turned.shape[2] == 3 else turned)


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in the order of bytes of this machine."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    quarters, mirrored = _TURNS.get(orientation, (0, False))
    return np.rot90(pixels[:, ::-1] if mirrored else pixels, quarters)
