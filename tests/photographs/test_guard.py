"""Numbers of preprocessing: every pair in use passes, each kind of mistake is caught with what is right."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import pytest

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.guard import checked, mistake_in
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.model_input import ImageInput, preprocessing_for
from ovxai_convert.photographs.recipes import RECIPES

Numbers = tuple[float, ...]
FLOAT: Final = np.dtype(np.float32)
IMAGENET: Final = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
OF_UNIT_PIXELS: Final[dict[str, tuple[Numbers, Numbers]]] = {
    "torchvision, timm": IMAGENET,
    "timm inception": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "timm dpn": ((124 / 255, 117 / 255, 104 / 255), (1 / (0.0167 * 255),) * 3),
    "timm satellite": ((0.430, 0.411, 0.296), (0.213, 0.156, 0.143)),
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "one half": ((0.5,), (0.5,)),
    "mean alone is taken away": ((0.485, 0.456, 0.406), (1.0, 1.0, 1.0)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    "cifar100": ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
    "svhn": ((0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970)),
    "mnist": ((0.1307,), (0.3081,)),
    "emnist": ((0.1736,), (0.3317,)),
    "fashion mnist": ((0.2860,), (0.3530,)),
    "stl10": ((0.4467, 0.4398, 0.4066), (0.2603, 0.2566, 0.2713)),
    "eurosat": ((0.3444, 0.3803, 0.4078), (0.2027, 0.1369, 0.1156)),
    "dark": ((0.05,), (0.09,)),
}
"""Numbers that libraries have for pixels of 0 to 1."""
OF_PIXELS: Final[dict[str, tuple[Numbers, Numbers]]] = {
    **{f"recipe {name}": (each.mean or (), each.scale or ()) for name, each in RECIPES.items()},
    **{
        f"{name}, times 255": (tuple(255 * each for each in mean), tuple(255 * each for each in scale))
        for name, (mean, scale) in OF_UNIT_PIXELS.items()
        if max(scale) < 1
    },
    "raw of three": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "unit of three": ((0.0,) * 3, (255.0,) * 3),
    "keras caffe": ((103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
    "keras tf": ((127.5,), (127.5,)),
    "omz bgr": ((103.53, 116.28, 123.675), (57.375, 57.12, 58.395)),
    "omz googlenet": ((104.0, 117.0, 123.0), (1.0,)),
    "omz densenet": ((103.94, 116.78, 123.68), (58.8235294117647,)),
    "omz densenet tf": ((123.68, 116.78, 103.94), (58.8235294117647,)),
    "omz mobilenet": ((103.94, 116.78, 123.68), (58.82,)),
    "omz resnet tf": ((123.68, 116.78, 103.94), (1.0,)),
    "omz ssd": ((127.5, 127.5, 127.5), (127.5,)),
    "omz mtcnn": ((127.5,), (128.0,)),
    "efficientnet lite": ((127.0, 127.0, 127.0), (128.0, 128.0, 128.0)),
    "omz pose": ((128.0, 128.0, 128.0), (256.0,)),
    "omz detection": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "omz yolo": ((0.0,), (255.0,)),
    "of 0 to 256": ((0.0,), (256.0,)),
    "vggface": ((91.4953, 103.8827, 131.0912), (1.0,)),
    "facenet": ((127.5,), (128.0,)),
    "caffe alexnet": ((104.00698793, 116.66876762, 122.67891434), (1.0,)),
    "paddle": ((123.675, 116.28, 103.53), (58.395, 57.120000000000005, 57.375)),
    "mxnet": ((123.68, 116.779, 103.939), (58.393, 57.12, 57.375)),
    "torchxrayvision": ((127.5,), (127.5 / 1024,)),
    "mean of one, of three": ((120.0,), (60.0, 61.0, 62.0)),
    "inverted": ((255.0,), (-255.0,)),
    "12 bits": ((0.0,), (4095.0,)),
    "16 bits": ((32768.0,), (32768.0,)),
    "half the levels": ((0.0,), (2.0,)),
}
"""Pairs in use for pixels of 0 to 255, which must never be doubted."""


def hints(mean: Numbers | None = None, scale: Numbers | None = None) -> PreprocessingHints:
    return PreprocessingHints(mean=mean, scale=scale)


@pytest.mark.parametrize(("mean", "scale"), OF_PIXELS.values(), ids=OF_PIXELS)
def test_right_numbers_are_never_doubted(mean: Numbers, scale: Numbers) -> None:
    assert mistake_in(mean, scale) is None
    told = hints(mean, scale)
    assert checked(told, NO_HINTS, FLOAT) == (told, ())
    assert checked(NO_HINTS, told, FLOAT) == (NO_HINTS, ())


@pytest.mark.parametrize("name", OF_PIXELS)
def test_half_of_right_numbers_is_not_doubted(name: str) -> None:
    """What nobody says of the other half is assumed: 0, 1."""
    mean, scale = OF_PIXELS[name]
    assert mistake_in(mean, None) is None or name == "inverted"
    assert mistake_in(None, scale) is None or min(map(abs, scale)) < 1


@pytest.mark.parametrize(("mean", "scale"), OF_UNIT_PIXELS.values(), ids=OF_UNIT_PIXELS)
def test_numbers_of_unit_pixels_are_brought_to_pixels(mean: Numbers, scale: Numbers) -> None:
    right, (word,) = checked(hints(mean, scale), NO_HINTS, FLOAT)
    assert right.mean == pytest.approx([255 * each for each in mean], abs=1e-5)
    assert right.scale == pytest.approx([255 * each for each in scale], abs=1e-5)
    assert "are for pixels of 0 to 1; taken as mean" in word
    assert mistake_in(right.mean, right.scale) is None


def test_the_numbers_of_torchvision_become_those_of_the_recipe() -> None:
    right, (word,) = checked(hints(*IMAGENET), NO_HINTS, FLOAT)
    assert (right.mean, right.scale) == (RECIPES["imagenet"].mean, RECIPES["imagenet"].scale)
    assert "taken as mean 123.675,116.28,103.53 and scale 58.395,57.12,57.375" in word


@pytest.mark.parametrize(
    ("mean", "scale", "what", "right"),
    [
        ((0.485, 0.456, 0.406), None, "for pixels of 0 to 1", "the mean is 123.675,116.28,103.53; give"),
        (None, (0.229, 0.224, 0.225), "for pixels of 0 to 1", "58.395,57.12,57.375; as a multiplier"),
        ((0.0,), (0.5,), "for pixels of 0 to 1", "it is 127.5; as a multiplier, 2"),
        ((0.0,), (0.00392,), "it is a multiplier", "as a divisor it is 255"),
        (None, (1 / 255,), "it is a multiplier", "as a divisor it is 255"),
        ((127.5,), (0.00784,), "it is a multiplier", "as a divisor it is 127.5"),
        ((127.5,), (0.0078125,), "it is a multiplier", "as a divisor it is 128"),
        ((103.94, 116.78, 123.68), (0.017,), "it is a multiplier", "as a divisor it is 58.824"),
        ((123.675, 116.28, 103.53), (0.0171, 0.0175, 0.0174), "it is a multiplier", "58.48,57.143,57.471"),
        ((0.485, 0.456, 0.406), (0.00392,), "multiplies", "mean 123.675,116.28,103.53 and scale 255"),
        ((0.5,), (255.0,), "and a scale of 255 for those of 0 to 255", "mean 127.5 and scale 255"),
        ((1.0,), (127.5,), "a mean of 1 is for pixels of 0 to 1", "mean 127.5 and scale 127.5"),
        ((1.0,), (0.00784,), "multiplies", "mean 127.5 and scale 127.5"),
        ((0.485, 0.456, 0.406), (58.395, 57.12, 57.375), "of 0 to 1", "103.53 and scale 58"),
        ((123.675, 116.28, 103.53), (0.229, 0.224, 0.225), "for those of 0 to 255", "58.395,57.12,57.375"),
        ((127.5,), (0.5,), "a scale of 0.5 is for pixels of 0 to 1", "it is 127.5"),
        ((58.395, 57.12, 57.375), (123.675, 116.28, 103.53), "look swapped", "123.675,116.28,103.53 and"),
        ((57.375, 57.12, 58.395), (103.53, 116.28, 123.675), "look swapped", "103.53,116.28,123.675 and"),
        ((0.229, 0.224, 0.225), (0.485, 0.456, 0.406), "look swapped", "mean 123.675,116.28,103.53 and"),
        ((0.2023, 0.1994, 0.2010), (0.4914, 0.4822, 0.4465), "look swapped", "mean 125.307"),
        ((68.5, 66.63, 70.32), (122.77, 116.75, 104.09), "look swapped", "mean 122.77,116.75,104.09 and"),
        ((58.8,), (123.68, 116.78, 103.94), "look swapped", "mean 123.68,116.78,103.94 and scale 58.8"),
        ((1.0,), (103.939, 116.779, 123.68), "look swapped", "mean 103.939,116.779,123.68 and scale 1"),
        ((255.0,), (1.0,), "255 is no mean", "mean 0 and scale 255"),
        ((255.0,), None, "255 is no mean", "mean 0 and scale 255"),
    ],
)  # fmt: skip
def test_mistake_is_refused_with_what_is_right(
    mean: Numbers | None, scale: Numbers | None, what: str, right: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(what)) as caught:
        checked(hints(mean, scale), NO_HINTS, FLOAT)
    assert right in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_the_model_says_is_obeyed_and_doubted() -> None:
    told, (word,) = checked(NO_HINTS, hints(*IMAGENET), FLOAT)
    assert told == NO_HINTS
    assert word.startswith("what the model says of its preprocessing is obeyed: mean 0.485")
    assert "mean 123.675,116.28,103.53" in word


def test_half_that_contradicts_the_model_is_refused() -> None:
    own = hints((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    with pytest.raises(UsageError, match=r"a scale of 0\.229,0\.224,0\.225 is for pixels of 0 to 1"):
        checked(hints(scale=IMAGENET[1]), own, FLOAT)
    with pytest.raises(UsageError, match=r"a mean of 0\.485,0\.456,0\.406 is for pixels of 0 to 1"):
        checked(hints(IMAGENET[0]), own, FLOAT)
    right = hints(own.mean)
    assert checked(right, own, FLOAT) == (right, ())


def test_pictures_of_other_depths_get_the_numbers_of_their_unit() -> None:
    """Numbers of 0 to 1 are right for floats of 0 to 1: these are brought to 0 to 255 with them."""
    image = ImageInput((1, 3, 2, 2), FLOAT, "NCHW")
    right, _ = checked(hints(*IMAGENET), NO_HINTS, FLOAT)
    fractions = np.random.default_rng(2).random((2, 2, 3)).astype(np.float32)
    found = preprocessing_for(image, right)[0](fractions)[0].transpose(1, 2, 0)
    mean, scale = (np.array(each) for each in IMAGENET)
    np.testing.assert_allclose(found, (fractions[..., ::-1] - mean) / scale, rtol=1e-4, atol=1e-4)
    told = PreprocessingHints(mean=IMAGENET[0], scale=IMAGENET[1], levels=(0.0, 4095.0))
    assert checked(told, NO_HINTS, FLOAT)[0].levels == (0.0, 4095.0)


def test_nothing_else_is_changed() -> None:
    told = PreprocessingHints((4, 6), *IMAGENET, "bgr", "stretch", "NHWC", 3)
    right, _ = checked(told, NO_HINTS, FLOAT)
    assert (right.size, right.colour, right.resize, right.layout, right.pad_value) == (
        (4, 6), "bgr", "stretch", "NHWC", 3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("dtype", "mean", "scale", "left"),
    [
        (np.uint8, None, None, None),
        (np.uint8, (0.0,), (1.0,), None),
        (np.int8, (128.0,), (1.0,), None),
        (np.int8, None, (1.0,), None),
        (np.int8, (128.0,), (2.0,), None),
        (np.uint8, (0.0,), (2.0,), None),
        (np.int32, (103.939, 116.779, 123.68), (1.0,), None),
        (np.uint16, (0.0,), (0.25,), None),
        (np.uint8, (0.0,), (255.0,), 2),
        (np.uint8, (127.5,), (127.5,), 2),
        (np.uint8, *IMAGENET, 60),
        (np.uint8, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), 3),
        (np.uint8, (103.939, 116.779, 123.68), (1.0,), 152),
        (np.int8, (0.0,), (1.0,), 128),
        (np.int32, (0.0,), (255.0,), 2),
    ],
)
def test_whole_numbers(dtype: Any, mean: Numbers | None, scale: Numbers | None, left: int | None) -> None:
    told = hints(mean, scale)
    found, words = checked(told, NO_HINTS, np.dtype(dtype))
    assert found == told, "numbers of an input of integers are never changed"
    if left is None:
        assert words == ()
    else:
        (word,) = words
        assert f"leave {left} of 256 levels" in word
