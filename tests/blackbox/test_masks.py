from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovxai_convert.blackbox import masks as masks_module
from ovxai_convert.blackbox.masks import GridMasks
from tests.blackbox.definitions import rise_masks

sizes = st.tuples(st.integers(1, 20), st.integers(1, 20))


@settings(deadline=None, max_examples=60)
@given(sizes, st.integers(1, 9), st.floats(0.05, 0.95), st.integers(0, 2**32))
def test_masks_are_those_of_the_paper(size: tuple[int, int], cells: int, prob: float, seed: int) -> None:
    masks = GridMasks.draw(size, 4, cells, prob, seed)
    expected = rise_masks(size, 4, cells, prob, seed)
    np.testing.assert_allclose([masks.mask(i) for i in range(4)], expected, atol=2e-6)


@settings(deadline=None, max_examples=60)
@given(sizes, st.integers(1, 9), st.integers(1, 30), st.integers(1, 5), st.integers(0, 2**32))
def test_weighted_sums_are_sums_of_masks(
    size: tuple[int, int], cells: int, count: int, classes: int, seed: int
) -> None:
    masks = GridMasks.draw(size, 30, cells, 0.5, seed)
    weights = np.random.default_rng(seed).standard_normal((count, classes)).astype(np.float32)
    large = np.stack([masks.mask(i) for i in range(count)]).astype(np.float64)
    expected = np.einsum("nk,nhw->khw", weights.astype(np.float64), large)
    np.testing.assert_allclose(masks.weighted_sums(weights), expected, atol=2e-5)


@pytest.mark.parametrize(("name", "value"), [("_CLASSES", 5), ("_ROWS", 5), ("_SMALL_PRODUCT", 1)])
def test_sums_in_parts_of_any_size(monkeypatch: pytest.MonkeyPatch, name: str, value: int) -> None:
    masks = GridMasks.draw((12, 17), 40, 3, 0.5, 0)
    weights = np.random.default_rng(0).random((40, 23), np.float32)
    whole = masks.weighted_sums(weights)
    monkeypatch.setattr(masks_module, name, value)
    np.testing.assert_allclose(masks.weighted_sums(weights), whole, rtol=1e-5)


def test_mask_depends_on_seed_and_place_alone() -> None:
    few, many = (GridMasks.draw((20, 20), count, 5, 0.5, 3) for count in (10, 100))
    for i in range(10):
        np.testing.assert_array_equal(few.mask(i), many.mask(i))
    assert not np.array_equal(few.mask(0), GridMasks.draw((20, 20), 1, 5, 0.5, 4).mask(0))


@pytest.mark.parametrize("prob", [0.2, 0.5, 0.9])
def test_expectation_of_the_masks_is_prob_everywhere(prob: float) -> None:
    masks = GridMasks.draw((24, 30), 4000, 4, prob, 0)
    mean = masks.weighted_sums(np.full((4000, 1), 1 / 4000, np.float32))[0]
    assert abs(mean - prob).max() < 5 * np.sqrt(prob * (1 - prob) / 4000)


def test_all_indents_occur() -> None:
    masks = GridMasks.draw((24, 30), 500, 4, 0.5, 0)
    assert [set(column) for column in masks.indents.T.tolist()] == [set(range(6)), set(range(8))]


def test_sampled_masks_are_pixels_of_the_masks() -> None:
    masks = GridMasks.draw((24, 30), 9, 4, 0.5, 0)
    sampled = masks.sampled(2, 9, 6)
    expected = np.stack([masks.mask(i)[::4, ::5].ravel() for i in range(2, 9)])
    np.testing.assert_allclose(sampled, expected, atol=1e-6)
