"""The fully connected layer that ends most classifiers, and its output for chosen classes only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.graph.cones import DataFlow
from ovxai_convert.graph.op_types import AXIS_MOVES
from ovxai_convert.graph.ports import extents, rank

_STEPS: Final = {"Add": ops.add, "Multiply": ops.multiply}


@dataclass(frozen=True)
class LinearTail:
    """``scores = step(step(features @ weights))``, the steps being a bias or a factor per class.

    Attributes:
        features: ``[N, C]``, what the layer reads.
        matmul: the product with the weights.
        steps: Add and Multiply nodes behind it, in order, each with the index of its constant input.
    """

    features: Output
    matmul: Node
    steps: tuple[tuple[Node, int], ...]

    def rows(self, indices: Output) -> Output:
        """Weights of some classes: ``[K', C]`` for indices ``[K']``, ``[N, K', C]`` for ``[N, K']``."""
        weights = self.matmul.input_value(1)
        if not self.matmul.get_attributes()["transpose_b"]:
            weights = ops.transpose(weights, _axis([1, 0])).output(0)
        return ops.gather(weights, indices, _axis(0)).output(0)

    def finish(self, products: Output, indices: Output) -> Output:
        """Bias and factor of some classes applied to ``[N, K', P]``."""
        for node, constant in self.steps:
            values = node.input_value(constant)
            if any(each != 1 for each in extents(values) or ()):
                flat = ops.reshape(values, _axis([-1]), special_zero=False)
                values = ops.unsqueeze(ops.gather(flat, indices, _axis(0)), _axis(-1))
            products = _STEPS[node.get_type_name()](products, values).output(0)
        return products


def find_linear_tail(flow: DataFlow, scores: Output) -> LinearTail | None:
    """The last layer, where the scores are a matrix product with constant weights and steps per class."""
    steps: list[tuple[Node, int]] = []
    port = scores
    while port.get_node().get_type_name() in _STEPS:
        node = port.get_node()
        data = [index for index, each in enumerate(node.input_values()) if flow.depends_on_input(each)]
        if len(data) != 1 or not _per_class(node.input_value(1 - data[0]), scores):
            return None
        steps.insert(0, (node, 1 - data[0]))
        port = node.input_value(data[0])
    node = port.get_node()
    if node.get_type_name() != "MatMul" or node.get_attributes()["transpose_a"]:
        return None
    features, weights = node.input_values()
    if flow.depends_on_input(weights) or rank(weights) != 2 or rank(features) != 2:
        return None
    return LinearTail(features, node, tuple(steps))


def take_out_divisor(flow: DataFlow, features: Output) -> Output | None:
    """Remove a division by one number from added nodes that only move numbers behind it; the number, if any.

    A linear layer may divide its weights instead: ``W (x / d) = (W / d) x``, which is less work where few
    rows are used.

    Args:
        flow: data edges of the model without the added nodes, which alone are changed.
        features: what the layer reads.
    """
    node = features.get_node()
    while node not in flow.position and _readers(node) <= 1:
        source = node.input_value(0)
        if node.get_type_name() == "Divide" and rank(node.input_value(1)) == 0:
            divisor = node.input_value(1)
            node.output(0).replace(source)
            return divisor
        if node.get_type_name() not in AXIS_MOVES:
            return None
        node = source.get_node()
    return None


def _readers(node: Node) -> int:
    """How many ops read a tensor's values; those that read its shape do not count."""
    users = (user.get_node() for port in node.outputs() for user in port.get_target_inputs())
    return sum(user.get_type_name() != "ShapeOf" for user in users)


def _per_class(constant: Output, scores: Output) -> bool:
    """Whether a constant is one number, or one number per class."""
    shape, classes = extents(constant), (extents(scores) or (None, None))[1]
    if shape is None or any(each not in (1, classes) for each in shape) or len(shape) > 2:
        return False
    return all(each == 1 for each in shape[:-1])


def _axis(value: int | Sequence[int]) -> Output:
    return ops.constant(np.array(value, np.int64)).output(0)
