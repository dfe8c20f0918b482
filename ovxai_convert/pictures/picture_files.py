"""Pictures of maps as files: how large they are, in which format, and how they are encoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2

from ovxai_convert.errors import UsageError, did_you_mean
from ovxai_convert.photographs.image_files import Pixels, encode_image
from ovxai_convert.pictures.colormaps import DEFAULT_COLORMAP
from ovxai_convert.pictures.rendering import Rendering

DEFAULT_MAX_SIDE: Final = 1600
"""More pixels than most screens show of a picture; a 12-megapixel photograph has 4000."""
SMALL: Final = 224
"""A photograph whose longest side has less is shown several times as large: maps need room to be seen."""


@dataclass(frozen=True)
class PictureFormat:
    """How files of a format end, how OpenCV encodes them, and how many pixels a side they may have."""

    suffix: str
    settings: tuple[int, ...] = ()
    longest_side: int | None = None


PICTURE_FORMATS: Final[Mapping[str, PictureFormat]] = {
    "png": PictureFormat(".png"),
    # Colours are kept as fine as brightness: letters and the borders of a map are coloured.
    "jpeg": PictureFormat(
        ".jpg",
        (
            *(cv2.IMWRITE_JPEG_QUALITY, 90),
            *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
        ),
        65_500,
    ),
    "webp": PictureFormat(".webp", (cv2.IMWRITE_WEBP_QUALITY, 90), 16_383),
}


@dataclass(frozen=True)
class PictureOptions:
    """What pictures in files look like: overlays, by default with a strip below them that holds the caption.

    Attributes:
        overlay_weight: of the map, 0 to 1.
        colormap: one of :data:`~ovxai_convert.pictures.colormaps.COLOUR_TABLES`.
        max_side: pixels of the longest side at most; a photograph of less than 224 is enlarged, by a whole
            factor. None: as large as the photograph.
        image_format: one of ``PICTURE_FORMATS``.
        caption: whether there is a strip; the file then has more rows than the picture.

    Raises:
        UsageError: an option that is none of these.
    """

    overlay_weight: float = 0.5
    colormap: str = DEFAULT_COLORMAP
    max_side: int | None = DEFAULT_MAX_SIDE
    image_format: str = "png"
    caption: bool = True

    def __post_init__(self) -> None:
        Rendering(colormap=self.colormap, overlay_weight=self.overlay_weight)  # refuses what it does not know
        _format_named(self.image_format)
        if self.max_side is not None and self.max_side < 1:
            raise UsageError(f"a picture has at least one pixel a side; {self.max_side} is not")

    def size_of(self, photograph: Pixels) -> tuple[int, int] | None:
        """Rows and columns of a photograph's picture; None: as they are."""
        rows, columns = photograph.shape[:2]
        longest = max(rows, columns)
        if self.max_side is None:
            return None
        if longest > self.max_side:
            return max(1, round(rows * self.max_side / longest)), max(
                1, round(columns * self.max_side / longest)
            )
        factor = min(-(-SMALL // longest), self.max_side // longest)
        return (rows * factor, columns * factor) if factor > 1 else None


def picture_suffix(image_format: str) -> str:
    """How the name of a file ends; a UsageError for a format that there is not."""
    return _format_named(image_format).suffix


def encoded(picture: Pixels, image_format: str) -> bytes:
    """A picture, ``(H, W)`` or ``(H, W, 3)``, as a file's bytes; a UsageError if it is too large for that."""
    chosen = _format_named(image_format)
    rows, columns = picture.shape[:2]
    if chosen.longest_side is not None and max(rows, columns) > chosen.longest_side:
        raise UsageError(
            f"a {image_format} picture has at most {chosen.longest_side} pixels a side, and this one has "
            f"{columns}x{rows}: take another format, or make it smaller"
        )
    return encode_image(picture, chosen.suffix, chosen.settings)


def _format_named(name: str) -> PictureFormat:
    if name not in PICTURE_FORMATS:
        advice = did_you_mean(name, PICTURE_FORMATS, f"; there are {', '.join(PICTURE_FORMATS)}")
        raise UsageError(f"no image format '{name}'{advice}")
    return PICTURE_FORMATS[name]


DEFAULT_PICTURES: Final = PictureOptions()
