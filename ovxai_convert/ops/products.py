"""Products of matrices: with weights, of a flattened map, and of attention's weights with its values.

Queries that all copies share times keys are linear in every key: ``q . U(m)[t]`` is again a tensor that
depends on the copy through the weight of position t alone. Values, weighted by the attention A of every copy,
are one product for all copies together: ``sum_t A[p, t] D[p, t] = sum_l sum_t (A[p, t] w_l[p, t]) U(l)[t]``,
w_l being the share that level l has in position t of copy p.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import starmap
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, regions
from ovxai_convert.ops.in_onnx.products import products_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Carried, Copied, Masked, NotHere, Shared
from ovxai_convert.ops.levels import by_level, not_folded, shares
from ovxai_convert.ops.op import Equation, Op, Trait, on_masked, traits, types
from ovxai_convert.ops.regions import Reading, Region, Wanted
from ovxai_convert.ops.whole_map import whole_map_product
from ovxai_convert.tensors.axes import Axes, Meanings, fresh, is_unclear, static_extent
from ovxai_convert.tensors.extents import added_up, extent, full_shape, product, rank_of, reshaped, unsqueezed
from ovxai_convert.tensors.permuting import transposed
from ovxai_convert.tensors.ports import elements, extents
from ovxai_convert.tensors.recreate import own_constant
from ovxai_convert.tensors.settled import Extents

MATMUL: Final = "MatMul"


def _is_turned(node: Node, place: int) -> bool:
    return bool(node.get_attributes()["transpose_b" if place else "transpose_a"])


def contracted_axis(node: Node, place: int, rank: int) -> int:
    """The axis of an operand that is summed over."""
    return rank - 1 if (place == 0) != _is_turned(node, place) else rank - 2


def _meaning(node: Node, meanings: Meanings) -> list[Axes | None]:
    """Rows keep the left input's meaning; columns are new channels where the right side is one of weights.

    Where both sides are batches of matrices (attention), columns keep the right input's meaning, and the axes
    before them what either input says.
    """
    shape = meanings.extents.get(node.output(0))
    left, right = (meanings.extents.get(port) for port in node.input_values())
    first, second = (meanings.get(port) for port in node.input_values())
    if not shape or not left or not right or first is None:
        return [None]
    if len(right) <= 2:
        rows = (*first[:-2], first[-1]) if _is_turned(node, 0) else first[:-1]
        known = second and len(right) == 2 and second[-2 if _is_turned(node, 1) else -1]
        column = known if known and not is_unclear(known) else fresh("C", shape[-1])
        return [(*rows, column) if len(shape) == len(left) > 1 else None]
    if second is None or not len(shape) == len(left) == len(right):
        return [None]
    pairs = zip(first[:-2], second[:-2], shape[:-2], strict=True)
    batch = [
        one if static_extent(one) == wanted and not is_unclear(one) else other for one, other, wanted in pairs
    ]
    row, column = first[-1 if _is_turned(node, 0) else -2], second[-2 if _is_turned(node, 1) else -1]
    return [(*batch, row, column)]


def _copied(call: Call) -> list[Copied] | Refusal:
    """Copies lie before the axes that are broadcast."""
    ranks = [len(call.original(index)) for index in (0, 1)]
    if min(ranks) < 2:
        return call.refuse("multiplies vectors")
    return copying.made(call, [copying.wide(call, index, max(ranks)) for index in (0, 1)])


def _by_weights(call: Call, masked: list[tuple[int, Masked]]) -> Sequence[Carried] | NotHere:
    """``U(m) W`` or ``W U(m)``, contracted along an axis without positions."""
    if len(masked) != 1 or min(len(call.original(index)) for index in (0, 1)) < 2:
        return NotHere("it multiplies copies with each other, or vectors")
    (place, data), full = masked[0], len(call.result)
    rank = len(call.original(place))
    summed = contracted_axis(call.node, place, rank)
    if summed in data.positions:
        return NotHere("it sums over the positions")
    kept = rank - 2 if summed == rank - 1 else rank - 1
    kept_at = full - 2 if place == 0 else full - 1
    positions = tuple(kept_at if axis == kept else axis + full - rank for axis in data.positions)
    other = call.original(1 - place)
    beside = {axis: axis - full + len(other) for axis in positions if axis < full - 2}
    if any(call.result[axis] != call.original(place)[axis - full + rank] for axis in beside):
        return NotHere("it repeats the map along its positions")
    same = all(at < 0 or other[at] == 1 for at in beside.values())
    if data.mask.pooled and not same:
        return NotHere("a matrix for every position meets a pooled map")
    inputs = list(call.inputs)
    if place == 1 or _is_turned(call.node, 0):
        inputs[place] = not_folded(data)
    thin = data.thin + full - rank if data.thin is not None and data.thin < rank - 2 else None
    return by_level(replace(call, inputs=inputs), [positions], affine=True, same=same, thin=thin)


def _of_a_flattened_map(call: Call) -> Sequence[Carried] | NotHere:
    """Flatten and a fully connected layer."""
    data, weights = call.inputs
    if not (isinstance(data, Masked) and isinstance(weights, Shared)):
        return NotHere("it is no layer on a flattened map")
    if not data.flat or _is_turned(call.node, 0):
        return NotHere("it is no layer on a flattened map")
    if rank_of(weights.port) != 2 or None in (extents(weights.port) or (None,)):
        return NotHere("its weights are not one matrix")
    matrix = own_constant(weights.port)
    if _is_turned(call.node, 1):
        matrix = transposed(matrix, [1, 0])
    result = whole_map_product(data, matrix)
    return result if isinstance(result, NotHere) else [Copied(result)]


def _of_values(call: Call) -> Sequence[Carried] | NotHere:
    """Weights of every copy times values, contracted over the positions: one product for all copies."""
    weights, values = call.inputs
    if not isinstance(weights, Copied) or not isinstance(values, Masked) or _is_turned(call.node, 0):
        return NotHere("it does not weigh compact values")
    rank, turned = len(call.original(0)), _is_turned(call.node, 1)
    if rank != len(call.original(1)) or values.positions != (contracted_axis(call.node, 1, rank),):
        return NotHere("it does not sum over the positions")
    if values.flat or values.mask.pooled:
        return NotHere("its values are a pooled or flattened map")
    # [P, ..., q, T] -> [..., P, q, T]: copies become rows of one matrix
    by_copy = transposed(weights.port, [*range(1, rank - 1), 0, rank - 1, rank])
    shape = full_shape(by_copy)
    batch, (copies, rows, tokens) = shape[:-3], shape[-3:]
    weighed = [ops.multiply(by_copy, unsqueezed(share, [1])).output(0) for share in shares(values)]
    merged = [reshaped(port, [*batch, product([copies, rows]), tokens]) for port in weighed]
    products = _sum_of_products(merged, values, turned=turned)
    split = reshaped(products, [*batch, copies, rows, extent(products, rank - 1)])
    return [Copied(transposed(split, [rank - 2, *range(rank - 2), rank - 1, rank]))]


def _sum_of_products(weighted: Sequence[Output], values: Masked, *, turned: bool) -> Output:
    """``sum_l W_l U(l)``; where U is the same for all positions, W is summed over them first."""

    def term(weights: Output, part: Output, uniform: bool) -> Output:
        if uniform:
            weights = ops.reduce_sum(weights, [-1], keep_dims=True).output(0)
        return ops.matmul(weights, part, False, turned).output(0)

    return added_up(starmap(term, zip(weighted, values.parts, values.uniform, strict=True)))


def _narrowed(wanted: Wanted) -> Reading:
    """Rows are the left matrix's, columns the right one's; axes before them are broadcast."""
    shapes = [wanted.input_shape(index) for index in (0, 1)]
    if min(map(len, shapes)) < 2:
        return regions.as_a_whole(wanted)
    rows, columns = wanted.region[-2:]
    left: Region = (None, rows) if _is_turned(wanted.node, 0) else (rows, None)
    right: Region = (columns, None) if _is_turned(wanted.node, 1) else (None, columns)
    batches = [regions.aligned(wanted.region[:-2], shape[:-2]) for shape in shapes]
    return wanted.recreated(wanted.region, [batches[0] + left, batches[1] + right])


def _macs(node: Node) -> int:
    shape = extents(node.input_value(0)) or (1,)
    summed = shape[contracted_axis(node, 0, len(shape))] if len(shape) > 1 else shape[0]
    return elements(node.output(0)) * (summed or 1)


def layer_of(node: Node) -> tuple[Output, Output, bool] | None:
    """Features, weights, and whether the weights have outputs first, of ``x W``; None of any other op."""
    if node.get_type_name() != MATMUL or _is_turned(node, 0):
        return None
    features, weights = node.input_values()
    return features, weights, _is_turned(node, 1)


def rows_read_by(node: Node, known: Extents) -> Output | None:
    """The input of ``rows W`` in which each row is multiplied by itself, None of any other op."""
    layer = layer_of(node)
    return layer[0] if layer and len(known[layer[1]]) == 2 else None


def values_of(node: Node) -> tuple[Output, int] | None:
    """What a product weighs, and the axis that it sums over; None of any other op."""
    if node.get_type_name() != MATMUL:
        return None
    values = node.input_value(1)
    count = rank_of(values)
    return (values, contracted_axis(node, 1, count)) if count > 1 else None


_EQUATIONS: Final = (
    on_masked("channel matmul", _by_weights),
    Equation("flattened matmul", _of_a_flattened_map),
    Equation("attention", _of_values),
)

OPS: Final = (
    Op(types(MATMUL), traits(Trait.PRODUCT), _meaning, _copied, _EQUATIONS, _narrowed, _macs, in_onnx),
)
