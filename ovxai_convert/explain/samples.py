"""From what a user hands over to single samples that a model takes, each with the picture it came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.explain.rendering import Scene, scene_of
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.model_input import ImageInput, as_samples, preprocessing_for


@dataclass(frozen=True)
class Sample:
    """One image: its values, ``(1, ...)`` as the model's input has it, and what its maps are laid over."""

    values: NDArray[Any]
    scene: Scene


@dataclass(frozen=True)
class Preparation:
    """How images become samples of a model's input: by a function of the user, or by what hints say."""

    image: ImageInput
    hints: PreprocessingHints
    preprocess_fn: Callable[[NDArray[Any]], NDArray[Any]] | None = None

    def __call__(self, data: NDArray[Any]) -> list[Sample]:
        """The images in an array: one, or a batch along the first of four axes; a UsageError for others."""
        array = np.asarray(data)
        pictures = array if array.ndim == 4 else [array]
        if self.preprocess_fn is not None:
            return [Sample(self._by_function(picture), scene_of(picture)) for picture in pictures]
        if array.dtype == np.uint8 and array.shape[-1:] == (3,) and self.hints != NO_HINTS:
            preprocessing, _ = preprocessing_for(self.image, self.hints)
            if array.ndim not in (3, 4):
                raise UsageError(f"a photograph is uint8 (H, W, 3), and not {array.dtype} {array.shape}")
            region = preprocessing.region(*array.shape[-3:-1])
            return [Sample(preprocessing(picture), scene_of(picture, region)) for picture in pictures]
        samples = as_samples(array, self.image)[:, np.newaxis]
        return [Sample(sample, scene_of(picture)) for sample, picture in zip(samples, pictures, strict=True)]

    def _by_function(self, picture: NDArray[Any]) -> NDArray[Any]:
        assert self.preprocess_fn is not None, "asked by __call__"
        samples = as_samples(self.preprocess_fn(picture), self.image)
        if len(samples) != 1:
            raise UsageError(f"preprocess_fn made {len(samples)} samples of one image")
        return samples
