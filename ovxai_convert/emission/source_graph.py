"""What an ONNX file has already: its operator set, the names of its tensors, its weights by their values."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.external_data_helper import uses_external_data
from openvino import Output
from openvino.op import Constant

from ovxai_convert.onnx_graph import forms
from ovxai_convert.onnx_graph.graph import OnnxGraph
from ovxai_convert.tensors.ports import extents

_SMALL: Final = 1024
"""Bytes of a constant that is stored once more rather than looked for."""
_WEIGHTS_ALONE: Final = 4
"""The version of the format from which on weights need not be inputs of the graph, too."""
_STANDARD: Final = ("", "ai.onnx")


class SourceGraph:
    """The graph of an ONNX file, as far as nodes that are added to it need to know.

    Attributes:
        path: the file.
        model: what stands in it; weights in other files are not read.
        opset: of the standard ops, None where the file names none.
        weights_are_inputs: whether it is of a version in which all weights are inputs, too.
        tensors, names: those in use, and those of nodes as well.
        open_extents: of each input, the names of its extents; None of one that is fixed or has none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = onnx.load(path, load_external_data=False)
        graph, imports = self.model.graph, self.model.opset_import
        self.opset = max((each.version for each in imports if each.domain in _STANDARD), default=None)
        self.weights_are_inputs = self.model.ir_version < _WEIGHTS_ALONE
        self._weights = {each.name: each for each in graph.initializer}
        made = {name for node in graph.node for name in node.output if name}
        self.tensors = made | set(self._weights) | {each.name for each in graph.input}
        self.names = self.tensors | {node.name for node in graph.node}
        self.open_extents = {
            each.name: [axis.dim_param or None for axis in each.type.tensor_type.shape.dim]
            for each in graph.input
        }

    def name_of(self, port: Output) -> str | None:
        """The name under which the file has a tensor that OpenVINO has read from it, None if under none.

        Of a constant only where it is the file's own, in type and shape: readers put other ones in place.
        """
        names = sorted(port.get_names() & self.tensors)
        if not isinstance(port.get_node(), Constant):
            return names[0] if names else None
        weights = (name for name in names if name in self._weights)
        return next((name for name in weights if _is(self._weights[name], port)), None)

    def weights_of(self, port: Output, graph: OnnxGraph) -> str | None:
        """A constant by the weights of the file that hold its numbers, under its axes or under turned ones.

        Readers turn and reshape weights as they like; without this they would be stored once more.
        """
        node = port.get_node()
        if not isinstance(node, Constant) or node.get_byte_size() <= _SMALL:
            return None
        value = np.asarray(node.data)
        for name in self._by_size.get(value.nbytes, ()):
            own = self._value(name)
            if own.dtype != value.dtype:
                continue
            if np.array_equal(own.ravel(), value.ravel()):
                same = own.shape == value.shape
                return name if same else forms.reshaped_to(graph, name, value.shape)
            if (
                own.ndim == value.ndim == 2
                and own.shape == value.shape[::-1]
                and np.array_equal(own.T, value)
            ):
                return forms.matrix_transposed(graph, name, 2)
        return None

    @cached_property
    def _by_size(self) -> dict[int, list[str]]:
        """Weights that stand in the file itself, by their bytes."""
        found: defaultdict[int, list[str]] = defaultdict(list)
        for name, weights in self._weights.items():
            if not uses_external_data(weights):
                size = helper.tensor_dtype_to_np_dtype(weights.data_type).itemsize
                found[size * int(np.prod(list(weights.dims), dtype=np.int64))].append(name)
        return found

    def _value(self, name: str) -> NDArray[Any]:
        return np.asarray(numpy_helper.to_array(self._weights[name]))


def _is(weights: onnx.TensorProto, port: Output) -> bool:
    """Whether weights have a constant's extents, and a type of its size."""
    if list(weights.dims) != list(extents(port) or ()):
        return False
    size = helper.tensor_dtype_to_np_dtype(weights.data_type).itemsize
    return bool(size == port.get_element_type().size)
