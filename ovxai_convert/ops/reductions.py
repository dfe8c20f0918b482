"""Reductions along axes: of channels at every position, of all positions at once."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from openvino import Node, Output, Type
from openvino import opset15 as ops

from ovxai_convert.ops import copying, regions
from ovxai_convert.ops.copying import second_input
from ovxai_convert.ops.in_onnx.reductions import reductions_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Carried, Copied, Masked, NotHere
from ovxai_convert.ops.levels import by_level, cells, filled, per_copy
from ovxai_convert.ops.op import Op, Trait, no_products, on_data, traits, types
from ovxai_convert.ops.regions import Reading, Wanted
from ovxai_convert.tensors.axes import Axes, Meanings, fresh
from ovxai_convert.tensors.extents import ints, number, product, shape_vector
from ovxai_convert.tensors.ports import constant_ints, extents

_AFFINE: Final = types("ReduceMean ReduceSum")


class Pool(Enum):
    """How the values of all positions become one."""

    MEAN = auto()
    SUM = auto()
    MAX = auto()
    MIN = auto()


_POOLS: Final = {"ReduceMean": Pool.MEAN, "ReduceSum": Pool.SUM, "ReduceMax": Pool.MAX, "ReduceMin": Pool.MIN}


def reduced_axes(node: Node) -> frozenset[int] | None:
    """Axes (0 and up) that a reduction removes or sets to one, None when they are not constant."""
    shape, axes = extents(node.input_value(0)), constant_ints(node.input_value(1))
    return None if shape is None or axes is None else frozenset(axis % len(shape) for axis in axes)


def _keeps(node: Node) -> bool:
    return bool(node.get_attributes().get("keep_dims", False))


def _meaning(node: Node, meanings: Meanings) -> list[Axes | None]:
    source, shape = meanings.get(node.input_value(0)), meanings.extents.get(node.output(0))
    gone = reduced_axes(node)
    if source is None or shape is None or gone is None:
        return [None]
    if len(shape) == len(source):
        return [tuple(fresh("?", 1) if index in gone else axis for index, axis in enumerate(source))]
    return [tuple(axis for index, axis in enumerate(source) if index not in gone)]


def _narrowed(wanted: Wanted) -> Reading:
    """Reduced axes are read whole."""
    gone = reduced_axes(wanted.node)
    if gone is None:
        return regions.as_a_whole(wanted)
    if _keeps(wanted.node):
        computed = tuple(None if axis in gone else span for axis, span in enumerate(wanted.region))
        return wanted.on_data(computed, computed)
    spans = iter(wanted.region)
    source = [None if axis in gone else next(spans) for axis in range(len(wanted.input_shape(0)))]
    return wanted.on_data(wanted.region, source)


def _of_channels(call: Call, data: Masked) -> list[Masked] | NotHere:
    """``f(U(m))`` along axes without positions; the positions move up where axes vanish."""
    gone = reduced_axes(call.node)
    if gone is None:
        return NotHere("its axes are not constant")
    if gone & set(data.positions):
        return NotHere("it reduces positions together with other axes, or some positions")
    vanished = frozenset() if _keeps(call.node) else gone

    def moved_up(axis: int) -> int:
        return axis - sum(each < axis for each in vanished)

    thin = None if data.thin is None or data.thin in gone else moved_up(data.thin)
    positions = tuple(map(moved_up, data.positions))
    return by_level(call, [positions], affine=call.node.get_type_name() in _AFFINE, thin=thin)


def _of_positions(call: Call, data: Masked) -> Sequence[Carried] | NotHere:
    """A reduction over exactly the positions of a map of which every copy keeps one."""
    if reduced_axes(call.node) != frozenset(data.positions):
        return NotHere("it does not reduce all positions and nothing else")
    pool = _POOLS.get(call.node.get_type_name())
    pooled = over_positions(pool, data) if pool else NotHere("there is no closed form of it")
    if isinstance(pooled, NotHere):
        return pooled
    gone = ints([axis + 1 for axis in data.positions])
    return [Copied(pooled if _keeps(call.node) else ops.squeeze(pooled, gone).output(0))]


def over_positions(pool: Pool, tensor: Masked) -> Output | NotHere:
    """The pooled value of every copy, ``[P, N, C, 1, 1]`` for channel-first maps.

    Of the T cells of copy p all but one hold the background B:
    ``mean_q D[p, q] = (V[p] + sum_{q != p} B[q]) / T``, ``max_q D[p, q] = max(V[p], B)`` for a uniform B.
    """
    if not tensor.mask.one_hot:
        return NotHere("copies keep more than one position")
    if pool is Pool.MEAN:
        return ops.divide(_sum(tensor), _cell_count(tensor)).output(0)
    return _sum(tensor) if pool is Pool.SUM else _extreme(tensor, larger=pool is Pool.MAX)


def _sum(tensor: Masked) -> Output:
    """``V[p] + sum_q B[q] - B[p]`` for every copy."""
    background, values = tensor.parts
    own = per_copy(values, tensor.positions)
    if tensor.uniform[0]:
        rest = ops.subtract(_cell_count(tensor), number(1, values))
        return ops.add(own, ops.multiply(background, rest)).output(0)
    everywhere = filled(tensor).parts[0]
    total = ops.reduce_sum(everywhere, ints(list(tensor.positions)), keep_dims=True)
    here = per_copy(everywhere, tensor.positions)
    return ops.add(own, ops.subtract(total, here)).output(0)


def _extreme(tensor: Masked, *, larger: bool) -> Output | NotHere:
    """``max(V[p], B)`` or ``min(V[p], B)``; B counts only where there is another cell than that of p."""
    background, values = tensor.parts
    if not tensor.uniform[0]:
        return NotHere("the background differs from cell to cell")
    if not values.get_element_type().is_real():
        return NotHere("its values are no real numbers")
    several = ops.greater(_cell_count(tensor), number(1, values))
    never = number(float("-inf") if larger else float("inf"), values)
    counted = ops.add(background, ops.select(several, number(0, values), never))
    return (ops.maximum if larger else ops.minimum)(per_copy(values, tensor.positions), counted).output(0)


def _cell_count(tensor: Masked) -> Output:
    """T, without axes, in V's element type.

    As a sum of so many ones: where the batch is open but the map is not, the compiler folds what gives a
    shape and nothing else that is read from one.
    """
    ones = ops.broadcast(ops.constant(1, Type.f32), shape_vector([product(cells(tensor))]))
    count = ops.reduce_sum(ones, ints([0]), keep_dims=False)
    return ops.convert(count, tensor.parts[-1].get_element_type()).output(0)


_EQUATIONS: Final = on_data("channel reduction", _of_channels), on_data("global reduction", _of_positions)


def _reduction(names: str, *more: Trait) -> Op:
    copied = copying.along(second_input, 1)
    return Op(types(names), traits(*more), _meaning, copied, _EQUATIONS, _narrowed, no_products, in_onnx)


OPS: Final = (
    _reduction("ReduceMax", Trait.LARGEST),
    _reduction("ReduceMean ReduceMin ReduceProd ReduceL1 ReduceLogicalAnd ReduceLogicalOr"),
    _reduction("ReduceSum", Trait.SUM),
    _reduction("ReduceL2", Trait.LENGTH),
)
