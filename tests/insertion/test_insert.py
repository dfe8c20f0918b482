"""Whatever a model carries survives an insertion; the input object is not touched; refusals have reasons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import openvino as ov
import pytest
from openvino import Model

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import insert_xai
from ovxai_convert.errors import RefusedError, UsageError
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods import Method
from ovxai_convert.source.reading import settle_names
from ovxai_convert.tensors.ports import extents
from tests import special_networks as networks
from tests.running import CORE, insert_branch, random_inputs, run

ANY_MODEL: dict[str, Callable[[], Model]] = {
    "static": lambda: cnn(CnnSpec(batch=2, ending="softmax")),
    "dynamic": lambda: cnn(CnnSpec(batch=None, dynamic_size=True)),
    "channel_last": lambda: cnn(CnnSpec(layout="NHWC")),
    "onnx": lambda: CORE.read_model(networks.exported_onnx("shape_subgraph", None)),
    "labelled": networks.labelled,
    "vgg_like": lambda: networks.vgg_like(None),
}


def contents(model: Model, folder: Path) -> tuple[bytes, bytes]:
    """What would be written of a model, as XML and weights."""
    path = folder / "contents.xml"
    ov.save_model(model, path, compress_to_fp16=False)
    return path.read_bytes(), path.with_suffix(".bin").read_bytes()


@pytest.mark.parametrize("name", ANY_MODEL)
def test_input_object_is_not_touched(name: str, tmp_path: Path) -> None:
    model = ANY_MODEL[name]()
    names = [node.get_friendly_name() for node in model.get_ordered_ops()]
    before = contents(model, tmp_path)
    insert_branch(model, Request())
    assert contents(model, tmp_path) == before
    assert [node.get_friendly_name() for node in model.get_ordered_ops()] == names


@pytest.mark.parametrize("name", ANY_MODEL)
def test_interface_is_kept(name: str) -> None:
    model = ANY_MODEL[name]()
    converted = insert_branch(model, Request()).model
    assert converted.get_friendly_name() == model.get_friendly_name()
    for old, new in zip(
        [*model.inputs, *model.outputs], [*converted.inputs, *converted.outputs[:-1]], strict=True
    ):
        assert new.get_names() == old.get_names()
        assert new.get_partial_shape() == old.get_partial_shape()
        assert new.get_element_type() == old.get_element_type()
        assert new.get_node().get_friendly_name() == old.get_node().get_friendly_name()
    assert converted.outputs[-1].get_names() == {"saliency_map"}


@pytest.mark.parametrize("name", ANY_MODEL)
def test_every_original_node_keeps_its_name(name: str) -> None:
    model = ANY_MODEL[name]()
    settle_names(model, ANY_MODEL[name]())
    converted = insert_branch(model, Request()).model
    old = {node.get_friendly_name() for node in model.get_ordered_ops()}
    new = [node.get_friendly_name() for node in converted.get_ordered_ops()]
    assert len(new) == len(set(new)), "two nodes share a name"
    assert old <= set(new)
    assert all(name.startswith("saliency_map") for name in set(new) - old)


@pytest.mark.parametrize(
    ("batch", "dynamic_size", "shape"),
    [(2, False, (2, 3, 5, 7)), (None, False, (None, 3, 5, 7)), (1, True, (1, 3, None, None))],
)
@pytest.mark.parametrize(("scaled", "element_type"), [(True, "u8"), (False, "f32")])
def test_shape_and_type_of_the_map(
    batch: int | None, dynamic_size: bool, shape: tuple[int | None, ...], scaled: bool, element_type: str
) -> None:
    model = cnn(CnnSpec(batch=batch, dynamic_size=dynamic_size))
    converted = insert_branch(model, Request(Method.RECIPROCAM, embed_scaling=scaled)).model
    output = converted.output("saliency_map")
    assert extents(output) == shape
    assert output.get_element_type().get_type_name() == element_type


def test_metadata_is_kept(tmp_path: Path) -> None:
    converted = insert_branch(networks.labelled(), Request()).model
    path = tmp_path / "labelled.xml"
    ov.save_model(converted, path)
    for model in (converted, CORE.read_model(path)):
        assert model.get_rt_info(["model_info", "labels"]).astype(str) == "cat dog bird"
        assert model.get_rt_info(["model_info", "mean_values"]).astype(str) == "1 2 3"


def test_state_is_kept() -> None:
    model = networks.stateful()
    converted = insert_branch(model, Request(target_layer="target")).model
    assert [sink.get_friendly_name() for sink in converted.get_sinks()] == [
        sink.get_friendly_name() for sink in model.get_sinks()
    ]
    assert [each.get_info().variable_id for each in converted.get_variables()] == ["running"]


def constant_bytes(model: Model) -> int:
    return sum(node.data.nbytes for node in model.get_ordered_ops() if isinstance(node, ov.op.Constant))


def test_compressed_weights_stay_compressed(tmp_path: Path) -> None:
    model = networks.compressed(tmp_path)
    halves = [node for node in model.get_ordered_ops() if node.get_element_type() == ov.Type.f16]
    assert halves, "the fixture holds no FP16 weights"
    converted = insert_branch(model, Request()).model
    by_name = {node.get_friendly_name(): node for node in converted.get_ordered_ops()}
    for node in halves:
        assert by_name[node.get_friendly_name()].get_element_type() == ov.Type.f16
    assert constant_bytes(converted) < constant_bytes(model) + 2048


@pytest.mark.parametrize("name", ANY_MODEL)
def test_few_bytes_are_added(name: str) -> None:
    model = ANY_MODEL[name]()
    assert constant_bytes(insert_branch(model, Request()).model) < constant_bytes(model) + 2048


@pytest.mark.parametrize("form", ["flatten", "baked_reshape", "shape_subgraph"])
def test_one_file_always_gives_the_same_bytes(form: networks.FlattenForm, tmp_path: Path) -> None:
    """OpenVINO numbers unnamed nodes by a counter of the process; nothing of it may be seen."""
    written = []
    for _ in range(2):
        model, again = (CORE.read_model(networks.exported_onnx(form, None)) for _ in range(2))
        settle_names(model, again)
        written.append(contents(insert_branch(model, Request()).model, tmp_path))
    assert written[0] == written[1]


def test_settled_names_leave_given_names_alone() -> None:
    model = cnn(CnnSpec())
    settle_names(model, cnn(CnnSpec()))
    names = [node.get_friendly_name() for node in model.get_ordered_ops()]
    assert {"image", "block0", "target", "scores", "output/result"} <= set(names)
    assert "Convolution_1" in names
    assert len(names) == len(set(names))


def test_second_insertion_is_refused() -> None:
    converted = insert_branch(cnn(CnnSpec()), Request()).model
    with pytest.raises(
        RefusedError,
        match="the model already has a tensor 'saliency_map'; --output-name gives the map another name",
    ):
        insert_branch(converted, Request())


def test_class_token_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        insert_branch(networks.class_token(), Request(Method.RECIPROCAM))
    (refusal,) = caught.value.refusals
    assert refusal.reason.startswith("no feature map before the scores: [1,25,4] has axes")
    assert refusal.node == "mixed"


NO_MAP: Final = "no feature map: no tensor with rows and columns leads to the scores"
NO_TOKENS: Final = "no attention over the tokens of an image leads to the scores"


@pytest.mark.parametrize(
    ("method", "reasons"),
    [
        (Method.RECIPROCAM, [NO_MAP]),
        (Method.VITRECIPROCAM, [NO_TOKENS]),
        (Method.ACTIVATIONMAP, [NO_MAP]),
        (None, [NO_MAP, NO_TOKENS]),
    ],
)
def test_no_feature_map_is_refused(method: Method | None, reasons: list[str]) -> None:
    with pytest.raises(RefusedError) as caught:
        insert_branch(networks.perceptron(), Request(method))
    assert [refusal.reason for refusal in caught.value.refusals] == reasons


def test_insert_xai_returns_a_model_that_explains() -> None:
    model = cnn(CnnSpec(batch=2))
    converted = insert_xai(model, target_layer="block0", embed_scaling=False)
    inputs = random_inputs(model)
    outputs = run(converted, inputs)
    assert outputs[-1].shape == (2, 3, 5, 7)
    np.testing.assert_array_equal(outputs[0], run(model, inputs)[0])


def test_unknown_layers_are_the_users_mistake() -> None:
    with pytest.raises(UsageError, match="did you mean 'target'"):
        insert_xai(cnn(CnnSpec()), target_layer="targe")
