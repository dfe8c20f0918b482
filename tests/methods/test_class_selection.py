"""Maps of chosen classes, and of the best classes of each input."""

from __future__ import annotations

import numpy as np
import pytest
from openvino import Model

from fixtures.networks import CnnSpec, Head, cnn
from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.errors import RefusedError
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods import Method
from ovxai_convert.methods.linear_tail import find_linear_tail
from ovxai_convert.methods.method import ClassSelection
from ovxai_convert.vocabulary import SALIENCY_CLASSES, SALIENCY_MAP
from tests.oracle import Floats, assert_grey_levels_equal, assert_maps_equal
from tests.running import CORE, definition, insert_branch, random_inputs, run
from tests.special_networks import exported_onnx, token_mean, vgg_like

CLASSES = 7
HEADS: tuple[Head, ...] = ("gap", "gap_baked_reshape", "flatten", "gap_conv1x1", "gmp", "fc_maps", "gap_mlp")

EVERY_HEAD: list[tuple[Head, int | None]] = [(head, batch) for head in HEADS for batch in (1, 3, None)]


def _model(head: Head, batch: int | None) -> Model:
    return cnn(CnnSpec(seed=5, batch=batch, head=head, classes=CLASSES, ending="softmax"))


def _scores(model: Model, insertion: Insertion, inputs: dict[str, Floats]) -> Floats:
    """Scores ``[N, K]`` of the original: before a softmax they have the same order as after it."""
    output = run(model, inputs)[insertion.place.scores.output_index]
    return output.reshape(output.shape[:2])


def _check(model: Model, selection: ClassSelection) -> Insertion:
    """Maps, their classes and the original outputs, with and without scaling, against the definition."""
    inputs = random_inputs(model)
    before = run(model, inputs)
    for scaled in (False, True):
        request = Request(Method.RECIPROCAM, embed_scaling=scaled, selection=selection)
        insertion = insert_branch(model, request)
        after = run(insertion.model, inputs)
        for old, new in zip(before, after, strict=False):
            assert old.tobytes() == new.tobytes()
        everything = definition(model, insertion, inputs)
        if selection.top_k is None:
            indices = np.tile(np.array(selection.indices), (len(everything), 1))
            assert len(after) == len(before) + 1
        else:
            indices = np.argsort(-_scores(model, insertion, inputs), axis=1, kind="stable")[
                :, : selection.top_k
            ]
            np.testing.assert_array_equal(after[-1], indices)
            assert insertion.model.outputs[-1].get_names() == {SALIENCY_CLASSES}
            assert insertion.model.outputs[-1].get_element_type().get_type_name() == "i64"
        expected = np.take_along_axis(everything, indices[:, :, None, None], axis=1)
        compare = assert_grey_levels_equal if scaled else assert_maps_equal
        compare(after[insertion.map_index], expected)
        assert insertion.model.outputs[insertion.map_index].get_names() == {SALIENCY_MAP}
    return insertion


@pytest.mark.parametrize(("head", "batch"), EVERY_HEAD)
def test_best_classes(head: Head, batch: int | None) -> None:
    _check(_model(head, batch), ClassSelection(top_k=3))


@pytest.mark.parametrize(("head", "batch"), EVERY_HEAD)
def test_chosen_classes_in_their_order(head: Head, batch: int | None) -> None:
    _check(_model(head, batch), ClassSelection(indices=(6, 0, 3)))


@pytest.mark.parametrize("selection", [ClassSelection(top_k=1), ClassSelection(top_k=CLASSES)], ids=str)
def test_one_class_and_all_of_them(selection: ClassSelection) -> None:
    _check(_model("gap_mlp", 2), selection)


def test_tokens_and_pooled_flattened_maps() -> None:
    for model in (token_mean(2), vgg_like(2)):
        _check(model, ClassSelection(top_k=2))
        _check(model, ClassSelection(indices=(1,)))


@pytest.mark.parametrize("batch", [1, None])
def test_exporters_gemm(batch: int | None) -> None:
    """ONNX Gemm arrives as a product, a factor of one and a bias."""
    model = CORE.read_model(exported_onnx("shape_subgraph", batch))
    flow = DataFlow(model)
    tail = find_linear_tail(flow, model.outputs[0].get_node().input_value(0))
    assert tail is not None
    assert tail.outputs_first
    assert [node.get_type_name() for node, _ in tail.steps] == ["Multiply", "Add"]
    _check(model, ClassSelection(top_k=2))


def test_only_the_chosen_rows_are_multiplied() -> None:
    model = _model("gap", 1)
    every = insert_branch(model, Request(Method.RECIPROCAM)).cost.macs
    for selection, maps in ((ClassSelection(top_k=2), 2), (ClassSelection(indices=(4,)), 1)):
        cost = insert_branch(model, Request(Method.RECIPROCAM, selection=selection)).cost
        assert cost.macs * CLASSES == every * maps


@pytest.mark.parametrize(
    ("selection", "reason"),
    [
        (ClassSelection(indices=(1, 7)), "there is no class 7: the scores have 7"),
        (ClassSelection(indices=(-1,)), "there is no class -1: the scores have 7"),
        (ClassSelection(top_k=8), "there are no 8 classes: the scores have 7"),
    ],
    ids=str,
)
def test_classes_that_do_not_exist(selection: ClassSelection, reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        insert_branch(_model("gap", 1), Request(selection=selection))
    assert caught.value.refusals[0].reason == reason


def test_one_map_for_all_classes_has_none_to_choose() -> None:
    with pytest.raises(RefusedError, match="one map for all classes"):
        insert_branch(_model("gap", 1), Request(Method.ACTIVATIONMAP, selection=ClassSelection(top_k=2)))
