"""Ops that treat every cell by itself: apply them to V and to B.

``f(D)[p] = f(B) + onehot(p) * (f(V[p]) - f(B))``
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from openvino import Node

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.axes import reduced_axes
from ovxai_convert.graph.op_types import AXIS_REDUCING, BROADCASTING, UNARY
from ovxai_convert.graph.ports import constant_ints
from ovxai_convert.graph.rebuild import recreate
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Carried, Flattened, Shared, Sparse
from ovxai_convert.mosaic.rules.rule import Rule, data_and_parameters, on_both, shape_of


def _unary(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """``f(V), f(B)``; a flattened map stays flattened."""
    first, *others = inputs
    inner = first.unflattened if isinstance(first, Flattened) else first
    found = data_and_parameters([inner, *others])
    if found is None:
        return None
    outputs = on_both(node, *found)
    if outputs is None or not isinstance(first, Flattened):
        return outputs
    return [Flattened(each) for each in outputs]


def _broadcast(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """``f(V1, V2, S), f(B1, B2, S)`` for sparse tensors on one grid and shared ones that broadcast to it.

    A shared tensor with an extent along the positions (a position embedding) makes B differ from cell to
    cell, which is allowed but on a pooled grid, where B and V have different extents.
    """
    operands = [each for each in inputs if isinstance(each, Sparse | Shared)]
    sparse = [each for each in operands if isinstance(each, Sparse)]
    if not sparse or len(operands) != len(inputs):
        return None
    first, rank = sparse[0], len(shape_of(node.output(0)))
    if any(
        (each.position_axes, each.window, len(shape_of(each.values)))
        != (first.position_axes, first.window, rank)
        for each in sparse
    ):
        return None
    shared = [each.port for each in operands if isinstance(each, Shared)]
    if first.pooled and not all(
        _without_positions(shape_of(port), first.position_axes, rank) for port in shared
    ):
        return None
    if any(_grows(shape_of(each.values), shape_of(node.output(0)), first) for each in sparse):
        return None
    values = recreate(node, [each.values if isinstance(each, Sparse) else each.port for each in operands])
    background = recreate(
        node, [each.background if isinstance(each, Sparse) else each.port for each in operands]
    )
    if isinstance(values, Refusal) or isinstance(background, Refusal):
        return None
    return [replace(first, values=values.output(0), background=background.output(0))]


def _without_positions(shape: tuple[int | None, ...], axes: tuple[int, ...], rank: int) -> bool:
    missing = rank - len(shape)
    return all(axis < missing or shape[axis - missing] == 1 for axis in axes)


def _grows(shape: tuple[int | None, ...], result: tuple[int | None, ...], tensor: Sparse) -> bool:
    """Whether the op broadcasts the sparse tensor itself along samples or positions."""
    if tensor.pooled:
        return shape[0] != result[0]
    return any(shape[axis] != result[axis] for axis in (0, *tensor.position_axes))


def _channel_wise(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Parameters, normalisation and softmax along axes without positions: each cell is treated by itself."""
    found = data_and_parameters(inputs)
    if found is None or not _apart(found[0], working_axes(node)):
        return None
    return on_both(node, *found)


def working_axes(node: Node) -> list[int] | None:
    """Axes along which a normalisation, a softmax or a slope works, None where they are not constant."""
    kind = node.get_type_name()
    if kind in ("Softmax", "LogSoftmax"):
        return [int(node.get_attributes()["axis"])]
    if kind == "BatchNormInference":
        return [1]
    if kind == "PRelu":
        return _slope_axes(node)
    return constant_ints(node.input_value(1)) if node.get_input_size() > 1 else None


def _slope_axes(node: Node) -> list[int]:
    """Axes along which PRelu's slope varies: a vector along the second, all else aligned to the right."""
    slope, rank = shape_of(node.input_value(1)), len(shape_of(node.input_value(0)))
    if len(slope) == 1:
        return [1] if slope[0] != 1 else []
    return [rank - len(slope) + axis for axis, extent in enumerate(slope) if extent != 1]


def _apart(tensor: Sparse, axes: Sequence[int] | None) -> bool:
    rank = len(shape_of(tensor.values))
    return axes is not None and not {axis % rank for axis in axes} & {0, *tensor.position_axes}


def _channel_reduction(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Reduction along axes without positions; the position axes move up where axes vanish."""
    found, axes = data_and_parameters(inputs), reduced_axes(node)
    if found is None or axes is None or not _apart(found[0], sorted(axes)):
        return None
    outputs = on_both(node, *found)
    if outputs is None or node.get_attributes()["keep_dims"]:
        return outputs
    moved = tuple(axis - sum(gone < axis for gone in axes) for axis in found[0].position_axes)
    return [replace(each, position_axes=moved) for each in outputs]


UNARY_RULE: Final = Rule("unary", UNARY, _unary)
BROADCAST_RULE: Final = Rule("broadcast", BROADCASTING, _broadcast)
CHANNEL_RULE: Final = Rule(
    "channel-wise",
    frozenset({"BatchNormInference", "PRelu", "Softmax", "LogSoftmax", "MVN", "NormalizeL2"}),
    _channel_wise,
)
CHANNEL_REDUCTION_RULE: Final = Rule("channel reduction", AXIS_REDUCING, _channel_reduction)
