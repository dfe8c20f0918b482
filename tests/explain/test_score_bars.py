"""A picture shows a score as a part of a bar if it is a probability, whatever class output it comes from."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from ovxai_convert import Explainer, ExplainMode
from ovxai_convert.explain.explanation import Explanation
from tests.answers import ANSWERS, answering

NO_PROBABILITIES: Final = {"quantity", "never negative", "scaled sigmoid", "top 3"}
IMAGE: Final = np.random.default_rng(5).normal(size=(1, 3, 4, 6)).astype(np.float32)


def explained(explainer: Explainer, **options: Any) -> Explanation:
    explanation = explainer(IMAGE, targets="all", resize=False, **options)
    assert isinstance(explanation, Explanation)
    return explanation


@pytest.mark.filterwarnings("ignore::ovxai_convert.explain.explainer.AnswerWarning")
@pytest.mark.parametrize("kind", ANSWERS)
def test_every_kind_of_answer(kind: str) -> None:
    explanation = explained(Explainer(answering(kind)))
    for target, caption in explanation.captions.items():
        score = explanation.predictions[int(target)].score
        if kind in NO_PROBABILITIES:
            assert (caption.value, caption.share) == (f"{score:.4g}", None)
        else:
            assert caption.share == pytest.approx(score, abs=1e-6)
            assert caption.value in (f"{score:.2f}", "< 0.01", "> 0.99")


@pytest.mark.parametrize(("scores", "shares"), [([0.25, 0.75], [0.25, 0.75]), ([0.25, 7.5], [None, None])])
def test_scores_of_a_users_function(scores: list[float], shares: list[float | None]) -> None:
    """Numbers of which one lies outside 0 to 1 are no probabilities, and those within are none, either."""

    def postprocess_fn(results: Any) -> Any:
        return np.tile(scores, (len(next(iter(results.values()))), 1))

    explainer = Explainer(
        answering("logits"), postprocess_fn=postprocess_fn, explain_mode=ExplainMode.BLACKBOX
    )
    explanation = explained(explainer, num_masks=8)
    assert [caption.share for caption in explanation.captions.values()] == shares
