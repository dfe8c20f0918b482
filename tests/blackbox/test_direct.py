"""DIRECT on functions whose minimum is known, and its choice of rectangles by trying out rates of change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ovxai_convert.blackbox.direct import ONE, Direct
from ovxai_convert.errors import UsageError

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def branin(u: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = 15 * u[:, 0] - 5, 15 * u[:, 1]
    parabola: NDArray[np.float64] = (y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6) ** 2
    return parabola + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10


def camel(u: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = 6 * u[:, 0] - 3, 4 * u[:, 1] - 2
    hump: NDArray[np.float64] = (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (-4 + 4 * y**2) * y**2
    return hump


def goldstein_price(u: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = 4 * u[:, 0] - 2, 4 * u[:, 1] - 2
    a: NDArray[np.float64] = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    b = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    return np.asarray(a * b)


def well(u: NDArray[np.float64]) -> NDArray[np.float64]:
    distance: NDArray[np.float64] = ((u - [0.7, 0.23]) ** 2).sum(1)
    return -np.exp(-distance / 0.02)


def search(function: Function, budget: int, epsilon: float = 1e-4, locally_biased: bool = False) -> Direct:
    solver, asked = Direct(epsilon, locally_biased), 0
    while asked < budget:
        points = solver.ask()
        asked += len(points)
        solver.tell(function(points / ONE))
    return solver


# In Jones, Perttunen and Stuckman's table DIRECT comes within 0.01 % of the minimum after 195 evaluations of
# Branin, 285 of the six-hump camel, 191 of Goldstein and Price.
@pytest.mark.parametrize(
    ("function", "minimum", "budget"),
    [(branin, 0.397887, 195), (camel, -1.0316285, 285), (goldstein_price, 3.0, 191), (well, -1.0, 150)],
)
@pytest.mark.parametrize("locally_biased", [False, True])
def test_minima_are_found(function: Function, minimum: float, budget: int, locally_biased: bool) -> None:
    solver = search(function, budget, locally_biased=locally_biased)
    assert solver._values.min() == pytest.approx(minimum, rel=1e-3 if locally_biased else 1.5e-4)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([0.0, 1e-4, 0.1, 1.0]))
def test_rectangles_tile_the_square(seed: int, locally_biased: bool, epsilon: float) -> None:
    rng = np.random.default_rng(seed)
    solver = search(lambda u: rng.standard_normal(len(u)), 100, epsilon, locally_biased)
    sides = 3.0**-solver._levels
    assert sides.prod(1).sum() == pytest.approx(1)
    centres = solver._centres / ONE
    assert len({tuple(each) for each in solver._centres.tolist()}) == len(centres)
    inside = np.abs(rng.random((200, 1, 2)) - centres) < sides / 2
    assert (inside.all(2).sum(1) == 1).all()
    assert (abs(solver._levels[:, 0] - solver._levels[:, 1]) <= 1).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([0.0, 0.01, 0.3]), st.integers(5, 60))
def test_chosen_rectangles_are_those_that_some_rate_makes_best(
    seed: int, locally_biased: bool, epsilon: float, budget: int
) -> None:
    """The definition of potential optimality, by trying out all rates at which the best may change."""
    rng = np.random.default_rng(seed)
    solver = search(lambda u: rng.standard_normal(len(u)), budget, epsilon, locally_biased)
    sides = 3.0**-solver._levels
    sizes = sides.max(1) / 2 if locally_biased else np.linalg.norm(sides, axis=1) / 2
    values = solver._values
    rises = np.subtract.outer(values, values)
    runs = np.subtract.outer(sizes, sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.unique((rises / runs)[abs(runs) > 1e-9])
    slopes = np.concatenate([[0.0], slopes[slopes > 0], [10 * max(0.0, slopes.max()) + 1]])
    expected = set()
    for rate in np.concatenate([slopes, (slopes[1:] + slopes[:-1]) / 2]):
        bounds = values - rate * sizes
        promising = bounds <= values.min() - epsilon * abs(values.min()) + 1e-12
        if rate > 0:
            expected |= set(np.flatnonzero((bounds <= bounds.min() + 1e-12) & promising).tolist())
    assert set(solver._potentially_optimal()) == expected


def test_equals_are_all_cut_or_only_one() -> None:
    for locally_biased, count in ((False, 2), (True, 1)):
        solver = Direct(1e-4, locally_biased)
        solver.tell(np.array([0.0]))
        solver.tell(np.array([1.0, 1.0, 2.0, 3.0]))  # the two of the first axis keep the most room
        cut = solver._potentially_optimal()
        assert len([each for each in cut if solver._values[each] == 1]) == count


def test_the_first_points() -> None:
    solver = Direct(0.1, False)
    np.testing.assert_array_equal(solver.ask(), [[ONE // 2, ONE // 2]])
    solver.tell(np.array([1.0]))
    np.testing.assert_allclose(
        solver.ask() / ONE, [[1 / 6, 1 / 2], [5 / 6, 1 / 2], [1 / 2, 1 / 6], [1 / 2, 5 / 6]]
    )


def test_rectangles_do_not_become_too_small_to_count_in_parts() -> None:
    solver = Direct(0.0, True)
    for _ in range(60):
        points = solver.ask()
        assert ((points > 0) & (points < ONE)).all()
        solver.tell(((points / ONE - 1 / 2) ** 2).sum(1))
    assert solver._levels.max() == 18


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [np.nan], [np.inf]])
def test_wrong_values(values: list[float]) -> None:
    with pytest.raises(UsageError, match="finite values were asked for"):
        Direct(0.1, False).tell(np.array(values))
