"""Comparing a saliency map with the slow definition, at the cells that decide it and some others."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.artifact.sidecar import SaliencyCheck
from ovxai_convert.errors import VerificationError
from ovxai_convert.methods.scaling import RESOLUTION
from ovxai_convert.proof.slow_definition import SlowDefinition

_MAPS: Final = 3
_CELLS: Final = 6
_RELATIVE: Final = 1e-4
"""Largest error of a raw map, as a part of its range."""
_ROUNDING: Final = 4e-6
"""What float32 sums may lose, as a part of the scores' magnitude: some 30 units in the last place."""


def check_class_maps(
    slow: SlowDefinition,
    border: list[NDArray[Any]],
    saliency_map: NDArray[Any],
    indices: NDArray[Any],
    *,
    scaled: bool,
    seed: int,
) -> SaliencyCheck:
    """Check maps ``[N, K', H, W]``; ``indices`` ``[N, K']`` tells the class of each.

    Of every sample the map with the highest cell and two more are checked, at the cells where they are
    lowest and highest (which fix the scaling) and at six more.

    Raises:
        VerificationError: a cell differs, with the class, the cell and both values.
    """
    samples, maps = saliency_map.shape[:2]
    flat = saliency_map.reshape(samples, maps, -1).astype(np.float64)
    rng = np.random.default_rng(seed)
    others = rng.choice(maps, min(_MAPS - 1, maps), replace=False)
    checked = [(n, k) for n in range(samples) for k in {int(flat[n].max(axis=1).argmax()), *map(int, others)}]
    cells = {int(cell) for cell in rng.choice(flat.shape[2], min(_CELLS, flat.shape[2]), replace=False)}
    for n, k in checked:
        cells |= {int(flat[n, k].argmin()), int(flat[n, k].argmax())}
    order = sorted(cells)
    expected = np.stack([slow.scores(border, cell) for cell in order], axis=-1).astype(np.float64)
    worst = 0.0
    for n, k in checked:
        label = int(indices[n, k])
        worst = max(worst, _compare(flat[n, k][order], expected[n, label], order, label, scaled=scaled))
    return SaliencyCheck(len(order), worst)


def check_best_classes(slow: SlowDefinition, border: list[NDArray[Any]], indices: NDArray[Any]) -> None:
    """Check that ``indices`` ``[N, K']`` are the classes of the highest scores, the best first.

    Classes whose scores are equal within rounding may change places.

    Raises:
        VerificationError: they are not.
    """
    scores = slow.unmasked_scores(border).astype(np.float64)
    best = -np.sort(-scores, axis=1)[:, : indices.shape[1]]
    found = np.take_along_axis(scores, indices, axis=1)
    allowed = _RELATIVE * np.ptp(scores) + _ROUNDING * np.max(np.abs(scores))
    distinct = all(len(set(row)) == len(row) for row in indices.tolist())
    if not distinct or not np.max(np.abs(found - best)) <= allowed:
        raise VerificationError("the classes of the saliency maps are not those of the highest scores")


def check_activation_map(
    border: list[NDArray[Any]], channel_axis: int, saliency_map: NDArray[Any], *, scaled: bool
) -> SaliencyCheck:
    """Check maps ``[N, H, W]`` against the channel mean, at every cell.

    Raises:
        VerificationError: a cell differs.
    """
    mean = border[0].astype(np.float64).mean(axis=channel_axis)
    flat = saliency_map.reshape(len(saliency_map), -1).astype(np.float64)
    expected = mean.reshape(flat.shape)
    order = list(range(flat.shape[1]))
    worst = max(_compare(flat[n], expected[n], order, None, scaled=scaled) for n in range(len(flat)))
    return SaliencyCheck(flat.size, worst)


def _compare(
    found: NDArray[np.float64], raw: NDArray[np.float64], cells: list[int], label: int | None, *, scaled: bool
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
        where = f"cell {cells[worst]}" + ("" if label is None else f" of class {label}")
        values = f"{found[worst]:.6g} instead of {expected[worst]:.6g}"
        raise VerificationError(f"the saliency map is wrong at {where}: {values}")
    return float(difference[worst])
