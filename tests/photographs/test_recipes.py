"""Recipes: their numbers, what is told beside them, and the order of colours that they follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.model_input import ImageInput, preprocessing_for
from ovxai_convert.photographs.recipes import RECIPES, as_hints, recipe_hints

PHOTOGRAPH = np.random.default_rng(3).integers(0, 256, (4, 6, 3), np.uint8)
IMAGE = ImageInput((1, 3, 4, 6), np.dtype(np.float32), "NCHW")


def levels(hints: PreprocessingHints) -> NDArray[Any]:
    """What the photograph becomes, ``(3, 4, 6)``."""
    prepared: NDArray[Any] = preprocessing_for(IMAGE, hints)[0](PHOTOGRAPH)[0]
    return prepared


def unit_rgb() -> NDArray[Any]:
    """Levels of 0 to 1, red first."""
    return np.asarray(PHOTOGRAPH[..., ::-1].transpose(2, 0, 1).astype(np.float64) / 255)


def by_colour(*numbers: float) -> NDArray[Any]:
    return np.reshape(numbers, (3, 1, 1))


def test_every_recipe_is_what_its_family_does() -> None:
    """Written down anew, from levels of 0 to 1."""
    rgb = unit_rgb()
    expected = {
        "raw": rgb * 255,
        "unit": rgb,
        "imagenet": (rgb - by_colour(0.485, 0.456, 0.406)) / by_colour(0.229, 0.224, 0.225),
        "inception": rgb * 2 - 1,
        "caffe": rgb[::-1] * 255 - by_colour(103.939, 116.779, 123.68),
        "clip": (rgb - by_colour(0.48145466, 0.4578275, 0.40821073))
        / by_colour(0.26862954, 0.26130258, 0.27577711),
    }
    assert expected.keys() == RECIPES.keys()
    for name, wanted in expected.items():
        np.testing.assert_allclose(levels(recipe_hints(name)), wanted, rtol=1e-5, atol=1e-5, err_msg=name)
        for other in expected.keys() - {name}:
            assert np.abs(levels(recipe_hints(other)) - wanted).max() > 0.05, (name, other)


def test_recipes_say_levels_and_colours_alone() -> None:
    for name, recipe in RECIPES.items():
        said = PreprocessingHints(mean=recipe.mean, scale=recipe.scale, colour=recipe.colour, levels="depth")
        assert recipe == said, name


@pytest.mark.parametrize("name", RECIPES)
def test_numbers_follow_the_order_of_colours(name: str) -> None:
    """The channels of one order are those of the other, turned round."""
    orders = [levels(recipe_hints(name, PreprocessingHints(colour=order))) for order in ("rgb", "bgr")]
    np.testing.assert_array_equal(orders[0], orders[1][::-1])
    assert not np.array_equal(orders[0], orders[1])


def test_what_is_told_beside_a_recipe_wins() -> None:
    told = PreprocessingHints(mean=(1.0,), resize="stretch", colour="grey")
    found = recipe_hints("imagenet", told)
    assert (found.mean, found.resize, found.colour) == ((1.0,), "stretch", "grey")
    assert found.scale == RECIPES["imagenet"].scale
    turned = recipe_hints("imagenet", PreprocessingHints(mean=(1.0, 2.0, 3.0), colour="bgr"))
    assert turned.mean == (1.0, 2.0, 3.0), "numbers that are told are in the order that is told"
    assert turned.scale == (57.375, 57.12, 58.395)


@pytest.mark.parametrize("name", RECIPES)
def test_pictures_of_other_depths_come_to_the_same(name: str) -> None:
    """16 bits, and floats of 0 to 1; an input of 16 bits takes all of them."""
    preprocessing, _ = preprocessing_for(IMAGE, recipe_hints(name))
    expected = preprocessing(PHOTOGRAPH)
    deep = PHOTOGRAPH.astype(np.uint16) * np.uint16(257)
    np.testing.assert_allclose(preprocessing(deep), expected, rtol=1e-5, atol=1e-4)
    fractions = PHOTOGRAPH.astype(np.float32) / np.float32(255)
    np.testing.assert_allclose(preprocessing(fractions), expected, rtol=1e-5, atol=1e-4)
    wide = ImageInput(IMAGE.shape, np.dtype(np.uint16), "NCHW")
    if name == "raw":
        assert preprocessing_for(wide, recipe_hints(name))[0](deep).max() == deep.max()


def test_unknown_recipe() -> None:
    with pytest.raises(UsageError, match="no recipe 'imagnet'; did you mean 'imagenet'"):
        recipe_hints("imagnet")
    with pytest.raises(UsageError, match="known are raw, unit, imagenet"):
        recipe_hints("#")


def test_hints_or_a_name() -> None:
    told = PreprocessingHints(mean=(3.0,))
    assert as_hints(told) is told
    assert as_hints("unit") == RECIPES["unit"]
    assert as_hints(None) == NO_HINTS
    with pytest.raises(UsageError, match="preprocessing: a dict is none; give PreprocessingHints"):
        as_hints({"mean": 1})
