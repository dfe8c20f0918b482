"""An ONNX file cut at its target, so that its head can be run in ONNX Runtime on what a definition masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.external_data_helper import uses_external_data

from ovxai_convert.emission.source_graph import SourceGraph
from ovxai_convert.onnx_graph.nodes import inner_graphs, tensors_read

_HALF: Final = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


class OnnxCut:
    """The nodes of an ONNX graph between some tensors and another one.

    Args:
        source: an ONNX file.
        masked: names of the tensors that are cut, the target first.
        wanted: name of the tensor that the head computes.

    Attributes:
        entering: names of all tensors that enter the head from the inputs of the file, the target first.
    """

    def __init__(self, source: SourceGraph, masked: Sequence[str], wanted: str) -> None:
        self._source, self._wanted, graph = source, wanted, source.model.graph
        weights = {each.name for each in graph.initializer}  # inputs, too, in old files
        variable = _downstream(graph.node, {each.name for each in graph.input} - weights)
        behind = _downstream(graph.node, masked)
        head = [node for node in _computing(graph.node, {wanted}) if _any(tensors_read(node), behind)]
        made = {name for node in head for name in node.output} - set(masked)
        # the producer of a masked tensor may itself lie behind another one: its output is cut all the same
        self._head = [node for node in head if not set(node.output) <= set(masked)]
        read = [name for node in self._head for name in tensors_read(node) if name not in made]
        self.entering = tuple(dict.fromkeys([*masked, *(name for name in read if name in variable)]))
        self._fixed = _computing(graph.node, set(read) - variable)

    def trunk_outputs(self) -> GraphProto:
        """What makes the file give out the tensors that enter its head."""
        graph = self._source.model.graph
        known = {each.name for each in (*graph.output, *graph.input)}
        outputs = [onnx.ValueInfoProto(name=name) for name in self.entering if name not in known]
        return GraphProto(output=outputs)

    def head(self, values: Sequence[NDArray[Any]]) -> bytes:
        """The head as a model of its own, which computes in float32 where the file does in half precision.

        ``values``: of the tensors that enter it, by whose types and ranks its inputs are described.
        """
        nodes, source = [*self._fixed, *self._head], self._source.model
        read = {name for node in nodes for name in tensors_read(node)}
        graph = GraphProto(name="head", node=nodes)
        for weights in source.graph.initializer:
            if weights.name in read:
                copy = graph.initializer.add()
                copy.CopyFrom(weights)
                _bring_in(copy, self._source.path.parent)
        for name, value in zip(self.entering, values, strict=True):
            kind = helper.np_dtype_to_tensor_dtype(widened(value).dtype)
            graph.input.append(helper.make_tensor_value_info(name, kind, [None] * value.ndim))
        graph.output.add().name = self._wanted
        _widen(graph)
        kept = {"opset_imports": source.opset_import, "functions": source.functions}
        return helper.make_model(graph, ir_version=source.ir_version, **kept).SerializeToString()


def widened(value: NDArray[Any]) -> NDArray[Any]:
    """Numbers of half precision in float32, all else as it is."""
    is_half = value.dtype == np.float16 or value.dtype.name == "bfloat16"
    return value.astype(np.float32) if is_half else value


def _bring_in(weights: TensorProto, folder: Path) -> None:
    """The numbers of weights that lie in a file of a folder, which were checked to be there."""
    if not uses_external_data(weights):
        return
    place = {entry.key: entry.value for entry in weights.external_data}
    with (folder / place["location"]).open("rb") as file:
        file.seek(int(place.get("offset", 0)))
        weights.raw_data = file.read(int(place["length"])) if "length" in place else file.read()
    weights.ClearField("external_data")
    weights.data_location = TensorProto.DEFAULT


def _widen(graph: GraphProto) -> None:
    """Constants and casts of half precision in float32."""
    for weights in graph.initializer:
        _widen_tensor(weights)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype") and attribute.i in _HALF:
                attribute.i = TensorProto.FLOAT
            if attribute.type == AttributeProto.TENSOR:
                _widen_tensor(attribute.t)
        for inner in inner_graphs(node):
            _widen(inner)


def _widen_tensor(weights: TensorProto) -> None:
    if weights.data_type in _HALF:
        value = numpy_helper.to_array(weights).astype(np.float32)
        weights.CopyFrom(numpy_helper.from_array(value, weights.name))


def _any(names: Iterable[str], those: set[str]) -> bool:
    return any(name in those for name in names)


def _downstream(nodes: Iterable[NodeProto], roots: Iterable[str]) -> set[str]:
    """All tensors that depend on some; nodes stand in an order in which inputs come first."""
    found = set(roots)
    for node in nodes:
        if _any(tensors_read(node), found):
            found.update(node.output)
    return found


def _computing(nodes: Sequence[NodeProto], wanted: Iterable[str]) -> list[NodeProto]:
    """The nodes by which some tensors are computed, in their order."""
    found, kept = set(wanted), []
    for node in reversed(nodes):
        if _any(node.output, found):
            found.update(tensors_read(node))
            kept.append(node)
    return kept[::-1]
