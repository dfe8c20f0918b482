"""What is measured of the black-box methods: which explanations, and how much slower than the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.catalogue import CACHE

MODEL_KEY: Final = "efficientnet_lite0"
MODEL: Final = CACHE / f"{MODEL_KEY}.onnx"
PHOTOGRAPHS: Final = ("chelsea", "coffee")
"""All are explained, and their maps judged; the first is also what explaining is timed with."""
LEAST_PAIRS: Final = 3


@dataclass(frozen=True)
class Case:
    """One explanation.

    Attributes:
        key: its name in the JSON file.
        title: its name in the report.
        method: the method's name, which is the same on both sides.
        limit: the goal: time of ours / time of the device alone for as many evaluations.
        all_classes: maps of all classes and not of the predicted one. Their maps are not judged again.
        masks: how many masks; None for a method that has none.
        ancestor_masks: how many of them the ancestor is given, where all would take it too long; its time is
            one per mask, so that a ratio of time per evaluation hardly depends on it.
    """

    key: str
    title: str
    method: str
    limit: float
    all_classes: bool = False
    masks: int | None = None
    ancestor_masks: int | None = None


CASES: Final = (
    Case("rise", "RISE, 1000 masks, one class", "rise", 1.1, masks=1000, ancestor_masks=1000),
    Case(
        "rise_all",
        "RISE, 1000 masks, all 1000 classes",
        "rise",
        1.3,
        all_classes=True,
        masks=1000,
        ancestor_masks=100,
    ),
    Case("aise", "AISE, one class", "aise", 1.15),
)
"""All, in the order of the report. A further one is an entry here."""


def case_named(key: str) -> Case:
    """The case of a key."""
    return next(case for case in CASES if case.key == key)
