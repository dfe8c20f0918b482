"""What a class tensor's numbers are, by the graph: classes, groups of them, yes or no, a quantity, ranks."""

from __future__ import annotations

import re
from typing import Final

from openvino import Node, Output

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.ops import Trait, has
from ovxai_convert.tensors.permuting import order_of
from ovxai_convert.tensors.ports import extents
from ovxai_convert.vocabulary import AnswerMeaning, Range

_QUANTITIES: Final = frozenset(
    {
        *("age", "ages", "quantity", "amount", "count", "counts", "distance", "depth", "angle", "price"),
        *("weight", "height", "width", "length", "rating", "quality", "aesthetic", "aesthetics", "mos"),
        *("regression", "regressor", "temperature", "speed", "volume", "years", "months", "value"),
    }
)
"""Words in an output's name that say that its one number is measured and not decided."""


def groups_within(port: Output) -> tuple[Range, ...] | None:
    """Ranges of classes ``[N, K]`` of which a softmax each was taken, the sigmoid of every other one.

    None where other numbers are among them. One range of all K is a plain softmax, no range a plain sigmoid.
    """
    shape = extents(port) or ()
    if len(shape) < 2:
        return None
    count, node, moved = shape[1], port.get_node(), False
    while has(node, Trait.MOVE, Trait.COPY, Trait.ROUNDING):
        order = order_of(node)
        moved = moved or (order is not None and list(order) != sorted(order))
        node = node.input_value(0).get_node()
    if has(node, Trait.SIGMOID):
        return ()
    if has(node, Trait.SOFTMAX):
        return _groups_of_softmax(node, count, moved=moved)
    if has(node, Trait.JOIN) and not moved and joins_classes(node):
        return _groups_of_parts(node)
    return None


def _groups_of_softmax(node: Node, count: int | None, *, moved: bool) -> tuple[Range, ...] | None:
    """One group of all, or as many as there are rows of a softmax along the last axis."""
    shape = extents(node.output(0)) or ()
    axis = int(node.get_attributes()["axis"]) % max(len(shape), 1)
    size = shape[axis] if shape else None
    if count is None or size is None:
        return None
    if size == count:
        return ((0, count),)
    if moved or axis != len(shape) - 1 or size < 1 or count % size:
        return None
    return tuple((first, first + size) for first in range(0, count, size))


def _groups_of_parts(node: Node) -> tuple[Range, ...] | None:
    groups: list[Range] = []
    start = 0
    for part in node.input_values():
        size, within = (extents(part) or (None, None))[1], groups_within(part)
        if size is None or within is None:
            return None
        groups += [(start + first, start + behind) for first, behind in within]
        start += size
    return tuple(groups)


def joins_classes(node: Node) -> bool:
    """Whether a node joins ``[N, K1]``, ``[N, K2]``, ... to one row of classes."""
    shape = extents(node.output(0)) or ()
    return has(node, Trait.JOIN) and len(shape) > 1 and int(node.get_attributes()["axis"]) % len(shape) == 1


def parts_of(port: Output) -> tuple[int, ...]:
    """How many numbers each of the heads gives that a class tensor is joined of; empty where it is not."""
    node = port.get_node()
    if not joins_classes(node):
        return ()
    sizes = [(extents(part) or (None, None))[1] for part in node.input_values()]
    return tuple(size or 0 for size in sizes)


def meaning_of(flow: DataFlow, port: Output, class_count: int, activation: str, name: str) -> AnswerMeaning:
    """What the numbers of a class tensor are; ``name`` is that of the output that shows them."""
    if class_count > 1:
        return "ordinal" if _steps_of_one_score(flow, port, class_count) else "classes"
    if activation == "sigmoid":
        return "binary"
    if activation != "none":
        return "classes"
    measured = has(port.get_node(), Trait.NOT_NEGATIVE) or not _QUANTITIES.isdisjoint(_words(name))
    return "quantity" if measured or _scaled_sigmoid(flow, port) else "binary"


def _steps_of_one_score(flow: DataFlow, port: Output, class_count: int) -> bool:
    """Whether the K numbers are one number plus K constants, as of CORAL (Cao et al., arXiv 1901.07884)."""
    node = port.get_node()
    if not has(node, Trait.ADD):
        return False
    data = flow.data_inputs(node)
    if len(data) != 1:
        return False
    shape = extents(data[0]) or ()
    return len(shape) > 1 and shape[1] == 1 and class_count > 1


def _scaled_sigmoid(flow: DataFlow, port: Output) -> bool:
    """Whether a share of 0 to 1 was brought to another range by constants."""
    node, steps = port.get_node(), 0
    while has(node, Trait.ADD, Trait.MULTIPLY, Trait.DIVIDE, Trait.MOVE, Trait.COPY):
        data = flow.data_inputs(node)
        if len(data) != 1:
            return False
        steps += has(node, Trait.ADD, Trait.MULTIPLY, Trait.DIVIDE)
        node = data[0].get_node()
    return steps > 0 and has(node, Trait.SIGMOID)


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
