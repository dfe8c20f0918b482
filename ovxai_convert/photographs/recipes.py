"""Recipes: how families of networks are given levels of pixels, by the names that their users know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ovxai_convert.errors import UsageError, did_you_mean
from ovxai_convert.photographs.hints import NO_HINTS, Colour, PreprocessingHints
from ovxai_convert.vocabulary import value_in_words

_NUMBERS: Final[Mapping[str, tuple[tuple[float, ...], tuple[float, ...], Colour | None]]] = {
    "raw": ((0.0,), (1.0,), None),
    "unit": ((0.0,), (255.0,), "rgb"),
    "imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), "rgb"),
    "inception": ((127.5,), (127.5,), "rgb"),
    "caffe": ((103.939, 116.779, 123.68), (1.0,), "bgr"),
    "clip": (
        (122.7709383, 116.7460125, 104.09373615),
        (68.5005327, 66.6322032, 70.32307410),
        "rgb",
    ),
}
RECIPES: Final[Mapping[str, PreprocessingHints]] = {
    name: PreprocessingHints(mean=mean, scale=scale, colour=colour, levels="depth")
    for name, (mean, scale, colour) in _NUMBERS.items()
}
"""Levels and order of colours by name; what a recipe does not say stays open.

None of them says how a photograph is cut or scaled: networks of one family differ in that (shorter sides of
232, 248 or 256 pixels before a crop of 224, or all of the photograph), and it moves an answer little, while
levels that are wrong spoil it. All are of 0 to 255, to which levels of pictures of other depths are brought.

- ``raw``: pixels of 0 to 255 as they are, as of networks that normalise in their graph (Keras' EfficientNet
  and ConvNeXt). Nor does it say anything of colours.
- ``unit``: 0 to 1 (torchvision's ``ToTensor`` alone, Ultralytics' classifiers).
- ``imagenet``: mean 0.485, 0.456, 0.406 and deviation 0.229, 0.224, 0.225 of pixels of 0 to 1, times 255
  (torchvision, most of timm, PaddleClas, Keras' mode ``torch``).
- ``inception``: -1 to 1 (TF-Slim, Keras' mode ``tf``: Inception, Xception, MobileNet; ViT in timm).
- ``caffe``: blue, green, red, less the mean of ImageNet (Keras' mode ``caffe``: VGG, ResNet50; Caffe's zoo).
- ``clip``: as OpenAI's CLIP, 0.48145466, 0.4578275, 0.40821073 and 0.26862954, 0.26130258, 0.27577711,
  times 255.
"""


def recipe_hints(name: str, told: PreprocessingHints = NO_HINTS) -> PreprocessingHints:
    """What a recipe says, where nothing else is ``told`` beside it; a UsageError for a name that is unknown.

    A recipe's numbers are those of colours: where another order of channels is told, they follow it.
    """
    if name not in RECIPES:
        known = ", ".join(RECIPES)
        raise UsageError(f"there is no recipe '{name}'{did_you_mean(name, RECIPES, f'; known are {known}')}")
    recipe = RECIPES[name]
    if {recipe.colour, told.colour} == {"rgb", "bgr"}:
        assert recipe.mean is not None, "every recipe says its numbers"
        assert recipe.scale is not None, "every recipe says its numbers"
        recipe = replace(recipe, mean=recipe.mean[::-1], scale=recipe.scale[::-1])
    return told.or_else(recipe)


def as_hints(preprocessing: object) -> PreprocessingHints:
    """Hints as they are, or those of the recipe that a text names; None: nothing is said.

    Anything else is a UsageError.
    """
    if isinstance(preprocessing, str):
        return recipe_hints(preprocessing)
    if preprocessing is None or isinstance(preprocessing, PreprocessingHints):
        return preprocessing or NO_HINTS
    what = value_in_words(preprocessing)
    raise UsageError(f"preprocessing: {what} is none; give PreprocessingHints(...), or a recipe's name")
