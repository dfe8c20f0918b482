"""What a model is tried on: inputs of several kinds, and photographs that the user names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from openvino import Dimension, Model, Output

from ovxai_convert.anatomy.inputs import image_ports, input_layout
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.photographs.image_files import read_image

Feed = list[NDArray[Any]]
"""One array per model input, in order."""
_DYNAMIC_EXTENT: Final = 224
"""Rows and columns of a trial input where the model takes any."""
_MOST_NUMBERS: Final = 2**28
"""In one input: a gigabyte of float32."""
_COARSE: Final = 5
"""Rows and columns of random colours that a smooth picture is made of."""


@dataclass(frozen=True)
class TrialInput:
    """An input that models are run on.

    Attributes:
        kind: what it is, in words.
        feed: one array per model input.
    """

    kind: str
    feed: Feed

    def of_one_sample(self) -> TrialInput:
        """The same cut to its first sample."""
        return TrialInput(self.kind, [array[:1] for array in self.feed])


Draw = Callable[[np.random.Generator, Sequence[int]], NDArray[Any]]
"""Numbers of a shape, as floats; integer inputs take those meant for 0 to 255, as near as they can."""

_NORMAL: Final = "normal numbers"
_FIRST: Final[Mapping[str, Draw]] = {
    _NORMAL: lambda rng, shape: rng.standard_normal(shape),
    "a smooth picture of 0 to 1": lambda rng, shape: _smooth(rng, shape),
    "a smooth picture of 0 to 255": lambda rng, shape: 255 * _smooth(rng, shape),
}
_MORE: Final[Mapping[str, Draw]] = {
    "uniform numbers of 0 to 1": lambda rng, shape: rng.random(shape),
    "uniform numbers of 0 to 255": lambda rng, shape: 255 * rng.random(shape),
    "a smooth picture of -1 to 1": lambda rng, shape: 2 * _smooth(rng, shape) - 1,
    "small normal numbers": lambda rng, shape: 0.01 * rng.standard_normal(shape),
    "large normal numbers": lambda rng, shape: 100 * rng.standard_normal(shape),
    "a grey picture of 0.5": lambda _, shape: np.full(shape, 0.5),
    "a grey picture of 128": lambda _, shape: np.full(shape, 128.0),
}


def first_trials(model: Model) -> list[TrialInput]:
    """Three inputs of different kinds, one sample each; the last one of two where the batch is open."""
    last = len(_FIRST) - 1
    return [
        _drawn(model, kind, draw, seed, batch=2 if seed == last else 1)
        for seed, (kind, draw) in enumerate(_FIRST.items())
    ]


def more_trials(model: Model) -> Iterator[TrialInput]:
    """Further kinds, for models that the first ones leave cold."""
    for seed, (kind, draw) in enumerate(_MORE.items(), start=len(_FIRST)):
        yield _drawn(model, kind, draw, seed, batch=1)


def feed_of_kind(model: Model, kind: str) -> Feed:
    """One sample of a kind that was tried, in a model's own shape; normal numbers where that was a file."""
    return _drawn(model, kind, {**_FIRST, **_MORE}.get(kind, _FIRST[_NORMAL]), 0, batch=1).feed


def too_large(model: Model) -> Refusal | None:
    """Why a model cannot be tried: an input of it would fill the memory."""
    for port in model.inputs:
        shape = trial_shape(port, 2)
        count = prod(shape)
        if count > _MOST_NUMBERS:
            reason = (
                f"an input of {list(shape)} holds {count:.3g} numbers; at most {_MOST_NUMBERS:.3g} are tried"
            )
            return Refusal(reason, port.get_node().get_friendly_name())
    return None


def _drawn(model: Model, kind: str, draw: Draw, seed: int, batch: int) -> TrialInput:
    """A trial whose images are drawn in one way, and whose other inputs are random numbers."""
    rng = np.random.default_rng(seed)
    images = image_ports(model)
    arrays = [
        _as_input(draw(rng, shape), kind, port, rng) if port in images else _random(rng, port, shape)
        for port in model.inputs
        for shape in [trial_shape(port, batch)]
    ]
    return TrialInput(kind, arrays)


def _as_input(numbers: NDArray[Any], kind: str, port: Output, rng: np.random.Generator) -> NDArray[Any]:
    """Numbers in an input's type; integers get the range of pixels, and random ones all that they can be."""
    dtype = np.dtype(port.get_element_type().to_dtype())
    if dtype.kind not in "iu":
        return numbers.astype(dtype)
    if kind == _NORMAL:
        return _random(rng, port, numbers.shape)
    span = float(np.abs(numbers).max()) or 1.0
    pixels = numbers if span > 1 else 255 * numbers
    bounds = np.iinfo(dtype)
    offset = 128 if dtype.kind == "i" and dtype.itemsize == 1 else 0
    return np.asarray(np.clip(np.rint(pixels - offset), bounds.min, bounds.max), dtype)


def _smooth(rng: np.random.Generator, shape: Sequence[int]) -> NDArray[np.float64]:
    """Random colours of 0 to 1 on a coarse grid of the two largest axes, interpolated between."""
    axes = sorted(np.argsort(shape, kind="stable")[-2:])
    colours = rng.random([_COARSE if axis in axes else extent for axis, extent in enumerate(shape)])
    for axis in axes:
        places = np.linspace(0, _COARSE - 1, shape[axis])
        lower = np.minimum(places.astype(int), _COARSE - 2)
        weight = (places - lower).reshape([-1 if each == axis else 1 for each in range(len(shape))])
        colours = np.take(colours, lower, axis) * (1 - weight) + np.take(colours, lower + 1, axis) * weight
    return colours


def _random(rng: np.random.Generator, port: Output, shape: Sequence[int]) -> NDArray[Any]:
    dtype = np.dtype(port.get_element_type().to_dtype())
    if dtype.kind in "iu" and dtype.itemsize == 1:
        bounds = np.iinfo(dtype)
        return rng.integers(bounds.min, bounds.max, shape, dtype, endpoint=True)
    if dtype.kind in "iub":
        return rng.integers(0, 2, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def trial_shape(port: Output, batch: int) -> tuple[int, ...]:
    """A static shape that an input accepts."""
    dimensions = list(port.get_partial_shape())
    return tuple(_length(dim, _DYNAMIC_EXTENT if axis else batch) for axis, dim in enumerate(dimensions))


def _length(dimension: Dimension, wanted: int) -> int:
    if dimension.is_static:
        return int(dimension.get_length())
    upper = dimension.get_max_length()
    return int(max(dimension.get_min_length(), min(wanted, upper) if upper > 0 else wanted))


def photograph_trial(model: Model, path: Path) -> TrialInput:
    """A photograph as the model's only input, stretched to its size, one sample repeated over a fixed batch.

    Float inputs get RGB in 0 to 1, integer inputs 0 to 255 (minus 128 where signed): the proof wants natural
    values, not the right prediction.

    Raises:
        ModelReadError: the file is missing or no image.
        UsageError: the model's input does not take an image.
    """
    if len(model.inputs) != 1:
        raise UsageError(f"--verify-with needs a model of one input; this one has {len(model.inputs)}")
    port = model.inputs[0]
    layout = input_layout(port)
    shape = trial_shape(port, 1)
    channels = shape[layout.index("C")] if layout else 0
    if layout is None or channels not in (1, 3):
        raise UsageError(f"--verify-with: the input {port.get_partial_shape()} does not take an image")
    photograph = read_image(path)
    pixels = cv2.cvtColor(photograph, cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGR2GRAY)
    resized = cv2.resize(
        pixels, (shape[layout.index("W")], shape[layout.index("H")]), interpolation=cv2.INTER_AREA
    )
    sample: NDArray[Any] = resized.reshape(*resized.shape[:2], channels)
    if layout == "NCHW":
        sample = sample.transpose(2, 0, 1)
    dtype = np.dtype(port.get_element_type().to_dtype())
    if dtype.kind not in "iu":
        sample = sample / 255.0
    elif dtype.kind == "i" and dtype.itemsize == 1:
        sample = sample.astype(np.int16) - 128
    return TrialInput(
        f"photograph {path.name}", [np.ascontiguousarray(np.broadcast_to(sample.astype(dtype), shape))]
    )
