"""What is asked of an evaluation: which measures, of which classes, in how many steps, against what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ovxai_convert.errors import did_you_mean, no_such_value
from ovxai_convert.evaluation.canvases import COVERS
from ovxai_convert.evaluation.measures import METRICS
from ovxai_convert.explain.baselines import BASELINES, RANDOM_MAPS

TRUTH: Final = "truth"
"""In place of classes: those that the photograph is said to show."""
MEASURED_STEPS: Final = 32
"""Of a curve, beside its start."""
_MOST_STEPS: Final = 5000


@dataclass(frozen=True)
class Inquiry:
    """What is to be measured.

    Attributes:
        metrics: names of what can be asked for, see :data:`~ovxai_convert.evaluation.measures.METRICS`.
        targets: classes as ``Explainer`` takes them in one text; ``"truth"``: those that the boxes of a
            photograph, or the name of its folder, say; None: the model's answer.
        steps: points of a curve beside its start; of inputs with fewer pixels, as many as there are.
        cover: what pixels are covered with, one of ``COVERS``.
        margin: by how many pixels of the photograph boxes are made larger.
        any_box: whether boxes of every label count, whatever class is explained.
        baselines: maps that know nothing, one or both of ``BASELINES``, or none.
        random_maps: how many random maps a photograph has.
        seed: of the random maps.

    Raises:
        UsageError: what does not exist; a number that makes no sense.
    """

    metrics: Sequence[str] = ("deletion", "insertion", "adcc")
    targets: str | None = None
    steps: int = MEASURED_STEPS
    cover: str = COVERS[0]
    margin: float = 0
    any_box: bool = False
    baselines: Sequence[str] = BASELINES
    random_maps: int = RANDOM_MAPS
    seed: int = 0

    def __post_init__(self) -> None:
        kinds = (("metrics", self.metrics, METRICS), ("baselines", self.baselines, BASELINES))
        for name, given, known in (*kinds, ("cover", [self.cover], COVERS)):
            for word in given:
                if word not in known:
                    near = did_you_mean(word, known) or f"; there are {', '.join(known)}"
                    raise no_such_value(name, f"has no '{word}'{near}")
        if not self.metrics:
            raise no_such_value("metrics", "names none")
        if self.steps > _MOST_STEPS:
            raise no_such_value("steps", f"must be at most {_MOST_STEPS}, not {self.steps}")
        for name in ("steps", "random_maps"):
            if getattr(self, name) < 1:
                raise no_such_value(name, f"must be at least 1, not {getattr(self, name)}")
        for name in ("margin", "seed"):
            if getattr(self, name) < 0:
                raise no_such_value(name, f"must not be negative, as {getattr(self, name)} is")

    def wants(self, metric: str) -> bool:
        """Whether something is asked for."""
        return metric in self.metrics
