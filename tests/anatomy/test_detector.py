"""Finding the dense head of detectors: what is found of each family, and why others have none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from openvino import Model

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_assembly import UNTOLD, Told
from ovxai_convert.anatomy.dense_head import DenseHead
from ovxai_convert.anatomy.detector import find_dense_head
from ovxai_convert.anatomy.likeness import looks_like_detector
from ovxai_convert.errors import Refusal, UsageError
from tests.detectors import CLASSES, DENSE, anchor_free, darknet, queries, raw_anchors, two_stages
from tests.other_tasks import OTHER_TASKS

LABELS = ("disc", "cross", "ring")
EXPECTED = {
    "anchor_free": ("sigmoid", "none", None, 1),
    "one_class": ("sigmoid", "none", None, 1),
    "anchor_based": ("sigmoid", "beside", None, 3),
    "decoupled": ("sigmoid", "beside", None, 1),
    "suppressed": ("sigmoid", "in_scores", None, 1),
    "detection_output": ("softmax", "none", 0, 2),
    "outputs_apart": ("sigmoid", "none", None, 2),
    "channels_last": ("sigmoid", "none", None, 2),
    "centerness": ("sigmoid", "in_scores", None, 1),
    "peaks": ("sigmoid", "none", None, 1),
    "picked_by_label": ("softmax", "none", 0, 2),
    "sigmoid_of_the_best": ("sigmoid", "none", None, 2),
    "with_points": ("sigmoid", "none", None, 1),
}
"""Activation, where the objectness is, background, anchors at each place."""


def head_of(model: Model, told: Told = UNTOLD) -> DenseHead:
    found = find_dense_head(Anatomy(model), told)
    assert isinstance(found, DenseHead), found
    return found


def refusal_of(model: Model, told: Told = UNTOLD) -> Refusal:
    found = find_dense_head(Anatomy(model), told)
    assert isinstance(found, Refusal), found
    return found


@pytest.mark.parametrize("form", DENSE)
def test_a_family_is_understood(form: str) -> None:
    head = head_of(DENSE[form](1).model)
    assert (head.activation, head.objectness, head.background, head.finest.size("A")) == EXPECTED[form]
    assert head.class_count == (1 if form in ("one_class", "with_points") else CLASSES)
    sizes = [(scale.size("H"), scale.size("W")) for _, scale in head.scales]
    assert sizes == [(8, 12), (4, 6)][: len(sizes)]
    assert len(sizes) == (1 if form == "peaks" else 2)


@pytest.mark.parametrize("form", DENSE)
def test_it_looks_like_a_detector(form: str) -> None:
    assert looks_like_detector(Anatomy(DENSE[form](1).model)) or form == "peaks"


def test_raw_channels_are_not_guessed() -> None:
    reason = refusal_of(raw_anchors(1).model).reason
    assert "of one anchor or of several; tell how many classes there are: --labels" in reason
    assert head_of(raw_anchors(1).model, Told(labels=LABELS)).finest.size("A") == 3
    assert "hold boxes and classes of one anchor or several" in refusal_of(darknet(1).model).reason
    assert head_of(darknet(1).model, Told(labels=LABELS)).objectness == "beside"


def test_logits_without_an_activation_are_said_to_be_such() -> None:
    (assumed,) = head_of(raw_anchors(1).model, Told(labels=LABELS)).assumed
    assert "the scores are logits" in assumed
    told = head_of(raw_anchors(1).model, Told(labels=LABELS, activation="sigmoid"))
    assert (told.activation, told.missing, told.assumed) == ("sigmoid", "sigmoid", ())
    reason = refusal_of(anchor_free(1).model, Told(activation="softmax")).reason
    assert reason == "the network makes scores of logits with a sigmoid itself"


def test_a_background_by_its_label_or_the_first() -> None:
    told = Told(labels=("a", "b", "Background"), activation="softmax")
    assert head_of(raw_anchors(1).model, told).background == 2
    every = Told(labels=LABELS, activation="softmax")
    assert head_of(raw_anchors(1).model, every).background is None


def test_classes_of_regions_have_no_places() -> None:
    refusal = refusal_of(two_stages())
    assert "its classes are scores of proposed regions, as a two-stage detector's are" in refusal.reason
    assert refusal.node is not None


def test_nor_have_those_of_queries() -> None:
    refusal = refusal_of(queries())
    assert "not from places of a grid, as those of a detector with queries do" in refusal.reason
    assert "output 'logits'" in refusal.reason


def test_an_output_that_is_named_is_taken() -> None:
    model = DENSE["outputs_apart"](1).model
    assert head_of(model, Told(output="scores")) == head_of(model)
    assert head_of(model, Told(output="boxes")).class_count == 4
    with pytest.raises(UsageError, match="no output named 'labels'"):
        find_dense_head(Anatomy(model), Told(output="labels"))


def test_layers_that_hold_no_class_scores_are_refused() -> None:
    model = anchor_free(1).model
    with pytest.raises(UsageError, match="no layer named 'nothing'"):
        find_dense_head(Anatomy(model), Told(layers=("nothing",)))
    other = anchor_free(1, 4).model
    features = next(node for node in other.get_ordered_ops() if node.get_type_name() == "Relu")
    refusal = refusal_of(other, Told(layers=(features.get_friendly_name(),)))
    assert (
        refusal.reason
        == "the target layer is no class head: its 6 numbers at each place are not of 4 classes"
    )
    weights = next(node for node in model.get_ordered_ops() if node.get_type_name() == "Constant")
    refusal = refusal_of(model, Told(layers=(weights.get_friendly_name(),)))
    assert refusal.reason == "the target layer has no scores at the places of a grid"


@pytest.mark.parametrize("make", [each for each in OTHER_TASKS if "detector" not in OTHER_TASKS[each]])
def test_networks_of_other_tasks_look_like_none(make: object) -> None:
    assert callable(make)
    assert not looks_like_detector(Anatomy(make()))


def test_a_head_keeps_its_place_in_a_copy() -> None:
    anatomy = Anatomy(anchor_free(1).model)
    head = find_dense_head(anatomy)
    assert isinstance(head, DenseHead)
    copy = anatomy.copied()
    carried = head.carried(copy.port)
    assert [port.get_node().get_friendly_name() for port in carried.ports] == [
        port.get_node().get_friendly_name() for port in head.ports
    ]
    assert replace(carried, tensors=()) == replace(head, tensors=())
