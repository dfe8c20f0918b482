"""From what a user hands over to single samples that a model takes, each with the picture it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.given import Order, Photograph, as_picture, in_order, taken
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.image_files import Picture
from ovxai_convert.photographs.levels import note_on_levels, shown_picture
from ovxai_convert.photographs.model_input import ImageInput, as_samples, in_words, preprocessing_for
from ovxai_convert.photographs.packed import unpacked
from ovxai_convert.photographs.preprocessing import Preprocessing
from ovxai_convert.pictures.rendering import Scene, scene_of

_PHOTOGRAPHS: Final = (np.uint8, np.uint16)
"""Types of arrays that are photographs and no prepared data."""


@dataclass(frozen=True)
class Sample:
    """One image: its values, ``(1, ...)`` as the model's input has it, and what its maps are laid over.

    ``order`` is that of the colours in its maps; ``notes`` are what the user should know of the picture;
    ``of_8_bits``: its levels were 0 to 255 when it came.
    """

    values: NDArray[Any]
    scene: Scene
    order: Order = "bgr"
    notes: tuple[str, ...] = ()
    of_8_bits: bool = False


@dataclass(frozen=True)
class Preparation:
    """How images become samples of a model's input: by a function of the user, or by what hints say."""

    image: ImageInput
    hints: PreprocessingHints
    preprocess_fn: Callable[[NDArray[Any]], NDArray[Any]] | None = None

    @cached_property
    def _preprocessing(self) -> tuple[Preprocessing, tuple[str, ...]]:
        return preprocessing_for(self.image, self.hints)

    def __call__(self, data: Any, colour: Order = "bgr", bands: Sequence[int] | None = None) -> list[Sample]:
        """One image (a path, a picture of Pillow's, an array), or a batch along the first of four axes.

        ``colour`` is the order of the channels of arrays, and ``bands`` are those that are shown as red,
        green, blue. Other data are a UsageError.
        """
        given, order = taken(data, colour, self.image.channels)
        if isinstance(given, Photograph):
            if self.preprocess_fn is not None:
                values = self._by_function(in_order(given.pixels, colour))
                return [Sample(values, Scene(shown_picture(given.pixels, bands)), order)]
            return [self._photographed(given.pixels, order, bands)]
        pictures = list(given) if given.ndim == 4 else [given]
        if self.preprocess_fn is not None:
            return [Sample(self._by_function(each), scene_of(each, order, bands), order) for each in pictures]
        if self._are_photographs(given):
            return [self._photographed(as_picture(each, order), order, bands) for each in pictures]
        samples = as_samples(given, self.image)[:, np.newaxis]
        scenes = (self._scene_of_data(each, order, bands) for each in pictures)
        of_8_bits = given.dtype == np.uint8
        return [
            Sample(sample, scene, order, of_8_bits=of_8_bits)
            for sample, scene in zip(samples, scenes, strict=True)
        ]

    def scene(
        self, data: Any, colour: Order, bands: Sequence[int] | None, instead_of: Scene | None = None
    ) -> Scene:
        """A picture to lay maps over; where it has another's size, the model has seen the same part of it."""
        given, order = taken(data, colour, 3)
        if isinstance(given, Photograph):
            scene = Scene(shown_picture(given.pixels, bands))
        else:
            scene = scene_of(given, order, bands)
        same = instead_of is not None and instead_of.picture.shape == scene.picture.shape
        return Scene(scene.picture, instead_of.region) if same and instead_of is not None else scene

    def _are_photographs(self, array: NDArray[Any]) -> bool:
        """Whether an array is one or several pictures, and somebody says how they are prepared."""
        bands = (3, 4) if self.image.packing else (1, 3, 4, self.image.channels)
        if array.dtype not in _PHOTOGRAPHS or array.ndim not in (2, 3, 4) or array.size == 0:
            return False
        fits = self.image.packing is None if array.ndim == 2 else array.shape[-1] in bands
        return fits and (self.hints != NO_HINTS or self.image.packing is not None)

    def _photographed(self, picture: Picture, order: Order, bands: Sequence[int] | None) -> Sample:
        """By what the hints say, and what is commonest where they say nothing."""
        preprocessing, assumed = self._preprocessing
        if picture.shape[2] == 4 and self.image.channels in (1, 3):
            picture = as_picture(picture[..., :3], order)  # its transparency is passed over
        region = preprocessing.region(*picture.shape[:2])
        numbers = preprocessing.levels, preprocessing.mean, preprocessing.scale
        note = note_on_levels(picture, *numbers)
        notes = () if note is None else (note,)
        fits = picture.shape[:2] == preprocessing.size
        known = {"mean", "scale", *(["resize"] if fits else [])}  # of levels LevelDoubts speaks
        open_keys = [key for key in assumed if key not in known]
        if self.hints == NO_HINTS and open_keys:
            words = ", ".join(in_words(preprocessing, open_keys))
            notes = (f"assumed, since nothing says it: {words}", *notes)
        scene = Scene(shown_picture(picture, bands), region)
        return Sample(preprocessing(picture), scene, order, notes, picture.dtype == np.uint8)

    def _scene_of_data(self, data: NDArray[Any], order: Order, bands: Sequence[int] | None) -> Scene:
        if self.image.packing is not None and data.dtype == np.uint8:
            return Scene(unpacked(data.reshape(*data.shape[:2], 1), self.image.packing))
        return scene_of(data, order, bands, self.image.channels)

    def _by_function(self, picture: NDArray[Any]) -> NDArray[Any]:
        assert self.preprocess_fn is not None, "asked by __call__"
        samples = as_samples(self.preprocess_fn(picture), self.image)
        if len(samples) != 1:
            raise UsageError(f"preprocess_fn made {len(samples)} samples of one image")
        return samples
