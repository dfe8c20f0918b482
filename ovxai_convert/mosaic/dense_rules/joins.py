"""Ops on the batch of copies that join tensors: products, sums of products, convolutions, concatenation."""

from __future__ import annotations

from math import prod

from openvino import Node
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.ports import extents, rank
from ovxai_convert.graph.rebuild import own_constant
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.dense_rules.batched import Batched, aligned, finish, moved_together, refuse
from ovxai_convert.mosaic.dense_rules.cellwise import leading_batch
from ovxai_convert.mosaic.kinds import Dense, Shared
from ovxai_convert.mosaic.shapes import rank_of, reshaped


def matmul(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Copies may lie along the axes that are broadcast, or along the rows (left) or columns (right)."""
    attributes = node.get_attributes()
    left, right = inputs
    full = rank(node.output(0))
    dense = [each for each in inputs if isinstance(each, Dense)]
    if full is None or min(rank_of(each.port) for each in inputs) < 2:
        return refuse(node, "multiplies vectors, or its rank is not known")
    if all(rank_of(each.port) - each.batch_axis > 2 for each in dense):
        placed = aligned(node, inputs, copies, full, 2)
        if isinstance(placed, Refusal):
            return placed
        ports, from_right, inner = placed
        return finish(node, ports, full - from_right, inner)
    if len(dense) != 1:
        return refuse(node, "multiplies copies with each other")
    only = dense[0]
    contracted = -1 if (only is left) != attributes["transpose_a" if only is left else "transpose_b"] else -2
    if only.batch_axis == rank_of(only.port) + contracted or _has_samples(right if only is left else left):
        return refuse(node, "multiplies across the axis that holds the copies")
    place = full - 2 if only is left else full - 1
    return finish(node, [each.port for each in inputs], place, only.inner)


def attention(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Copies lie along the axes that are broadcast; what all copies share may be queries, keys or a mask."""
    full = rank(node.output(0))
    dense = [each for each in inputs if isinstance(each, Dense)]
    if full is None or any(rank_of(each.port) - each.batch_axis <= 2 for each in dense):
        return refuse(node, "works across the axis that holds the copies")
    placed = aligned(node, inputs, copies, full, 2)
    if isinstance(placed, Refusal):
        return placed
    ports, from_right, inner = placed
    return finish(node, ports, full - from_right, inner)


def einsum(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """The copies lie along one letter, over which nothing is summed; operands without it serve them all."""
    equation = str(node.get_attributes()["equation"]).replace(" ", "")
    left, arrow, result = equation.partition("->")
    terms = left.split(",")
    dense = [(term, each) for term, each in zip(terms, inputs, strict=True) if isinstance(each, Dense)]
    if "." in equation or not arrow:
        return refuse(node, f"does not name all axes in {equation}")
    if len({(term[each.batch_axis], each.inner) for term, each in dense}) != 1:
        return refuse(node, "joins copies that lie along different axes")
    term, first = dense[0]
    letter = term[first.batch_axis]
    if letter not in result or any(each.count(letter) > 1 for each in (*terms, result)):
        return refuse(node, "works across the axis that holds the copies")
    ports = [
        copies.repeat(each.port, own.index(letter), first.inner)
        if isinstance(each, Shared) and letter in own
        else each.port
        for own, each in zip(terms, inputs, strict=True)
    ]
    return finish(node, ports, result.index(letter), first.inner)


def convolution(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """On maps of one cell, as after a global pooling, a 1x1 convolution is a product with a matrix.

    Runtimes run it several times faster as that when the batch is large.
    """
    first = inputs[0]
    cell, kernel = (extents(node.input_value(index)) or () for index in (0, 1))
    attributes = node.get_attributes()
    pads = (*attributes["pads_begin"], *attributes["pads_end"])
    single = all(extent == 1 for extent in (*cell[2:], *kernel[2:])) and None not in kernel
    if not single or any(pads) or not isinstance(first, Dense) or first.batch_axis != 0:
        return leading_batch(node, inputs, copies)
    weights = inputs[1]
    if isinstance(weights, Dense):
        return leading_batch(node, inputs, copies)
    rows = reshaped(first.port, [-1, kernel[1] or 0])
    matrix = reshaped(own_constant(weights.port), [kernel[0] or 0, kernel[1] or 0])
    products = ops.matmul(rows, matrix, False, True).output(0)
    return [Dense(reshaped(products, [-1, kernel[0] or 0, *([1] * len(kernel[2:]))]), 0, first.inner)]


def _has_samples(shared: Dense | Shared) -> bool:
    """Whether a matrix operand comes as a batch of its own."""
    return prod(each or 0 for each in (extents(shared.port) or (0,))[:-2]) != 1


def concat(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Along another axis; parts that do not depend on the target are repeated for every copy."""
    joined = node.get_attributes()["axis"] % rank_of(inputs[0].port)
    inputs = moved_together(node, inputs, copies, unfit=joined)
    dense = [each for each in inputs if isinstance(each, Dense)]
    axis, inner = dense[0].batch_axis, dense[0].inner
    if joined == axis or any((each.batch_axis, each.inner) != (axis, inner) for each in dense):
        return refuse(node, "joins along the axis that holds the copies")
    ports = [
        copies.repeat(each.port, axis, inner) if isinstance(each, Shared) else each.port for each in inputs
    ]
    return finish(node, ports, axis, inner)
