"""The measures by their definitions: slow, in float64, one image at a time, with nothing of the package's."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

Score = Callable[[Any], float]
"""From an image ``(C, H, W)`` to the class's probability."""


def curve(score: Score, saliency: Any, before: Any, after: Any, steps: int) -> list[float]:
    """Scores while the pixels of one image take the place of another's, the map's highest first."""
    order = sorted(range(saliency.size), key=lambda place: -float(saliency.ravel()[place]))
    found = []
    for step in range(steps + 1):
        picture = np.array(before)
        for place in order[: round(step * saliency.size / steps)]:
            row, column = divmod(place, saliency.shape[1])
            picture[:, row, column] = after[:, row, column]
        found.append(score(picture))
    return found


def area(scores: list[float]) -> float:
    """By trapezes of equal width."""
    return sum((a + b) / 2 for a, b in pairwise(scores)) / (len(scores) - 1)


def as_share(saliency: Any) -> Any:
    """A map from its lowest to its highest value as 0 to 1."""
    values = np.asarray(saliency, np.float64)
    return (values - values.min()) / (values.max() - values.min())


def parts_of_adcc(
    score: Score, explain: Callable[[Any], Any], image: Any, saliency: Any, canvas: Any
) -> dict[str, float]:
    """Of an image ``(C, H, W)`` and its map, explained once more where the map shows it on a canvas."""
    share = as_share(saliency)
    shown = share * image + (1 - share) * canvas
    one, other = share.ravel(), as_share(explain(shown)).ravel()
    one, other = one - one.mean(), other - other.mean()
    correlation = float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum()))
    before, after = score(image), score(shown)
    drop, alike, marked = max(0.0, (before - after) / before), (1 + correlation) / 2, float(share.mean())
    return {
        "adcc": 3 / (1 / alike + 1 / (1 - marked) + 1 / (1 - drop)),
        "average_drop": drop,
        "coherency": alike,
        "complexity": marked,
    }
