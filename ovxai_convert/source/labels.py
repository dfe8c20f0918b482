"""Names of classes: read from a file, and the classes found that a user calls by them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import ModelReadError, UsageError, did_you_mean
from ovxai_convert.files import read_text
from ovxai_convert.vocabulary import index_in

Targets: TypeAlias = int | str | Sequence[int | str] | NDArray[np.integer] | None
"""Classes by index or label; -1 or ``"all"``: every one; ``"top5"``: the five best; None: the best."""


_MOST_LABELS, _LONGEST_LABEL, _MOST_BYTES = 1_000_000, 1000, 256 * 2**20


def find_class(wanted: int | str, labels: Sequence[str] | None, count: int) -> int:
    """Index of a class called by its label, which wins, or its index; a UsageError if not exactly one."""
    if labels is not None and wanted in labels:
        if list(labels).count(str(wanted)) > 1:
            raise UsageError(f"several classes are labelled '{wanted}'; name its index")
        return list(labels).index(str(wanted))
    index = index_in(wanted) if isinstance(wanted, str) else wanted
    if index is not None:
        if not 0 <= index < count:
            raise UsageError(f"no class {wanted}: the model has {count}, 0 to {count - 1}")
        return index
    if labels is None:
        raise UsageError(f"no class '{wanted}': the model has no labels; name classes by index")
    raise UsageError(f"no class labelled '{wanted}'{did_you_mean(str(wanted), labels)}")


def resolve_targets(
    wanted: Targets, labels: Sequence[str] | None, scores: NDArray[np.float32]
) -> list[int] | None:
    """Indices of the wanted classes, each once, in order (None: all), of an image with scores ``(K,)``.

    ``"top5"`` are the five best, ``"above:0.5"`` all of a higher score (the best one if there are none).

    A class that does not exist is a UsageError.
    """
    if wanted is None:
        return [int(scores.argmax())]
    several = isinstance(wanted, Sequence | np.ndarray) and not isinstance(wanted, str)
    names = [_plain(name) for name in (wanted if several else [wanted])]  # type: ignore[union-attr]
    if not names:
        raise UsageError("no class is named")
    if len(names) == 1:
        if names[0] in (-1, "-1") or (names[0] == "all" and "all" not in (labels or ())):
            return None
        best = re.fullmatch(r"top(\d{1,18})", str(names[0]))
        if best and names[0] not in (labels or ()):
            count = int(best.group(1))
            if not 1 <= count <= len(scores):
                raise UsageError(f"there are no {count} best classes: the model has {len(scores)}")
            return [int(index) for index in np.argsort(-scores, kind="stable")[:count]]
        least = re.fullmatch(r"above:(\S+)", str(names[0]))
        if least and names[0] not in (labels or ()):
            return classes_above(_share(least.group(1)), scores)
    return list(dict.fromkeys(find_class(name, labels, len(scores)) for name in names))


def classes_above(least: float, scores: NDArray[np.float32]) -> list[int]:
    """The classes with scores ``(K,)`` above a number, the highest first; else the best one."""
    ordered = [int(index) for index in np.argsort(-scores, kind="stable")]
    return [index for index in ordered if scores[index] > least] or ordered[:1]


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"'above:{text}' names no number, as in above:0.5") from None


def _plain(name: object) -> int | str:
    if isinstance(name, str):
        return str(name)
    if isinstance(name, int | np.integer) and not isinstance(name, bool):
        return int(name)
    raise UsageError(f"a class is named by its index or its label, and not by {name!r}")


def checked_labels(labels: Sequence[str] | None, count: int) -> tuple[str, ...] | None:
    """The labels, if there are any; a UsageError unless there is one per class."""
    if labels is not None and len(labels) != count:
        raise UsageError(f"{len(labels)} labels do not name {count} classes")
    return None if labels is None else tuple(labels)


def read_labels(path: Path) -> tuple[str, ...]:
    """Labels from class 0 on, of a text file (one per line) or a JSON list; others are a ModelReadError."""
    labels = _read_labels(path)
    if len(labels) > _MOST_LABELS or max(map(len, labels), default=0) > _LONGEST_LABEL:
        most = f"{_MOST_LABELS} labels of {_LONGEST_LABEL} characters"
        raise ModelReadError(f"{path}: not a list of labels: more, or longer ones, than {most}")
    if any("\ud800" <= character <= "\udfff" for label in labels for character in label):
        raise ModelReadError(f"{path}: not a list of labels: one is no text (it holds half a character)")
    return labels


def _read_labels(path: Path) -> tuple[str, ...]:
    text = read_text(path, "list of labels", _MOST_BYTES)
    if path.suffix.lower() != ".json":
        return tuple(line.strip() for line in text.rstrip().splitlines())
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelReadError(f"{path}: not a list of labels: no JSON ({error})") from error
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ModelReadError(f"{path}: not a list of labels: a JSON list of texts is one")
    return tuple(labels)
