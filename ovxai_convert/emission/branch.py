"""The outputs that were added to a model, as what is to be added to the ONNX file that it was read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import onnx
from onnx import TensorProto, helper
from openvino import Model, Output

from ovxai_convert.emission.saying import said_in_onnx
from ovxai_convert.emission.source_graph import SourceGraph
from ovxai_convert.errors import Refusal
from ovxai_convert.onnx_graph import forms
from ovxai_convert.onnx_graph.graph import NEWEST, OLDEST, OnnxGraph
from ovxai_convert.ops.in_onnx.call import dtype_of, onnx_type_of
from ovxai_convert.tensors.ports import extents
from ovxai_convert.vocabulary import SALIENCY_MAP

_HALF: Final = {"f16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
"""Precisions of tensors that a branch reads as float32, and gives out as they are."""
_PREFIX: Final = f"{SALIENCY_MAP}/"
"""What the names of all nodes and tensors that are added begin with, but those of outputs."""


@dataclass(frozen=True)
class Addition:
    """What is added to a file's graph: nodes, constants, outputs; and the operator set that they are of."""

    graph: onnx.GraphProto
    opset: int

    @property
    def nodes(self) -> int:
        """How many nodes are added."""
        return len(self.graph.node)


def branch_in_onnx(model: Model, first: int, source: SourceGraph) -> Addition | Refusal:
    """Say the outputs of a model from the ``first`` one on in ONNX, on the tensors of its source.

    Args:
        model: with a branch, or several.
        first: index of the first output that was added.
        source: the file's graph that the model was read from.

    Returns:
        What is to be added; or a refusal that names an op without a form, and the operator set that has one.
    """
    if source.opset is None:
        return Refusal("the ONNX file names no operator set of the standard ops")
    if not OLDEST <= source.opset <= NEWEST:
        those = f"those from {OLDEST} to {NEWEST} are known (onnx.version_converter)"
        return Refusal(f"the ONNX file is of operator set {source.opset}; {those}")
    graph = OnnxGraph(source.opset, _PREFIX, source.names)
    added = model.outputs[first:]
    ports = [port.get_node().input_value(0) for port in added]

    def known(port: Output) -> str | None:
        """Of the source's tensors and weights; what was added has no name but those of outputs."""
        name = None if port in ports else source.name_of(port) or source.weights_of(port, graph)
        if name is not None and port.get_element_type().get_type_name() in _HALF:
            return forms.cast_to(graph, name, dtype_of(port))
        return name

    said = said_in_onnx(ports, graph, known)
    if isinstance(said, Refusal):
        return said
    outputs = [min(port.get_names()) for port in added]
    for name, port, output in zip(said, ports, outputs, strict=True):
        half = _HALF.get(port.get_element_type().get_type_name())
        graph.call(name if half is None else graph.add("Cast", name, to=half), output)
    information = [_described(*each, source, model) for each in zip(outputs, ports, strict=True)]
    constants = list(graph.initializers.values())
    if source.weights_are_inputs:  # which those of a branch must not become
        made = [node for each in constants for node in forms.constant_nodes(each, source.opset)]
        return Addition(onnx.GraphProto(node=[*made, *graph.nodes], output=information), source.opset)
    delta = onnx.GraphProto(node=graph.nodes, initializer=constants, output=information)
    return Addition(delta, source.opset)


def _described(name: str, port: Output, source: SourceGraph, model: Model) -> onnx.ValueInfoProto:
    """An output's type and extents; the samples are called what the file calls those of its inputs."""
    shape: Sequence[int | None] | None = extents(port)
    element_type = _HALF.get(port.get_element_type().get_type_name(), onnx_type_of(port))
    if shape is None:
        return helper.make_tensor_value_info(name, element_type, None)
    samples = {
        source.open_extents[own][0]
        for each in model.inputs
        for own in each.get_names() & source.open_extents.keys()
        if source.open_extents[own]
    }
    called = samples.pop() if len(samples) == 1 else None
    extent = [called if each is None and axis == 0 else each for axis, each in enumerate(shape)]
    return helper.make_tensor_value_info(name, element_type, extent)
