"""How a photograph becomes a model's input: what several sources say of it, and doing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.image_files import Pixels

Colour = Literal["rgb", "bgr"]
Resize = Literal["crop", "stretch", "letterbox"]
InputLayout = Literal["NCHW", "NHWC"]

_RESIZE_TYPES: Final[dict[Resize, str]] = {
    "crop": "crop",
    "stretch": "standard",
    "letterbox": "fit_to_window_letterbox",
}
"""Model API's names of the ways to resize."""
_TRUE: Final = ("true", "yes", "1")


@dataclass(frozen=True)
class FieldOfView:
    """The part of a photograph that an input shows, in its pixels; padding lies outside the photograph."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class PreprocessingHints:
    """What one source knows of a model's preprocessing; None where it says nothing.

    Attributes:
        size: rows and columns of the input.
        mean: subtracted from the pixels (0 to 255), one number or one per channel in the order of ``colour``.
        scale: what the difference is divided by, likewise.
        colour: order of the channels that the model was trained on.
        resize: ``"crop"`` takes the largest box of the input's aspect ratio from the middle, ``"stretch"``
            ignores the ratio, ``"letterbox"`` keeps the whole photograph and pads around it.
        layout: order of the input's axes.
        pad_value: grey level around a letterbox.

    Raises:
        UsageError: a size below one, a mean or scale of neither one number nor three, a scale of zero.
    """

    size: tuple[int, int] | None = None
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    colour: Colour | None = None
    resize: Resize | None = None
    layout: InputLayout | None = None
    pad_value: int | None = None

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) < 1:
            raise UsageError(f"an input of {self.size[0]}x{self.size[1]} holds nothing")
        for name, numbers in (("mean", self.mean), ("scale", self.scale)):
            if numbers is not None and (len(numbers) not in (1, 3) or not np.isfinite(numbers).all()):
                raise UsageError(f"the {name} is one number, or three: {' '.join(map(str, numbers))} is not")
        if self.scale is not None and not all(self.scale):
            raise UsageError("a scale of 0 divides by zero")

    def or_else(self, other: PreprocessingHints) -> PreprocessingHints:
        """These, and what another source says where these say nothing."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(other, **{name: value for name, value in told.items() if value is not None})

    def to_model_info(self) -> dict[str, str]:
        """As entries of Model API's ``model_info``, all of them text."""
        entries = {
            "orig_height": self.size and str(self.size[0]),
            "orig_width": self.size and str(self.size[1]),
            "mean_values": self.mean and " ".join(map(_text, self.mean)),
            "scale_values": self.scale and " ".join(map(_text, self.scale)),
            "reverse_input_channels": self.colour and str(self.colour == "rgb"),
            "resize_type": self.resize and _RESIZE_TYPES[self.resize],
            "layout": self.layout,
            "pad_value": None if self.pad_value is None else str(self.pad_value),
        }
        return {key: str(value) for key, value in entries.items() if value is not None}


NO_HINTS: Final = PreprocessingHints()


def hints_from_model_info(entries: Mapping[str, Any]) -> PreprocessingHints:
    """What entries of Model API's ``model_info`` say.

    Model API hands a model photographs as OpenCV reads them (blue, green, red), and
    ``reverse_input_channels`` turns that round. A ``resize_type`` that is not known here says nothing; an
    entry without numbers where there must be some is a UsageError.
    """
    if str(entries.get("embedded_processing", "")).lower() in _TRUE:
        return NO_HINTS  # the graph does it itself
    reverse = entries.get("reverse_input_channels")
    by_type = {name: resize for resize, name in _RESIZE_TYPES.items()}
    layout = str(entries.get("layout", "")).rpartition(":")[2].strip("[]").replace(",", "")
    height, width, pad = (_numbers(entries, key) for key in ("orig_height", "orig_width", "pad_value"))
    return PreprocessingHints(
        (int(height[0]), int(width[0])) if height and width else None,
        _numbers(entries, "mean_values"),
        _numbers(entries, "scale_values"),
        None if reverse is None else "rgb" if str(reverse).lower() in _TRUE else "bgr",
        by_type.get(str(entries.get("resize_type"))),
        layout if layout in get_args(InputLayout) else None,  # type: ignore[arg-type]
        int(pad[0]) if pad else None,
    )


@dataclass(frozen=True)
class Preprocessing:
    """How a photograph becomes a batch of one: ``(pixels - mean) / scale``, see :class:`PreprocessingHints`.

    One channel makes the photograph grey; a ``dtype`` of integers, :func:`as_type`.
    """

    size: tuple[int, int]
    channels: int
    dtype: np.dtype[Any]
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    colour: Colour = "rgb"
    resize: Resize = "crop"
    layout: InputLayout = "NCHW"
    pad_value: int = 0

    def __call__(self, photograph: Pixels) -> NDArray[Any]:
        """Prepare a photograph ``(H, W, 3)``, blue, green, red: ``(1, C, h, w)`` or ``(1, h, w, C)``."""
        pixels = self._resized(photograph)
        if self.channels == 1:
            pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)[..., np.newaxis]
        elif self.colour == "rgb":
            pixels = pixels[..., ::-1]
        sample = (pixels - np.array(self.mean, np.float32)) / np.array(self.scale, np.float32)
        if self.layout == "NCHW":
            sample = sample.transpose(2, 0, 1)
        return as_type(sample[np.newaxis], self.dtype)

    def __str__(self) -> str:
        """In words, as for a report."""
        mean, scale = (" ".join(f"{number:g}" for number in numbers) for numbers in (self.mean, self.scale))
        colours = "grey" if self.channels == 1 else self.colour
        return f"{self.resize} to {self.size[0]}x{self.size[1]}, {colours}, mean {mean}, scale {scale}"

    def as_hints(self) -> PreprocessingHints:
        """The same, as what one source knows that leaves nothing open."""
        return PreprocessingHints(
            self.size, self.mean, self.scale, self.colour, self.resize, self.layout, self.pad_value
        )

    def region(self, height: int, width: int) -> FieldOfView:
        """The part of a photograph of this many rows and columns that the input shows."""
        if self.resize == "stretch":
            return FieldOfView(0, 0, width, height)
        rows, columns = self.size
        ratios = width / columns, height / rows
        step = min(ratios) if self.resize == "crop" else max(ratios)
        left, top = (width - step * columns) / 2, (height - step * rows) / 2
        return FieldOfView(left, top, left + step * columns, top + step * rows)

    def _resized(self, photograph: Pixels) -> Pixels:
        rows, columns = self.size
        height, width = photograph.shape[:2]
        if self.resize == "letterbox":
            across = max(min(columns, round(width * rows / height)), 1)
            down = max(min(rows, round(height * columns / width)), 1)
            top, left = (rows - down) // 2, (columns - across) // 2
            canvas = np.full((rows, columns, 3), self.pad_value, np.uint8)
            canvas[top : top + down, left : left + across] = _scaled(photograph, (across, down))
            return canvas
        region = self.region(height, width)
        top, left = round(max(region.top, 0)), round(max(region.left, 0))
        bottom, right = max(round(region.bottom), top + 1), max(round(region.right), left + 1)
        return _scaled(photograph[top:bottom, left:right], (columns, rows))


def as_type(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array in an element type; for one of integers, rounded and clipped to its range."""
    if dtype.kind in "iu" and not np.can_cast(array.dtype, dtype):
        bounds = np.iinfo(dtype)
        array = np.clip(np.rint(array.astype(np.float64)), bounds.min, bounds.max)
    return np.ascontiguousarray(array, dtype)


def _scaled(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """To columns and rows; averaged where that makes it smaller."""
    shrinks = size[0] * size[1] < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)


def _text(number: float) -> str:
    """As short as gives the same number back."""
    short = f"{number:g}"
    return short if float(short) == number else repr(float(number))


def _numbers(entries: Mapping[str, Any], key: str) -> tuple[float, ...] | None:
    if key not in entries:
        return None
    words = str(entries[key]).strip("[]()").replace(",", " ").split()
    try:
        return tuple(float(word) for word in words) or None
    except ValueError:
        raise UsageError(f"model_info says '{entries[key]}' of {key}, which is no number") from None
