"""What nodes cost to run: multiply-accumulates, and the bytes that must be held at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from openvino import Node, Output

from ovxai_convert.ops import op_of
from ovxai_convert.tensors.ports import elements


@dataclass(frozen=True)
class Cost:
    """The price of a branch, one sample at a time where the batch is dynamic.

    Multiply-accumulates are those of convolutions, products and attention; ``model_macs`` those of the model
    without the branch. ``peak_bytes`` is the most that one op of the branch reads and writes together.
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
    macs, model_macs = (sum(op_of(node).macs(node) for node in nodes) for nodes in (added, model))
    touched = (sum(map(bytes_of, {*node.input_values(), *node.outputs()})) for node in added)
    return Cost(macs, model_macs, max(touched, default=0))


def readable(size: float) -> str:
    """A number of bytes as people read it: ``3.4 MiB``."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"


def bytes_of(port: Output) -> int:
    """The size of a tensor, open extents counted as 1."""
    return elements(port) * int(port.get_element_type().size)
