"""Data edges, the nodes between two tensors, and the narrow places before one."""

from __future__ import annotations

from openvino import Model, Output
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, classifier, cnn, image_parameter, named
from ovxai_convert.anatomy.flow import DataFlow
from tests.special_networks import skip_past_target


def port(model: Model, name: str) -> Output:
    return next(node for node in model.get_ordered_ops() if node.get_friendly_name() == name).output(0)


def names(ports: list[Output]) -> list[str]:
    return [each.get_node().get_friendly_name() for each in ports]


def test_constants_do_not_depend_on_the_input() -> None:
    model = cnn(CnnSpec())
    flow = DataFlow(model)
    for node in flow.nodes:
        if node.get_output_size():
            assert flow.depends_on_input(node.output(0)) == (node.get_type_name() != "Constant")


def test_shapes_are_not_data() -> None:
    image = image_parameter(CnnSpec(batch=None))
    shape = ops.shape_of(named(ops.relu(image), "relu"))
    wide = ops.broadcast(Draw(1).numbers(1, 1, 1, 1), named(shape, "shape"))
    pooled = ops.reduce_mean(named(ops.add(image, wide), "sum"), [2, 3], False)
    model = classifier(named(pooled, "scores"), [image])
    flow = DataFlow(model)
    assert not flow.depends_on_input(port(model, "shape"))
    assert "relu" not in [
        node.get_friendly_name() for node in flow.between(port(model, "image"), port(model, "scores"))
    ]


def test_between_is_in_order_and_leaves_out_what_goes_by() -> None:
    model = skip_past_target(2)
    flow = DataFlow(model)
    head = flow.between(port(model, "target"), port(model, "scores"))
    assert head[0].get_type_name() == "ReduceMean"
    assert head[-1].get_friendly_name() == "scores"
    assert all(node.get_type_name() not in ("ReduceMax", "Convolution", "Constant") for node in head)
    assert [flow.position[node] for node in head] == sorted(flow.position[node] for node in head)


def test_between_backwards_or_nowhere_is_empty() -> None:
    model = skip_past_target(2)
    flow = DataFlow(model)
    assert flow.between(port(model, "scores"), port(model, "target")) == []
    assert flow.between(port(model, "target"), port(model, "target")) == []


def test_narrow_places_of_a_chain() -> None:
    model = cnn(CnnSpec(strides=(1, 2)))
    places = names(list(DataFlow(model).narrow_places(port(model, "scores"))))
    assert places[0] == "scores"
    assert places.index("target") < places.index("block0") < places.index("image")


def test_branches_are_not_narrow() -> None:
    model = skip_past_target(2)
    places = names(list(DataFlow(model).narrow_places(port(model, "scores"))))
    assert "target" not in places
    assert {"scores", "stem", "image"} <= set(places)
