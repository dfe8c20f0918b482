"""Comparing saliency maps with their slow definition: some maps exactly, all of them for their form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.artifact.checks import SaliencyCheck
from ovxai_convert.errors import VerificationError
from ovxai_convert.insertion.request import Request
from ovxai_convert.proof.feature_check import CutHead, check_feature_vector

_MAPS: Final = 3
_RELATIVE: Final = 1e-4
"""Largest error of a raw map, as a part of its range."""
_ROUNDING: Final = 4e-6
"""What float32 may lose in any case, as a part of the scores' magnitude: some 30 units in the last place."""
_HALF_ROUNDING: Final = float(np.finfo(np.float16).eps)
"""The same of raw maps that are given out in half precision."""
_MOST_LEVELS: Final = 3
"""Grey levels that rounding may move a cell by; a map that it may move further cannot be compared."""
_SPREAD: Final = 64
"""Grey levels between the lowest and the highest compared cell, from which on a map's form is compared."""


def check_maps(
    cut: CutHead, request: Request, values: Sequence[NDArray[Any]], added: Sequence[NDArray[Any]], seed: int
) -> SaliencyCheck:
    """Check the maps of one feed.

    Of every sample the map with the highest cell and two more are compared, at the cells where they are
    lowest and highest (which fix the scaling) and at some more, or at all. At these cells every other map is
    compared, too, up to the shift and the factor that its own lowest and highest cell would fix.

    Args:
        cut: the original, cut where the branch stands.
        request: what was asked to be inserted.
        values: of the tensors that enter the head.
        added: what the converted model gives beside the original's outputs: maps ``[N, K', H, W]`` or
            ``[N, H, W]``, and classes ``[N, K']`` if they depend on the input.
        seed: of what is drawn.

    Raises:
        VerificationError: a cell differs, with the class, the cell and both values; or classes are not best.
    """
    saliency_map, *classes = added
    if request.feature_vector:
        place = 0 if cut.target.feature is None else list(cut.entering).index(cut.target.feature)
        check_feature_vector(cut, values[place], classes.pop())
    samples, (rows, columns), method = len(saliency_map), saliency_map.shape[-2:], cut.method
    flat = saliency_map.reshape(samples, -1, rows * columns).astype(np.float64)
    if classes:
        indices = classes[0]
        _check_best_classes(_scores_of_images(cut, values, rows * columns), indices)
    else:
        indices = np.tile(np.array(request.selection.indices or range(flat.shape[1])), (samples, 1))
    rng = np.random.default_rng(seed)
    others = rng.choice(flat.shape[1], min(_MAPS - 1, flat.shape[1]), replace=False)
    checked = [(n, k) for n in range(samples) for k in {int(flat[n].max(axis=1).argmax()), *map(int, others)}]
    count = flat.shape[2] if method.cells_checked is None else min(method.cells_checked, flat.shape[2])
    drawn = {int(cell) for cell in rng.choice(flat.shape[2], count, replace=False)}
    extremes = {int(cell) for n, k in checked for cell in (flat[n, k].argmin(), flat[n, k].argmax())}
    cells = sorted(drawn | extremes)
    raw = method.define(cut, values, cells, method.settings(request.options)).astype(np.float64)
    if not np.isfinite(flat).all():
        raise VerificationError("the saliency map holds numbers that are not finite")
    rounding = _HALF_ROUNDING if saliency_map.dtype == np.float16 else _ROUNDING
    maps = _Maps(
        flat[..., cells],
        np.take_along_axis(raw, indices[..., np.newaxis], axis=1),
        indices,
        cells,
        rounding,
        max(rounding, flat.shape[2] * float(np.finfo(np.float32).eps)),
        request.embed_scaling,
    )
    differences = [maps.compare(n, k) for n, k in checked]
    maps.compare_form()
    resolved = [difference for difference in differences if difference is not None]
    varied = sum(np.ptp(flat[n, k]) > 0 for n, k in checked)
    return SaliencyCheck(
        len(cells) if resolved else 0, max(resolved, default=0.0), len(checked), int(varied), len(resolved)
    )


def _scores_of_images(cut: CutHead, values: Sequence[NDArray[Any]], cells: int) -> NDArray[Any]:
    """Scores ``[N, K]`` by which classes are the best: of a detector, of a class its highest anywhere."""
    if not cut.target.defined_by:
        return cut.scores(values)
    everywhere = cut.method.define(cut, values, range(cells), cut.method.settings({}))
    return np.asarray(everywhere.max(axis=-1))


def merged_checks(checks: Sequence[SaliencyCheck]) -> SaliencyCheck:
    """What was found on several inputs: all cells and maps together, and the worst difference among them."""
    return SaliencyCheck(
        sum(check.positions_checked for check in checks),
        max(check.max_abs_diff for check in checks),
        sum(check.maps_checked for check in checks),
        sum(check.maps_varied for check in checks),
        sum(check.maps_compared for check in checks),
    )


def _check_best_classes(scores: NDArray[Any], indices: NDArray[Any]) -> None:
    """Check that ``indices`` ``[N, K']`` are classes of the highest ``scores`` ``[N, K]``, the best first.

    Classes whose scores are equal within rounding may change places.

    Raises:
        VerificationError: they are not.
    """
    scores = scores.astype(np.float64)
    best = -np.sort(-scores, axis=1)[:, : indices.shape[1]]
    shown = np.take_along_axis(scores, indices, axis=1)
    allowed = _RELATIVE * np.ptp(scores) + _ROUNDING * np.max(np.abs(scores))
    distinct = all(len(set(row)) == len(row) for row in indices.tolist())
    if not distinct or not np.max(np.abs(shown - best)) <= allowed:
        raise VerificationError("the classes of the saliency maps are not those of the highest scores")


@dataclass(frozen=True)
class _Maps:
    """Maps at some cells, their lowest and highest among them, beside their definition.

    Attributes:
        values: ``[N, K', cells]``, of the converted model.
        raw: the same as defined, before any scaling.
        indices: ``[N, K']``, the class of each map.
        cells: which they are.
        rounding: what a number may lose, as a part of the scores' magnitude.
        lost: what float32 may lose in sums over all cells, as a part of the magnitude of a sample's scores:
            those near zero come of sums as large as the others.
        scaled: whether the values are grey levels.
    """

    values: NDArray[np.float64]
    raw: NDArray[np.float64]
    indices: NDArray[Any]
    cells: list[int]
    rounding: float
    lost: float
    scaled: bool

    def compare(self, n: int, k: int) -> float | None:
        """Largest difference of one map.

        None where nothing can be said: the definition's map is constant, float32 does not resolve it, or the
        difference is within what sums over all cells may lose.

        Raises:
            VerificationError: it is beyond that, too.
        """
        raw = self.raw[n, k]
        span, magnitude = float(np.ptp(raw)), float(np.max(np.abs(raw)))
        largest = float(np.max(np.abs(self.raw[n])))
        expected, accepted, steps = raw, _RELATIVE * span, 1.0
        if self.scaled:
            if span <= self.rounding * magnitude:
                self._refuse_beyond(n, k, np.zeros_like(raw), 0.0)
                return None
            expected, accepted, steps = np.round(255 * (raw - raw.min()) / span), 1.0, 255 / span
        unresolved = 255 * self.rounding * magnitude > _MOST_LEVELS * span
        if self.scaled and unresolved:
            return None
        difference = float(np.max(np.abs(self.values[n, k] - expected)))
        if difference <= accepted + steps * magnitude * self.rounding:
            return None if unresolved else difference
        self._refuse_beyond(n, k, expected, accepted + steps * largest * self.lost)
        return None

    def compare_form(self) -> None:
        """Every map as if these cells held its lowest and highest.

        Raises:
            VerificationError: one has another form.
        """
        span, lost = np.ptp(self.raw, axis=-1), self.lost * np.abs(self.raw).max(axis=(1, 2))[:, np.newaxis]
        expected, allowed = self.raw, _RELATIVE * span + lost
        compared = np.ones(self.values.shape[:2], bool)
        if self.scaled:
            spread = np.ptp(self.values, axis=-1)
            levels = spread / np.maximum(span, np.finfo(np.float64).tiny)
            compared = (spread >= _SPREAD) & (levels * lost <= _MOST_LEVELS)
            lowest, raw_lowest = (array.min(axis=-1, keepdims=True) for array in (self.values, self.raw))
            expected = lowest + (self.raw - raw_lowest) * levels[..., np.newaxis]
            allowed = 1.5 + 2 * levels * lost
        wrong = (np.abs(self.values - expected) > allowed[..., np.newaxis]).any(axis=-1)
        for n, k in np.argwhere(compared & wrong):
            self._refuse_beyond(n, k, expected[n, k], float(allowed[n, k]))

    def _refuse_beyond(self, n: int, k: int, expected: NDArray[np.float64], allowed: float) -> None:
        """Raise for the cell of a map that differs most, if that is by more than is allowed."""
        values = self.values[n, k]
        difference = np.abs(values - expected)
        worst = int(difference.argmax())
        if not difference[worst] <= allowed:
            where = f"cell {self.cells[worst]} of map {self.indices[n, k]}"
            both = f"{values[worst]:.6g} instead of {expected[worst]:.6g}"
            raise VerificationError(f"the saliency map is wrong at {where}: {both}")
