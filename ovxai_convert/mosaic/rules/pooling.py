"""Pooling of the whole map, and of tiles that do not overlap.

Of the P cells of copy p all but one hold the background:
``mean_q D[p, q] = (V[p] + sum_{q != p} B[q]) / P``, ``max_q D[p, q] = max(V[p], B)`` for a uniform B.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import Final

import numpy as np
from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.graph.axes import reduced_axes
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Carried, Dense, Sparse
from ovxai_convert.mosaic.rules.rule import Apply, Rule, data_and_parameters, shape_of, uniform
from ovxai_convert.mosaic.shapes import extent, ints, product, shape_vector

_Pool = Callable[[Sparse, Copies], Output | None]
"""The pooled value of every copy, ``[N, P, C, 1, 1]`` for channel-first maps."""


def _mean(tensor: Sparse, copies: Copies) -> Output | None:
    """``(V[p] + sum_{q != p} B[q]) / P`` at every position."""
    return ops.divide(_sum(tensor, copies), _cell_count(tensor)).output(0)


def _sum(tensor: Sparse, copies: Copies) -> Output:
    """``V[p] + sum_q B[q] - B[p]`` at every position."""
    values = copies.per_copy(tensor.values, tensor.position_axes)
    if uniform(tensor):
        others = ops.subtract(_cell_count(tensor), _one_like(tensor))
        return ops.add(values, ops.multiply(_every_copy(tensor.background), others)).output(0)
    everywhere = ops.broadcast(tensor.background, ops.shape_of(tensor.values), "BIDIRECTIONAL")
    total = ops.reduce_sum(everywhere, ints(list(tensor.position_axes)), keep_dims=True)
    here = copies.per_copy(everywhere.output(0), tensor.position_axes)
    return ops.add(values, ops.subtract(_every_copy(total.output(0)), here)).output(0)


def _extreme(larger: bool) -> _Pool:
    """``max(V[p], B)`` or ``min(V[p], B)``; there must be another cell than p for B to count."""
    combine = ops.maximum if larger else ops.minimum

    def pool(tensor: Sparse, copies: Copies) -> Output | None:
        shape = shape_of(tensor.values)
        positions = [shape[axis] for axis in tensor.position_axes]
        cells = [each // size for each, size in zip(positions, tensor.window, strict=True) if each]
        if None in positions or prod(cells) < 2 or not uniform(tensor):
            return None
        values = copies.per_copy(tensor.values, tensor.position_axes)
        return combine(values, _every_copy(tensor.background)).output(0)

    return pool


def _every_copy(background: Output) -> Output:
    """``[N, C, 1, 1] -> [N, 1, C, 1, 1]``."""
    return ops.unsqueeze(background, ints(1)).output(0)


def _cell_count(tensor: Sparse) -> Output:
    """Number of cells of the original tensor, as a scalar of V's type."""
    axes, window = tensor.position_axes, prod(tensor.window)
    positions = product([extent(tensor.values, axis) for axis in axes])
    dtype = tensor.values.get_element_type()
    if isinstance(positions, int):
        return ops.constant(np.array(positions // window, dtype.to_dtype())).output(0)
    return ops.convert(ops.squeeze(shape_vector([positions]), ints(0)), dtype).output(0)


def _one_like(tensor: Sparse) -> Output:
    return ops.constant(np.array(1, tensor.values.get_element_type().to_dtype())).output(0)


def _reduction(pools: dict[str, _Pool]) -> Apply:
    """A Reduce op over exactly the position axes."""

    def apply(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
        found, axes = data_and_parameters(inputs), reduced_axes(node)
        if found is None or axes != frozenset(found[0].position_axes):
            return None
        pooled = pools[node.get_type_name()](found[0], copies)
        if pooled is None:
            return None
        return [_batch(pooled, found[0], copies, keep_dims=bool(node.get_attributes()["keep_dims"]))]

    return apply


def _batch(per_copy: Output, tensor: Sparse, copies: Copies, *, keep_dims: bool) -> Dense:
    """One pooled value per position, as a batch of copies whose position axes are 1 or gone."""
    if keep_dims:
        return Dense(copies.as_batch(per_copy))
    gone = ints([axis + 1 for axis in tensor.position_axes])
    return Dense(copies.as_batch(ops.squeeze(per_copy, gone).output(0)))


def _global_window(pools: dict[str, _Pool]) -> Apply:
    """A pooling op whose window covers the whole map and nothing else."""

    def apply(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
        tensor = _pooled_grid(node, inputs)
        if tensor is None or tuple(node.get_attributes()["kernel"]) != shape_of(node.input_value(0))[2:]:
            return None
        pooled = pools[node.get_type_name()](tensor, copies)
        return (
            None
            if pooled is None
            else [_batch(pooled, tensor, copies, keep_dims=True)] * node.get_output_size()
        )

    return apply


def _tiled(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Tiles that cover the map; each holds one position's value and background: ``pool(V[p], B, B, ...)``."""
    tensor = _pooled_grid(node, inputs)
    if tensor is None or not uniform(tensor):
        return None
    attributes, source = node.get_attributes(), shape_of(node.input_value(0))[2:]
    kernel = tuple(attributes["kernel"])
    if kernel != tuple(attributes["strides"]) or None in source:
        return None
    if any((extent or 0) % size for extent, size in zip(source, kernel, strict=True)):
        return None
    window = tuple(old * new for old, new in zip(tensor.window, kernel, strict=True))
    values = _tile_value(node.get_type_name(), tensor, prod(kernel))
    return [replace(tensor, values=values, window=window)] * node.get_output_size()


def _tile_value(kind: str, tensor: Sparse, size: int) -> Output:
    if size == 1:
        return tensor.values
    if kind == "MaxPool":
        return ops.maximum(tensor.values, tensor.background).output(0)
    dtype = tensor.values.get_element_type().to_dtype()
    rest = ops.multiply(tensor.background, ops.constant(np.array(size - 1, dtype)))
    return ops.divide(ops.add(tensor.values, rest), ops.constant(np.array(size, dtype))).output(0)


def _pooled_grid(node: Node, inputs: Sequence[Carried]) -> Sparse | None:
    """The map that an unpadded, undilated pooling op reads, if its second output is unused."""
    found, attributes = data_and_parameters(inputs), node.get_attributes()
    if found is None or found[0].position_axes != (2, 3):
        return None
    padded = any((*attributes["pads_begin"], *attributes["pads_end"]))
    dilated = any(step != 1 for step in attributes.get("dilations", ()))
    indices_used = any(port.get_target_inputs() for port in node.outputs()[1:])
    return None if padded or dilated or indices_used else found[0]


_REDUCTIONS: Final[dict[str, _Pool]] = {
    "ReduceMean": _mean,
    "ReduceSum": _sum,
    "ReduceMax": _extreme(larger=True),
    "ReduceMin": _extreme(larger=False),
}
_POOLINGS: Final[dict[str, _Pool]] = {"AvgPool": _mean, "MaxPool": _extreme(larger=True)}

GLOBAL_REDUCTION_RULE: Final = Rule("global reduction", frozenset(_REDUCTIONS), _reduction(_REDUCTIONS))
GLOBAL_POOLING_RULE: Final = Rule("global pooling", frozenset(_POOLINGS), _global_window(_POOLINGS))
TILED_POOLING_RULE: Final = Rule("tiled pooling", frozenset(_POOLINGS), _tiled)
