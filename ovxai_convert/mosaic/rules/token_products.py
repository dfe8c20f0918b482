"""Products of masked tokens: with weights, with queries that all copies share, and with attention's weights.

Queries times keys are linear in every key: ``q . U(m)[t]`` is again a tensor that depends on the copy through
the weight of token t alone. Values, weighted by the attention A of every copy, are one product for all copies
together: ``sum_t A[p, t] D[p, t] = sum_l sum_t (A[p, t] w_l[p, t]) U(l)[t]``, w_l being the share that level
l has in token t of copy p.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.graph.axes import Atom, Axes
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Carried, Dense, Masked
from ovxai_convert.mosaic.masked import level_weights
from ovxai_convert.mosaic.rules.rule import Rule, shape_of
from ovxai_convert.mosaic.rules.token_wise import broadcast_axes, masked_of, on_every_level
from ovxai_convert.mosaic.shapes import (
    Extent,
    extent,
    full_shape,
    ints,
    product,
    rank_of,
    reshaped,
    transposed,
)


def _matmul(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Along axes that hold neither tokens nor samples."""
    masked = masked_of(inputs)
    if masked is None or len(masked) != 1 or min(len(shape_of(port)) for port in node.input_values()) < 2:
        return None
    tensor, shape = masked[0], shape_of(node.output(0))
    place = inputs.index(tensor)
    *batch, rows, columns = _upright(tensor.axes, node, place)
    contracted, kept = (columns, rows) if place == 0 else (rows, columns)
    if any(atom.role in "NT" for atom in contracted):
        return None
    matrix = (kept, _anonymous(shape[-1])) if place == 0 else (_anonymous(shape[-2]), kept)
    axes = broadcast_axes([(*batch, *matrix)], shape)
    return None if axes is None else on_every_level(node, inputs, [axes], affine=True)


def _upright(axes: Axes, node: Node, place: int) -> Axes:
    """Axes of an operand, the last two in the order in which the product takes them."""
    turned = node.get_attributes()["transpose_b" if place else "transpose_a"]
    return (*axes[:-2], axes[-1], axes[-2]) if turned else axes


def _anonymous(size: int | None) -> tuple[Atom, ...]:
    return (Atom("?", size),)


def _attention(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Weights of every copy times values, contracted over the tokens."""
    weights, values = inputs
    attributes = node.get_attributes()
    if not isinstance(weights, Dense) or not isinstance(values, Masked) or attributes["transpose_a"]:
        return None
    rank, turned = rank_of(weights.port), bool(attributes["transpose_b"])
    if rank != len(values.axes) or _upright(values.axes, node, 1)[-2][0].role != "T":
        return None
    if weights.batch_axis == rank - 2 and weights.inner == 1 and values.sample_axis is None:
        shares = level_weights(values)
        return [Dense(_weighted(weights.port, shares, values, turned), weights.batch_axis)]
    if weights.batch_axis < rank - 2 and values.sample_axis in (None, weights.batch_axis):
        return [_copies_to_rows(weights, values, copies, turned)]
    return None


def _copies_to_rows(weights: Dense, values: Masked, copies: Copies, turned: bool) -> Dense:
    """All copies of a sample as rows of one matrix: ``[.., N P h, .., q, T] -> [.., N h, .., P q, T]``."""
    axis, inner, port = weights.batch_axis, weights.inner, weights.port
    shape = full_shape(port)
    rank, rows, tokens = len(shape), shape[-2], shape[-1]
    apart = reshaped(port, [*shape[:axis], copies.samples, copies.count, inner, *shape[axis + 1 :]])
    others = [each for each in range(rank + 2) if each not in (axis + 1, rank, rank + 1)]
    moved = transposed(apart, [*others, axis + 1, rank, rank + 1])
    batch = [*shape[:axis], product([copies.samples, inner]), *shape[axis + 1 : -2]]
    by_copy = reshaped(moved, [*batch, copies.count, rows, tokens])
    shares = [ops.unsqueeze(share, ints(1)).output(0) for share in level_weights(values)]
    merged = [
        reshaped(ops.multiply(by_copy, share).output(0), [*batch, product([copies.count, rows]), tokens])
        for share in shares
    ]
    products = _sum_of_products(merged, values, turned)
    channels = extent(products, rank - 1)
    split = [*shape[:axis], copies.samples, inner, *shape[axis + 1 : -2], copies.count, rows, channels]
    back = [*range(axis + 1), rank - 1, *range(axis + 1, rank - 1), rank, rank + 1]
    written = transposed(reshaped(products, split), back)
    full: list[Extent] = [
        *shape[:axis],
        product([copies.samples, copies.count, inner]),
        *shape[axis + 1 : -1],
    ]
    return Dense(reshaped(written, [*full, channels]), axis, inner)


def _weighted(attention: Output, shares: Sequence[Output], values: Masked, turned: bool) -> Output:
    """``sum_l (A * w_l) U(l)``."""
    return _sum_of_products([ops.multiply(attention, share).output(0) for share in shares], values, turned)


def _sum_of_products(weighted: Sequence[Output], values: Masked, turned: bool) -> Output:
    """``sum_l W_l U(l)``; where U is the same for all tokens, W is summed over them first."""
    total: Output | None = None
    for weights, part in zip(weighted, values.parts, strict=True):
        if shape_of(part)[-1 if turned else -2] == 1:
            weights = ops.reduce_sum(weights, ints([-1]), keep_dims=True).output(0)
        term = ops.matmul(weights, part, False, turned).output(0)
        total = term if total is None else ops.add(total, term).output(0)
    assert total is not None, "there is a level"
    return total


TOKEN_MATMUL_RULE: Final = Rule("token-wise product", frozenset({"MatMul"}), _matmul)
ATTENTION_RULE: Final = Rule("attention", frozenset({"MatMul"}), _attention)
