"""The same numbers under other axes: Transpose, Reshape, Squeeze, Unsqueeze, Flatten."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.graph.axes import Atom, deal_atoms
from ovxai_convert.graph.op_types import AXIS_MOVES
from ovxai_convert.graph.ports import constant_ints
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Carried, Flattened, Sparse
from ovxai_convert.mosaic.rules.rule import Rule, data_and_parameters, shape_of, uniform
from ovxai_convert.mosaic.shapes import Extent, extent, product, reshaped, transposed


def _transpose(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Samples stay first, and rows before columns."""
    found, order = data_and_parameters(inputs), constant_ints(node.input_value(1))
    if found is None or not order or order[0] != 0:
        return None
    moved = tuple(order.index(axis) for axis in found[0].position_axes)
    if list(moved) != sorted(moved):
        return None
    values, background = (transposed(port, order) for port in (found[0].values, found[0].background))
    return [Sparse(values, background, moved, tuple(found[0].window))]


def _reshape(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Positions keep axes of their own, merged with nothing but each other; or the map is flattened."""
    found = data_and_parameters(inputs)
    before, after = shape_of(node.input_value(0)), shape_of(node.output(0))
    if found is None or not after or before[0] != after[0]:
        return None
    tensor = found[0]
    if _flattens(before, after):
        return [Flattened(tensor)]
    origins = None if tensor.pooled else _origins(before, after)
    moved = None if origins is None else _moved_positions(origins, set(tensor.position_axes))
    if origins is None or moved is None:
        return None
    full = [_extents_after(tensor.values, after, origins), _extents_after(tensor.background, after, origins)]
    background = tensor.background
    if uniform(tensor):
        full[1] = [1 if axis in moved else each for axis, each in enumerate(full[1])]
    else:
        background = ops.broadcast(background, ops.shape_of(tensor.values), "BIDIRECTIONAL").output(0)
        full[1] = full[0]
    values, background = reshaped(tensor.values, full[0]), reshaped(background, full[1])
    return [Sparse(values, background, moved, (1,) * len(moved))]


def _flattens(before: tuple[int | None, ...], after: tuple[int | None, ...]) -> bool:
    """Whether ``[N, D1, D2, ...]`` becomes ``[N, D1 * D2 * ...]``."""
    static = [each for each in before[1:] if each is not None]
    return len(before) > 2 and len(after) == 2 and len(static) == len(before) - 1 and after[1] == prod(static)


def _origins(before: tuple[int | None, ...], after: tuple[int | None, ...]) -> list[set[int]] | None:
    """For every axis of the output, samples first, the axes of the input whose numbers it holds."""
    atoms = [Atom(str(axis), each) for axis, each in enumerate(before)]
    axes = deal_atoms(atoms[1:], after[1:])
    if axes is None:
        return None
    return [{0}, *({int(atom.role) for atom in axis if atom.role != "?"} for axis in axes)]


def _moved_positions(origins: list[set[int]], positions: set[int]) -> tuple[int, ...] | None:
    """Where the position axes went, None if one was split or merged with another kind of axis."""
    moved = tuple(axis for axis, origin in enumerate(origins) if origin & positions)
    kept = [origins[axis] for axis in moved]
    split = sum(map(len, kept)) != len(set[int]().union(*kept))
    return None if split or not all(origin <= positions for origin in kept) else moved


def _extents_after(port: Output, after: tuple[int | None, ...], origins: list[set[int]]) -> list[Extent]:
    """Shape of the output, dynamic extents computed from the axes they come from."""
    samples = extent(port, 0)
    others = zip(after[1:], origins[1:], strict=True)
    return [
        samples,
        *(
            product([extent(port, axis) for axis in sorted(origin)]) if each is None else each
            for each, origin in others
        ),
    ]


TRANSPOSE_RULE: Final = Rule("transpose", frozenset({"Transpose"}), _transpose)
RESHAPE_RULE: Final = Rule("reshape", AXIS_MOVES - {"Transpose"}, _reshape)
