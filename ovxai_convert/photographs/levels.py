"""Levels of pictures that are not of 8 bits: brought to 0 to 255, shown, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.hints import LevelRange
from ovxai_convert.photographs.image_files import Picture, Pixels

_SHOWN: Final = (1.0, 99.0)
"""Percentiles of the levels that are shown as black and white."""


def brought_to_bytes(picture: Picture, levels: LevelRange | None) -> Picture:
    """Levels from lowest to highest as 0 to 255, float32 with their fractions; others are set to these.

    ``x`` becomes ``(min(max(x, lowest), highest) - lowest) * 255 / (highest - lowest)``, in float64 and then
    rounded. ``"depth"``: all that 16 bits hold, or 0 to 1 of a float picture that holds no others; other
    pictures stay as they are. None: every picture does.
    """
    if levels == "depth":
        levels = _of_depth(picture)
    if levels is None:
        return picture
    lowest, highest = levels
    kept = np.clip(picture.astype(np.float64), lowest, highest)
    return np.asarray((kept - lowest) * 255 / (highest - lowest), np.float32)


def _of_depth(picture: Picture) -> tuple[float, float] | None:
    if picture.dtype == np.uint16:
        return 0.0, 65535.0
    within = picture.dtype == np.float32 and picture.size and picture.min() >= 0 and picture.max() <= 1
    return (0.0, 1.0) if within else None


def note_on_levels(
    picture: Picture, levels: LevelRange | None, mean: Sequence[float], scale: Sequence[float]
) -> str | None:
    """What a user should know of how a picture's levels were taken; None where it is of 8 bits, or said."""
    if picture.dtype == np.uint8 or picture.size == 0 or isinstance(levels, tuple):
        return None
    lowest, highest = float(picture.min()), float(picture.max())
    found = f"its levels are {lowest:g} to {highest:g}"
    if levels == "depth":
        taken = _of_depth(picture)
        how = "taken as they are" if taken is None else f"{taken[0]:g} to {taken[1]:g} is brought to 0 to 255"
        return f"{found}; {how}, since nothing says which level is white (--levels)"
    numbers = f"mean {_few(mean)} and scale {_few(scale)}"
    of_bytes = max(map(abs, mean)) <= 255 and max(map(abs, scale)) <= 255
    if highest > 255 and of_bytes:
        return (
            f"{found}, and {numbers} look meant for 0 to 255; if they are, say what level is white (--levels)"
        )
    of_fractions = max(map(abs, mean)) <= 1 and max(map(abs, scale)) <= 1
    if picture.dtype == np.float32 and lowest >= 0 and highest <= 1 and not of_fractions:
        return f"{found}, and {numbers} look meant for 0 to 255; if they are, say --levels 1"
    return None


def _few(numbers: Sequence[float]) -> str:
    shown = " ".join(f"{number:g}" for number in numbers[:3])
    return shown if len(numbers) <= 3 else f"{shown} ..."


def shown_picture(picture: Picture, bands: Sequence[int] | None = None) -> Pixels:
    """A picture to look at, ``(H, W, 3)``, blue, green, red, u8.

    ``bands`` (from 1 on) are shown as red, green, blue, or one as grey. Else three are blue, green, red; of
    more the first three are red, green, blue; of one or two the first is grey. Levels of 8 bits are shown as
    they are, others from the 1st to the 99th percentile of all that is shown as 0 to 255.

    Raises:
        UsageError: bands that are not there, or neither one nor three.
    """
    count = picture.shape[2]
    if bands is None:
        chosen = [0, 1, 2] if count == 3 else [2, 1, 0] if count > 3 else [0, 0, 0]
    else:
        if len(bands) not in (1, 3) or not all(1 <= band <= count for band in bands):
            told = ",".join(map(str, bands))
            raise UsageError(
                f"three bands, or one, of the picture's {count} are shown, counted from 1, and not {told}"
            )
        # three bands stand in OpenCV's order: the first one, red, is the last
        places = [count - band if count == 3 else band - 1 for band in bands]
        chosen = (places * 3)[:3][::-1]
    same = chosen == list(range(count))
    pixels = np.ascontiguousarray(picture) if same else picture[..., chosen]
    return pixels if pixels.dtype == np.uint8 else _stretched(pixels)


def _stretched(pixels: NDArray[np.generic]) -> Pixels:
    values = pixels.astype(np.float64)
    lowest, highest = np.percentile(values, _SHOWN)
    if not highest > lowest:
        lowest, highest = values.min(), values.max()
    if not highest > lowest:
        return np.zeros(pixels.shape, np.uint8)
    return np.asarray(
        np.rint((np.clip(values, lowest, highest) - lowest) * (255 / (highest - lowest))), np.uint8
    )
