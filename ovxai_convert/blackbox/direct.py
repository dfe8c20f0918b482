"""DIRECT: a global search that needs no gradient, as a dialogue: ask for points, tell their values.

D. R. Jones, C. D. Perttunen, B. E. Stuckman, "Lipschitzian optimization without the Lipschitz constant",
Journal of Optimization Theory and Applications 79(1), 1993; the locally biased form is J. M. Gablonsky, C. T.
Kelley, Journal of Global Optimization 21, 2001.

The square is kept as rectangles with a known value at each centre. In every round the potentially optimal
ones are cut into thirds: those for which some rate of change makes them the most promising. All points of a
round are asked for at once, which changes nothing: the algorithm chooses them before it knows any of their
values.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.convergence import Doubles
from ovxai_convert.errors import UsageError

Points = NDArray[np.int64]

_DEEPEST: Final = 18
"""How often a side can be cut into thirds; beyond that pixels are far smaller than any image's."""
ONE: Final = 2 * 3**_DEEPEST
"""The side of the square: points are counted in parts of it, so that equal points are equal numbers."""


@dataclass(frozen=True)
class _Cut:
    """One rectangle to be cut: its index, its longest axes, and where its new points stand in the round."""

    rectangle: int
    axes: tuple[int, ...]
    first: int


class Direct:
    """Searches the smallest value on the unit square.

    A rectangle that is cut along both axes has four points, ``centre -+ a third of the side`` along each.

    Args:
        epsilon: how much better than the best value, as a part of its magnitude, a rectangle has to promise
            to be (equation 7 of the paper): larger searches more widely.
        locally_biased: measures rectangles by their longest side, not their diagonal, and cuts but one of
            equals: fewer points per round, closer to the best.
    """

    def __init__(self, epsilon: float, locally_biased: bool) -> None:
        self._epsilon = epsilon
        self._locally_biased = locally_biased
        self._centres: Points = np.full((1, 2), ONE // 2, np.int64)
        self._levels: Points = np.zeros((1, 2), np.int64)  # how often each side has been cut
        self._values: Doubles = np.empty(0)
        self._cuts: list[_Cut] = []
        self._asked: Points = self._centres

    def ask(self) -> Points:
        """Points of the round, ``[n, 2]`` in units of 1 / ``ONE``; none when nothing is left to cut."""
        return self._asked

    def tell(self, values: Doubles) -> None:
        """Take a finite value per point asked for, ``[n]`` (else a UsageError), and make the next round."""
        if values.shape != (len(self._asked),) or not np.isfinite(values).all():
            raise UsageError(f"{len(self._asked)} finite values were asked for, got {values}")
        if len(self._values) == 0:
            self._values = values.astype(np.float64)
        for cut in self._cuts:
            self._divide(cut, values)
        self._plan()

    def _divide(self, cut: _Cut, values: Doubles) -> None:
        """Cut along the axis first whose better new point is best, so that this point keeps the most room."""
        pairs = {axis: slice(start, start + 2) for start, axis in zip(count(cut.first, 2), cut.axes)}
        for axis in sorted(cut.axes, key=lambda axis: (float(values[pairs[axis]].min()), axis)):
            self._levels[cut.rectangle, axis] += 1
            thirds = np.repeat(self._levels[cut.rectangle][np.newaxis], 2, axis=0)
            self._centres = np.concatenate([self._centres, self._asked[pairs[axis]]])
            self._levels = np.concatenate([self._levels, thirds])
            self._values = np.concatenate([self._values, values[pairs[axis]]])

    def _plan(self) -> None:
        self._cuts = []
        points: list[Points] = []
        for rectangle in self._potentially_optimal():
            levels = self._levels[rectangle]
            axes = tuple(int(axis) for axis in np.flatnonzero(levels == levels.min()))
            self._cuts.append(_Cut(int(rectangle), axes, len(points)))
            thirds = ONE // 3 ** (int(levels.min()) + 1) * np.eye(2, dtype=np.int64)
            points += [self._centres[rectangle] + sign * thirds[axis] for axis in axes for sign in (-1, 1)]
        self._asked = np.array(points, np.int64).reshape(-1, 2)

    def _potentially_optimal(self) -> list[int]:
        """Rectangles on the lower right hull of (size, value) that promise enough, the largest first.

        Rectangle j is one if some rate K > 0 makes ``f_j - K d_j`` smallest of all, and not above ``f_min -
        epsilon |f_min|``. Among equals of the same size all are taken, or the first if locally biased.
        """
        sides = np.power(3.0, -self._levels)
        sizes = sides.max(1) / 2 if self._locally_biased else np.hypot(sides[:, 0], sides[:, 1]) / 2
        classes, members = np.unique(np.round(sizes, 12), return_inverse=True)
        lowest = np.array([self._values[members == index].min() for index in range(len(classes))])
        best = float(self._values.min())
        target = best - self._epsilon * abs(best)
        optimal: list[int] = []
        for index in reversed(range(len(classes))):
            to_smaller = (lowest[index] - lowest[:index]) / (classes[index] - classes[:index])
            to_larger = (lowest[index + 1 :] - lowest[index]) / (classes[index + 1 :] - classes[index])
            least = max(0.0, float(to_smaller.max(initial=0.0)))
            most = float(to_larger.min(initial=np.inf))
            promises = most == np.inf or lowest[index] - most * classes[index] <= target
            if most <= 0 or least > most or not promises:
                continue
            equals = np.flatnonzero((members == index) & (self._values == lowest[index]))
            equals = equals[self._levels[equals].min(1) < _DEEPEST]
            optimal.extend(int(rectangle) for rectangle in (equals[:1] if self._locally_biased else equals))
        return optimal
