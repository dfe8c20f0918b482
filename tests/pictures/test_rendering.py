"""Rendering: every combination of what a user may want to see."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.preprocessing import FieldOfView
from ovxai_convert.pictures.captions import Caption, captioned
from ovxai_convert.pictures.colormaps import COLOUR_TABLES, coloured
from ovxai_convert.pictures.rendering import (
    Rendering,
    Scene,
    enlarged,
    grey_levels,
    laid_over,
    rendered,
    scene_of,
)

RNG: Final = np.random.default_rng(0)
PICTURE: Final = RNG.integers(0, 256, (40, 60, 3), np.uint8)
RAW: Final = RNG.standard_normal((4, 6)).astype(np.float32)
GREY: Final = RNG.integers(0, 200, (4, 6), np.uint8)
CAPTION: Final = Caption("cat", "class 3", "0.90", 0.9, "jet")
PLAIN: Final = Rendering(resize=False, colormap=False)


def shown(
    saliency: Any, rendering: Rendering, scene: Scene | None = None, caption: Caption | None = CAPTION
) -> Any:
    captions: dict[int | str, Caption] = {} if caption is None else {3: caption}
    (found,) = rendered({3: saliency}, rendering, scene or Scene(PICTURE), captions).values()
    return found


@pytest.mark.parametrize("saliency", [RAW, GREY, RAW.astype(np.float16)], ids=["raw", "grey", "half"])
def test_as_it_is(saliency: Any) -> None:
    assert shown(saliency, PLAIN) is saliency


def test_resized_only() -> None:
    found = shown(RAW, Rendering(colormap=False))
    np.testing.assert_array_equal(found, enlarged(RAW, (40, 60)))
    assert found.dtype == np.float32


def test_resized_grey_levels_stay_grey_levels() -> None:
    found = shown(GREY, Rendering(colormap=False))
    assert found.shape == (40, 60)
    assert found.dtype == np.uint8
    assert (found.min(), found.max()) == (0, 255)


def test_scaled_only() -> None:
    np.testing.assert_array_equal(
        shown(RAW, Rendering(resize=False, colormap=False, scaling=True)), grey_levels(RAW)
    )


def test_coloured_only() -> None:
    np.testing.assert_array_equal(shown(RAW, Rendering(resize=False)), coloured(grey_levels(RAW)))


def test_default_is_resized_and_coloured() -> None:
    np.testing.assert_array_equal(shown(RAW, Rendering()), coloured(grey_levels(enlarged(RAW, (40, 60)))))


@pytest.mark.parametrize("name", COLOUR_TABLES)
def test_colours_by_name(name: str) -> None:
    colours = coloured(grey_levels(enlarged(RAW, (40, 60))), name)
    np.testing.assert_array_equal(shown(RAW, Rendering(colormap=name)), colours)
    bare = shown(RAW, Rendering(True, colormap=name, overlay_prediction=False))
    np.testing.assert_array_equal(bare, laid_over(PICTURE, colours, 0.5))


@pytest.mark.parametrize(
    ("options", "colours"),
    [
        ({}, "jet"),
        ({"colormap": False}, None),
        ({"colormap": False, "overlay": True}, "jet"),
        ({"colormap": "magma", "overlay": True}, "magma"),
    ],
    ids=str,
)
def test_colours_that_pictures_have(options: dict[str, Any], colours: str | None) -> None:
    assert Rendering(**options).colours == colours


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("resize", [False, True])
def test_overlay(weight: float, resize: bool) -> None:
    """An overlay implies colours and size."""
    colours = coloured(grey_levels(enlarged(RAW, (40, 60))))
    bare = shown(RAW, Rendering(True, False, resize, False, weight, overlay_prediction=False))
    np.testing.assert_array_equal(bare, laid_over(PICTURE, colours, weight))
    told = shown(RAW, Rendering(True, False, resize, False, weight))
    np.testing.assert_array_equal(told, captioned(bare, CAPTION))
    assert (told != bare).any()
    np.testing.assert_array_equal(shown(RAW, Rendering(True, overlay_weight=weight), caption=None), bare)


def test_overlay_of_a_part() -> None:
    region = FieldOfView(10, 0, 50, 40)
    found = shown(RAW, Rendering(True, overlay_prediction=False), Scene(PICTURE, region))
    colours = coloured(grey_levels(enlarged(RAW, (40, 60), region)))
    np.testing.assert_array_equal(found[:, 10:50], laid_over(PICTURE, colours, 0.5)[:, 10:50])
    assert (np.ptp(found[:, :10], axis=2) == 0).all()
    assert (np.ptp(found[:, 50:], axis=2) == 0).all()
    assert (np.ptp(found[:, 10:50], axis=2) > 0).any()


@pytest.mark.parametrize("size", [(80, 120), (20, 30), (7, 200)])
def test_output_size(size: tuple[int, int]) -> None:
    for rendering in (Rendering(output_size=size), Rendering(True, output_size=size)):
        assert shown(RAW, rendering).shape == (*size, 3)
    assert shown(RAW, Rendering(resize=False, output_size=size)).shape == (4, 6, 3)


def test_region_goes_with_the_output_size() -> None:
    scene = Scene(PICTURE, FieldOfView(10, 0, 50, 40))
    rendering = Rendering(True, overlay_prediction=False, output_size=(80, 180))
    found = shown(RAW, rendering, scene)
    outside = (np.ptp(found, axis=2) == 0).all(axis=0)
    assert outside[:30].all()
    assert outside[150:].all()
    assert not outside[30:150].any()


def test_every_class_has_its_own() -> None:
    maps: dict[int | str, Any] = {7: RAW, 2: -RAW, "per_image_map": GREY}
    found = rendered(maps, Rendering(True), Scene(PICTURE), {7: CAPTION, 2: CAPTION})
    assert list(found) == [7, 2, "per_image_map"]
    assert (found[7] != found[2]).any()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"overlay_weight": -0.1}, "an overlay weight lies between 0 and 1; -0.1 does not"),
        ({"overlay_weight": 1.5}, "between 0 and 1"),
        ({"overlay_weight": float("nan")}, "between 0 and 1"),
        ({"colormap": "virdis"}, "no colormap 'virdis'; did you mean 'viridis'"),
        ({"output_size": (0, 10)}, "an output size is rows and columns"),
        ({"output_size": (10, 20, 3)}, "an output size is rows and columns"),
    ],
    ids=str,
)
def test_numbers_that_make_no_sense(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        Rendering(**options)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (PICTURE, PICTURE),
        (PICTURE[np.newaxis], PICTURE),
        (PICTURE.transpose(2, 0, 1), PICTURE),
        (PICTURE[..., 0], np.repeat(PICTURE[..., :1], 3, 2)),
        (PICTURE[..., :1], np.repeat(PICTURE[..., :1], 3, 2)),
        (PICTURE[..., 0][np.newaxis], np.repeat(PICTURE[..., :1], 3, 2)),
        (PICTURE / 3 - 50, grey_levels(PICTURE / 3 - 50)),
    ],
    ids=["HWC", "BHWC", "CHW", "HW", "HW1", "1HW", "float"],
)
def test_scene(image: Any, expected: Any) -> None:
    scene = scene_of(image)
    assert scene.picture.dtype == np.uint8
    assert scene.picture.flags.c_contiguous
    np.testing.assert_array_equal(scene.picture, expected)


@pytest.mark.parametrize("shape", [(), (5,), (2, 4, 6, 3), (0, 6, 3), (1, 1, 4, 6, 3)], ids=str)
def test_no_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        scene_of(np.zeros(shape, np.uint8))
    assert str(caught.value) == f"a picture has the shape (H, W, C) or (H, W), and not {shape}"
