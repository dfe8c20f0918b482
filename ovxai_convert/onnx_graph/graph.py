"""Nodes to be added to an ONNX graph, in the operator set that its file names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cache
from itertools import count
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import DTypeLike, NDArray
from onnx import helper, numpy_helper

OLDEST: Final = 7
"""The first operator set whose ops broadcast as all later ones do."""
NEWEST: Final = onnx.defs.onnx_opset_version()
"""The last one that is known here."""


class CannotSay(Exception):  # noqa: N818 - no error of a user's: it becomes a refusal
    """Why something has no form in an operator set; becomes a :class:`~ovxai_convert.errors.Refusal`."""


class OnnxGraph:
    """Nodes and constants to be added; tensors are called by their names.

    Args:
        opset: of the domain ai.onnx.
        prefix: what the names of all nodes and tensors begin with.
        taken: names that the file has already.
    """

    def __init__(self, opset: int, prefix: str, taken: Collection[str] = ()) -> None:
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}
        self._prefix, self._taken = prefix, taken
        self._numbers: defaultdict[str, count[int]] = defaultdict(count)
        self._constants: dict[tuple[int, tuple[int, ...], bytes], str] = {}

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output; of optional inputs that are left out in the middle the name is "".

        Raises:
            CannotSay: the operator set has no such op, or has it without one of the attributes.
        """
        return self.add_many(kind, inputs, 1, **attributes)[0]

    def add_many(self, kind: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """A node with several outputs; see :meth:`add`."""
        given = {name: value for name, value in attributes.items() if value is not None}
        require(kind, self.opset, given, len(inputs))
        name = self._fresh(kind)
        names = [name] if outputs == 1 else [f"{name}:{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, name, **given))
        return names

    def constant(self, value: NDArray[Any] | float | Sequence[int], dtype: DTypeLike | None = None) -> str:
        """A constant; without a type Python's whole numbers are int64, others float32."""
        array = np.asarray(value, dtype)
        if dtype is None and not isinstance(value, np.ndarray):
            array = array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
        return self.tensor(numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape)))

    def tensor(self, proto: onnx.TensorProto) -> str:
        """A constant of any element type; an equal one is stored once."""
        key = proto.data_type, tuple(proto.dims), proto.raw_data
        if key not in self._constants:
            copy = onnx.TensorProto()
            copy.CopyFrom(proto)
            copy.name = self._constants[key] = self._fresh("constant")
            self.initializers[copy.name] = copy
        return self._constants[key]

    def with_axes(self, name: str, rank: int) -> str:
        """A constant of this graph that holds one number, with so many axes; any other tensor as it is."""
        proto = self.initializers.get(name)
        if proto is None or len(proto.dims) >= rank or any(extent != 1 for extent in proto.dims):
            return name
        copy = onnx.TensorProto()
        copy.CopyFrom(proto)
        copy.dims[:] = [1] * rank
        return self.tensor(copy)

    def call(self, tensor: str, name: str) -> None:
        """Give a tensor another name; one that the file itself has is handed on under it."""
        for node in self.nodes:
            node.output[:] = [name if each == tensor else each for each in node.output]
            node.input[:] = [name if each == tensor else each for each in node.input]
        if not any(name in node.output for node in self.nodes):
            self.nodes.append(helper.make_node("Identity", [tensor], [name], self._fresh("Identity")))

    def keep_only(self, wanted: Collection[str]) -> None:
        """Drop nodes and constants that some tensors are not computed from."""
        read = set(wanted)
        kept = []
        for node in reversed(self.nodes):
            if read.intersection(node.output):
                kept.append(node)
                read.update(node.input)
        self.nodes = kept[::-1]
        self.initializers = {name: each for name, each in self.initializers.items() if name in read}

    def since(self, opset: int, what: str) -> None:
        """A CannotSay where the operator set is older than one that can say something."""
        if self.opset < opset:
            raise CannotSay(f"{what} cannot be said in operator set {self.opset}, but in {opset} and later")

    def _fresh(self, kind: str) -> str:
        names = (f"{self._prefix}{kind}_{number}" for number in self._numbers[kind])
        return next(name for name in names if name not in self._taken)


def require(kind: str, opset: int, attributes: Collection[str] = (), inputs: int = 0) -> None:
    """A CannotSay where an operator set has no such op, or one without these attributes or so many inputs."""
    schema = _schema(kind, opset)
    if schema is not None and _takes(schema, attributes, inputs):
        return
    later = (
        version
        for version in range(opset + 1, NEWEST + 1)
        if (newer := _schema(kind, version)) is not None and _takes(newer, attributes, inputs)
    )
    first = next(later, None)
    if first is None:
        raise CannotSay(
            f"{kind} with {', '.join(attributes) or f'{inputs} inputs'} is not in any operator set"
        )
    raise CannotSay(f"{kind} cannot be said in operator set {opset}, but in {first} and later")


def _takes(schema: onnx.defs.OpSchema, attributes: Collection[str], inputs: int) -> bool:
    return set(attributes) <= set(schema.attributes) and schema.min_input <= inputs <= schema.max_input


@cache
def _schema(kind: str, opset: int) -> onnx.defs.OpSchema | None:
    """An op as it is in an operator set, None where it is not in it."""
    try:
        schema = onnx.defs.get_schema(kind, min(opset, NEWEST))
    except onnx.defs.SchemaError:
        return None
    return None if schema.deprecated else schema
