"""An ONNX file cut at its target, so that its head can be run in ONNX Runtime on what a definition masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.external_data_helper import uses_external_data

_HALF: Final = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


class OnnxCut:
    """The nodes of an ONNX graph between some tensors and another one.

    Args:
        path: an ONNX file.
        masked: names of the tensors that are cut, the target first.
        wanted: name of the tensor that the head computes.

    Attributes:
        entering: names of all tensors that enter the head from the inputs of the file, the target first.
    """

    def __init__(self, path: Path, masked: Sequence[str], wanted: str) -> None:
        self._path = path
        self._model = onnx.load(path, load_external_data=False)
        nodes = self._model.graph.node
        # in files of old versions every constant is among the inputs, too, as what one is that is not given
        constants = {each.name for each in self._model.graph.initializer}
        inputs = [each.name for each in self._model.graph.input if each.name not in constants]
        variable = _downstream(nodes, inputs)
        behind = _downstream(nodes, masked)
        needed = _upstream(nodes, wanted)
        head = [node for node in nodes if _any(node.output, needed) and _any(_reads(node), behind)]
        made = {name for node in head for name in node.output} - set(masked)
        self._wanted = wanted
        # the producer of a masked tensor may itself lie behind another one: its output is cut all the same
        self._head = [node for node in head if not set(node.output) <= set(masked)]
        entering = [
            name for node in self._head for name in _reads(node) if name in variable and name not in made
        ]
        self.entering = tuple(dict.fromkeys([*masked, *entering]))
        constant = {name for node in self._head for name in _reads(node)} - variable - made
        self._fixed = _producers(nodes, constant)

    def trunk_outputs(self) -> GraphProto:
        """What makes the file give out the tensors that enter its head."""
        own = {each.name for each in self._model.graph.output}
        inputs = {each.name for each in self._model.graph.input}
        outputs = [onnx.ValueInfoProto(name=name) for name in self.entering if name not in own | inputs]
        return GraphProto(output=outputs)

    def head(self, values: Sequence[NDArray[Any]]) -> bytes:
        """The head as a model of its own, which computes in float32 where the file does in half precision.

        ``values``: of the tensors that enter it, by whose types and ranks its inputs are described.
        """
        nodes = [*self._fixed, *self._head]
        read = {name for node in nodes for name in _reads(node)}
        model = onnx.ModelProto()
        for field in ("ir_version", "opset_import", "functions"):
            value = getattr(self._model, field)
            if field == "ir_version":
                model.ir_version = value
            else:
                getattr(model, field).extend(value)
        graph = model.graph
        graph.name = "head"
        graph.node.extend(nodes)
        for weights in self._model.graph.initializer:
            if weights.name in read:
                copy = graph.initializer.add()
                copy.CopyFrom(weights)
                _bring_in(copy, self._path.parent)
        for name, value in zip(self.entering, values, strict=True):
            kind = helper.np_dtype_to_tensor_dtype(widened(value).dtype)
            graph.input.append(helper.make_tensor_value_info(name, kind, [None] * value.ndim))
        graph.output.add().name = self._wanted
        _widen(graph)
        return model.SerializeToString()


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
            for inner in _inner(attribute):
                _widen(inner)


def _widen_tensor(weights: TensorProto) -> None:
    if weights.data_type in _HALF:
        value = numpy_helper.to_array(weights).astype(np.float32)
        weights.CopyFrom(numpy_helper.from_array(value, weights.name))


def _inner(attribute: AttributeProto) -> list[GraphProto]:
    return [*([attribute.g] if attribute.type == AttributeProto.GRAPH else []), *attribute.graphs]


def _reads(node: NodeProto) -> Iterator[str]:
    """Names of all tensors that a node reads, those within its own graphs among them."""
    yield from (name for name in node.input if name)
    for attribute in node.attribute:
        for inner in _inner(attribute):
            for each in inner.node:
                yield from _reads(each)


def _any(names: Sequence[str] | Iterator[str], those: set[str] | Mapping[str, Any]) -> bool:
    return any(name in those for name in names)


def _downstream(nodes: Sequence[NodeProto], roots: Sequence[str]) -> set[str]:
    """All tensors that depend on some; nodes stand in an order in which inputs come first."""
    found = set(roots)
    for node in nodes:
        if _any(_reads(node), found):
            found.update(node.output)
    return found


def _upstream(nodes: Sequence[NodeProto], wanted: str) -> set[str]:
    """All tensors that one is computed from, and itself."""
    found = {wanted}
    for node in reversed(nodes):
        if _any(node.output, found):
            found.update(_reads(node))
    return found


def _producers(nodes: Sequence[NodeProto], wanted: set[str]) -> list[NodeProto]:
    """The nodes by which some tensors are computed, in their order."""
    found, kept = set(wanted), []
    for node in reversed(nodes):
        if _any(node.output, found):
            found.update(_reads(node))
            kept.append(node)
    return kept[::-1]
