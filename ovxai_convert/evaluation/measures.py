"""The measures of an evaluation: what each is called, which way is better, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Measure:
    """One number for a map.

    Attributes:
        name: as in tables.
        title: as people read it.
        higher_is_better: else lower is.
        is_share: whether it is 1 or 0 for most maps, so that its mean is a share of hits.
        tells: in one sentence.
    """

    name: str
    title: str
    higher_is_better: bool
    is_share: bool
    tells: str


_ALL: Final = (
    Measure(
        "deletion",
        "Deletion",
        False,
        False,
        "Area under the class's score while the map's highest pixels are covered one after the other.",
    ),
    Measure(
        "insertion",
        "Insertion",
        True,
        False,
        "Area under the class's score while the map's highest pixels are shown one after the other.",
    ),
    Measure(
        "pointing",
        "Pointing game",
        True,
        True,
        "How often the map's highest point lies in a box of the class.",
    ),
    Measure("adcc", "ADCC", True, False, "Harmonic mean of coherency, 1 - complexity and 1 - average drop."),
    Measure(
        "average_drop",
        "Average drop",
        False,
        False,
        "Share of the score that is lost where only what the map shows is seen.",
    ),
    Measure(
        "coherency",
        "Coherency",
        True,
        False,
        "How alike the map is to that of what it shows: 1 the same, 0.5 unrelated, 0 reversed.",
    ),
    Measure(
        "complexity",
        "Complexity",
        False,
        False,
        "Mean of the map, of 0 to 1: how much of the photograph it marks.",
    ),
)
MEASURES: Final[Mapping[str, Measure]] = {measure.name: measure for measure in _ALL}
"""All measures by name, in the order in which they are shown."""
METRICS: Final[Mapping[str, tuple[str, ...]]] = {
    "deletion": ("deletion",),
    "insertion": ("insertion",),
    "pointing": ("pointing",),
    "adcc": ("adcc", "average_drop", "coherency", "complexity"),
}
"""What can be asked for, and the measures that come of it."""
