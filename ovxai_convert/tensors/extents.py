"""Extents and shapes in the graph: read from tensors at run time, so that they hold at whatever shape.

Nothing here is a number of today's shape: a model that is given another batch or another size after its
conversion computes its branch from the new one. Where shapes are static the compiler folds all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np
from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.tensors.ports import extents

Extent: TypeAlias = "int | Output"
"""A number that no change of shape can move, or an i64 tensor of shape [1]."""
Span: TypeAlias = tuple[int, int]
"""The first index and the one behind the last."""


def rank_of(port: Output) -> int:
    """Number of axes; rewriting deals with tensors of known rank."""
    return len(extents(port) or ())


def extent(port: Output, axis: int) -> Output:
    """Extent of one axis, read from the tensor's shape."""
    return ops.gather(ops.shape_of(port), ints([axis % rank_of(port)]), ints(0)).output(0)


def full_shape(port: Output, first: int = 0) -> list[Extent]:
    """Extent of every axis from ``first`` on."""
    return [extent(port, axis) for axis in range(first, rank_of(port))]


def product(factors: Sequence[Extent]) -> Extent:
    """Product of extents; a number where all are."""
    return reduce(_times, factors, 1)


def _times(left: Extent, right: Extent) -> Extent:
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    if left == 1:
        return right
    return left if right == 1 else ops.multiply(_tensor(left), _tensor(right)).output(0)


def quotient(whole: Extent, part: int) -> Extent:
    """A whole number of parts; what is left over is dropped."""
    return whole if part == 1 else ops.divide(_tensor(whole), ints([part])).output(0)


def _tensor(value: Extent) -> Output:
    return ints([value]) if isinstance(value, int) else value


def shape_vector(wanted: Sequence[Extent]) -> Output:
    """A shape as an i64 tensor."""
    numbers = [extent for extent in wanted if isinstance(extent, int)]
    if len(numbers) == len(wanted):
        return ints(numbers)
    return ops.concat([_tensor(extent) for extent in wanted], 0).output(0)


def scalar(value: Extent) -> Output:
    """An extent as an i64 tensor without axes."""
    return ints(value) if isinstance(value, int) else ops.squeeze(value, ints(0)).output(0)


def counted(count: Extent, element_type: str = "i64") -> Output:
    """0, 1, ... ``count`` - 1."""
    return ops.range(ints(0), scalar(count), ints(1), element_type).output(0)


def reshaped(port: Output, wanted: Sequence[Extent]) -> Output:
    """Reshape to the given extents; -1 is what is left."""
    return ops.reshape(port, shape_vector(wanted), special_zero=False).output(0)


def pinned(port: Output, wanted: Mapping[int, int]) -> Output:
    """The same tensor, which cannot be built where some axes have other extents than these.

    For equations that hold at one shape only: at another the model must fail and not give a wrong map. (A
    pattern with zeros in it, which stand for extents of the input, would not be checked.)
    """
    return reshaped(port, [wanted.get(axis) or extent(port, axis) for axis in range(rank_of(port))])


def sliced(port: Output, spans: Mapping[int, Span]) -> Output:
    """Some indices of some axes."""
    starts, stops = ([span[end] for span in spans.values()] for end in (0, 1))
    return ops.slice(port, ints(starts), ints(stops), ints([1] * len(spans)), ints(list(spans))).output(0)


def unsqueezed(port: Output, axes: Sequence[int]) -> Output:
    """New axes of extent one, at these places of the result."""
    return ops.unsqueeze(port, ints(list(axes))).output(0) if axes else port


def added_up(terms: Iterable[Output]) -> Output:
    """The sum of one tensor or more, in order."""
    return reduce(lambda total, term: ops.add(total, term).output(0), terms)


def ints(value: int | Sequence[int]) -> Output:
    """An i64 constant."""
    return ops.constant(np.array(value, np.int64)).output(0)


def number(value: float, like: Output) -> Output:
    """A constant without axes, of another tensor's element type."""
    return ops.constant(value, like.get_element_type()).output(0)
