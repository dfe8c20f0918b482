"""What nodes cost to run: multiply-accumulates, and the bytes that must be held at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from openvino import Node, Output

from ovxai_convert.graph.op_types import CONVOLUTIONS
from ovxai_convert.graph.ports import extents


@dataclass(frozen=True)
class Cost:
    """The price of a branch, one sample at a time where the batch is dynamic.

    Attributes:
        macs: multiply-accumulates of the branch's convolutions and matrix products.
        model_macs: those of the model without it.
        peak_bytes: the most that one op of the branch reads and writes together.
    """

    macs: int
    model_macs: int
    peak_bytes: int

    @property
    def share(self) -> float:
        """The branch's multiply-accumulates as a part of the model's."""
        return self.macs / self.model_macs if self.model_macs else float("inf")


def cost_of(added: Iterable[Node], model: Iterable[Node]) -> Cost:
    """The cost of added nodes beside those of the model; dynamic extents count as 1."""
    added = list(added)
    return Cost(
        sum(map(multiply_accumulates, added)),
        sum(map(multiply_accumulates, model)),
        max((_bytes_touched(node) for node in added), default=0),
    )


def readable(size: float) -> str:
    """A number of bytes as people read it: ``3.4 MiB``."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"


def multiply_accumulates(node: Node) -> int:
    """Multiply-accumulates of a convolution or a matrix product, 0 for every other op."""
    kind = node.get_type_name()
    if kind in CONVOLUTIONS:
        grouped = kind.startswith("Group")
        weights = _shape(node.input_value(1))
        if kind.endswith("BackpropData"):  # every input element meets every weight of its input channel
            return _elements(node.input_value(0)) * prod(weights[2:] if grouped else weights[1:])
        return _elements(node.output(0)) * prod(weights[2:] if grouped else weights[1:])
    if kind == "MatMul":
        left = _shape(node.input_value(0))
        contracted = left[-2] if node.get_attributes()["transpose_a"] and len(left) > 1 else left[-1]
        return _elements(node.output(0)) * contracted
    return 0


def _bytes_touched(node: Node) -> int:
    ports = [*node.input_values(), *node.outputs()]
    return sum(_elements(port) * int(port.get_element_type().size) for port in dict.fromkeys(ports))


def _elements(port: Output) -> int:
    return prod(_shape(port))


def _shape(port: Output) -> list[int]:
    return [1 if extent is None else extent for extent in extents(port) or ()]
