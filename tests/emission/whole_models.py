"""Whole models with their branches, said in ONNX and run in ONNX Runtime."""

from __future__ import annotations

from typing import Any

import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper
from openvino import Model, Output

from ovxai_convert.emission.saying import said_in_onnx
from ovxai_convert.errors import Refusal
from ovxai_convert.onnx_graph.graph import OnnxGraph
from ovxai_convert.ops.in_onnx.call import onnx_type_of
from ovxai_convert.tensors.ports import extents
from tests.oracle import Floats

OPSET = 17


def as_onnx(model: Model) -> onnx.ModelProto:
    """A whole model, its weights and its branch, in one operator set."""
    graph, names = OnnxGraph(OPSET, "all/"), {port: port.get_any_name() for port in model.inputs}
    ports = [port.get_node().input_value(0) for port in model.outputs]
    said = said_in_onnx(ports, graph, names.get)
    assert not isinstance(said, Refusal), said
    outputs = [f"output_{index}" for index in range(len(ports))]
    for name, output in zip(said, outputs, strict=True):
        graph.nodes.append(helper.make_node("Identity", [name], [output]))
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "all",
            [described(name, port) for port, name in names.items()],
            [described(name, port) for name, port in zip(outputs, ports, strict=True)],
            list(graph.initializers.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
    )


def described(name: str, port: Output) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx_type_of(port), extents(port))


def in_onnx_runtime(model: onnx.ModelProto, inputs: dict[str, Floats]) -> list[NDArray[Any]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    there = {argument.name for argument in session.get_inputs()}
    return list(session.run(None, {name: value for name, value in inputs.items() if name in there}))
