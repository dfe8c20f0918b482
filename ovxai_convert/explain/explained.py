"""One image's explanation: which of its classes, what an engine observes of them, and how that is shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ovxai_convert.errors import Refusal, RefusedError
from ovxai_convert.explain.engines import Engine
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.explain.observation import Choose
from ovxai_convert.explain.predictions import Prediction, answered_classes
from ovxai_convert.explain.samples import Sample
from ovxai_convert.photographs.given import in_order
from ovxai_convert.pictures.captions import captions_of, within_0_and_1
from ovxai_convert.pictures.rendering import Rendering, rendered
from ovxai_convert.source.answers import Answer
from ovxai_convert.source.labels import Targets, checked_labels, resolve_targets


def chosen_by(wanted: Targets, names: tuple[str, ...] | None, answer: Answer | None) -> Choose:
    """From the scores of a sample to the classes to explain: those that are wanted, else the answer."""

    def choose(scores: NDArray[np.float32]) -> list[int] | None:
        checked_labels(names, len(scores))
        if wanted is None:
            return answered_classes(scores, answer)
        return resolve_targets(wanted, names, scores)

    return choose


def explained(
    sample: Sample,
    engine: Engine,
    choose: Choose,
    names: tuple[str, ...] | None,
    rendering: Rendering,
    *,
    shares: bool,
) -> Explanation:
    """One image's explanation; a RefusedError where the model itself gives no numbers.

    ``shares``: whether scores in 0 to 1 are taken for probabilities.
    """
    scores, maps = engine.observe(sample.values, choose)
    if not np.isfinite(scores.max()):
        word = "NaN" if np.isnan(scores).any() else "infinite scores"
        raise RefusedError(
            [Refusal(f"the model itself gives {word} for this image; there is nothing to explain")]
        )
    indices = [target for target in maps if isinstance(target, int)] or [int(scores.argmax())]
    scored = {index: Prediction(index, float(scores[index])) for index in indices}
    captions = captions_of(
        maps,
        {index: score for index, (_, score) in scored.items()},
        names,
        rendering.colours,
        are_shares=shares and within_0_and_1(scores),
    )
    pictures = {
        target: in_order(each, sample.order)
        for target, each in rendered(maps, rendering, sample.scene, captions).items()
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
    )
