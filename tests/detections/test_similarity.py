from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ovxai_convert.detections.boxes import Detections
from ovxai_convert.detections.similarity import SimilarityScores, similarities
from tests.detections.answers import given
from tests.detections.definitions import found_again


def crowd(count: int, seed: int, classes: int = 4, empty: float = 0.0) -> Detections:
    """Boxes of which many overlap; a share of them has no score for any class."""
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 40, (count, 2))
    boxes = np.concatenate([corner, corner + random.uniform(1, 30, (count, 2))], 1).astype(np.float32)
    scores = (random.random((count, classes)) ** 3).astype(np.float32)
    scores[random.random(count) < empty] = 0
    objectness = random.random(count).astype(np.float32)
    return Detections(boxes, scores.max(1), scores.argmax(1), scores, objectness)


def without(detections: Detections, *parts: str) -> Detections:
    return Detections(
        detections.boxes,
        detections.scores,
        detections.labels,
        None if "class_scores" in parts else detections.class_scores,
        None if "objectness" in parts else detections.objectness,
    )


@settings(deadline=None, max_examples=80)
@given_by(
    st.integers(0, 4),
    st.integers(0, 60),
    st.integers(0, 10**6),
    st.sampled_from([(), ("objectness",), ("class_scores",), ("class_scores", "objectness")]),
    st.sampled_from([0.0, 0.6]),
)
def test_likeness_is_that_of_the_definition(
    targets: int, proposals: int, seed: int, lacking: tuple[str, ...], empty: float
) -> None:
    wanted, found = crowd(targets, seed), without(crowd(proposals, seed + 1, empty=empty), *lacking)
    result = similarities(wanted, found)
    assert result.dtype == np.float32
    assert result.shape == (targets,)
    np.testing.assert_allclose(result, found_again(wanted, found), atol=2e-6)


def test_targets_without_scores_of_classes_are_compared_by_label() -> None:
    wanted, found = without(crowd(4, 1), "class_scores"), crowd(50, 2)
    np.testing.assert_allclose(similarities(wanted, found), found_again(wanted, found), atol=2e-6)


def test_numbers_in_columns_are_read_alike() -> None:
    wanted, found = crowd(3, 1), crowd(200, 2)
    turned = replace(
        found,
        boxes=np.asfortranarray(found.boxes),
        class_scores=np.asfortranarray(given(found.class_scores)),
    )
    np.testing.assert_allclose(similarities(wanted, turned), similarities(wanted, found), atol=1e-6)


def test_a_box_that_is_found_again_unchanged_has_its_objectness() -> None:
    wanted = crowd(20, 5).taken(np.array([3]))
    assert similarities(wanted, wanted)[0] == pytest.approx(given(wanted.objectness)[0], abs=1e-6)
    certain = replace(wanted, objectness=np.ones(1, np.float32))
    assert similarities(wanted, certain)[0] == pytest.approx(1, abs=1e-6)


def test_the_targets_own_objectness_and_score_play_no_part() -> None:
    wanted, found = crowd(4, 1), crowd(50, 2)
    other = replace(wanted, objectness=None, scores=wanted.scores / np.float32(9))
    np.testing.assert_array_equal(similarities(other, found), similarities(wanted, found))


def test_every_factor_is_felt() -> None:
    wanted = crowd(1, 1)
    found = replace(wanted, objectness=np.array([0.8], np.float32))
    whole = similarities(wanted, found)[0]
    moved = replace(found, boxes=found.boxes + np.float32(3))
    doubtful = replace(found, objectness=np.array([0.4], np.float32))
    other = replace(found, class_scores=given(found.class_scores)[:, ::-1])
    assert similarities(wanted, doubtful)[0] == pytest.approx(whole / 2)
    for worse in (moved, other):
        assert similarities(wanted, worse)[0] < 0.9 * whole
    longer = replace(found, class_scores=given(found.class_scores) * np.float32(0.01))
    assert similarities(wanted, longer)[0] == pytest.approx(whole, rel=1e-5), "a cosine has no length"


def test_without_objectness_a_proposal_that_is_sure_of_nothing_counts_for_nothing() -> None:
    """A detector of one stage has a box everywhere, whose scores still point where the target's do."""
    wanted = without(crowd(1, 1), "objectness")
    gone = replace(
        wanted,
        class_scores=given(wanted.class_scores) * np.float32(1e-3),
        scores=wanted.scores * np.float32(1e-3),
    )
    assert similarities(wanted, gone)[0] == pytest.approx(1e-3 * similarities(wanted, wanted)[0], rel=1e-4)


def test_numbers_that_are_no_scores_do_no_harm() -> None:
    """No warning, and no likeness that is not a number, of what a model gives in the wrong place."""
    wanted, found = crowd(2, 1), crowd(50, 2)
    huge = given(found.class_scores).copy()
    huge[::2], huge[1::2] = 3e38, -3e38
    likely = similarities(
        replace(wanted, class_scores=np.full((2, 4), 0.9, np.float32)), replace(found, class_scores=huge)
    )
    assert np.isfinite(likely).all()
    assert (likely <= 1).all()


def test_the_best_proposal_counts_and_not_the_first_or_all() -> None:
    wanted, found = crowd(1, 1), crowd(60, 2)
    alone = [similarities(wanted, found.taken(np.array([index])))[0] for index in range(60)]
    assert similarities(wanted, found)[0] == pytest.approx(max(alone))
    assert sorted(alone)[-2] > 0
    assert np.argmax(alone) != 0


def test_no_proposals_and_no_targets() -> None:
    np.testing.assert_array_equal(similarities(crowd(3, 0), crowd(0, 1)), [0, 0, 0])
    assert similarities(crowd(0, 0), crowd(3, 1)).shape == (0,)


def test_scores_of_samples() -> None:
    wanted, pictures = crowd(3, 0), [crowd(30, 1), crowd(0, 2), crowd(20, 3)]
    asked: list[tuple[Any, tuple[int, int], int]] = []

    def read(results: Mapping[Any, NDArray[Any]], size: tuple[int, int], samples: int) -> list[Detections]:
        asked.append((results, size, samples))
        return pictures

    results: dict[Any, NDArray[Any]] = {}
    scores = SimilarityScores(wanted, read, (64, 32))(results, 3)
    assert asked == [(results, (64, 32), 3)]
    np.testing.assert_array_equal(scores, [similarities(wanted, each) for each in pictures])
    assert scores.shape == (3, 3)
