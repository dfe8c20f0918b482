"""The fully connected layer that ends most classifiers, and its output for chosen classes only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.ops import Trait, has
from ovxai_convert.ops.products import layer_of
from ovxai_convert.tensors.extents import ints, reshaped
from ovxai_convert.tensors.permuting import transposed
from ovxai_convert.tensors.ports import extents, rank

_STEPS: Final = (Trait.ADD, Trait.MULTIPLY)


@dataclass(frozen=True)
class LinearTail:
    """``scores = step(step(features @ weights))``, the steps being a bias or a factor per class.

    Attributes:
        features: ``[N, C]``, what the layer reads.
        weights: the matrix.
        outputs_first: it is ``[K, C]``, not ``[C, K]``.
        steps: Add and Multiply nodes behind it, in order, each with the index of its constant input.
    """

    features: Output
    weights: Output
    outputs_first: bool
    steps: tuple[tuple[Node, int], ...]

    def rows(self, indices: Output) -> Output:
        """Weights of some classes: ``[K', C]`` for indices ``[K']``, ``[N, K', C]`` for ``[N, K']``."""
        weights = self.weights if self.outputs_first else transposed(self.weights, [1, 0])
        return ops.gather(weights, indices, ints(0)).output(0)

    def finish(self, products: Output, indices: Output) -> Output:
        """Bias and factor of some classes applied to ``[N, K', P]``."""
        for node, constant in self.steps:
            values = node.input_value(constant)
            if any(extent != 1 for extent in extents(values) or ()):
                values = ops.unsqueeze(ops.gather(reshaped(values, [-1]), indices, ints(0)), ints(-1))
            step = ops.add if has(node, Trait.ADD) else ops.multiply
            products = step(products, values).output(0)
        return products


def find_linear_tail(flow: DataFlow, scores: Output) -> LinearTail | None:
    """The last layer, where the scores are a matrix product with constant weights and steps per class."""
    steps: list[tuple[Node, int]] = []
    port = scores
    while has(port.get_node(), *_STEPS):
        node = port.get_node()
        data = [index for index, source in enumerate(node.input_values()) if flow.depends_on_input(source)]
        if len(data) != 1 or not _per_class(node.input_value(1 - data[0]), scores):
            return None
        steps.insert(0, (node, 1 - data[0]))
        port = node.input_value(data[0])
    layer = layer_of(port.get_node())
    if layer is None or flow.depends_on_input(layer[1]) or {rank(port) for port in layer[:2]} != {2}:
        return None
    return LinearTail(*layer, tuple(steps))


def take_out_divisor(flow: DataFlow, features: Output) -> Output | None:
    """Take a division by one number out of added nodes that only move numbers behind it; the number, if any.

    A linear layer may divide its weights instead: ``W (x / d) = (W / d) x``, which is less work where few
    rows are used. ``flow`` is of the model without the added nodes.
    """
    node = features.get_node()
    while node not in flow.position and _readers(node) <= 1:
        source = node.input_value(0)
        if has(node, Trait.DIVIDE) and rank(node.input_value(1)) == 0:
            divisor = node.input_value(1)
            node.output(0).replace(source)
            return divisor
        if not has(node, Trait.MOVE):
            return None
        node = source.get_node()
    return None


def _readers(node: Node) -> int:
    """How many ops read a tensor's values; those that read its shape do not count."""
    users = (user.get_node() for port in node.outputs() for user in port.get_target_inputs())
    return sum(not has(user, Trait.SHAPE) for user in users)


def _per_class(constant: Output, scores: Output) -> bool:
    """Whether a constant is one number, or one number per class."""
    shape, classes = extents(constant), (extents(scores) or (None, None))[1]
    if shape is None or len(shape) > 2:
        return False
    return all(extent == 1 for extent in shape[:-1]) and all(last in (1, classes) for last in shape[-1:])
