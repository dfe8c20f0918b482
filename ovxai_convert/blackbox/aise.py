"""AISE, adaptive input sampling for explanation: a search for the places that a class's score hangs on.

Known from openvino-xai 1.1.0. A Gaussian window is moved over the image, by an optimiser that seeks the place
where seeing only the window scores most and covering it scores least; its whole way there makes the map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.direct import ONE, Direct, Points
from ovxai_convert.blackbox.method import BlackBoxMethod
from ovxai_convert.blackbox.preset import Preset
from ovxai_convert.blackbox.streaming import (
    Batches,
    BlackboxMaps,
    Progress,
    ScoreStream,
    chosen,
    require_batch_size,
    scored,
    silent,
)
from ovxai_convert.blackbox.subject import Subject
from ovxai_convert.blackbox.windows import GaussianWindows
from ovxai_convert.errors import UsageError

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
class Aise:
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
        preset: SPEED, BALANCE, QUALITY: 20, 50, 50 places of each of 3, 3, 5 kernel widths.
        num_iterations_per_kernel: places per target and kernel width; each takes two evaluations, which
            targets that look at the same place share. None for the preset's.
        kernel_widths: standard deviations of the windows, as parts of the image's height and width; None for
            the preset's, from 0.1 (QUALITY: 0.075) to 0.25.
        solver_epsilon: DIRECT's epsilon; larger searches more widely.
        locally_biased: DIRECT's locally biased form.
    """

    preset: Preset = Preset.BALANCE
    num_iterations_per_kernel: int | None = None
    kernel_widths: Sequence[float] | None = None
    solver_epsilon: float = 0.1
    locally_biased: bool = False

    def __post_init__(self) -> None:
        iterations, widths = self.num_iterations_per_kernel, self.kernel_widths
        if iterations is not None and iterations < 1:
            raise UsageError(f"num_iterations_per_kernel must be at least 1, not {iterations}")
        if widths is not None and (len(widths) == 0 or not all(0 < width < np.inf for width in widths)):
            raise UsageError(f"kernel_widths must be positive numbers, not {list(widths)}")
        if not 0 <= self.solver_epsilon < np.inf:
            raise UsageError(f"solver_epsilon must not be negative, as {self.solver_epsilon} is")

    def explain(
        self,
        image: NDArray[Any],
        spatial_axes: tuple[int, int],
        score_stream: ScoreStream,
        targets: Sequence[int] | None,
        batch_size: int,
        on_progress: Progress = silent,
    ) -> BlackboxMaps:
        """Maps of the targets, or of all classes for None.

        The places that all searches want next are evaluated together; the stream is called once per such
        round.

        Args:
            image: one model input without its batch axis.
            spatial_axes: which of its axes are rows and columns.
            score_stream: runs the model.
            targets: class indices.
            batch_size: most inputs in a batch.
            on_progress: called after every batch; the total is None for several targets, which share places.

        Raises:
            UsageError: a target out of range, an image without these axes, scores that do not fit.
        """
        subject = Subject(image, spatial_axes)
        require_batch_size(batch_size)
        widths = KERNEL_WIDTHS[self.preset] if self.kernel_widths is None else tuple(self.kernel_widths)
        budget = self.num_iterations_per_kernel or NUM_ITERATIONS[self.preset]
        windows = GaussianWindows(subject.size, widths)
        shared = targets is None or len(targets) > 1
        total = None if shared else len(widths) * budget * _PER_PLACE
        gains = _Gains(
            subject, windows, score_stream, targets, batch_size, lambda done: on_progress(done, total)
        )

        gains.find((width, *point) for width in range(len(widths)) for point in self._first_points(budget))
        searches = [
            [_Search(self._solver(), width, column, budget) for width in range(len(widths))]
            for column in range(gains.count)
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


class _Gains:
    """Gains of windows, each evaluated once for all classes that get a map."""

    def __init__(
        self,
        subject: Subject,
        windows: GaussianWindows,
        score_stream: ScoreStream,
        targets: Sequence[int] | None,
        batch_size: int,
        on_progress: Callable[[int], None],
    ) -> None:
        self._subject = subject
        self._windows = windows
        self._score_stream = score_stream
        self._targets = targets
        self._batch_size = batch_size
        self._on_progress = on_progress
        self._class_count: int | None = None
        self._classes: list[int] = []
        self._found: dict[Window, NDArray[np.float32]] = {}
        self.evaluations = 0

    @property
    def count(self) -> int:
        """K', the number of classes that get a map."""
        return len(self._classes)

    def of(self, place: Window, column: int) -> float:
        """The gain of a window that was found, for one class."""
        return float(self._found[place][column])

    def find(self, places: Iterable[Window]) -> None:
        """Evaluate windows that are not known yet."""
        new = [place for place in places if place not in self._found]
        if not new:
            return
        rows: list[NDArray[np.float32]] = []
        with closing(scored(self._score_stream, self._batches(new), self._class_count)) as stream:
            for batch in stream:
                if self._class_count is None:
                    self._class_count = batch.shape[1]
                    self._classes = chosen(self._targets, batch.shape[1])
                rows.extend(batch[:, self._classes])  # a copy: the stream may use its array again
                self.evaluations += len(batch)
                self._on_progress(self.evaluations)
        for place, alone, without in zip(new, rows[0::2], rows[1::2], strict=True):
            self._found[place] = alone - without

    def _batches(self, places: Sequence[Window]) -> Batches:
        count = len(places) * _PER_PLACE
        for start in range(0, count, self._batch_size):
            batch = self._subject.empty_batch(min(self._batch_size, count - start))
            for position, masked in enumerate(batch, start):
                width, *point = places[position // _PER_PLACE]
                window = self._windows.window(width, np.array(point) / ONE)
                self._subject.mask_into(masked, window if position % _PER_PLACE == 0 else 1 - window)
            yield batch


class _Search:
    """One target's search with one kernel width, and every place that it has seen."""

    def __init__(self, solver: Direct, width: int, column: int, budget: int) -> None:
        self._solver = solver
        self._column = column
        self._left = budget
        self.width = width
        self.points: list[tuple[int, int]] = []
        self.gains: list[float] = []

    def wanted(self) -> list[Window]:
        """Places to evaluate next; none at the end."""
        return [(self.width, row, column) for row, column in _tuples(self._solver.ask()[: self._left])]

    def advance(self, gains: _Gains) -> None:
        """Take the gains of the wanted places."""
        places = self.wanted()
        found = [gains.of(place, self._column) for place in places]
        self.points.extend((row, column) for _, row, column in places)
        self.gains.extend(found)
        self._left -= len(places)
        if self._left > 0 and places:
            self._solver.tell(-np.array(found))


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
