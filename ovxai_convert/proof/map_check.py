"""Comparing saliency maps with their slow definition: some maps exactly, all of them for their form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.artifact.sidecar import SaliencyCheck
from ovxai_convert.errors import VerificationError

Values: TypeAlias = Callable[[Sequence[int]], NDArray[Any]]
"""Raw values ``[N, K, cells]`` of all maps at some cells, by their slow definition."""

_MAPS: Final = 3
_RELATIVE: Final = 1e-4
"""Largest error of a raw map, as a part of its range."""
_ROUNDING: Final = 4e-6
"""What float32 may lose in any case, as a part of the scores' magnitude: some 30 units in the last place."""
_MOST_LEVELS: Final = 3
"""Grey levels that rounding may move a cell by; a map that it may move further cannot be compared."""
_SPREAD: Final = 64
"""Grey levels between the lowest and the highest compared cell, from which on a map's form is compared."""


@dataclass(frozen=True)
class _Rounding:
    """What float32 loses, as a part of the scores' magnitude: in any case, and in sums over all cells."""

    least: float
    most: float


@dataclass(frozen=True)
class _Where:
    """The cells of a map that are compared, and its class."""

    cells: list[int]
    label: int


def check_maps(
    define: Values,
    saliency_map: NDArray[Any],
    indices: NDArray[Any],
    cells_checked: int | None,
    *,
    scaled: bool,
    seed: int,
) -> SaliencyCheck:
    """Check maps ``[N, K', H, W]``; ``indices`` ``[N, K']`` tells the class of each.

    Of every sample the map with the highest cell and two more are compared, at the cells where they are
    lowest and highest (which fix the scaling) and at some more, or at all. At these cells every other map is
    compared, too, up to the shift and the factor that its own lowest and highest cell would fix.

    Args:
        define: raw values at some cells, as defined.
        saliency_map: the maps.
        indices: classes.
        cells_checked: at how many more cells; None: all.
        scaled: whether the maps are grey levels.
        seed: of what is drawn.

    Raises:
        VerificationError: a cell differs, with the class, the cell and both values.
    """
    samples, maps = saliency_map.shape[:2]
    flat = saliency_map.reshape(samples, maps, -1).astype(np.float64)
    rng = np.random.default_rng(seed)
    others = rng.choice(maps, min(_MAPS - 1, maps), replace=False)
    checked = [(n, k) for n in range(samples) for k in {int(flat[n].max(axis=1).argmax()), *map(int, others)}]
    count = flat.shape[2] if cells_checked is None else min(cells_checked, flat.shape[2])
    cells = {int(cell) for cell in rng.choice(flat.shape[2], count, replace=False)}
    for n, k in checked:
        cells |= {int(flat[n, k].argmin()), int(flat[n, k].argmax())}
    order = sorted(cells)
    expected = np.take_along_axis(define(order).astype(np.float64), indices[..., np.newaxis], axis=1)
    if not np.isfinite(flat).all():
        raise VerificationError("the saliency map holds numbers that are not finite")
    compare = _compare_grey if scaled else _compare_raw
    rounding = _Rounding(_ROUNDING, max(_ROUNDING, flat.shape[2] * float(np.finfo(np.float32).eps)))
    differences = [
        compare(flat[n, k][order], expected[n, k], rounding, _Where(order, int(indices[n, k])))
        for n, k in checked
    ]
    _compare_form(flat[..., order], expected, order, indices, rounding, scaled=scaled)
    resolved = [difference for difference in differences if difference is not None]
    varied = sum(np.ptp(flat[n, k]) > 0 for n, k in checked)
    return SaliencyCheck(
        len(order) if resolved else 0, max(resolved, default=0.0), len(checked), int(varied), len(resolved)
    )


def merged_checks(checks: Sequence[SaliencyCheck]) -> SaliencyCheck:
    """What was found on several inputs: all cells and maps together, and the worst difference among them."""
    return SaliencyCheck(
        sum(check.positions_checked for check in checks),
        max(check.max_abs_diff for check in checks),
        sum(check.maps_checked for check in checks),
        sum(check.maps_varied for check in checks),
        sum(check.maps_compared for check in checks),
    )


def check_best_classes(scores: NDArray[Any], indices: NDArray[Any]) -> None:
    """Check that ``indices`` ``[N, K']`` are classes of the highest ``scores`` ``[N, K]``, the best first.

    Classes whose scores are equal within rounding may change places.

    Raises:
        VerificationError: they are not.
    """
    scores = scores.astype(np.float64)
    best = -np.sort(-scores, axis=1)[:, : indices.shape[1]]
    found = np.take_along_axis(scores, indices, axis=1)
    allowed = _RELATIVE * np.ptp(scores) + _ROUNDING * np.max(np.abs(scores))
    distinct = all(len(set(row)) == len(row) for row in indices.tolist())
    if not distinct or not np.max(np.abs(found - best)) <= allowed:
        raise VerificationError("the classes of the saliency maps are not those of the highest scores")


def _compare_grey(
    found: NDArray[np.float64], raw: NDArray[np.float64], rounding: _Rounding, where: _Where
) -> float | None:
    """Largest difference of a map of grey levels at some cells, its lowest and highest among them.

    None where nothing can be said: the definition's map is constant, float32 does not resolve it, or the
    difference is within what sums over all cells may lose.
    """
    span, magnitude = float(np.ptp(raw)), float(np.max(np.abs(raw)))
    if span <= rounding.least * magnitude:
        _refuse_beyond(found, np.zeros_like(raw), 0.0, where)
        return None
    expected, levels = np.round(255 * (raw - raw.min()) / span), 255 * magnitude / span
    if levels * rounding.least > _MOST_LEVELS:
        return None
    difference = float(np.max(np.abs(found - expected)))
    if difference <= 1 + levels * rounding.least:
        return difference
    _refuse_beyond(found, expected, 1 + levels * rounding.most, where)
    return None


def _compare_raw(
    found: NDArray[np.float64], raw: NDArray[np.float64], rounding: _Rounding, where: _Where
) -> float | None:
    """The same for raw scores."""
    span, magnitude = float(np.ptp(raw)), float(np.max(np.abs(raw)))
    difference = float(np.max(np.abs(found - raw)))
    if difference <= _RELATIVE * span + rounding.least * magnitude:
        return difference if 255 * rounding.least * magnitude <= _MOST_LEVELS * span else None
    _refuse_beyond(found, raw, _RELATIVE * span + rounding.most * magnitude, where)
    return None


def _compare_form(
    found: NDArray[np.float64],
    raw: NDArray[np.float64],
    cells: list[int],
    indices: NDArray[Any],
    rounding: _Rounding,
    *,
    scaled: bool,
) -> None:
    """Every map ``[N, K', cells]`` beside its definition, as if these cells held its lowest and highest."""
    span, lost = np.ptp(raw, axis=-1), rounding.most * np.abs(raw).max(axis=-1)
    expected, allowed = raw, _RELATIVE * span + lost
    compared = np.ones(found.shape[:2], bool)
    if scaled:
        levels = np.ptp(found, axis=-1) / np.maximum(span, np.finfo(np.float64).tiny)
        compared = (np.ptp(found, axis=-1) >= _SPREAD) & (levels * lost <= _MOST_LEVELS)
        lowest = found.min(axis=-1)[..., np.newaxis]
        expected = lowest + (raw - raw.min(axis=-1)[..., np.newaxis]) * levels[..., np.newaxis]
        allowed = 1.5 + 2 * levels * lost
    wrong = (np.abs(found - expected) > allowed[..., np.newaxis]).any(axis=-1)
    for n, k in np.argwhere(compared & wrong):
        _refuse_beyond(found[n, k], expected[n, k], float(allowed[n, k]), _Where(cells, int(indices[n, k])))


def _refuse_beyond(
    found: NDArray[np.float64], expected: NDArray[np.float64], allowed: float, where: _Where
) -> None:
    """Nothing, if no difference is beyond what is allowed.

    Raises:
        VerificationError: one is.
    """
    difference = np.abs(found - expected)
    worst = int(difference.argmax())
    if not difference[worst] <= allowed:
        cell, values = where.cells[worst], f"{found[worst]:.6g} instead of {expected[worst]:.6g}"
        raise VerificationError(f"the saliency map is wrong at cell {cell} of map {where.label}: {values}")
