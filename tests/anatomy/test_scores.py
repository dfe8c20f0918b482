"""The class tensor is found before the final activation, or every output's reason is told."""

from __future__ import annotations

import pytest
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, Tensor, classifier, cnn, image_parameter, named, reshaped
from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.interface import output_name
from ovxai_convert.anatomy.other_tasks import named_otherwise
from ovxai_convert.anatomy.scores import Scores, find_scores
from ovxai_convert.errors import Refusal, UsageError
from tests.endings import CLASSES, ENDINGS, with_ending
from tests.special_networks import stateful, two_class_outputs


def search(model: Model, wanted: str | None = None) -> Scores | Refusal:
    return find_scores(Anatomy(model), wanted)


def found(model: Model, wanted: str | None = None) -> Scores:
    scores = search(model, wanted)
    assert isinstance(scores, Scores), str(scores)
    return scores


def refused(model: Model, wanted: str | None = None) -> Refusal:
    refusal = search(model, wanted)
    assert isinstance(refusal, Refusal)
    return refusal


def behind(make: str) -> Model:
    """A layer ``scores`` ``[2, 6]`` and what an exporter may put behind it."""
    image = image_parameter(CnnSpec(batch=2))
    pooled = ops.reduce_mean(image, [2, 3], False)
    scores: Node = named(Draw(1).linear(pooled, 6), "scores")
    tails: dict[str, Tensor] = {
        "nothing": scores,
        "softmax": ops.softmax(scores, 1),
        "log_softmax": ops.log_softmax(scores, -1),
        "sigmoid": ops.sigmoid(scores),
        "reshaped softmax": reshaped(ops.softmax(reshaped(scores, [2, 6, 1]), 1), [2, 6]),
        "unsqueezed": reshaped(scores, [2, 6, 1, 1]),
        "convert": ops.convert(ops.convert(scores, "f16"), "f32"),
        "softmax then sigmoid": ops.softmax(named(ops.sigmoid(scores), "inner"), 1),
        "hidden relu": named(ops.relu(scores), "relu"),
    }
    return classifier(tails[make], [image])


@pytest.mark.parametrize(
    ("make", "activation", "node"),
    [
        ("nothing", "none", "scores"),
        ("softmax", "softmax", "scores"),
        ("log_softmax", "log_softmax", "scores"),
        ("sigmoid", "sigmoid", "scores"),
        ("reshaped softmax", "softmax", "scores"),
        ("unsqueezed", "none", "scores"),
        ("convert", "none", "scores"),
        ("softmax then sigmoid", "softmax", "inner"),
        ("hidden relu", "none", "relu"),
    ],
)
def test_scores_before_the_activation(make: str, activation: str, node: str) -> None:
    scores = found(behind(make))
    assert scores.activation == activation
    assert scores.port.get_node().get_friendly_name() == node
    assert (scores.class_count, scores.output_index) == (6, 0)


@pytest.mark.parametrize("ending", ["none", "softmax", "sigmoid"])
@pytest.mark.parametrize("batch", [None, 3])
def test_batch_does_not_matter(ending: str, batch: int | None) -> None:
    spec = CnnSpec(batch=batch, head="gap_conv1x1", ending=ending, classes=5)  # type: ignore[arg-type]
    scores = found(cnn(spec))
    assert scores.port.get_node().get_friendly_name() == "scores"
    assert scores.class_count == 5


@pytest.mark.parametrize(
    ("wanted", "node", "index"),
    [("first", "first_scores", 0), ("second", "second_scores", 2), ("2", "second_scores", 2)],
)
def test_one_of_several_outputs(wanted: str, node: str, index: int) -> None:
    scores = found(two_class_outputs(), wanted)
    assert scores.port.get_node().get_friendly_name() == node
    assert scores.output_index == index


def test_several_class_outputs_are_a_question() -> None:
    reason = refused(two_class_outputs()).reason
    assert reason == (
        "several outputs are class tensors: 'first', 'second'; choose with --scores-output, "
        "or take each: --scores-output 'first,second'"
    )


def test_one_output_alone_ends_in_a_softmax() -> None:
    """Boxes and landmarks beside it are numbers as they come."""
    scores = found(two_class_outputs(ending="softmax"))
    assert (scores.output_index, scores.activation, scores.passed_over) == (2, "softmax", ("first",))
    assert found(two_class_outputs(ending="softmax"), "first").passed_over == ()


def test_a_feature_map_is_no_class_tensor() -> None:
    reason = refused(two_class_outputs(), "features").reason
    assert reason == (
        "output 'features' [1,4,4,6] is not a class tensor [N, K]: it has numbers for every position"
    )


@pytest.mark.parametrize("wanted", ["third", "3"])
def test_unknown_outputs_are_named(wanted: str) -> None:
    with pytest.raises(
        UsageError, match=f"no output named '{wanted}'; the outputs are features, first, second"
    ):
        search(two_class_outputs(), wanted)


@pytest.mark.parametrize("make", ENDINGS)
@pytest.mark.parametrize("batch", [1, 2, None])
def test_output_that_tells_most(make: str, batch: int | None) -> None:
    """Several outputs may show one class tensor; a tensor on the way to the scores is no rival to them."""
    model = with_ending(make, batch)
    scores, (name, activation) = found(model), ENDINGS[make]
    assert output_name(model, scores.output_index) == name
    assert scores.activation == activation
    assert scores.port.get_node().get_friendly_name() == "scores"
    assert scores.class_count == CLASSES


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("landmarks", "landmarks"),
        ("model/head/FacialLandmarks:0", "landmarks"),
        ("face_embedding", "embedding"),
        ("image_embeds", "embeds"),
        ("pooler_output", "pooler"),
        ("bbox_pred", "bbox"),
        ("boxes.1", "boxes"),
        ("output", None),
        ("logits", None),
        ("features/classifier", None),
        ("box_classifier/Softmax", None),
        ("head.features.logits", None),
        ("1423", None),
        ("", None),
    ],
)
def test_names_of_other_things(name: str, word: str | None) -> None:
    assert named_otherwise(name) == word


@pytest.mark.parametrize("ending", ["none", "sigmoid", "softmax"])
def test_a_name_counts_less_than_a_softmax(ending: str) -> None:
    model = cnn(CnnSpec(ending=ending))  # type: ignore[arg-type]
    model.outputs[0].get_tensor().set_names({"features"})
    assert isinstance(search(model), Scores if ending == "softmax" else Refusal)
    assert found(model, "features").output_index == 0


def test_state_is_no_output() -> None:
    assert found(stateful()).port.get_node().get_friendly_name() == "scores"


def test_rows_beside_the_scores_are_no_boxes() -> None:
    """A row of numbers for each class, as decoders of labels give it; candidates of a detector are places."""
    draw, image = Draw(61), image_parameter(CnnSpec())
    pooled = ops.reduce_mean(ops.tanh(draw.convolution(image, 4)), [2, 3], False)
    scores = draw.linear(pooled, 20)
    rows = reshaped(draw.linear(pooled, 120), [0, 20, 6])
    model = Model([ops.result(scores), ops.result(rows)], [image], "labels")
    assert found(model).class_count == 20


def test_joined_heads_beside_a_map_are_no_boxes() -> None:
    draw, image = Draw(62), image_parameter(CnnSpec())
    target = ops.tanh(draw.convolution(image, 4))
    pooled = ops.reduce_mean(target, [2, 3], False)
    scores = ops.concat([ops.softmax(draw.linear(pooled, each), 1) for each in (12, 8)], 1)
    model = Model([ops.result(scores), ops.result(target)], [image], "joined")
    assert found(model).class_count == 20
