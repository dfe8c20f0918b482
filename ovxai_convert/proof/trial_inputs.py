"""What a model is tried on: inputs of several kinds, and photographs that the user names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from openvino import Model, Output

from ovxai_convert.anatomy.interface import camera_format, image_ports
from ovxai_convert.errors import Refusal, UsageError
from ovxai_convert.photographs.hints import LevelRange, PreprocessingHints
from ovxai_convert.photographs.image_files import Picture, read_image
from ovxai_convert.photographs.model_input import (
    ImageInput,
    image_input,
    preprocessing_for,
    takes_image,
)

Feed = list[NDArray[Any]]
"""One array per model input, in order."""
_DYNAMIC_EXTENT: Final = 224
"""Rows and columns of a trial input where the model takes any."""
_PACKED_ROWS: Final = _DYNAMIC_EXTENT * 3 // 2
_MOST_NUMBERS: Final = 2**28
"""In one input: a gigabyte of float32."""
_COARSE: Final = 5
"""Rows and columns of random colours that a smooth picture is made of."""


@dataclass(frozen=True)
class TrialInput:
    """An input that models are run on; ``kind`` says in words what it is."""

    kind: str
    feed: Feed


Draw = Callable[[np.random.Generator, Sequence[int]], NDArray[Any]]
"""Numbers of a shape, as floats; integer inputs take those meant for 0 to 255, as near as they can."""

_NORMAL: Final = "normal numbers"
_KINDS: Final[Mapping[str, Draw]] = {
    _NORMAL: lambda rng, shape: rng.standard_normal(shape),
    "a smooth picture of 0 to 1": lambda rng, shape: _smooth(rng, shape),
    "a smooth picture of 0 to 255": lambda rng, shape: 255 * _smooth(rng, shape),
    "uniform numbers of 0 to 1": lambda rng, shape: rng.random(shape),
    "uniform numbers of 0 to 255": lambda rng, shape: 255 * rng.random(shape),
    "a smooth picture of -1 to 1": lambda rng, shape: 2 * _smooth(rng, shape) - 1,
    "small normal numbers": lambda rng, shape: 0.01 * rng.standard_normal(shape),
    "large normal numbers": lambda rng, shape: 100 * rng.standard_normal(shape),
    "a grey picture of 0.5": lambda _, shape: np.full(shape, 0.5),
    "a grey picture of 128": lambda _, shape: np.full(shape, 128.0),
}
_FIRST_BATCHES: Final = (1, 1, 2)
"""Samples of the first three where the batch is open."""


_MOST_SAMPLES: Final = 4096


def first_trials(model: Model) -> list[TrialInput]:
    """Three inputs of different kinds, one sample each; the last one of two where the batch is open."""
    seeded = zip(enumerate(_KINDS), _FIRST_BATCHES, strict=False)
    return [TrialInput(kind, _drawn(model, kind, seed, batch)) for (seed, kind), batch in seeded]


def more_trials(model: Model) -> Iterator[TrialInput]:
    """Further kinds, for models that the first ones leave cold."""
    for seed, kind in islice(enumerate(_KINDS), len(_FIRST_BATCHES), None):
        yield TrialInput(kind, _drawn(model, kind, seed))


def feed_of_kind(model: Model, kind: str) -> Feed:
    """One sample of a kind that was tried, in a model's own shape; normal numbers where that was a file."""
    return _drawn(model, kind, 0)


def too_large(model: Model) -> Refusal | None:
    """Why a model cannot be tried: an input of it would fill the memory, or take days."""
    for port in model.inputs:
        shape = trial_shape(port, 2)
        if prod(shape) > _MOST_NUMBERS:
            held = f"an input of {list(shape)} holds {prod(shape):.3g} numbers"
            reason = f"{held}; at most {_MOST_NUMBERS:.3g} are tried"
            return Refusal(reason, port.get_node().get_friendly_name())
        if shape and shape[0] > _MOST_SAMPLES:
            reason = (
                f"it takes {shape[0]} samples at once; at most {_MOST_SAMPLES} are tried; reshape it to fewer"
            )
            return Refusal(reason, port.get_node().get_friendly_name())
    return None


def _drawn(model: Model, kind: str, seed: int, batch: int = 1) -> Feed:
    """Images of a kind, and random numbers for the other inputs."""
    rng, images = np.random.default_rng(seed), image_ports(model)
    return [
        _image(rng, port, shape, kind) if port in images else _random(rng, port, shape)
        for port in model.inputs
        for shape in [trial_shape(port, batch)]
    ]


def _image(rng: np.random.Generator, port: Output, shape: Sequence[int], kind: str) -> NDArray[Any]:
    """Numbers in an input's type; integers get the range of pixels, and random ones all that they can be."""
    numbers, dtype = _KINDS.get(kind, _KINDS[_NORMAL])(rng, shape), _dtype(port)
    if dtype.kind not in "iu":
        return numbers.astype(dtype)
    if kind == _NORMAL:
        return _random(rng, port, shape)
    return _as_integers(numbers if np.abs(numbers).max() > 1 else 255 * numbers, dtype)


def _dtype(port: Output) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.dtype(port.get_element_type().to_dtype())
    return dtype


def _as_integers(pixels: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Pixels of 0 to 255 as near as a type can; minus 128 where it is of signed bytes."""
    bounds = np.iinfo(dtype)
    offset = 128.0 if dtype == np.int8 else 0.0
    return np.clip(np.rint(pixels - offset), bounds.min, bounds.max).astype(dtype)


def _smooth(rng: np.random.Generator, shape: Sequence[int]) -> NDArray[np.float64]:
    """Random colours of 0 to 1 on a coarse grid of the two largest axes, interpolated between."""
    axes = sorted(np.argsort(shape, kind="stable")[-2:])
    colours = rng.random([_COARSE if axis in axes else extent for axis, extent in enumerate(shape)])
    for axis in axes:
        places = np.linspace(0, _COARSE - 1, shape[axis])
        lower = np.minimum(places.astype(int), _COARSE - 2)
        weight = np.expand_dims(places - lower, [other for other in range(len(shape)) if other != axis])
        colours = np.take(colours, lower, axis) * (1 - weight) + np.take(colours, lower + 1, axis) * weight
    return colours


def _random(rng: np.random.Generator, port: Output, shape: Sequence[int]) -> NDArray[Any]:
    dtype = _dtype(port)
    if dtype.kind in "iu" and dtype.itemsize == 1:
        bounds = np.iinfo(dtype)
        return rng.integers(bounds.min, bounds.max, shape, dtype, endpoint=True)
    if dtype.kind in "iub":
        return rng.integers(0, 2, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def trial_shape(port: Output, batch: int) -> tuple[int, ...]:
    """A static shape that an input accepts; a bound of -1 is none. A camera's format has half more rows."""
    lengths, packed = [], camera_format(port) is not None
    for axis, dimension in enumerate(port.get_partial_shape()):
        least, most = dimension.get_min_length(), dimension.get_max_length()
        wanted = batch if axis == 0 else _PACKED_ROWS if packed and axis == 1 else _DYNAMIC_EXTENT
        lengths.append(int(max(least, min(wanted, most) if most >= 0 else wanted)))
    return tuple(lengths)


def photograph_trial(model: Model, path: Path) -> TrialInput:
    """A photograph as the model's only input, stretched to its size, one sample repeated over a fixed batch.

    Float inputs get RGB in 0 to 1, integer inputs 0 to 255 (minus 128 where signed), a camera's format its
    own bytes: the proof wants natural values, not the right prediction.

    Raises:
        ModelReadError: the file is missing or no image.
        UsageError: the model's input does not take an image, or one of other bands.
    """
    if len(model.inputs) != 1:
        raise UsageError(f"--verify-with needs a model of one input; this one has {len(model.inputs)}")
    port = model.inputs[0]
    no_image = f"--verify-with: the input {port.get_partial_shape()} does not take an image"
    if not takes_image(model):
        raise UsageError(no_image)
    image = image_input(model)
    if image.layout is None:
        raise UsageError(no_image)
    picture = read_image(path, image.channels)
    if image.channels not in (1, 3) and picture.shape[2] != image.channels:
        raise UsageError(f"{no_image} of {picture.shape[2]} bands")
    preprocessing, _ = preprocessing_for(image, _natural(image, picture, trial_shape(port, 1)))
    sample = preprocessing(picture)
    shape = (trial_shape(port, 1)[0], *sample.shape[1:])
    return TrialInput(f"photograph {path.name}", [np.ascontiguousarray(np.broadcast_to(sample, shape))])


def _natural(image: ImageInput, picture: Picture, shape: Sequence[int]) -> PreprocessingHints:
    """Preprocessing to the usual numbers, whatever the levels of the picture are."""
    lowest, highest = float(picture.min()), float(picture.max())
    levels: LevelRange = (lowest, highest) if picture.dtype == np.float32 and highest > lowest else "depth"
    stretched = PreprocessingHints(resize="stretch", levels=None if picture.dtype == np.uint8 else levels)
    if image.packing is not None:
        return stretched
    size = shape[image.known_layout().index("H")], shape[image.known_layout().index("W")]
    scale = (1.0,) if image.dtype.kind in "iu" else (255.0,)
    return replace(stretched, size=size, scale=scale)
