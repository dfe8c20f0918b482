"""The old functions that show maps, and the Visualizer, beside what an Explainer gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, Explanation, UsageError
from ovxai_convert.ancestor import pictures
from ovxai_convert.explain.explanation import Layout

RANDOM = np.random.default_rng(0)
PICTURE = RANDOM.integers(0, 256, (10, 14, 3), np.uint8)


def as_it_is(picture: Any) -> Any:
    return picture


def explained(colour: Any = "bgr", **options: Any) -> Explanation:
    found = Explainer(cnn(CnnSpec()), preprocess_fn=as_it_is, colour=colour)(PICTURE, -1, **options)
    assert isinstance(found, Explanation)
    return found


def test_resize_keeps_type_and_range() -> None:
    maps = RANDOM.integers(0, 256, (2, 3, 4), np.uint8)
    larger = pictures.resize(maps, (12, 20))
    assert larger.shape == (2, 12, 20)
    assert larger.dtype == np.uint8
    np.testing.assert_array_equal(pictures.resize(maps[1], (12, 20)), larger[1])
    assert pictures.resize(maps.astype(np.float32), (3, 4)) == pytest.approx(maps)


def test_colours_are_red_green_blue_and_red_is_high() -> None:
    colours = pictures.colormap(np.array([[[0, 255]]], np.uint8))
    assert colours.shape == (1, 1, 2, 3)
    low, high = colours[0, 0].astype(int)
    assert high[0] > 100
    assert high[2] < 50
    assert low[2] > 100
    assert low[0] < 50
    with pytest.raises(UsageError, match="scaling"):
        pictures.colormap(np.zeros((1, 2, 2)))  # type: ignore[arg-type]


def test_overlay_weighs_the_map() -> None:
    colours, picture = np.full((1, 2, 2, 3), 200.0), np.full((2, 2, 3), 100.0)
    assert (pictures.overlay(colours, picture) == 150).all()
    assert (pictures.overlay(colours, picture, 0.9) == 190).all()
    assert pictures.overlay(colours, picture, 1.0).dtype == np.uint8
    assert (pictures.overlay(colours * 2, picture, 1.0) == 255).all()
    assert pictures.overlay(colours, picture, cast_to_uint8=False).dtype == np.float64


@pytest.mark.parametrize("colour", ["bgr", "rgb"])
@pytest.mark.parametrize(
    "how",
    [
        {"resize": False, "colormap": False},
        {"colormap": False},
        {},
        {"overlay": True, "overlay_prediction": False},
        {"overlay": True, "overlay_weight": 0.2, "overlay_prediction": False},
        {"overlay": True, "output_size": (30, 40), "overlay_prediction": False},
    ],
    ids=str,
)
def test_a_visualizer_shows_what_the_explainer_would_have(how: dict[str, Any], colour: str) -> None:
    expected, before = explained(colour, **how), explained(colour, resize=False, colormap=False)
    kept = {target: saliency.copy() for target, saliency in before.saliency_map.items()}
    for found in (
        pictures.Visualizer()(before, PICTURE, **how),
        pictures.Visualizer().visualize(explained(colour), original_input_image=PICTURE, **how),
    ):
        assert found.targets == expected.targets
        assert found.layout is expected.layout
        for target, picture in expected.saliency_map.items():
            np.testing.assert_array_equal(found.saliency_map[target], picture)
    for target, saliency in kept.items():
        np.testing.assert_array_equal(before.saliency_map[target], saliency)


def test_a_visualizer_writes_class_and_score() -> None:
    plain, written = (
        pictures.Visualizer()(
            explained(), np.zeros((60, 90, 3), np.uint8), overlay=True, overlay_prediction=wish
        )
        for wish in (False, True)
    )
    assert (plain.saliency_map[0] != written.saliency_map[0]).any()


def test_a_visualizer_says_what_it_lacks() -> None:
    show = pictures.Visualizer()
    with pytest.raises(UsageError, match="original_input_image"):
        show(explained(), overlay=True)
    with pytest.raises(UsageError, match="output_size"):
        show(explained())
    assert show(explained(), output_size=(30, 40)).shape == (30, 40, 3)
    assert show(explained(), resize=False, colormap=False).shape == (5, 7)


def test_layouts() -> None:
    assert set(Layout) == pictures.GRAY_LAYOUTS | pictures.COLOR_MAPPED_LAYOUTS
    assert set(Layout) == pictures.ONE_MAP_LAYOUTS | pictures.MULTIPLE_MAP_LAYOUTS
    assert explained().layout in pictures.COLOR_MAPPED_LAYOUTS & pictures.MULTIPLE_MAP_LAYOUTS
