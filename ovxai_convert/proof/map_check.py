"""Comparing a saliency map with the slow definition, at the cells that decide it and some others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.artifact.sidecar import SaliencyCheck
from ovxai_convert.errors import VerificationError
from ovxai_convert.methods.scaling import RESOLUTION

Values: TypeAlias = Callable[[Sequence[int]], NDArray[Any]]
"""Raw values ``[N, K, cells]`` of all maps at some cells, by their slow definition."""

_MAPS: Final = 3
_RELATIVE: Final = 1e-4
"""Largest error of a raw map, as a part of its range."""
_ROUNDING: Final = 4e-6
"""What float32 sums may lose, as a part of the scores' magnitude: some 30 units in the last place."""


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

    Of every sample the map with the highest cell and two more are checked, at the cells where they are
    lowest and highest (which fix the scaling) and at some more, or at all.

    Args:
        define: raw values ``[N, K, cells]`` at some cells, as defined.
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
    expected = define(order).astype(np.float64)
    worst = 0.0
    for n, k in checked:
        label = int(indices[n, k])
        worst = max(worst, _compare(flat[n, k][order], expected[n, label], order, label, scaled=scaled))
    return SaliencyCheck(len(order), worst)


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


def _compare(
    found: NDArray[np.float64], raw: NDArray[np.float64], cells: list[int], label: int, *, scaled: bool
) -> float:
    """Largest difference of one map at some cells, its lowest and highest among them."""
    span, magnitude = float(np.ptp(raw)), float(np.max(np.abs(raw)))
    rounding = _ROUNDING * magnitude
    if not scaled:
        expected, allowed = raw, _RELATIVE * span + rounding
    elif span <= RESOLUTION * magnitude + rounding and not found.any():
        expected, allowed = np.zeros_like(raw), 0.0
    else:
        expected = np.round(255 * (raw - raw.min()) / span) if span else np.zeros_like(raw)
        allowed = 1 + 255 * rounding / span if span else 0.0
    difference = np.abs(found - expected)
    worst = int(difference.argmax())
    if not difference[worst] <= allowed:
        values = f"{found[worst]:.6g} instead of {expected[worst]:.6g}"
        raise VerificationError(f"the saliency map is wrong at cell {cells[worst]} of map {label}: {values}")
    return float(difference[worst])
