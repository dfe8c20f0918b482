"""AISE, adaptive input sampling for explanation: a search for the places that a class's score hangs on.

Known from openvino-xai 1.1.0. A Gaussian window is moved over the image, by an optimiser that seeks the place
where seeing only the window scores most and covering it scores least; its whole way there makes the map.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.convergence import Doubles
from ovxai_convert.blackbox.direct import ONE, Direct, Points
from ovxai_convert.blackbox.method import BlackBoxMethod, Perturbation, Preset, check_kinds
from ovxai_convert.blackbox.streaming import BlackboxMaps, Progress, Trial, chosen
from ovxai_convert.errors import UsageError
from ovxai_convert.vocabulary import member_of, value_in_words

NUM_ITERATIONS: Final[Mapping[Preset, int]] = {Preset.SPEED: 20, Preset.BALANCE: 50, Preset.QUALITY: 50}
KERNEL_WIDTHS: Final[Mapping[Preset, tuple[float, ...]]] = {
    Preset.SPEED: (0.1, 0.175, 0.25),
    Preset.BALANCE: (0.1, 0.175, 0.25),
    Preset.QUALITY: (0.075, 0.11875, 0.1625, 0.20625, 0.25),
}

_PER_PLACE: Final = 2  # the window alone, and the image without it

Window = tuple[int, int, int]
"""A window: index of its width, and row and column of its centre in parts of ``ONE``."""


@dataclass(frozen=True)
class GaussianWindows:
    """Windows of height 1 around points of the unit square, whose corners are the corner pixels' centres.

    ``widths`` are standard deviations, as parts of the height along rows and of the width along columns.
    """

    size: tuple[int, int]
    widths: Sequence[float]

    def window(self, width: int, point: Doubles) -> NDArray[np.float32]:
        """``[H, W]``, for the index of a width and a point (row, column) in 0..1."""
        rows, columns = self._profiles(width, point[np.newaxis])
        return np.outer(rows[0].astype(np.float32), columns[0].astype(np.float32))

    def weighted_sum(self, width: int, points: Doubles, weights: Doubles) -> Doubles:
        """``sum_i weights[i] * window_i``, ``[H, W]``, for points ``[n, 2]``."""
        rows, columns = self._profiles(width, points)
        return np.asarray((rows * weights[:, np.newaxis]).T @ columns)

    def _profiles(self, width: int, points: Doubles) -> tuple[Doubles, Doubles]:
        """The two factors of each window, ``[n, H]`` and ``[n, W]``."""
        rows, columns = (
            np.exp(-0.5 * ((np.linspace(0, 1, extent) - centres[:, np.newaxis]) / self.widths[width]) ** 2)
            for extent, centres in zip(self.size, points.T, strict=True)
        )
        return rows, columns


@dataclass(frozen=True)
class Aise(Perturbation):
    """The method and its parameters.

    For each target and each kernel width, DIRECT (``direct.Direct``) looks for the place x_i of the largest
    gain

        gain_i = f(image * window_i) - f(image * (1 - window_i))

    with ``window_i`` a Gaussian of height 1 around x_i. The map of a width is what the gains say about every
    pixel, by kernel regression; the map of the target is the mean over the widths:

        map(x) = m + sum_i (gain_i - m) window_i(x) / (1 + sum_i window_i(x)),    m the mean gain

    Departures from openvino-xai 1.1.0, whose map is ``sum_i gain_i window_i(x)``: taking out the mean and
    dividing by the windows' density keep a place from looking important (or, where gains are negative,
    unimportant) because the search went there often; the 1 counts as one window of mean gain, for pixels that
    none reached. Scores are taken as they come and not passed through a sigmoid. The number of places is held
    exactly.

    Attributes:
        preset: what the next two are if None: 20, 50, 50 places of each of 3, 3, 5 widths up to 0.25.
        num_iterations_per_kernel: places per target and kernel width; each takes two evaluations, which
            targets that look at the same place share.
        kernel_widths: standard deviations of the windows, as parts of the image's height and width.
        solver_epsilon: DIRECT's epsilon; larger searches more widely.
        locally_biased: DIRECT's locally biased form.
    """

    preset: Preset = Preset.BALANCE
    num_iterations_per_kernel: int | None = None
    kernel_widths: Sequence[float] | None = None
    solver_epsilon: float = 0.1
    locally_biased: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "preset", member_of(Preset, self.preset, "preset"))
        check_kinds(self, ("num_iterations_per_kernel",), ("solver_epsilon",), ("locally_biased",))
        iterations, widths = self.num_iterations_per_kernel, self.kernel_widths
        if iterations is not None and iterations < 1:
            raise UsageError(f"num_iterations_per_kernel must be at least 1, not {iterations}")
        if widths is not None and (
            np.ndim(widths) != 1 or (len(widths) and np.asarray(widths).dtype.kind not in "iuf")
        ):
            raise UsageError(f"kernel_widths is a list of numbers, and not {value_in_words(widths)}")
        if widths is not None and (len(widths) == 0 or not all(0 < width < np.inf for width in widths)):
            raise UsageError(f"kernel_widths must be positive numbers, not {list(widths)}")
        if not 0 <= self.solver_epsilon < np.inf:
            raise UsageError(f"solver_epsilon must not be negative, as {self.solver_epsilon} is")

    def _explained(self, trial: Trial, targets: Sequence[int] | None, progress: Progress) -> BlackboxMaps:
        # Places that all searches want next are evaluated together: the stream is called once per such round.
        widths = KERNEL_WIDTHS[self.preset] if self.kernel_widths is None else tuple(self.kernel_widths)
        budget = self.num_iterations_per_kernel or NUM_ITERATIONS[self.preset]
        windows = GaussianWindows(trial.size, widths)
        shared = targets is None or len(targets) > 1
        total = None if shared else len(widths) * budget * _PER_PLACE
        gains = _Gains(trial, windows, targets, progress, total)
        gains.find((width, *point) for width in range(len(widths)) for point in self._first_points(budget))
        searches = [
            [_Search(self._solver(), width, column, budget) for width in range(len(widths))]
            for column in range(len(gains.classes))
        ]
        under_way = [search for per_class in searches for search in per_class]
        while wanted := {place for search in under_way for place in search.wanted()}:
            gains.find(sorted(wanted))
            for search in under_way:
                search.advance(gains)
        maps = np.stack([_map(windows, per_class) for per_class in searches])
        return BlackboxMaps(maps, gains.evaluations, converged=False)

    def _solver(self) -> Direct:
        return Direct(self.solver_epsilon, self.locally_biased)

    def _first_points(self, budget: int) -> list[tuple[int, int]]:
        """The centre and its neighbours, with which every search begins."""
        solver = self._solver()
        centre = solver.ask()
        solver.tell(np.zeros(len(centre)))
        return _tuples(np.concatenate([centre, solver.ask()])[:budget])


@dataclass
class _Gains:
    """Gains of windows, each evaluated once for all ``classes`` that get a map."""

    trial: Trial
    windows: GaussianWindows
    targets: Sequence[int] | None
    progress: Progress
    total: int | None
    evaluations: int = 0
    class_count: int | None = None
    classes: list[int] = field(default_factory=list)
    known: dict[Window, NDArray[np.float32]] = field(default_factory=dict)

    def find(self, places: Iterable[Window]) -> None:
        """Evaluate windows that are not known yet."""
        new = [place for place in places if place not in self.known]
        if not new:
            return

        def altered(number: int, out: NDArray[Any]) -> None:
            index, is_covered = divmod(number, _PER_PLACE)
            width, *point = new[index]
            window = self.windows.window(width, np.array(point) / ONE)
            self.trial.mask_into(out, 1 - window if is_covered else window)

        rows: list[NDArray[np.float32]] = []
        with closing(self.trial.scores(len(new) * _PER_PLACE, altered, self.class_count)) as stream:
            for batch in stream:
                if self.class_count is None:
                    self.class_count = batch.shape[1]
                    self.classes = chosen(self.targets, batch.shape[1])
                rows.extend(batch[:, self.classes])  # a copy: the stream may use its array again
                self.evaluations += len(batch)
                self.progress(self.evaluations, self.total)
        for place, alone, without in zip(new, rows[0::2], rows[1::2], strict=True):
            self.known[place] = alone - without


@dataclass
class _Search:
    """One target's search with one kernel width, and every place that it has seen."""

    solver: Direct
    width: int
    column: int
    left: int
    points: list[tuple[int, int]] = field(default_factory=list)
    gains: list[float] = field(default_factory=list)

    def wanted(self) -> list[Window]:
        """Places to evaluate next; none at the end."""
        return [(self.width, row, column) for row, column in _tuples(self.solver.ask()[: self.left])]

    def advance(self, gains: _Gains) -> None:
        """Take the gains of the wanted places."""
        places = self.wanted()
        values = [float(gains.known[place][self.column]) for place in places]
        self.points.extend((row, column) for _, row, column in places)
        self.gains.extend(values)
        self.left -= len(places)
        if self.left > 0 and places:
            self.solver.tell(-np.array(values))


def _map(windows: GaussianWindows, searches: Sequence[_Search]) -> NDArray[np.float32]:
    total = np.zeros(windows.size)
    for search in searches:
        gains, points = np.array(search.gains), np.array(search.points) / ONE
        mean = gains.mean()
        weighted = windows.weighted_sum(search.width, points, gains - mean)
        density = windows.weighted_sum(search.width, points, np.ones(len(points)))
        total += mean + weighted / (1 + density)
    return (total / len(searches)).astype(np.float32)


def _tuples(points: Points) -> list[tuple[int, int]]:
    return [(int(row), int(column)) for row, column in points]


METHOD: Final = BlackBoxMethod("aise", Aise)
