"""Labels and the classes that a user means: by label, by index, by a word for several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import UsageError
from ovxai_convert.source.class_names import ClassNames

Targets: TypeAlias = int | str | Sequence[int | str] | NDArray[np.integer] | None
"""Classes by index or label, several in one text between commas; -1 or ``"all"``: every one; ``"top5"``: the
five best; None: the best."""


def find_class(wanted: int | str, labels: Sequence[str] | None, count: int) -> int:
    """Index of a class called by one of its :class:`ClassNames`; a UsageError if not exactly one."""
    return ClassNames(labels, count).index(wanted)


def find_classes(
    wanted: int | str | Sequence[int | str] | NDArray[np.integer], labels: Sequence[str] | None, count: int
) -> list[int]:
    """Indices of classes, of which a text may name several between commas; a UsageError for any unknown.

    Of a list each name is one class, whatever commas it holds; a class that it names twice is there twice.
    """
    names = ClassNames(labels, count)
    if isinstance(wanted, str):
        return names.indices(wanted)
    return [names.index(name) for name in _listed(wanted)]


def resolve_targets(
    wanted: Targets, labels: Sequence[str] | None, scores: NDArray[np.float32]
) -> list[int] | None:
    """Indices of the wanted classes, each once, in order (None: all), of an image with scores ``(K,)``.

    ``"top5"`` are the five best, ``"above:0.5"`` all of a higher score (the best one if there are none).

    A class that does not exist is a UsageError.
    """
    if wanted is None:
        return [int(scores.argmax())]
    names = _listed(wanted)
    if not names:
        raise UsageError("no class is named")
    if len(names) == 1:
        word = str(names[0]).strip()
        is_label = isinstance(names[0], str) and word in (labels or ())
        if word == "-1" or (word == "all" and not is_label):
            return None
        best = re.fullmatch(r"top(\d{1,18})", word)
        if best and not is_label:
            count = int(best.group(1))
            if not 1 <= count <= len(scores):
                raise UsageError(f"there are no {count} best classes: the model has {len(scores)}")
            return [int(index) for index in np.argsort(-scores, kind="stable")[:count]]
        least = re.fullmatch(r"above:(\S+)", word)
        if least and not is_label:
            return classes_above(_share(least.group(1)), scores)
    found = find_classes(wanted if isinstance(wanted, str) else names, labels, len(scores))
    return list(dict.fromkeys(found))


def classes_above(least: float, scores: NDArray[np.float32]) -> list[int]:
    """The classes with scores ``(K,)`` above a number, the highest first; else the best one."""
    ordered = [int(index) for index in np.argsort(-scores, kind="stable")]
    return [index for index in ordered if scores[index] > least] or ordered[:1]


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"'above:{text}' names no number, as in above:0.5") from None


def _listed(wanted: int | str | Sequence[int | str] | NDArray[np.integer]) -> list[int | str]:
    several = isinstance(wanted, Sequence | np.ndarray) and not isinstance(wanted, str)
    return [_plain(name) for name in (wanted if several else [wanted])]  # type: ignore[union-attr]


def _plain(name: object) -> int | str:
    if isinstance(name, str):
        return str(name)
    if isinstance(name, int | np.integer) and not isinstance(name, bool):
        return int(name)
    raise UsageError(f"a class is named by its index or its label, and not by {name!r}")


def checked_labels(labels: Sequence[str] | None, count: int) -> tuple[str, ...] | None:
    """The labels, if there are any; a UsageError unless there is one per class."""
    if isinstance(labels, str):  # which is a sequence of characters
        raise UsageError("labels are a list, one per class, and not one text")
    if labels is not None and len(labels) != count:
        empty = sum(not label.strip() for label in labels)
        some = f" ({empty} of them empty)" if empty else ""
        raise UsageError(f"{len(labels)} labels{some} do not name {count} classes")
    return None if labels is None else tuple(labels)
