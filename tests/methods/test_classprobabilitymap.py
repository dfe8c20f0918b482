"""Class probability maps of detectors in the forms of many families, each held to its plain definition."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_assembly import UNTOLD, Told
from ovxai_convert.insertion.insert import insert_branch
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods.method import ClassSelection
from tests.detectors import (
    CLASSES,
    DENSE,
    Detector,
    anchor_free,
    darknet,
    feed,
    joined,
    one_place,
    raw_anchors,
    sigmoid,
)
from tests.oracle import Floats, assert_grey_levels_equal, assert_maps_equal
from tests.running import assert_originals_kept, run

LABELS = tuple("abc")


def inserted(detector: Detector, told: Told = UNTOLD, **request: object) -> Insertion:
    found = insert_branch(Anatomy(detector.model), Request(detector=told, **request))  # type: ignore[arg-type]
    assert isinstance(found, Insertion), found
    return found


def maps_of(detector: Detector, insertion: Insertion, batch: int = 1) -> Floats:
    """The maps of random images, while the outputs stay as they are."""
    inputs = feed(detector, batch)
    before, after = run(detector.model, inputs), run(insertion.model, inputs)
    assert_originals_kept(detector.model, insertion.model, before, after)
    return after[insertion.map_index]


@pytest.mark.parametrize("batch", [1, 3, None])
@pytest.mark.parametrize("form", DENSE)
def test_map_is_as_defined(form: str, batch: int | None) -> None:
    detector = DENSE[form](batch)
    insertion = inserted(detector, embed_scaling=False)
    target = insertion.place.target
    assert target.dense is not None
    assert len(target.dense.tensors) == detector.layers
    found = maps_of(detector, insertion, batch or 2)
    assert_maps_equal(found, detector.maps(feed(detector, batch or 2)))
    assert np.ptp(found, axis=(2, 3)).min() > 0, "a constant map is equal to anything"


@pytest.mark.parametrize("form", ["anchor_free", "anchor_based", "detection_output"])
def test_grey_levels_are_those_of_each_map(form: str) -> None:
    detector = DENSE[form](1)
    assert_grey_levels_equal(maps_of(detector, inserted(detector)), detector.maps(feed(detector)))


@pytest.mark.parametrize("form", ["anchor_free", "anchor_based", "decoupled", "detection_output"])
def test_chosen_classes_have_maps_of_their_own(form: str) -> None:
    detector = DENSE[form](1)
    insertion = inserted(detector, embed_scaling=False, selection=ClassSelection(indices=(2, 0)))
    assert_maps_equal(maps_of(detector, insertion), detector.maps(feed(detector))[:, [2, 0]])


@pytest.mark.parametrize("form", ["anchor_free", "decoupled"])
def test_the_best_classes_are_those_that_score_highest_anywhere(form: str) -> None:
    detector, batch = DENSE[form](3), 3
    insertion = inserted(detector, embed_scaling=False, selection=ClassSelection(top_k=2))
    inputs = feed(detector, batch)
    everything, results = detector.maps(inputs), run(insertion.model, inputs)
    found, classes = results[insertion.map_index], results[insertion.map_index + 1]
    best = np.argsort(-everything.max(axis=(2, 3)), axis=1)[:, :2]
    np.testing.assert_array_equal(classes, best)
    assert_maps_equal(found, np.take_along_axis(everything, best[..., np.newaxis, np.newaxis], axis=1))


def test_labels_tell_anchors_from_classes() -> None:
    detector = raw_anchors(2)
    insertion = inserted(detector, Told(labels=LABELS), embed_scaling=False)
    assert_maps_equal(maps_of(detector, insertion), detector.maps(feed(detector)))
    detector = one_place(2)
    insertion = inserted(detector, Told(labels=LABELS), embed_scaling=False)
    assert_maps_equal(maps_of(detector, insertion), detector.maps(feed(detector)))
    detector = darknet(2)
    insertion = inserted(detector, Told(labels=LABELS), embed_scaling=False)
    assert insertion.place.target.dense is not None
    assert insertion.place.target.dense.objectness == "beside"
    assert_maps_equal(maps_of(detector, insertion), detector.maps(feed(detector)))


def test_an_activation_that_is_told_is_taken_in_the_branch() -> None:
    detector = raw_anchors(1)
    insertion = inserted(detector, Told(labels=LABELS, activation="sigmoid"), embed_scaling=False)
    expected = sigmoid(detector.maps(feed(detector)))  # which rises with its logits
    assert_maps_equal(maps_of(detector, insertion), expected)


def test_layers_that_are_named_are_brought_to_scores() -> None:
    detector = anchor_free(1)
    insertion = inserted(detector, Told(layers=("classes0", "classes1")), embed_scaling=False)
    assert [port.get_node().get_friendly_name() for port in insertion.place.target.masked] == [
        "classes0",
        "classes1",
    ]
    assert_maps_equal(maps_of(detector, insertion), detector.maps(feed(detector)))
    alone = inserted(detector, Told(layers=("classes1",)), embed_scaling=False)
    assert maps_of(detector, alone).shape == (1, CLASSES, 4, 6)


def test_another_size_is_taken_as_the_source_takes_it() -> None:
    detector = DENSE["decoupled"](1)
    converted = inserted(detector, embed_scaling=False).model
    detector.model.reshape([2, 3, 40, 64])
    converted.reshape([2, 3, 40, 64])
    inputs = feed(detector, 2)
    found = run(converted, inputs)[-1]
    assert found.shape == (2, CLASSES, 10, 16)
    assert_maps_equal(found, detector.maps(inputs))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda scales: [scale[:, :1] for scale in scales],
        lambda scales: [scale.mean(axis=1, keepdims=True) for scale in scales],
        lambda scales: scales[:1],
        lambda scales: [np.flip(scale, 2) for scale in scales],
        lambda scales: [np.flip(scale, 4) for scale in scales],
        lambda scales: [scale / scale.max() for scale in scales],
    ],
    ids=["first anchor", "mean of anchors", "first scale", "classes", "columns", "scaled"],
)
def test_a_wrong_definition_is_noticed(wrong: Callable[[list[Floats]], list[Floats]]) -> None:
    detector = DENSE["anchor_based"](1)
    found = maps_of(detector, inserted(detector, embed_scaling=False))
    scores = detector.scores
    other = Detector(detector.model, detector.read, lambda values: wrong(scores(values)), detector.layers)
    with pytest.raises(AssertionError):
        assert_maps_equal(found, other.maps(feed(detector)))


def test_coarse_cells_cover_the_fine_ones_whose_middle_they_hold() -> None:
    fine = np.zeros((1, 1, 1, 5, 1), np.float32)
    coarse = np.arange(3, dtype=np.float32).reshape(1, 1, 1, 3, 1)
    assert joined([fine, coarse])[0, 0, :, 0].tolist() == [0, 0, 1, 2, 2]
