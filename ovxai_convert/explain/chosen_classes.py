"""Which classes of an image are explained, as a user names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.source.labels import find_class

Targets: TypeAlias = int | str | Sequence[int | str] | NDArray[np.integer] | None
"""Classes by index or label; -1 or ``"all"``: every one; ``"top5"``: the five best; None: the best."""


def resolve_targets(
    wanted: Targets, labels: Sequence[str] | None, scores: NDArray[np.float32]
) -> list[int] | None:
    """Indices of the wanted classes of one image, each once, in the order given; None: all.

    Args:
        wanted: what the user wants.
        labels: one per class, or None.
        scores: ``(K,)`` of the image.

    Raises:
        UsageError: no such class.
    """
    if wanted is None:
        return [int(scores.argmax())]
    several = isinstance(wanted, Sequence | np.ndarray) and not isinstance(wanted, str)
    given = [_plain(each) for each in (wanted if several else [wanted])]  # type: ignore[union-attr]
    if not given:
        raise UsageError("no class is named")
    if len(given) == 1:
        if given[0] in (-1, "-1") or (given[0] == "all" and "all" not in (labels or ())):
            return None
        best = re.fullmatch(r"top(\d+)", str(given[0]))
        if best and str(given[0]) not in (labels or ()):
            return _best(int(best.group(1)), scores)
    return list(dict.fromkeys(find_class(each, labels, len(scores)) for each in given))


def _plain(value: object) -> int | str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    raise UsageError(f"a class is named by its index or its label, and not by {value!r}")


def _best(count: int, scores: NDArray[np.float32]) -> list[int]:
    if not 1 <= count <= len(scores):
        raise UsageError(f"there are no {count} best classes: the model has {len(scores)}")
    return [int(index) for index in np.argsort(-scores, kind="stable")[:count]]
