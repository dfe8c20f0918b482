"""The pointing game on planted scenes: `python -m benchmarks.detectors.pointing --scenes 100`.

A hit is a highest cell that lies in a box of its class (white-box), or in the box that is explained (D-RISE).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fixtures.planted_scenes import MODEL, Scene, scene
from ovxai_convert import Explainer, Explanation, RefusedError

FIRST_SEED: Final = 50_000
"""Of the scenes; no scene of the training was drawn with such a seed."""


@dataclass
class Hits:
    """How many maps were looked at, and how many point into a box."""

    of: int = 0
    hits: int = 0

    def add(self, saliency: NDArray[Any], boxes: NDArray[Any]) -> None:
        """Count a map of the picture's size; it must point into one of the boxes `[n, 4]` (two corners)."""
        row, column = np.unravel_index(saliency.argmax(), saliency.shape)
        x, y = column + 0.5, row + 0.5
        left, top, right, bottom = np.asarray(boxes).T
        self.of += 1
        self.hits += bool(((left <= x) & (x <= right) & (top <= y) & (y <= bottom)).any())

    def __str__(self) -> str:
        return f"{self.hits} of {self.of} ({100 * self.hits / max(self.of, 1):.1f} %)"


def _explained(explainer: Explainer, drawn: Scene, **wanted: Any) -> Explanation:
    found = explainer(drawn.picture, colour="rgb", colormap=False, **wanted)
    assert isinstance(found, Explanation), "one picture has one explanation"
    return found


def _of_classes(explainer: Explainer, drawn: Scene, hits: Hits) -> bool:
    """Whether every class in the scene is pointed at by its map."""
    found = _explained(explainer, drawn, targets="all")
    before = hits.of - hits.hits
    for kind in sorted(set(drawn.kinds.tolist())):
        hits.add(found.saliency_map[kind], drawn.boxes[drawn.kinds == kind])
    return hits.of - hits.hits == before


def _of_boxes(explainer: Explainer, drawn: Scene, hits: Hits) -> bool:
    """Whether the detector has found a box at all."""
    try:
        found = _explained(explainer, drawn, boxes="all")
    except RefusedError:
        return False
    assert found.detections is not None, "a detector's explanation tells its boxes"
    for key, saliency in found.saliency_map.items():
        hits.add(saliency, found.detections.boxes[found.boxes[key]])
    return True


def main() -> None:
    """Play both games, and print what was hit."""
    parser = argparse.ArgumentParser(description="Play the pointing game on planted scenes.")
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--masks", type=int, default=1000, help="of D-RISE; default: 1000")
    arguments = parser.parse_args()
    white = Explainer(MODEL, preprocessing="unit")
    black = Explainer(MODEL, preprocessing="unit", explain_mode="blackbox", num_masks=arguments.masks)
    classes, boxes, whole, seen = Hits(), Hits(), 0, 0
    for number in range(arguments.scenes):
        drawn = scene(np.random.default_rng(FIRST_SEED + number))
        whole += _of_classes(white, drawn, classes)
        seen += _of_boxes(black, drawn, boxes)
    print(f"classprobabilitymap: {classes} classes; every class of {whole} of {arguments.scenes} pictures")
    print(f"drise, {arguments.masks} masks: {boxes} boxes, in {seen} pictures")


if __name__ == "__main__":
    main()
