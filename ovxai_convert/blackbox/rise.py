"""RISE: which pixels, on average, have to be seen for a class to score (Petsiuk et al., arXiv 1806.07421)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.blackbox.convergence import HalfSamples
from ovxai_convert.blackbox.masks import GridMasks
from ovxai_convert.blackbox.method import BlackBoxMethod, Perturbation, Preset, check_kinds
from ovxai_convert.blackbox.streaming import BlackboxMaps, Progress, Trial, chosen
from ovxai_convert.errors import UsageError, no_such_value
from ovxai_convert.vocabulary import member_of

MOST_MASKS: Final[Mapping[Preset, int]] = {Preset.SPEED: 1000, Preset.BALANCE: 5000, Preset.QUALITY: 10000}
"""Where RISE ends that has not converged."""
NUM_CELLS: Final[Mapping[Preset, int]] = {Preset.SPEED: 4, Preset.BALANCE: 8, Preset.QUALITY: 12}

_CHECK_EVERY: Final = 200
_CHECKS_IN_A_ROW: Final = 2
_POINTS_PER_CELL: Final = 3


@dataclass(frozen=True)
class Rise(Perturbation):
    """The method and its parameters.

    The map of class k at pixel x estimates the score of k given that x is seen (equation 6):

        map_k(x) = 1 / (p N) * sum_i f_k(image * mask_i) * mask_i(x)

    Where scores vary little around a large mean, most of the noise of this sum is the mean times what the
    masks happen to cover. With ``centred`` (not in the paper) the mean score m is taken out before and put
    back after:

        map_k(x) = m + 1 / (p N) * sum_i (f_k(image * mask_i) - m) * mask_i(x)

    which has the same limit, since the masks' expectation is p, and less noise: 1000 masks on
    EfficientNet-Lite0 then give a map that correlates 0.96 (a cat) and 0.98 (a cup) with that of 6000,
    instead of 0.61 and 0.92.

    Unless ``num_masks`` is given, masks are added until every map has converged: until no map's noise share
    (``convergence.HalfSamples``) exceeds ``tolerance`` at two checks in a row, one every 200 masks, or the
    preset's number of masks is reached. A tolerance of 0.05 stands for a correlation of about 0.975 between
    the map and the one of infinitely many masks.

    Attributes:
        preset: SPEED, BALANCE, QUALITY, also as text: at most 1000, 5000, 10000 masks of 4, 8, 12 cells.
        num_masks: N; None to stop when converged.
        num_cells: cells of the mask's grid along either axis; None for the preset's.
        prob: probability p that a cell is seen.
        seed: of the masks; the same seed gives the same masks and, given the same scores, the same map bit by
            bit, for any batch size.
        tolerance: largest noise share of a converged map; 0 never stops early.
        centred: whether the mean score is taken out of the sum.
    """

    preset: Preset = Preset.BALANCE
    num_masks: int | None = None
    num_cells: int | None = None
    prob: float = 0.5
    seed: int = 0
    tolerance: float = 0.05
    centred: bool = True

    preset_cells: ClassVar[Mapping[Preset, int]] = NUM_CELLS
    """What ``num_cells`` is if None."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "preset", member_of(Preset, self.preset, "preset"))
        check_kinds(self, ("num_masks", "num_cells", "seed"), ("prob", "tolerance"), ("centred",))
        if self.num_masks is not None and self.num_masks < 1:
            raise no_such_value("num_masks", f"must be at least 1, not {self.num_masks}")
        if self.num_cells is not None and self.num_cells < 1:
            raise UsageError(f"num_cells must be at least 1, not {self.num_cells}")
        if not 0 < self.prob < 1:
            raise UsageError(f"prob must lie between 0 and 1, not be {self.prob}")
        if self.seed < 0:
            raise no_such_value("seed", f"must not be negative, as {self.seed} is")
        if not 0 <= self.tolerance < 1:
            raise no_such_value("tolerance", f"must be at least 0 and below 1, not {self.tolerance}")

    def _explained(self, trial: Trial, targets: Sequence[int] | None, progress: Progress) -> BlackboxMaps:
        limit = self.num_masks or MOST_MASKS[self.preset]
        num_cells = self.num_cells or self.preset_cells[self.preset]
        masks = GridMasks.draw(trial.size, limit, num_cells, self.prob, self.seed)
        may_converge = self.num_masks is None and self.tolerance > 0
        settling = _Settling(masks, self.tolerance) if may_converge else None
        scores = np.empty((limit, 0), np.float32)
        classes: list[int] | None = None
        done = 0

        def masked(index: int, out: NDArray[Any]) -> None:
            trial.mask_into(out, masks.mask(index))

        with closing(trial.scores(limit, masked)) as stream:
            for batch in stream:
                if classes is None:
                    classes = chosen(targets, batch.shape[1])
                    scores = np.empty((limit, len(classes)), np.float32)
                scores[done : done + len(batch)] = batch[:, classes]
                done += len(batch)
                progress(done, None if may_converge else limit)
                if settling is not None and settling.settled(scores[:done]):
                    done = settling.seen
                    break
        converged = settling is not None and settling.converged
        return BlackboxMaps(self._maps(masks, scores[:done]), done, converged)

    def _maps(self, masks: GridMasks, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        mean = scores.mean(0, dtype=np.float64) if self.centred else np.zeros(scores.shape[1])
        maps = masks.weighted_sums(((scores - mean) / (self.prob * len(scores))).astype(np.float32))
        maps += mean.astype(np.float32)[:, np.newaxis, np.newaxis]
        return maps


class _Settling:
    """Asks at fixed numbers of masks, and so alike for any batch size, whether the maps have converged."""

    def __init__(self, masks: GridMasks, tolerance: float) -> None:
        self._masks = masks
        self._tolerance = tolerance
        self._points = _POINTS_PER_CELL * masks.num_cells
        self._halves = HalfSamples()
        self._passed = 0
        self.seen = 0

    @property
    def converged(self) -> bool:
        """Whether the maps of the first ``seen`` masks passed."""
        return self._passed >= _CHECKS_IN_A_ROW

    def settled(self, scores: NDArray[np.float32]) -> bool:
        """Take the scores up to now, ``[n, K']``; whether the maps of ``seen`` of them have converged."""
        for stop in range(self.seen + _CHECK_EVERY, len(scores) + 1, _CHECK_EVERY):
            start = stop - _CHECK_EVERY
            self._halves.add(scores[start:stop], self._masks.sampled(start, stop, self._points))
            self.seen = stop
            small = bool((self._halves.noise_shares() <= self._tolerance).all())
            self._passed = self._passed + 1 if small else 0
            if self.converged:
                break
        return self.converged


METHOD: Final = BlackBoxMethod("rise", Rise)
