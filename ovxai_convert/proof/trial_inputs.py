"""What a model is tried on: seeded random inputs, and photographs that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from openvino import Dimension, Model, Output

from ovxai_convert.anatomy.inputs import input_layout
from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.image_files import read_image

Feed = list[NDArray[Any]]
"""One array per model input, in order."""

_SEEDS: Final = (0, 1, 2)
_DYNAMIC_EXTENT: Final = 224
"""Rows and columns of a trial input where the model takes any."""


def seeded_feeds(model: Model) -> list[Feed]:
    """Three feeds of random values: standard normal floats, integers over the whole range of u8 and i8.

    A dynamic batch is tried with one sample and, last, with two; other dynamic extents are 224, or as near
    to that as the model's bounds allow.
    """
    return [_seeded(model, seed, batch=2 if seed == _SEEDS[-1] else 1) for seed in _SEEDS]


def _seeded(model: Model, seed: int, batch: int) -> Feed:
    rng = np.random.default_rng(seed)
    return [_random(rng, port, trial_shape(port, batch)) for port in model.inputs]


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


def image_feed(model: Model, path: Path) -> Feed:
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
    return [np.ascontiguousarray(np.broadcast_to(sample.astype(dtype), shape))]
