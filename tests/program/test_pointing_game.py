"""The pointing game: where one object decides the class, the map's highest cell lies at the object.

J. Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016, section 4.1: a highest point
within the object's box is a hit. The mask of ViT-ReciproCAM reaches one cell in every direction, so here a
cell beside the box counts too.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.planted_object import HELD_OUT_SEED, MODEL, cells_at_object, planted_objects
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods import Method
from tests.running import CORE, compile_f32, insert_branch

IMAGES = 100
LEAST_HITS = 95
GRID = (8, 8)
MARGIN = 1
"""Cells around the object's box that count as a hit: the reach of the mask."""


def hits(maps: NDArray[np.uint8], corners: NDArray[np.int64]) -> int:
    """Maps ``[N, H, W]`` whose highest cell is at the object."""
    return sum(
        bool(cells_at_object(corner, GRID, MARGIN).flat[int(each.argmax())])
        for each, corner in zip(maps, corners, strict=True)
    )


@pytest.fixture(scope="module")
def maps_of_predictions() -> NDArray[np.uint8]:
    """Map of the predicted class of every held-out image, ``[100, 8, 8]``."""
    insertion = insert_branch(CORE.read_model(MODEL), Request(method=Method.VITRECIPROCAM))
    results = compile_f32(insertion.model)(planted_objects(HELD_OUT_SEED, IMAGES).images)
    best = results["logits"].argmax(1)
    return np.asarray(results["saliency_map"][np.arange(IMAGES), best], np.uint8)


def test_maps_point_at_the_object(maps_of_predictions: NDArray[np.uint8]) -> None:
    assert maps_of_predictions.shape == (IMAGES, *GRID)
    assert hits(maps_of_predictions, planted_objects(HELD_OUT_SEED, IMAGES).corners) >= LEAST_HITS


def test_maps_of_other_images_do_not(maps_of_predictions: NDArray[np.uint8]) -> None:
    """What makes the count above worth something: the same maps held against other images' objects."""
    corners = np.roll(planted_objects(HELD_OUT_SEED, IMAGES).corners, 1, axis=0)
    assert hits(maps_of_predictions, corners) <= 50
