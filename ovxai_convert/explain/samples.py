"""From what a user hands over to single samples that a model takes, each with the picture it came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.explain.rendering import Scene, scene_of
from ovxai_convert.photographs.model_input import ImageInput, as_samples, preprocessing_for
from ovxai_convert.photographs.preprocessing import NO_HINTS, Preprocessing, PreprocessingHints


@dataclass(frozen=True)
class Sample:
    """One image.

    Attributes:
        values: ``(1, ...)`` as the model's input has it.
        scene: what its maps are laid over.
    """

    values: NDArray[Any]
    scene: Scene


@dataclass(frozen=True)
class Preparation:
    """How images become samples.

    Attributes:
        image: the model's input.
        hints: what is known of its preprocessing.
        preprocess_fn: from one image to the input; None: by the hints.
    """

    image: ImageInput
    hints: PreprocessingHints
    preprocess_fn: Callable[[NDArray[Any]], NDArray[Any]] | None = None

    def __call__(self, data: NDArray[Any]) -> list[Sample]:
        """The images in an array: one, or a batch along the first of four axes.

        Raises:
            UsageError: they do not fit the model.
        """
        array = np.asarray(data)
        if self.preprocess_fn is not None:
            return [self._by_function(each) for each in (array if array.ndim == 4 else [array])]
        if array.dtype == np.uint8 and array.shape[-1:] == (3,) and self.hints != NO_HINTS:
            preprocessing, _ = preprocessing_for(self.image, self.hints)
            return self._photographs(array, preprocessing)
        samples = as_samples(array, self.image)
        pictures = array if array.ndim == 4 else [array]
        return [
            Sample(sample[np.newaxis], scene_of(picture))
            for sample, picture in zip(samples, pictures, strict=True)
        ]

    def _by_function(self, photograph: NDArray[Any]) -> Sample:
        assert self.preprocess_fn is not None, "asked by __call__"
        samples = as_samples(self.preprocess_fn(photograph), self.image)
        if len(samples) != 1:
            raise UsageError(f"preprocess_fn made {len(samples)} samples of one image")
        return Sample(samples, scene_of(photograph))

    @staticmethod
    def _photographs(array: NDArray[Any], preprocessing: Preprocessing) -> list[Sample]:
        photographs = array if array.ndim == 4 else array[np.newaxis]
        if photographs.ndim != 4 or photographs.shape[3] != 3 or photographs.dtype != np.uint8:
            raise UsageError(f"a photograph is uint8 (H, W, 3), and not {array.dtype} {array.shape}")
        region = preprocessing.region(*photographs.shape[1:3])
        return [Sample(preprocessing(each), scene_of(each, region)) for each in photographs]
