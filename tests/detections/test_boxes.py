from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ovxai_convert.detections.boxes import Detections, best_by_class, iou, nms
from ovxai_convert.errors import ModelReadError
from tests.detections.definitions import overlap, overlap_of_pixels, suppressed

EXTENT = 24
edge = st.integers(0, EXTENT)
pixel_box = st.tuples(edge, edge, edge, edge)


def some(count: int, seed: int, labels: int = 3) -> Detections:
    """Boxes that overlap a good deal, with many equal scores."""
    random = np.random.default_rng(seed)
    corner = random.integers(0, 12, (count, 2))
    boxes = np.concatenate([corner, corner + random.integers(1, 12, (count, 2))], 1).astype(np.float32)
    scores = (random.integers(0, 8, count) / 8).astype(np.float32)
    return Detections(boxes, scores, random.integers(0, labels, count))


def as_boxes(*boxes: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(boxes, np.float32).reshape(-1, 4)


@given(pixel_box, pixel_box)
def test_overlap_is_that_of_counted_pixels(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    found = iou(as_boxes(a), as_boxes(b))
    assert found.shape == (1, 1)
    assert found[0, 0] == pytest.approx(overlap_of_pixels(a, b, EXTENT), abs=1e-6)


def test_every_box_meets_every_box() -> None:
    a, b = some(7, 0).boxes, some(11, 1).boxes
    expected = [[overlap(one, other) for other in b] for one in a]
    found = iou(a, b)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(iou(b, a), found.T, atol=1e-6)
    np.testing.assert_allclose(np.diag(iou(a, a)), 1, atol=1e-6)
    assert abs(iou(a, b + np.array([1, 0, 1, 0])) - found).max() > 0.1


@pytest.mark.parametrize("a", [0, 3])
@pytest.mark.parametrize("b", [0, 2])
def test_no_boxes_overlap_nothing(a: int, b: int) -> None:
    assert iou(np.zeros((a, 4), np.float32), np.ones((b, 4), np.float32)).shape == (a, b)


def test_boxes_that_are_none_or_huge() -> None:
    turned, dot, huge = (5, 5, 1, 1), (2, 2, 2, 2), (-3e38, -3e38, 3e38, 3e38)
    found = iou(as_boxes(turned, dot, huge), as_boxes((0, 0, 9, 9), huge))
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[:2], 0)
    assert found[2, 1] == pytest.approx(1)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 25),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.sampled_from([0.0, 0.25, 0.9]),
    st.sampled_from([0, 1, 3, 100]),
)
def test_suppression_is_that_by_hand(
    count: int, seed: int, overlapping: float, least: float, most: int
) -> None:
    detections = some(count, seed)
    found = nms(detections, overlapping, least, most)
    kept = suppressed(detections, overlapping, least, most)
    for name in ("boxes", "scores", "labels"):
        np.testing.assert_array_equal(getattr(found, name), getattr(detections, name)[kept])


def test_all_parts_are_kept_along_in_arrays_of_their_own() -> None:
    plain = some(9, 4)
    random = np.random.default_rng(0)
    detections = Detections(
        plain.boxes,
        plain.scores,
        plain.labels,
        random.random((9, 5), np.float32),
        random.random(9, np.float32),
    )
    found = nms(detections, 0.3, 0.0)
    kept = suppressed(detections, 0.3, 0.0, 100)
    for name in ("boxes", "scores", "labels", "class_scores", "objectness"):
        np.testing.assert_array_equal(getattr(found, name), getattr(detections, name)[kept])
        assert not np.shares_memory(getattr(found, name), getattr(detections, name))


def test_labels_and_order_matter() -> None:
    boxes = as_boxes((0, 0, 10, 10), (0, 0, 10, 9), (0, 0, 9, 9))
    scores = np.array([0.5, 0.9, 0.7], np.float32)

    def kept(labels: list[int]) -> list[float]:
        return [float(score) for score in nms(Detections(boxes, scores, np.array(labels))).scores]

    assert kept([0, 0, 0]) == pytest.approx([0.9])
    assert kept([0, 1, 0]) == pytest.approx([0.9, 0.7])
    assert kept([0, 1, 2]) == pytest.approx([0.9, 0.7, 0.5])


def test_what_overlaps_by_just_the_threshold_is_kept() -> None:
    half = Detections(
        as_boxes((0, 0, 2, 1), (0, 0, 1, 1)), np.array([0.9, 0.8], np.float32), np.zeros(2, int)
    )
    assert len(nms(half, 0.5)) == 2
    assert len(nms(half, 0.49)) == 1


def test_best_score_of_each_class() -> None:
    detections = some(40, 3)
    expected = [max([0.0, *detections.scores[detections.labels == label]]) for label in range(5)]
    found = best_by_class(detections, 5)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(best_by_class(some(0, 0), 2), [0, 0])


def test_a_label_beyond_the_classes_is_refused() -> None:
    with pytest.raises(ModelReadError, match="class 2, where there are 2 classes, 0 to 1"):
        best_by_class(some(40, 3), 2)
