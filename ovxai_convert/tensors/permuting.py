"""Axes in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.tensors.extents import ints
from ovxai_convert.tensors.ports import constant_ints, rank

TRANSPOSE: Final = "Transpose"


def order_of(node: Node) -> list[int] | None:
    """The input's axis for every axis of a Transpose's output; None of other ops, or where not constant."""
    order = constant_ints(node.input_value(1)) if node.get_type_name() == TRANSPOSE else None
    return order if order is None or order else list(range(rank(node.input_value(0)) or 0))[::-1]


def transposed(port: Output, order: Sequence[int]) -> Output:
    """Permute axes; two permutations in a row become one, and none where they cancel.

    Besides the work this saves a copy of one of the model's own permutations, which the runtime would merge
    with the original and so give it a second consumer.
    """
    if before := order_of(port.get_node()):
        port, order = port.get_node().input_value(0), [before[axis] for axis in order]
    if list(order) == sorted(order):
        return port
    return ops.transpose(port, ints(list(order))).output(0)
