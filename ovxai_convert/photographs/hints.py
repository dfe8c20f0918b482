"""What several sources say of how a photograph becomes a model's input, and which of them is believed."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final, Literal

from ovxai_convert.errors import UsageError

Colour = Literal["rgb", "bgr", "grey", "bands", "nv12", "i420"]
LevelRange = tuple[float, float] | Literal["depth"]
"""The levels that stand for 0 and 255; ``"depth"``: those of a picture's type, as nobody says which."""
Resize = Literal["crop", "stretch", "letterbox", "none"]
Interpolation = Literal["area", "linear", "cubic", "nearest"]
PadWhere = Literal["around", "right_and_below"]
InputLayout = Literal["NCHW", "NHWC"]

LONGEST_AXIS: Final = 65536
"""Pixels in a row or column of an input, as the sidecar's schema has it."""
_SMALLEST: Final = 2.0**-126
_LARGEST: Final = (2 - 2.0**-23) * 2.0**127


def _fits_float32(number: float) -> bool:
    return -_LARGEST <= number <= _LARGEST


def sides_of(resize_to: int | tuple[int, int] | None) -> tuple[int, ...]:
    """The sides that a photograph is brought to before it is cut: the shorter one, or both, or none."""
    return () if resize_to is None else (resize_to,) if isinstance(resize_to, int) else resize_to


def _is_range(levels: object) -> bool:
    return (
        isinstance(levels, tuple)
        and len(levels) == 2
        and all(map(_fits_float32, levels))
        and levels[1] - levels[0] >= _SMALLEST
    )


@dataclass(frozen=True)
class PreprocessingHints:
    """What one source knows of a model's preprocessing; None where it says nothing.

    Attributes:
        size: rows and columns of the input.
        mean: subtracted from the levels of the pixels, one number or one per channel in the order of
            ``colour``. They are those of the file, so that 12 bits want numbers meant for 0 to 4095, unless
            ``levels`` brings them to 0 to 255.
        scale: what the difference is divided by, likewise.
        colour: order of the channels that the model was trained on; ``"grey"``: all of them the brightness;
            ``"bands"``: neither one nor three, in an order of their own; ``"nv12"``, ``"i420"``: packed as
            cameras do. The last three are the graph's to say, whatever
            else is told.
        resize: ``"crop"`` takes the largest box of the input's aspect ratio from the middle, ``"stretch"``
            ignores the ratio, ``"letterbox"`` keeps the whole photograph and pads around it, ``"none"``
            leaves it in its own size.
        layout: order of the input's axes.
        pad_value: level around a letterbox, of pixels.
        resize_to: pixels that the photograph's shorter side is brought to before ``"crop"`` cuts; or rows and
            columns that it is stretched to.
        interpolation: between pixels; ``"area"`` averages where pixels become fewer, else it is ``"linear"``.
        pad_where: on which sides of a letterbox the padding lies.
        clip: lowest and highest level of pixels, to which others are set before the mean is subtracted.
        rounded: whether levels are whole ones after scaling; else fractions of them are kept.
        embedded: how the graph itself resizes what it is given, which tells what part of it the model sees.
        levels: lowest and highest level of a picture, which are brought to 0 and 255 before anything else,
            as 0 and 4095 for 12 bits; fractions are kept, and levels beyond are set to these two.

    Raises:
        UsageError: a size below one, a mean or scale of no number, a scale of zero, numbers that float32
            does not hold, levels of which the second is not above the first.
    """

    size: tuple[int, int] | None = None
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    colour: Colour | None = None
    resize: Resize | None = None
    layout: InputLayout | None = None
    pad_value: int | None = None
    resize_to: int | tuple[int, int] | None = None
    interpolation: Interpolation | None = None
    pad_where: PadWhere | None = None
    clip: tuple[float, float] | None = None
    embedded: PreprocessingHints | None = None
    rounded: bool | None = None
    levels: LevelRange | None = None

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) < 1:
            raise UsageError(f"an input of {self.size[0]}x{self.size[1]} holds nothing")
        sides = sides_of(self.resize_to)
        if sides and min(sides) < 1:
            raise UsageError(f"a side of {min(sides)} pixels holds nothing to cut out")
        if max(*sides, *(self.size or ()), 0, 0) > LONGEST_AXIS:
            raise UsageError(
                f"an input has at most {LONGEST_AXIS} rows and columns, and so has its photograph"
            )
        for name, numbers in (("mean", self.mean), ("scale", self.scale)):
            if numbers is not None and not (numbers and all(map(_fits_float32, numbers))):
                told = " ".join(map(str, numbers))
                raise UsageError(f"the {name} is one number, or one per channel: {told or 'nothing'} is not")
        if self.scale is not None and min(map(abs, self.scale)) < _SMALLEST:
            raise UsageError("a scale of 0 divides by zero")
        if self.clip is not None and not all(map(_fits_float32, self.clip)):
            raise UsageError(f"levels are cut to two numbers, and not to {self.clip}")
        if self.levels not in (None, "depth") and not _is_range(self.levels):
            raise UsageError(f"levels are a tuple of a number and a higher one; {self.levels} is not that")

    def or_else(self, other: PreprocessingHints) -> PreprocessingHints:
        """These, and what another source says where these say nothing.

        Who says a mean or a scale says all of what is done to levels: another source's ``clip`` is no more
        heeded then.
        """
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.mean is not None or self.scale is not None:
            other = replace(other, clip=None)
        return replace(other, **{name: value for name, value in told.items() if value is not None})


NO_HINTS: Final = PreprocessingHints()
