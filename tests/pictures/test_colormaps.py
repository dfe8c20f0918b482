"""Colour maps: the high end is the one that catches the eye, and names are checked."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.pictures.colormaps import COLOUR_TABLES, colormap_named, coloured, css_gradient, gradient

RAINBOWS = ("jet", "turbo")
UNIFORM = tuple(name for name in COLOUR_TABLES if name not in RAINBOWS)
RED_BLIND = np.array([[0.56667, 0.43333, 0], [0.55833, 0.44167, 0], [0, 0.24167, 0.75833]])
"""What those see who do not tell red from green, roughly: a widely used matrix on red, green, blue."""


def lab(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Lightness 0 to 100 and two axes of colour, in steps that look alike."""
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_BGR2LAB))


@pytest.mark.parametrize("name", RAINBOWS)
def test_rainbows_go_from_blue_to_red(name: str) -> None:
    (low, middle, high), *_ = coloured(np.array([[20, 128, 240]], np.uint8), name).astype(int)
    assert low.argmax() == 0
    assert middle.argmax() == 1
    assert high.argmax() == 2


@pytest.mark.parametrize("name", UNIFORM)
def test_others_get_lighter_in_equal_steps(name: str) -> None:
    (lightness,) = lab(coloured(np.arange(256, dtype=np.uint8)[np.newaxis], name))[..., 0]
    assert lightness[-1] - lightness[0] > 60, "255 is the light end"
    assert (np.diff(lightness[::8]) > 0).all()
    steps = np.diff(lightness[::32])
    assert steps.max() < 1.8 * steps.min()


def test_a_rainbow_does_not() -> None:
    (lightness,) = lab(coloured(np.arange(256, dtype=np.uint8)[np.newaxis], "jet"))[..., 0]
    assert (np.diff(lightness[::8]) < 0).any()


def test_cividis_looks_much_the_same_to_the_colour_blind() -> None:
    moved = {}
    for name in COLOUR_TABLES:
        table = gradient(name, 256)
        seen = np.clip(table[..., ::-1] @ RED_BLIND.T, 0, 255)[..., ::-1].astype(np.uint8)
        moved[name] = float(np.linalg.norm(lab(table) - lab(seen), axis=2).mean())
    assert min(moved, key=lambda name: moved[name]) == "cividis", moved


def test_gradient_has_all_colours_in_order() -> None:
    for name in COLOUR_TABLES:
        levels = np.arange(256, dtype=np.uint8)[np.newaxis]
        np.testing.assert_array_equal(gradient(name, 256), coloured(levels, name))
        np.testing.assert_array_equal(gradient(name, 2)[0], coloured(levels, name)[0, [0, 255]])


def test_gradient_of_a_web_page() -> None:
    assert css_gradient("jet", 2) == "linear-gradient(90deg, #000080, #800000)"
    assert css_gradient("cividis", 3).count("#") == 3


@pytest.mark.parametrize(("wanted", "found"), [(True, "jet"), (False, None), ("magma", "magma")])
def test_names(wanted: bool | str, found: str | None) -> None:
    assert colormap_named(wanted) == found


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("virdis", "no colormap 'virdis'; did you mean 'viridis'"),
        ("Jet", "no colormap 'Jet'; did you mean 'jet'"),
        ("qqq", "no colormap 'qqq'; there are jet, turbo, viridis, plasma, inferno, magma, cividis"),
        ("", "no colormap ''"),
    ],
)
def test_names_that_there_are_not(wanted: str, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        colormap_named(wanted)
