"""From data to samples: photographs by hints, prepared data as they are, a user's own function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pytest

from ovxai_convert.errors import UsageError
from ovxai_convert.explain.samples import Preparation
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.model_input import ImageInput, preprocessing_for
from ovxai_convert.photographs.preprocessing import FieldOfView

IMAGE: Final = ImageInput((1, 3, 4, 6), np.dtype(np.float32), "NCHW")
HINTS: Final = PreprocessingHints(mean=(10.0,), scale=(2.0,), colour="bgr", resize="crop")
PHOTOGRAPHS: Final = np.random.default_rng(0).integers(0, 256, (2, 8, 20, 3), np.uint8)


def prepared(function: Callable[[Any], Any] | None = None, hints: PreprocessingHints = HINTS) -> Preparation:
    return Preparation(IMAGE, hints, function)


def test_photograph_is_prepared_by_the_hints() -> None:
    (sample,) = prepared()(PHOTOGRAPHS[0])
    expected, _ = preprocessing_for(IMAGE, HINTS)
    np.testing.assert_array_equal(sample.values, expected(PHOTOGRAPHS[0]))
    assert sample.scene.region == FieldOfView(4, 0, 16, 8)
    np.testing.assert_array_equal(sample.scene.picture, PHOTOGRAPHS[0])


def test_batch_of_photographs() -> None:
    samples = prepared()(PHOTOGRAPHS)
    assert len(samples) == 2
    for sample, photograph in zip(samples, PHOTOGRAPHS, strict=True):
        (alone,) = prepared()(photograph)
        np.testing.assert_array_equal(sample.values, alone.values)
        np.testing.assert_array_equal(sample.scene.picture, photograph)


@pytest.mark.parametrize(
    ("hints", "dtype"), [(NO_HINTS, np.uint8), (HINTS, np.float32)], ids=["no hints", "no pixels"]
)
def test_prepared_data_are_not_prepared_again(hints: PreprocessingHints, dtype: Any) -> None:
    data = PHOTOGRAPHS[:, :4, :6].astype(dtype)
    samples = prepared(None, hints)(data)
    for index, sample in enumerate(samples):
        np.testing.assert_array_equal(sample.values, data[index : index + 1].transpose(0, 3, 1, 2))
        assert sample.values.dtype == np.float32
        assert sample.scene.region is None
        assert sample.scene.picture.shape == (4, 6, 3)


def test_photograph_without_hints_must_have_the_size_of_the_input() -> None:
    with pytest.raises(UsageError, match="resize it, or give a preprocess_fn"):
        prepared(None, NO_HINTS)(PHOTOGRAPHS[0])


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("channel_first", [False, True])
def test_function_of_the_user(batched: bool, channel_first: bool) -> None:
    def function(photograph: Any) -> Any:
        found = photograph[:4, :6] / 255
        found = found.transpose(2, 0, 1) if channel_first else found
        return found[np.newaxis] if batched else found

    samples = prepared(function)(PHOTOGRAPHS)
    assert len(samples) == 2
    for sample, photograph in zip(samples, PHOTOGRAPHS, strict=True):
        expected = (photograph[:4, :6] / 255).astype(np.float32).transpose(2, 0, 1)
        np.testing.assert_array_equal(sample.values[0], expected)
        np.testing.assert_array_equal(sample.scene.picture, photograph)
        assert sample.scene.region is None


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (np.zeros((2, 4, 6, 3)), "preprocess_fn made 2 samples of one image"),
        (np.zeros((5, 6, 3)), r"\(1, 5, 6, 3\) does not fit the input \[1,3,4,6\]"),
        (None, "object, not numbers"),
    ],
    ids=["two", "misfit", "nothing"],
)
def test_function_that_returns_something_else(result: Any, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        prepared(lambda _: result)(PHOTOGRAPHS[0])


def test_preprocessing_that_is_known_in_full() -> None:
    """What files are explained with: hints that leave nothing open."""
    known, _ = preprocessing_for(IMAGE, HINTS)
    (sample,) = prepared(None, known.as_hints())(PHOTOGRAPHS[0])
    np.testing.assert_array_equal(sample.values, known(PHOTOGRAPHS[0]))
    assert sample.scene.region == FieldOfView(4, 0, 16, 8)
    assert preprocessing_for(IMAGE, known.as_hints()) == (known, ())
