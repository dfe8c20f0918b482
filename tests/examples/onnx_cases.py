"""The cases as ONNX files: what a small network computes, op by op by the table, and its metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import onnx
from onnx import helper
from openvino import Model, Output

from ovxai_convert import convert
from ovxai_convert.emission.saying import said_in_onnx
from ovxai_convert.errors import Refusal
from ovxai_convert.onnx_graph.graph import OnnxGraph
from ovxai_convert.ops.in_onnx.call import onnx_type_of
from ovxai_convert.tensors.ports import extents
from tests.examples.cases import Case

_OPSET: Final = 17
_MODEL_INFO: Final = "model_info"


def as_onnx(model: Model) -> onnx.ModelProto:
    """A model as the ONNX file that it could have been read from."""
    inputs = {port: min(port.get_names()) for port in model.inputs}
    graph = OnnxGraph(_OPSET, "net/", set(inputs.values()))
    ports = [port.get_node().input_value(0) for port in model.outputs]
    said = said_in_onnx(ports, graph, inputs.get)
    assert not isinstance(said, Refusal), said
    outputs = [min(port.get_names() or {f"output{at}"}) for at, port in enumerate(model.outputs)]
    for tensor, name in zip(said, outputs, strict=True):
        graph.call(tensor, name)
    made = helper.make_graph(
        graph.nodes,
        "net",
        [_described(port, name) for port, name in inputs.items()],
        [_described(port, name) for port, name in zip(ports, outputs, strict=True)],
        list(graph.initializers.values()),
    )
    file = helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    told = model.get_rt_info([_MODEL_INFO]).value if model.has_rt_info([_MODEL_INFO]) else {}
    entries = {f"{_MODEL_INFO} {key}": model.get_rt_info([_MODEL_INFO, key]).astype(str) for key in told}
    helper.set_model_props(file, entries)
    return file


def converted_as_onnx(case: Case, folder: Path) -> Path:
    """The ONNX file of a case's artifact."""
    source = folder / "net.onnx"
    onnx.save(as_onnx(case.model()), source)
    report = convert(
        source,
        folder / "out",
        preprocessing=case.hints,
        reference="none",
        output_format="onnx",
        **case.options,
    )
    assert report.onnx is not None
    return report.onnx


def _described(port: Output, name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx_type_of(port), extents(port))
