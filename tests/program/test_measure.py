"""The measure of the proof: zero only where every bit is equal, infinite where numbers cannot be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ovxai_convert.proof.comparison import ACCEPTED_DIFFERENCE, measure


def pair(before: Any, after: Any) -> tuple[float, float]:
    return measure([(np.array(before, np.float32), np.array(after, np.float32))])


@pytest.mark.parametrize("value", [[0.0, 1.0], [np.nan, 1.0], [np.inf, -np.inf], [-0.0, 0.0], []], ids=str)
def test_equal_bits_measure_zero(value: list[float]) -> None:
    assert pair(value, value) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([1, 2], [1, np.nan]),
        ([1, np.nan], [1, 2]),
        ([1, 2], [1, np.inf]),
        ([1, -np.inf], [1, 2]),
        ([1, np.inf], [1, -np.inf]),
        ([1, np.inf], [np.inf, 1]),
        ([1, np.nan], [np.nan, 1]),
        ([1, 2], [[1, 2]]),
        ([1, 2], [1, 2, 3]),
        ([1], []),
    ],
    ids=str,
)
def test_what_cannot_be_measured_is_infinite(before: list[float], after: list[float]) -> None:
    assert pair(before, after) == (np.inf, np.inf)


def test_another_type_is_infinite() -> None:
    assert measure([(np.ones(3, np.float32), np.ones(3, np.float64))]) == (np.inf, np.inf)


def test_negative_zero_is_not_the_same_bit() -> None:
    difference, part = pair([0.0, 1.0], [-0.0, 1.0])
    assert difference == 0
    assert 0 < part < ACCEPTED_DIFFERENCE


def test_part_is_of_the_range() -> None:
    assert pair([0, 200], [0, 201]) == (1.0, 0.005)
    assert pair([100, 100], [100, 101]) == (1.0, 0.01)  # no range: of the magnitude
    assert pair([0, 0], [0, 1e-30])[1] == np.inf


def test_worst_of_several_feeds() -> None:
    one = np.array([0, 1], np.float32)
    assert measure([(one, one), (one, one + np.float32(0.5)), (one, one)]) == (0.5, 0.5)


def test_infinite_score_beside_a_moved_one() -> None:
    """Infinities that agree do not hide, nor fake, what the other numbers do."""
    difference, part = pair([-np.inf, 0, 1], [-np.inf, 0, 1.5])
    assert difference >= 0.5
    assert part > ACCEPTED_DIFFERENCE
