"""How an op is said in ONNX: what a row's field ``onnx`` is given, and makers of it.

The op's inputs are tensors of an ONNX graph by their names; what it gives are names of its outputs. An op
whose form depends on the operator set is said by :mod:`ovxai_convert.onnx_graph.forms`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper
from openvino import Node, Output

from ovxai_convert.onnx_graph import forms
from ovxai_convert.onnx_graph.graph import CannotSay, OnnxGraph
from ovxai_convert.tensors.ports import constant_value, extents

_TYPES: Final[Mapping[str, int]] = {
    "boolean": TensorProto.BOOL,
    "bf16": TensorProto.FLOAT,
    "f16": TensorProto.FLOAT,
    "f32": TensorProto.FLOAT,
    "f64": TensorProto.DOUBLE,
    "i8": TensorProto.INT8,
    "i16": TensorProto.INT16,
    "i32": TensorProto.INT32,
    "i64": TensorProto.INT64,
    "u8": TensorProto.UINT8,
    "u16": TensorProto.UINT16,
    "u32": TensorProto.UINT32,
    "u64": TensorProto.UINT64,
}
"""Types under which a branch computes: numbers of half precision in float32, as OpenVINO does on the CPU."""


def onnx_type_of(port: Output) -> int:
    """ONNX's number of the element type under which a branch has a tensor.

    Raises:
        CannotSay: there is none.
    """
    name = port.get_element_type().get_type_name()
    if name not in _TYPES:
        raise CannotSay(f"the element type {name} has no form in ONNX")
    return _TYPES[name]


def dtype_of(port: Output) -> np.dtype[Any]:
    """The same as NumPy's type."""
    return np.dtype(helper.tensor_dtype_to_np_dtype(onnx_type_of(port)))


@dataclass(frozen=True)
class OnnxCall:
    """An op that is to be said in ONNX.

    Attributes:
        node: the op, as OpenVINO has it.
        graph: takes the nodes.
        tensor: the name of a tensor of OpenVINO's in the graph; a constant enters the graph when it is asked.
    """

    node: Node
    graph: OnnxGraph
    tensor: Callable[[Output], str]

    @property
    def kind(self) -> str:
        """Its type."""
        return str(self.node.get_type_name())

    @property
    def attributes(self) -> dict[str, Any]:
        """Its attributes."""
        return dict(self.node.get_attributes())

    @property
    def count(self) -> int:
        """How many inputs it has."""
        return int(self.node.get_input_size())

    def input(self, index: int) -> str:
        """The name of an input."""
        return self.tensor(self.node.input_value(index))

    def inputs(self) -> list[str]:
        """The names of all inputs."""
        return [self.input(index) for index in range(self.count)]

    def broadcast(self) -> list[str]:
        """The names of all inputs; a constant number has as many axes as the result if that ends in ones.

        With fewer axes it means the same, but takes ONNX Runtime 80 times as long: it goes by the last axis
        of both, which then holds one number.
        """
        names, shape = self.inputs(), extents(self.node.output(0))
        if not shape or shape[-1] != 1:
            return names
        return [self.graph.with_axes(name, len(shape)) for name in names]

    def value(self, index: int, what: str) -> NDArray[Any]:
        """An input that must be constant; ``what`` it is, for who reads why it cannot be."""
        value = constant_value(self.node.input_value(index))
        if value is None:
            raise CannotSay(f"{self.kind} whose {what} are computed has no form in ONNX")
        return value

    def numbers(self, index: int, what: str) -> list[int]:
        """The same as a flat list of whole numbers."""
        return [int(each) for each in np.ravel(self.value(index, what))]

    def shape(self, index: int = 0) -> tuple[int | None, ...]:
        """Extents of an input, None where dynamic."""
        shape = extents(self.node.input_value(index))
        if shape is None:
            raise CannotSay(f"{self.kind} of a tensor of unknown rank")
        return shape

    def rank(self, index: int = 0) -> int:
        """Number of axes of an input."""
        return len(self.shape(index))

    def result_rank(self) -> int:
        """Number of axes of the output."""
        shape = extents(self.node.output(0))
        if shape is None:
            raise CannotSay(f"{self.kind} with a result of unknown rank")
        return len(shape)

    def element(self, index: int = 0) -> str:
        """Name of an input's element type, as ``i64``."""
        return str(self.node.input_value(index).get_element_type().get_type_name())

    def dtype(self, index: int = 0) -> np.dtype[Any]:
        """NumPy's type under which an input is had."""
        return dtype_of(self.node.input_value(index))

    def is_float(self, index: int = 0) -> bool:
        """Whether an input holds real numbers."""
        return bool(self.node.input_value(index).get_element_type().is_real())

    def number(self, value: float, index: int = 0) -> str:
        """A constant without axes of an input's element type."""
        return self.graph.constant(value, self.dtype(index))

    def whole(self, index: int) -> str:
        """The name of an input of whole numbers, as int64."""
        name = self.input(index)
        return name if self.element(index) == "i64" else forms.cast_to(self.graph, name, "int64")

    def cast(self, name: str, port: Output) -> str:
        """A tensor in the element type of one of OpenVINO's."""
        return forms.cast_to(self.graph, name, dtype_of(port))


Emission: TypeAlias = Callable[[OnnxCall], Sequence[str]]
"""Adds an op's form to an ONNX graph and names its outputs; raises CannotSay where there is none."""


def cannot(call: OnnxCall) -> list[str]:
    """No form is known."""
    raise CannotSay(f"{call.kind} has no form in ONNX")


def named(names: Mapping[str, str] | None = None, **attributes: Any) -> Emission:
    """An op of the same inputs; ``names`` are ONNX's where they differ, by OpenVINO's."""

    def said(call: OnnxCall) -> list[str]:
        kind = (names or {}).get(call.kind, call.kind)
        return [call.graph.add(kind, *call.broadcast(), **attributes)]

    return said


def by_type(forms_of: Mapping[str, Emission], otherwise: Emission) -> Emission:
    """A form for each of a row's types, and one for all others."""
    return lambda call: forms_of.get(call.kind, otherwise)(call)
