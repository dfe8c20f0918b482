"""Models that are seldom met: low precision, crops in the batch, class queries, ops that cannot be built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import openvino as ov
import pytest
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, Draw, classifier, cnn, image_parameter, named, reshaped, transposed
from ovxai_convert import convert
from ovxai_convert.errors import Refusal, RefusedError
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods import Method, methods_for, reciprocam
from ovxai_convert.methods.method import RawMaps, Site
from ovxai_convert.tensors.recreate import recreate
from ovxai_convert.vocabulary import Task
from tests import oracle
from tests.oracle import Port, assert_grey_levels_equal
from tests.running import CORE, insert_branch, random_inputs, run

CHANNELS, CLASSES = 4, 3


def in_precision(model: Model, kind: ov.Type) -> Model:
    """The same network with its weights rounded to a type, and computed in it; f32 at its ends."""
    made: dict[ov.Output, ov.Output] = {}
    parameters = []
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Result":
            continue
        if node.get_type_name() == "Parameter":
            image = ops.parameter(node.get_partial_shape(), np.float32, name=node.get_friendly_name())
            image.output(0).get_tensor().set_names(set(node.output(0).get_names()))
            parameters.append(image)
            made[node.output(0)] = ops.convert(image, kind).output(0)
            continue
        real = node.get_element_type() == ov.Type.f32
        if node.get_type_name() == "Constant":
            twin: Node | Refusal = ops.constant(node.data, kind) if real else ops.constant(node.data)
        else:
            twin = recreate(node, [made[port] for port in node.input_values()])
        assert isinstance(twin, Node)
        twin.set_friendly_name(node.get_friendly_name())
        made.update(zip(node.outputs(), twin.outputs(), strict=True))
    last = made[model.output(0).get_node().input_value(0)]
    output = ops.convert(last, "f32").output(0)
    output.get_tensor().set_names({"output"})
    return Model([ops.result(output, name="output/result")], parameters, "net")


@pytest.mark.parametrize("factor", [1, 128])
def test_half_precision_is_proved_in_float32(factor: int, tmp_path: Path) -> None:
    """Masked cells go through the head as the model computes it, which for float16 is in float32."""
    model = in_precision(cnn(CnnSpec(channels=8)), ov.Type.f16)
    path = save_ir(model, tmp_path / "net.xml")
    report = convert(path, tmp_path / "out")
    assert [check.bit_exact for check in report.sidecar.verification.outputs] == [True]
    inputs = {name: factor * each for name, each in random_inputs(model).items()}
    found = run(CORE.read_model(report.xml), inputs)[-1]
    expected = oracle.reciprocam(model, Port("target"), Port("scores"), "NCHW", inputs)
    assert_grey_levels_equal(found, expected)


def test_bfloat16_is_coarser_than_grey_levels(tmp_path: Path) -> None:
    path = save_ir(in_precision(cnn(CnnSpec(channels=8)), ov.Type.bf16), tmp_path / "net.xml")
    report = convert(path, tmp_path / "out")
    assert report.sidecar.mode == "blackbox"
    reason = report.sidecar.refusals[0].reason
    assert reason.startswith("the head computes in bfloat16, whose steps are coarser than grey levels")
    with pytest.raises(RefusedError, match="bfloat16"):
        convert(path, tmp_path / "required", require_whitebox=True)


def interleaved_views(batch: int | None) -> Model:
    """Every image and its negative beside each other in one batch; the mean of both scores."""
    draw, image = Draw(7), image_parameter(CnnSpec(batch=batch, height=6, width=8))
    views = ops.concat([ops.unsqueeze(each, np.int64(1)) for each in (image, ops.negative(image))], 1)
    features = ops.relu(draw.convolution(reshaped(views, [-1, 3, 6, 8]), CHANNELS))
    target = named(features, "target")
    both = draw.linear(ops.reduce_mean(target, [2, 3], False), CLASSES)
    scores = named(ops.reduce_mean(reshaped(both, [-1, 2, CLASSES]), [1], False), "scores")
    return classifier(scores, [image])


def four_crops(batch: int | None) -> Model:
    """Four corners of an image, cut out into the batch; the mean of their scores."""
    draw, image = Draw(8), image_parameter(CnnSpec(batch=batch, height=6, width=8))
    corners = [
        ops.slice(image, *(ops.constant(np.array(each, np.int64)) for each in (start, stop, [1, 1], [2, 3])))
        for start, stop in (([0, 0], [4, 5]), ([0, 3], [4, 8]), ([2, 0], [6, 5]), ([2, 3], [6, 8]))
    ]
    target = named(ops.relu(draw.convolution(ops.concat(corners, 0), CHANNELS)), "target")
    every = draw.linear(ops.reduce_mean(target, [2, 3], False), CLASSES)
    scores = named(ops.reduce_mean(reshaped(every, [4, -1, CLASSES]), [0], False), "scores")
    return classifier(scores, [image])


MERGED: Final[Mapping[str, tuple[Callable[[int | None], Model], int]]] = {
    "interleaved_views": (interleaved_views, 2),
    "four_crops": (four_crops, 4),
}


def crops_and_targets() -> list[tuple[str, int | None, str | None]]:
    """Where the batch is open, nothing tells crops from samples but a target that is named."""
    every = product(MERGED, (1, 2, None), (None, "target"))
    return [(name, batch, target) for name, batch, target in every if batch or target]


@pytest.mark.parametrize("method", [Method.RECIPROCAM, Method.ACTIVATIONMAP])
@pytest.mark.parametrize(("name", "batch", "target"), crops_and_targets())
def test_crops_in_the_batch_are_no_batch(
    name: str, batch: int | None, method: Method, target: str | None
) -> None:
    make, rows = MERGED[name]
    with pytest.raises(RefusedError, match=f"axis 0 of the target holds {rows} rows for every image"):
        insert_branch(make(batch), Request(method, target))


def class_queries(batch: int | None) -> Model:
    """Learned queries, one per class, ask the cells of a map, tokens before samples; a vector scores each."""
    draw, image = Draw(9), image_parameter(CnnSpec(batch=batch, height=4, width=6))
    target = named(ops.tanh(draw.convolution(image, CHANNELS)), "target")
    flat = reshaped(target, [0, CHANNELS, 24])
    tokens = transposed(flat, [2, 0, 1])
    keys, values = (transposed(draw.linear(tokens, CHANNELS), [1, 0, 2]) for _ in range(2))
    weights = ops.softmax(ops.matmul(draw.numbers(1, CLASSES, CHANNELS), keys, False, True), 2)
    asked = ops.matmul(weights, values, False, False)
    scored = ops.multiply(ops.tanh(asked), draw.numbers(1, CLASSES, CHANNELS))
    return classifier(named(ops.reduce_sum(scored, [2], False), "scores"), [image])


@pytest.mark.parametrize("batch", [1, 2, None])
@pytest.mark.parametrize("target", [None, "target"])
def test_queries_of_classes(batch: int | None, target: str | None, tmp_path: Path) -> None:
    path = save_ir(class_queries(batch), tmp_path / "net.xml")
    sidecar = convert(path, tmp_path / "out", target_layer=target).sidecar
    assert sidecar.target_layer is not None
    assert sidecar.target_layer.layout in ("NCHW", "NTC", "TNC")
    assert sidecar.method == "reciprocam" if target else sidecar.method in ("reciprocam", "vitreciprocam")


def test_an_op_that_cannot_be_built_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next method is tried, and the reason is kept."""

    def build(site: Site) -> RawMaps | Refusal:
        raise RuntimeError("Check 'types fit' failed at add.cpp:3:\nArguments do not have the same type")

    first, *others = methods_for(Task.CLASSIFICATION)
    assert first is reciprocam.METHOD
    methods = (replace(first, build=build), *others)
    monkeypatch.setattr("ovxai_convert.insertion.insert.methods_for", lambda task: methods)
    insertion = insert_branch(cnn(CnnSpec()), Request())
    assert insertion.place.method is Method.ACTIVATIONMAP.white_box
    reason = "the branch cannot be built: Arguments do not have the same type"
    assert insertion.refusals[0] == Refusal(reason, method="reciprocam")
