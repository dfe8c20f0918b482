"""Shapes as the graph knows them: extents that are numbers where static and tensors where dynamic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np
from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.graph.ports import constant_ints, extents

Extent: TypeAlias = "int | Output"
"""A number, or an i64 tensor of shape [1]."""
Span: TypeAlias = tuple[int, int]
"""The first index and the one behind the last."""


def rank_of(port: Output) -> int:
    """Number of axes; rewriting deals with tensors of known rank."""
    return len(extents(port) or ())


def full_shape(port: Output) -> list[Extent]:
    """Extent of every axis."""
    return [extent(port, axis) for axis in range(rank_of(port))]


def extent(port: Output, axis: int) -> Extent:
    """Extent of one axis: a number where static, else read from the tensor's shape at run time."""
    shape = extents(port)
    static = None if shape is None else shape[axis]
    if static is not None:
        return static
    return ops.gather(ops.shape_of(port), ints([axis]), ints(0)).output(0)


def product(factors: Sequence[Extent]) -> Extent:
    """Product of extents; a number where all are."""
    return reduce(_times, factors, 1)


def _times(left: Extent, right: Extent) -> Extent:
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    if left == 1:
        return right
    if right == 1:
        return left
    return ops.multiply(_tensor(left), _tensor(right)).output(0)


def shape_vector(wanted: Sequence[Extent]) -> Output:
    """A shape as an i64 tensor."""
    if all(isinstance(each, int) for each in wanted):
        return ints([each for each in wanted if isinstance(each, int)])
    return ops.concat([_tensor(each) for each in wanted], 0).output(0)


def reshaped(port: Output, wanted: Sequence[Extent]) -> Output:
    """Reshape to the given extents; a single dynamic one is left to the runtime."""
    if sum(not isinstance(each, int) for each in wanted) == 1:
        wanted = [each if isinstance(each, int) else -1 for each in wanted]
    return ops.reshape(port, shape_vector(wanted), special_zero=False).output(0)


def settled(port: Output, shape: Sequence[int | None]) -> Output:
    """The same tensor with extents that are known of it but that shape inference has left open."""
    if extents(port) == tuple(shape):
        return port
    return reshaped(port, [-1 if each is None else each for each in shape])


def transposed(port: Output, order: Sequence[int]) -> Output:
    """Permute axes; two permutations in a row become one, and none where they cancel.

    Besides the work this saves a copy of one of the model's own Transposes, which the runtime would merge
    with the original and so give it a second consumer.
    """
    node = port.get_node()
    before = constant_ints(node.input_value(1)) if node.get_type_name() == "Transpose" else None
    if before:
        port, order = node.input_value(0), [before[axis] for axis in order]
    if list(order) == sorted(order):
        return port
    return ops.transpose(port, ints(order)).output(0)


def sliced(port: Output, spans: Mapping[int, Span]) -> Output:
    """Some indices of some axes."""
    starts, stops = ([span[end] for span in spans.values()] for end in (0, 1))
    return ops.slice(port, ints(starts), ints(stops), ints([1] * len(spans)), ints(list(spans))).output(0)


def ints(value: int | Sequence[int]) -> Output:
    """An i64 constant."""
    return ops.constant(np.array(value, np.int64)).output(0)


def _tensor(value: Extent) -> Output:
    return ints([value]) if isinstance(value, int) else value
