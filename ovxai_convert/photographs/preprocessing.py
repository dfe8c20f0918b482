"""Making a model's input of a photograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.hints import (
    Colour,
    InputLayout,
    Interpolation,
    LevelRange,
    PadWhere,
    PreprocessingHints,
    Resize,
)
from ovxai_convert.photographs.image_files import Picture
from ovxai_convert.photographs.levels import brought_to_bytes
from ovxai_convert.photographs.packed import PACKINGS, packed

Box = tuple[int, int, int, int]
"""Left, top, width and height, in pixels."""

_MOST_PIXELS: Final = 2**28
"""That a photograph is enlarged to, on the way to an input."""


@dataclass(frozen=True)
class FieldOfView:
    """The part of a photograph that an input shows, in its pixels; padding lies outside the photograph."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Preprocessing:
    """How a photograph becomes a batch of one: ``(pixels - mean) / scale``, see :class:`PreprocessingHints`.

    One channel makes the photograph grey; four in the order of ``"rgb"`` or ``"bgr"`` are three and one of 0,
    which the graph cuts off; a ``dtype`` of integers, :func:`as_type`. ``embedded`` is what the graph does
    with what it is given.
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
    resize_to: int | tuple[int, int] | None = None
    interpolation: Interpolation = "area"
    pad_where: PadWhere = "around"
    clip: tuple[float, float] | None = None
    embedded: Preprocessing | None = None
    rounded: bool = True
    levels: LevelRange | None = None

    def __call__(self, photograph: Picture) -> NDArray[Any]:
        """Prepare a photograph: ``(1, C, h, w)`` or ``(1, h, w, C)``.

        It is ``(H, W, 3)``, blue, green, red, ``(H, W, 1)`` grey, or ``(H, W, C)`` of as many bands as the
        input has. Levels of 8 bits are rounded where ``rounded`` says so; of all others fractions are kept.

        Raises:
            UsageError: a picture of other bands, or one that would become too large.
        """
        self._check_bands(photograph.shape[2])
        pixels = brought_to_bytes(photograph, self.levels)
        if not (self.rounded and pixels.dtype == np.uint8):
            pixels = pixels.astype(np.float32)
        pixels = self._coloured(self._resized(pixels))
        if self.colour in PACKINGS:
            return as_type(packed(pixels, self.colour)[np.newaxis], self.dtype)
        if self.clip is not None:
            pixels = np.clip(pixels.astype(np.float32), *np.array(self.clip, np.float32))
        sample = (pixels - np.array(self.mean, np.float32)) / np.array(self.scale, np.float32)
        if self.colour != "bands" and sample.shape[2] < self.channels:
            sample = np.dstack([sample, np.zeros((*sample.shape[:2], 1), np.float32)])
        if self.layout == "NCHW":
            sample = sample.transpose(2, 0, 1)
        return as_type(sample[np.newaxis], self.dtype)

    def _check_bands(self, count: int) -> None:
        wanted = (self.channels,) if self.colour == "bands" else (1, 3)
        if count not in wanted:
            takes = f"{self.channels} bands" if self.colour == "bands" else "a photograph, of three or grey"
            raise UsageError(f"the picture has {count} bands (H, W, C); the input takes {takes}")

    def _coloured(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The channels that the input wants, but for one that it cuts off."""
        if self.colour == "bands":
            return pixels
        if (self.channels == 1 and self.colour not in PACKINGS) or self.colour == "grey":
            if pixels.shape[2] == 3:
                pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))[..., np.newaxis]
            return np.repeat(pixels, self.channels, axis=2)
        pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
        return pixels[..., ::-1] if self.colour == "rgb" else pixels

    def __str__(self) -> str:
        """In words, as for a report."""
        mean, scale = (" ".join(f"{number:g}" for number in numbers) for numbers in (self.mean, self.scale))
        colours = "grey" if self.channels == 1 and self.colour not in PACKINGS else self.colour
        how = (
            "in its own size" if self.resize == "none" else f"{self.resize} to {self.size[0]}x{self.size[1]}"
        )
        levels = ""
        if isinstance(self.levels, tuple):
            levels = f"levels {self.levels[0]:g} to {self.levels[1]:g} as 0 to 255, "
        return f"{levels}{how}, {colours}, mean {mean}, scale {scale}"

    def as_hints(self) -> PreprocessingHints:
        """The same, as what one source knows that leaves nothing open."""
        return PreprocessingHints(
            self.size,
            self.mean,
            self.scale,
            self.colour,
            self.resize,
            self.layout,
            self.pad_value,
            self.resize_to,
            self.interpolation,
            self.pad_where,
            self.clip,
            None if self.embedded is None else self.embedded.as_hints(),
            self.rounded,
            self.levels,
        )

    def region(self, height: int, width: int) -> FieldOfView:
        """The part of a photograph of this many rows and columns that the model sees."""
        if self.embedded is not None:
            return self.embedded.region(height, width)
        if self.resize in ("stretch", "none"):
            return FieldOfView(0, 0, width, height)
        rows, columns = self.size
        if self.resize == "crop":
            scaled_height, scaled_width = self._scaled_size(height, width)
            left, top, across, down = self._crop_box(scaled_height, scaled_width)
            wider, taller = width / scaled_width, height / scaled_height
            return FieldOfView(left * wider, top * taller, (left + across) * wider, (top + down) * taller)
        left, top, across, down = self._letterbox(height, width)
        wider, taller = width / across, height / down
        return FieldOfView(-left * wider, -top * taller, (columns - left) * wider, (rows - top) * taller)

    def _resized(self, photograph: NDArray[Any]) -> NDArray[Any]:
        """Levels in 8 bits, or in float32 with their fractions, as those of the photograph."""
        if self.resize == "none":
            return photograph
        rows, columns = self.size
        height, width = photograph.shape[:2]
        if self.resize == "letterbox":
            left, top, across, down = self._letterbox(height, width)
            canvas = np.full((rows, columns, photograph.shape[2]), self.pad_value, photograph.dtype)
            canvas[top : top + down, left : left + across] = self._scaled(photograph, (across, down))
            return canvas
        if self.resize == "crop":
            height, width = self._scaled_size(height, width)
            photograph = self._scaled(photograph, (width, height))
            left, top, across, down = self._crop_box(height, width)
            photograph = photograph[top : top + down, left : left + across]
        return self._scaled(photograph, (columns, rows))

    def _scaled_size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns with the shorter side, or both, brought to ``resize_to``; parts are dropped."""
        if self.resize_to is None:
            return height, width
        if not isinstance(self.resize_to, int):
            return self.resize_to
        shorter = min(height, width)
        return self.resize_to * height // shorter, self.resize_to * width // shorter

    def _crop_box(self, height: int, width: int) -> Box:
        """The box in the middle that is cut out, half a pixel nearer to the corner if that is between two.

        It is the largest of the input's ratio; where ``resize_to`` was given, of the input's size.
        """
        rows, columns = self.size
        if self.resize_to is not None:
            across, down = columns, rows
        elif width * rows > height * columns:
            across, down = max(_rounded(height * columns, rows), 1), height
        else:
            across, down = width, max(_rounded(width * rows, columns), 1)
        return (width - across) // 2, (height - down) // 2, across, down

    def _letterbox(self, height: int, width: int) -> Box:
        """Where the photograph lies in the input."""
        rows, columns = self.size
        if width * rows > height * columns:
            across, down = columns, max(_rounded(height * columns, width), 1)
        else:
            across, down = max(_rounded(width * rows, height), 1), rows
        if self.pad_where == "right_and_below":
            return 0, 0, across, down
        return (columns - across) // 2, (rows - down) // 2, across, down

    def _scaled(self, pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
        """To columns and rows; unchanged where it has them, a UsageError for more than make sense."""
        columns, rows = size
        if columns * rows > _MOST_PIXELS:
            raise UsageError(f"the photograph would have to be enlarged to {rows} x {columns} pixels")
        height, width = pixels.shape[:2]
        if (rows, columns) == (height, width):
            return pixels
        if self.interpolation == "nearest":
            return pixels[_nearest(rows, height)[:, np.newaxis], _nearest(columns, width)]
        enlarges = columns * rows >= width * height
        if self.interpolation == "area" and not enlarges:
            return _by_opencv(pixels, size, cv2.INTER_AREA)
        if self.interpolation == "cubic":
            levels = _by_opencv(pixels.astype(np.float32), size, cv2.INTER_CUBIC)
        else:
            levels = _between(pixels, rows, columns)
        if pixels.dtype == np.uint8:
            return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)
        return np.asarray(levels, np.float32)


def as_type(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array in an element type; for one of integers, rounded and clipped to its range."""
    if dtype.kind in "iu" and not np.can_cast(array.dtype, dtype):
        bounds = np.iinfo(dtype)
        array = np.clip(np.rint(array.astype(np.float64)), bounds.min, bounds.max)
    return np.ascontiguousarray(array, dtype)


def _by_opencv(pixels: NDArray[Any], size: tuple[int, int], how: int) -> NDArray[Any]:
    """Pixels ``(H, W, C)`` to columns and rows; four bands at a time: OpenCV takes few."""
    parts = [pixels[..., first : first + 4] for first in range(0, pixels.shape[2], 4)]
    scaled = [cv2.resize(np.ascontiguousarray(part), size, interpolation=how) for part in parts]
    return np.asarray(scaled[0]).reshape(*size[::-1], -1) if len(scaled) == 1 else np.dstack(scaled)


def _rounded(numerator: int, denominator: int) -> int:
    """The nearest whole number to a fraction; of two that are equally near the even one."""
    whole, left = divmod(numerator, denominator)
    return whole + (2 * left > denominator or (2 * left == denominator and whole % 2 == 1))


def _between(pixels: NDArray[Any], rows: int, columns: int) -> NDArray[np.float64]:
    """Pixels ``(H, W, C)`` in another size, each linearly between four.

    Weights are fractions of whole numbers, so that levels are exact: OpenCV's own are rounded in 8 bits, or
    in an order that depends on its build.
    """
    above, down = _places(rows, pixels.shape[0])
    left, right = _places(columns, pixels.shape[1])
    below, beside = np.minimum(above + 1, pixels.shape[0] - 1), np.minimum(left + 1, pixels.shape[1] - 1)
    down, right = down[:, np.newaxis, np.newaxis], right[:, np.newaxis]
    upper, lower = (
        pixels[np.ix_(line, left)] * (2.0 * columns - right) + pixels[np.ix_(line, beside)] * right
        for line in (above, below)
    )
    return np.asarray((upper * (2.0 * rows - down) + lower * down) / (4.0 * rows * columns), np.float64)


def _places(count: int, given: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Before which of ``given`` pixels of a line the centre of each of ``count`` lies, and how far behind it.

    The distance is in parts of ``2 * count``.
    """
    places = np.clip((2 * np.arange(count) + 1) * given - count, 0, 2 * count * (given - 1))
    return np.asarray(places // (2 * count), np.intp), np.asarray(places % (2 * count), np.float64)


def _nearest(count: int, given: int) -> NDArray[np.intp]:
    """Which of ``given`` pixels of a line lies under the centre of each of ``count``; the first of two."""
    centres = (2 * np.arange(count) + 1) * given
    return np.asarray(-(-centres // (2 * count)) - 1, np.intp)
