"""One image's explanation: which of its classes, what an engine observes of them, and how that is shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import Refusal, RefusedError
from ovxai_convert.explain.engines import Engine
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.explain.found_boxes import drawn_boxes, in_photograph
from ovxai_convert.explain.observation import BoxesWanted, Choose, Observation
from ovxai_convert.explain.predictions import Prediction, answered_classes
from ovxai_convert.explain.samples import Sample
from ovxai_convert.photographs.given import in_order
from ovxai_convert.pictures.captions import captions_of, within_0_and_1
from ovxai_convert.pictures.rendering import Rendering, rendered
from ovxai_convert.source.answers import Answer
from ovxai_convert.source.labels import Targets, checked_labels, resolve_targets


def chosen_by(
    wanted: Targets, names: tuple[str, ...] | None, answer: Answer | None, boxes: BoxesWanted = None
) -> Choose:
    """From the scores of a sample to the classes to explain: those that are wanted, else the answer."""

    def choose(scores: NDArray[np.float32]) -> list[int] | None:
        checked_labels(names, len(scores))
        if wanted is None:
            return answered_classes(scores, answer)
        return resolve_targets(wanted, names, scores)

    return Choose(choose, boxes)


def explained(
    sample: Sample,
    engine: Engine,
    choose: Choose,
    names: tuple[str, ...] | None,
    rendering: Rendering,
    *,
    shares: bool,
    spatial_axes: tuple[int, int] = (1, 2),
) -> Explanation:
    """One image's explanation; a RefusedError where the model itself gives no numbers.

    ``shares``: whether scores in 0 to 1 are taken for probabilities; ``spatial_axes``: rows and columns of a
    sample, without its batch axis.
    """
    seen = engine.observe(sample.values, choose)
    if seen.refusal is not None:
        raise RefusedError([seen.refusal])
    scores, maps = seen.scores, seen.maps
    if not np.isfinite(scores.max()):
        word = "NaN" if np.isnan(scores).any() else "infinite scores"
        raise RefusedError(
            [Refusal(f"the model itself gives {word} for this image; there is nothing to explain")]
        )
    of_boxes = _of_boxes(seen)
    indices = [target for target in maps if isinstance(target, int)]
    indices = (
        indices or list(dict.fromkeys(label for label, _ in of_boxes.values())) or [int(scores.argmax())]
    )
    scored = {index: Prediction(index, float(scores[index])) for index in indices}
    captions = captions_of(
        maps,
        {index: score for index, (_, score) in scored.items()},
        names,
        rendering.colours,
        are_shares=shares and within_0_and_1(scores),
        of_boxes=of_boxes,
    )
    drawn = drawn_boxes(seen, sample.values, spatial_axes)
    pictures = {
        target: in_order(each, sample.order)
        for target, each in rendered(maps, rendering, sample.scene, captions, drawn).items()
    }
    return Explanation(
        pictures,
        engine.method,
        scored,
        names,
        maps,
        engine.refusals,
        captions,
        colour=sample.order,
        notes=sample.notes,
        scores=scores,
        target_layer=engine.target_layer,
        detections=None if seen.found is None else in_photograph(seen.found, sample, spatial_axes),
        boxes=dict(seen.boxes),
    )


def _of_boxes(seen: Observation) -> dict[str, tuple[int, float]]:
    """The class and score of each box that has a map of its own."""
    found = seen.found
    if found is None:
        return {}
    numbers = {target: seen.boxes[target][0] for target in seen.maps if isinstance(target, str)}
    return {name: (int(found.labels[place]), float(found.scores[place])) for name, place in numbers.items()}
