"""The old measures of maps, by their definitions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, Explanation, Method, UsageError
from ovxai_convert.ancestor.processing import softmax
from ovxai_convert.ancestor.quality import ADCC, InsertionDeletionAUC, PointingGame
from tests.running import compile_f32

RANDOM: Final = np.random.default_rng(0)
PICTURES: Final = [RANDOM.integers(0, 256, (10, 14, 3), np.uint8) for _ in range(2)]
LABELS: Final = ["a", "b", "c"]


def prepare(picture: Any) -> Any:
    return ((np.asarray(picture, np.float32) - 128) / 64).transpose(2, 0, 1)[np.newaxis]


def read(results: Any) -> Any:
    return softmax(results["output"])


def probabilities(picture: Any) -> Any:
    return read(compile_f32(cnn(CnnSpec()))([prepare(picture)]))[0]


def explained(targets: Any = -1, method: Method | None = None) -> list[Explanation]:
    explainer = Explainer(cnn(CnnSpec()), preprocess_fn=prepare, explain_method=method)
    found = [explainer(each, targets, colormap=False, label_names=LABELS) for each in PICTURES]
    return [each for each in found if isinstance(each, Explanation)]


def area(scores: list[float]) -> float:
    return float(np.mean((np.array(scores[1:]) + scores[:-1]) / 2))


def test_insertion_and_deletion() -> None:
    metric = InsertionDeletionAUC(cnn(CnnSpec()), prepare, read)
    saliency = RANDOM.permutation(140).reshape(10, 14).astype(np.float32)
    shown, covered = [], []
    for count in range(0, 141, 14):
        seen = saliency >= 140 - count
        shown.append(float(probabilities(PICTURES[0] * seen[..., None])[1]))
        covered.append(float(probabilities(PICTURES[0] * ~seen[..., None])[1]))
    found = metric(saliency, 1, PICTURES[0], steps=10)
    assert found == pytest.approx({"insertion": area(shown), "deletion": area(covered)}, rel=1e-4)
    assert found["insertion"] != pytest.approx(found["deletion"])
    best = int(probabilities(PICTURES[0]).argmax())
    assert metric(saliency, None, PICTURES[0], 10) == metric(saliency, best, PICTURES[0], 10)


@pytest.mark.parametrize("method", [None, Method.ACTIVATIONMAP])
def test_means_over_maps(method: Method | None) -> None:
    metric, explanations = InsertionDeletionAUC(cnn(CnnSpec()), prepare, read), explained(method=method)
    found = metric.evaluate(explanations, PICTURES, steps=7)
    each = [
        metric(saliency, target if isinstance(target, int) else None, picture, 7)
        for explanation, picture in zip(explanations, PICTURES, strict=True)
        for target, saliency in explanation.saliency_map.items()
    ]
    assert len(each) == (6 if method is None else 2)
    for name in ("insertion", "deletion"):
        assert found[name] == pytest.approx(np.mean([measures[name] for measures in each]))
    assert found["delta"] == pytest.approx(found["insertion"] - found["deletion"])


def test_pointing_game() -> None:
    play = PointingGame()
    saliency = np.zeros((10, 14), np.uint8)
    saliency[3, 8] = 255
    assert play(saliency, [(8, 3, 0, 0)]) == {"pointing_game": 1.0}
    assert play(saliency, [(0, 0, 2, 2), (7, 1, 2, 2)]) == {"pointing_game": 1.0}
    assert play(saliency, [(3, 8, 1, 1)]) == {"pointing_game": 0.0}
    assert play(saliency, []) == {"pointing_game": 0.0}
    explanations = explained()
    row, column = np.unravel_index(int(explanations[0].saliency_map[1].argmax()), (10, 14))
    hit, missed = (int(column), int(row), 0, 0), (-5, -5, 1, 1)
    assert play.evaluate(explanations, [{"b": [hit], "c": [missed]}, {}]) == {"pointing_game": 0.5}
    over_all = explained(method=Method.ACTIVATIONMAP)
    everywhere = [{"a": [missed], "b": [(0, 0, 14, 10)]}] * 2
    assert play.evaluate(over_all, everywhere) == {"pointing_game": 1.0}
    for boxes, message in (([{}, {}], "no map"), ([{"a": [hit]}], "2 explanations do not go with 1")):
        with pytest.raises(UsageError, match=message):
            play.evaluate(explanations, boxes)


def test_adcc_is_made_of_its_parts() -> None:
    explainer = Explainer(cnn(CnnSpec()), preprocess_fn=prepare)
    metric = ADCC(cnn(CnnSpec()), prepare, read, explainer)
    explanations = explained()
    saliency, picture = explanations[0].saliency_map[2], PICTURES[0]
    share = (saliency.astype(np.float64) - saliency.min()) / (int(saliency.max()) - int(saliency.min()))
    masked = picture * share[..., np.newaxis]
    again = explainer(masked, [2], colormap=False)
    assert isinstance(again, Explanation)
    before, after = probabilities(picture)[2], probabilities(masked)[2]
    expected = {
        "complexity": share.mean(),
        "average_drop": max(0.0, before - after) / before,
        "coherency": (np.corrcoef(share.ravel(), again.saliency_map[2].ravel())[0, 1] + 1) / 2,
    }
    found = metric(saliency, 2, picture)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-4), name
    parts = found["coherency"], 1 - found["complexity"], 1 - found["average_drop"]
    assert found["adcc"] == pytest.approx(3 / sum(1 / part for part in parts))
    assert metric.coherency(share, masked, 2, picture) == pytest.approx(found["coherency"])
    means = metric.evaluate(explanations, PICTURES)
    assert set(means) == {"adcc", *expected}
    assert means["complexity"] == pytest.approx(
        np.mean(
            [
                metric(each, index, image)["complexity"]
                for found, image in zip(explanations, PICTURES, strict=True)
                for index, each in found.saliency_map.items()
                if isinstance(index, int)
            ]
        )
    )


def test_a_constant_map_is_no_division_by_zero() -> None:
    metric = ADCC(cnn(CnnSpec()), prepare, read, Explainer(cnn(CnnSpec()), preprocess_fn=prepare))
    found = metric(np.zeros((10, 14), np.uint8), 0, PICTURES[0])
    assert found["coherency"] == 0.5
    assert all(np.isfinite(value) for value in found.values())


def test_scores_are_needed() -> None:
    with pytest.raises(UsageError, match="postprocess_fn"):
        InsertionDeletionAUC(cnn(CnnSpec()), prepare)
