from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ovxai_convert.detections.class_numbers import (
    are_no_scores,
    are_probabilities,
    as_probabilities,
    background_of,
    best_classes,
)


def floats(*rows: Any) -> NDArray[np.float32]:
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([0, 0.5, 1], True),
        ([-0.005, 1.005], True),
        ([-0.02, 0.5], False),
        ([0.5, 1.02], False),
        ([np.nan, np.inf, 0.5], True),
        ([], True),
    ],
)
def test_probabilities_lie_in_0_to_1(numbers: list[float], expected: bool) -> None:
    assert are_probabilities(floats(*numbers)) == expected


@pytest.mark.parametrize(("largest", "expected"), [(40, False), (101, True), (np.inf, False)])
def test_coordinates_are_no_scores(largest: float, expected: bool) -> None:
    assert are_no_scores(floats(-500, largest)) == expected


def column_that_leads(share: float, leading: float, others: float, at: int = 0) -> NDArray[np.float32]:
    """A hundred rows of four numbers, in a share of which one column is the largest; else the second one."""
    numbers = np.full((100, 4), others, np.float32)
    lead = np.arange(100) < 100 * share
    numbers[lead, at] = leading
    numbers[~lead, 1] = leading
    return numbers


@pytest.mark.parametrize("at", [0, 3])
def test_the_background_is_what_most_boxes_show(at: int) -> None:
    probabilities = column_that_leads(0.6, 0.7, 0.1, at)
    raw = column_that_leads(0.6, 3, -2, at)
    for numbers in (probabilities, raw):
        assert background_of(numbers, (0, 3), certain=False) == at
        assert background_of(numbers, (0, -1), certain=True) == (at if at == 0 else -1)
        assert background_of(numbers, (2,), certain=False) is None


def test_what_few_boxes_show_is_the_background_only_if_there_is_one() -> None:
    numbers = column_that_leads(0.4, 3, -2)
    assert background_of(numbers, (0, -1), certain=False) is None
    assert background_of(numbers, (0, -1), certain=True) == 0
    assert background_of(column_that_leads(0.5, 3, -2), (0, -1), certain=False) is None


def test_classes_that_exclude_no_other_have_no_background() -> None:
    assert background_of(column_that_leads(0.9, 0.7, 0.3), (0, -1), certain=False) is None, "sums of 1.6"
    assert background_of(column_that_leads(0.9, -1, -4), (0, -1), certain=False) is None, "logits below 0"
    assert background_of(column_that_leads(0.9, -1, -4), (0, -1), certain=True) == 0, "unless one is known"


def test_one_column_or_no_number_is_no_background() -> None:
    assert background_of(floats([3], [4]), (0, -1), certain=False) is None
    assert background_of(floats([np.nan, 1], [np.nan, 2]), (0, -1), certain=False) is None


@pytest.mark.parametrize("turn", [np.ascontiguousarray, np.asfortranarray])
def test_the_first_of_equal_classes_is_the_label(turn: Callable[[Any], NDArray[np.float32]]) -> None:
    scores = (np.random.default_rng(0).integers(0, 3, (200, 5)) / 2).astype(np.float32)
    best, labels = best_classes(turn(scores))
    np.testing.assert_array_equal(best, scores.max(1))
    np.testing.assert_array_equal(labels, scores.argmax(1))
    assert labels.dtype == np.int64


def test_probabilities_of_logits() -> None:
    numbers = floats([0, 2, -200], [200, 300, 1])
    assert as_probabilities(numbers, "none") is numbers
    expected = 1 / (1 + np.exp(-numbers.astype(np.float64)))
    np.testing.assert_allclose(as_probabilities(numbers, "sigmoid"), expected, rtol=1e-6, atol=1e-30)
    softmax = as_probabilities(numbers, "softmax")
    np.testing.assert_allclose(softmax.sum(1), 1)
    np.testing.assert_allclose(softmax[0, 1] / softmax[0, 0], np.exp(2), rtol=1e-5)
    np.testing.assert_allclose(softmax[1], [0, 1, 0], atol=1e-30)
