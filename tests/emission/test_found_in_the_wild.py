"""Faults that real ONNX files brought to light, each in the smallest file that shows it."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import helper

from fixtures.broken_files import onnx_classifier
from ovxai_convert.artifact.checks import RuntimeCheck
from ovxai_convert.pipeline import convert


def converted(model: onnx.ModelProto, folder: Path) -> onnx.ModelProto:
    """The same with a branch."""
    source = folder / "model.onnx"
    onnx.save(model, source)
    return onnx.load(convert(source, folder / "out", output_format="onnx").onnx)


def in_onnx_runtime(model: onnx.ModelProto, folder: Path) -> RuntimeCheck:
    """What was measured in ONNX Runtime of a file that was converted to ONNX."""
    source = folder / "model.onnx"
    onnx.save(model, source)
    report = convert(source, folder / "out", output_format="onnx")
    assert report.sidecar.mode == "whitebox"
    written = report.sidecar.onnx
    assert written is not None
    (check,) = (each for each in written.runtimes if each.runtime.startswith("ONNX Runtime"))
    assert all(output.bit_exact for output in check.outputs)
    assert check.saliency_map is not None
    assert check.saliency_map.max_abs_diff <= 1
    return check


def test_constants_among_the_inputs(tmp_path: Path) -> None:
    """As files up to version 3 have them: the shape of a Reshape in the head is no tensor to be computed."""
    model = onnx_classifier(batch=1)
    graph = model.graph
    flatten = next(node for node in graph.node if node.op_type == "Flatten")
    flatten.op_type = "Reshape"
    flatten.input.append("flat_shape")
    del flatten.attribute[:]
    graph.initializer.append(helper.make_tensor("flat_shape", onnx.TensorProto.INT64, [2], [1, -1]))
    for weights in graph.initializer:
        graph.input.append(helper.make_tensor_value_info(weights.name, weights.data_type, weights.dims))
    in_onnx_runtime(model, tmp_path)


def test_numbers_have_the_axes_of_a_map_that_ends_in_ones(tmp_path: Path) -> None:
    """With fewer, ONNX Runtime takes 80 times as long: its innermost loop is then over one number."""
    graph = onnx.shape_inference.infer_shapes(converted(onnx_classifier(batch=1), tmp_path)).graph
    numbers = {each.name: len(each.dims) for each in graph.initializer if set(each.dims) <= {1}}
    shapes = {
        each.name: [axis.dim_value for axis in each.type.tensor_type.shape.dim] for each in graph.value_info
    }
    dividing = [node for node in graph.node if node.op_type == "Div" and node.input[1] in numbers]
    ranks = {len(shapes[node.input[0]]): numbers[node.input[1]] for node in dividing}
    assert ranks == {5: 5}, "the mean over cells, of a map with its spatial axes kept"
    assert all(shapes[node.input[0]][-1] == 1 for node in dividing)
