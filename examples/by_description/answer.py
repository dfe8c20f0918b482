"""From the outputs to one class and its map: `scores` and `saliency_map`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from by_description.photograph import Array, Json


def read_probabilities(description: Json, results: Any, count: int) -> dict[int, float]:
    """Probability by class, of the first sample; where the model names only the best, 1 / place."""
    scores = description["scores"]
    index = next(each["index"] for each in description["outputs"] if each["name"] == scores["output"])
    values = np.asarray(results[index]).reshape(count, -1)[0]
    if scores["probabilities"] == "rank":
        return {int(each): 1.0 / (1 + place) for place, each in enumerate(values)}
    values = values.astype(np.float64)
    if scores["probabilities"] == "exp":
        values = np.exp(values)
    elif scores["probabilities"] == "sigmoid":
        values = sigmoid(values)
    elif scores["probabilities"] == "softmax":
        values = values if is_distribution(values) else softmax(values)
    elif scores["probabilities"] == "groups":
        values = by_groups(values, scores["groups"])
    if scores.get("meaning") == "binary":
        values = np.array([1 - values[0], values[0]])
    return dict(enumerate(values.tolist()))


def sigmoid(values: Array) -> Array:
    """1 / (1 + e^-x) of each."""
    return np.exp(-np.logaddexp(0, -values))


def softmax(values: Array) -> Array:
    """e^x over the sum of all."""
    powers: Array = np.exp(values - values.max())
    powers /= powers.sum()
    return powers


def is_distribution(values: Array) -> bool:
    """Whether numbers are not negative and add up to 1."""
    return bool(values.min() >= 0 and abs(values.sum() - 1) <= 1e-3)


def by_groups(values: Array, groups: Sequence[tuple[int, int]]) -> Array:
    """The softmax of each group and the sigmoid of the others; all stay where they are that already."""
    alone = np.ones(len(values), bool)
    for first, behind in groups:
        alone[first:behind] = False
    shares = bool(((values[alone] >= 0) & (values[alone] <= 1)).all())
    if shares and all(is_distribution(values[first:behind]) for first, behind in groups):
        return values
    found = sigmoid(values)
    for first, behind in groups:
        found[first:behind] = softmax(values[first:behind])
    return found


def choose(
    description: Json, results: Any, probability: Mapping[int, float], wanted: str | None
) -> tuple[int, Array]:
    """The class that is wanted, or else the most probable that has a map; and its map, [h, w]."""
    saliency = description["saliency_map"]
    maps = np.asarray(results[saliency["index"]])[0]
    if "class" not in saliency["axes"]:
        classes = None  # one map for all
    elif description["scores"].get("meaning") == "binary":
        classes, maps = [0, 1], np.stack([turned_round(maps[0]), maps[0]])
    elif saliency["classes"] == "all":
        classes = list(range(description["scores"]["class_count"]))
    elif "top_k" in saliency["classes"]:
        classes = results[description["saliency_classes"]["index"]][0].tolist()
    else:
        classes = saliency["classes"]["indices"]
    if wanted is not None:
        chosen = named(description, wanted)
    else:
        chosen = max(classes or probability, key=lambda each: probability.get(each, 0.0))
    if classes is None:
        return chosen, maps
    if chosen not in classes:
        sys.exit(f"there is no map of class {chosen}, only of {', '.join(map(str, classes))}")
    return chosen, maps[classes.index(chosen)]


def turned_round(grid: Array) -> Array:
    """The map of no, of that of yes; one that is the same everywhere stays."""
    if grid.dtype != np.uint8:
        return -grid
    return 255 - grid if np.ptp(grid) else grid


def named(description: Json, wanted: str) -> int:
    """A class by its label or its index."""
    labels = description["labels"] or []
    if wanted in labels:
        return int(labels.index(wanted))
    count = 2 if description["scores"].get("meaning") == "binary" else description["scores"]["class_count"]
    if wanted.isdecimal() and int(wanted) < count:
        return int(wanted)
    sys.exit(f"there is no class {wanted}")
