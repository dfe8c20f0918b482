"""Numbers of preprocessing that mean something else: other units, mean and scale swapped, a multiplier.

Levels are ``(pixel - mean) / scale`` with pixels of 0 to 255. A mistake in that shows in no error, but in a
confident wrong answer. What is looked for is how a mistake differs from every pair that is in use, so that
right numbers are never doubted: ``tests/photographs/test_guard.py`` holds those of timm, torchvision, Keras,
PaddleClas and the Open Model Zoo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.photographs.preprocessing import as_type

Numbers = tuple[float, ...]

_WHITE: Final = 255.0
_LEAST_DEVIATION: Final = 0.02
"""Of pixels of 0 to 1: below, a divisor is a multiplier. The smallest in use is 0.14."""
_MULTIPLIERS: Final = 0.1
"""Below, a divisor would make thousands of the levels. Numbers of 0 to 1 that divide are above 0.14."""
_UNIT_DEVIATIONS: Final = 0.15
"""From here to 1 divisors are deviations of pixels of 0 to 1; networks of radiographs that take levels of
-1024 to 1024 have one of 0.1245."""
_PIXELS: Final = 20.0
"""From here on a divisor is one of pixels of 0 to 255."""
_WELL_KNOWN: Final = (255.0, 256.0, 128.0, 127.5)
_MOST_CUT: Final = 32
_FEWEST_LEVELS: Final = 64
"""Of 256 levels: so many may be cut off at an input of integers, and so many have to differ in it."""


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a mean and a scale, what would be right, and whether that is the only reading."""

    what: str
    advice: str
    corrected: tuple[Numbers, Numbers] | None = None


def checked(
    told: PreprocessingHints, own: PreprocessingHints, dtype: np.dtype[Any]
) -> tuple[PreprocessingHints, tuple[str, ...]]:
    """What a user tells of an input of a type, with right numbers, and what the user should know of it.

    Numbers that are plainly of pixels of 0 to 1 are brought to 0 to 255, and so are then the levels of
    pictures of another depth. What the model itself says, ``own``, is obeyed, and doubted where it looks
    wrong.

    Raises:
        UsageError: numbers that are wrong, and of which more than one thing may be meant.
    """
    both = told.or_else(own)
    if both.mean is None and both.scale is None:
        return told, ()
    if dtype.kind != "f":
        usual = 128.0 if dtype == np.int8 else 0.0
        lost = _lost_levels(both.mean or (usual,), both.scale or (1.0,), dtype)
        return told, () if lost is None else (lost,)
    mistake = mistake_in(both.mean, both.scale)
    if mistake is None:
        return told, ()
    if told.mean is None and told.scale is None:
        return told, (
            f"what the model says of its preprocessing is obeyed: {mistake.what}; {mistake.advice}",
        )
    if mistake.corrected is None or told.mean is None or told.scale is None:
        raise UsageError(f"{mistake.what}; {mistake.advice}")
    mean, scale = mistake.corrected
    taken = f"{mistake.what}; taken as {_pair(mean, scale)}, for pixels of 0 to 255"
    return replace(told, mean=mean, scale=scale, levels=both.levels or "depth"), (taken,)


def mistake_in(mean: Numbers | None, scale: Numbers | None) -> Mistake | None:
    """What is wrong with numbers for an input of floats; None where nothing is."""
    return (
        _of_swapped(mean, scale)
        or (None if mean is None or not any(mean) else _of_mean(mean, scale))
        or (None if scale is None else _of_scale(mean or (0.0,), scale))
    )


def _of_swapped(mean: Numbers | None, scale: Numbers | None) -> Mistake | None:
    """Mean and scale in each other's place: no levels deviate as much from such a mean."""
    if mean is None or not all(number > 0 for number in mean):
        return None
    if set(mean) == {_WHITE} and scale in (None, (1.0,), (1.0,) * 3):
        return Mistake("255 is no mean of levels", f"what divides them is the scale: {_pair((0.0,), mean)}")
    if scale is None or not all(number > 0 for number in scale):
        return None
    unit = 1 / _WHITE if max(*mean, *scale) > 1 else 1.0
    pairs = [(each * unit, divisor * unit) for each, divisor in _by_channel(mean, scale)]
    impossible = any(divisor > (each * (1 - each)) ** 0.5 for each, divisor in pairs if each < 1)
    as_a_deviation = all(0.07 < each <= 0.75 * divisor and divisor < 0.7 for each, divisor in pairs)
    of_caffe = set(mean) == {1.0} and len(set(scale)) == 3 and min(scale) > 80 and max(scale) < 150
    if not of_caffe and not (impossible and as_a_deviation):
        return None
    return Mistake(
        f"{_pair(mean, scale)} look swapped: no levels deviate so much from such a mean",
        f"the other way round they are {_pair(*(_in_pixels(each) for each in (scale, mean)))}"
        if not of_caffe
        else f"the other way round they are {_pair(scale, mean)}",
    )


def _of_mean(mean: Numbers, scale: Numbers | None) -> Mistake | None:
    """A mean of pixels of 0 to 1, with a scale of the same, of pixels, or a multiplier."""
    if max(map(abs, mean)) > 1:
        return None
    what = f"a mean of {_text(mean)} is for pixels of 0 to 1"
    if scale is None:
        right = f"the mean is {_text(_in_pixels(mean))}"
        return Mistake(what, f"for pixels of 0 to 255 {right}; give the scale as well, of 0 to 255, too")
    sizes = [abs(number) for number in scale]
    if max(sizes) <= 1 and min(sizes) >= _LEAST_DEVIATION:
        corrected = _in_pixels(mean), _in_pixels(scale)
        given = f"{_pair(mean, scale)} are for pixels of 0 to 1"
        return Mistake(given, f"for pixels of 0 to 255 they are {_pair(*corrected)}", corrected)
    if max(sizes) < _LEAST_DEVIATION:
        divisors = tuple(map(_inverse, scale))
        what += f", and a scale of {_text(scale)} multiplies, where it has to divide"
    elif min(sizes) >= _PIXELS:
        divisors = scale
        what += f", and a scale of {_text(scale)} for those of 0 to 255"
    else:
        return None
    # (x / s) - 1 is (x - s) / s; any other mean is in parts of 255
    right_mean = (
        tuple(each * divisor for each, divisor in _by_channel(mean, divisors))
        if {abs(number) for number in mean} == {1.0}
        else _in_pixels(mean)
    )
    return Mistake(what, f"for pixels of 0 to 255 they are {_pair(right_mean, divisors)}")


def _of_scale(mean: Numbers, scale: Numbers) -> Mistake | None:
    """A scale that multiplies, or is of pixels of 0 to 1 beside a mean that is not."""
    sizes = [abs(number) for number in scale]
    if max(sizes) < _MULTIPLIERS:
        what = f"the scale divides, and {_text(scale)} would make thousands of the levels: it is a multiplier"
        return Mistake(what, f"as a divisor it is {_text(tuple(map(_inverse, scale)))}")
    if max(sizes) > 1 or set(sizes) == {1.0} or max(sizes) < _UNIT_DEVIATIONS:
        return None
    what = f"a scale of {_text(scale)} is for pixels of 0 to 1"
    right = f"for pixels of 0 to 255 it is {_text(_in_pixels(scale))}"
    if any(mean):
        return Mistake(f"{what}, and a mean of {_text(mean)} for those of 0 to 255", right)
    return Mistake(what, f"{right}; as a multiplier, {_text(tuple(map(_inverse, scale)))}")


def _lost_levels(mean: Numbers, scale: Numbers, dtype: np.dtype[Any]) -> str | None:
    """What an input of integers loses of the levels 0 to 255, in words, if that is much."""
    pixels = np.arange(256, dtype=np.float32)
    for each, divisor in _by_channel(mean, scale):
        exact = (pixels - np.float32(each)) / np.float32(divisor)
        left = as_type(exact, dtype)
        count, cut = len(np.unique(left)), int((np.abs(left - exact) > 1).sum())
        if count < _FEWEST_LEVELS or cut > _MOST_CUT:
            return (
                f"the input takes whole numbers ({dtype.name}), and {_pair(mean, scale)} leave {count} of "
                "256 levels; most models with such an input take pixels as they are (raw)"
            )
    return None


def _by_channel(mean: Numbers, scale: Numbers) -> list[tuple[float, float]]:
    count = max(len(mean), len(scale))
    return [(mean[index % len(mean)], scale[index % len(scale)]) for index in range(count)]


def _in_pixels(numbers: Numbers) -> Numbers:
    """Numbers of pixels of 0 to 1, as of 0 to 255; those of 0 to 255 as they are."""
    if max(map(abs, numbers)) > 1:
        return numbers
    return tuple(round(number * _WHITE, 6) for number in numbers)


def _inverse(multiplier: float) -> float:
    """The divisor that does the same, where it is close to one as a well-known one."""
    exact = 1 / multiplier
    near = (known for known in _WELL_KNOWN if abs(known - exact) < 1e-3 * known)
    return next(near, round(exact, 3))


def _pair(mean: Numbers, scale: Numbers) -> str:
    return f"mean {_text(mean)} and scale {_text(scale)}"


def _text(numbers: Numbers) -> str:
    """As an option takes them."""
    return ",".join(f"{number:g}" for number in numbers)
