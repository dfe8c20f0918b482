"""Attention that is one op, ``softmax(scale Q K^T + mask) V``; written out where a part is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, regions
from ovxai_convert.ops.in_onnx.products import products_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Copied
from ovxai_convert.ops.op import Op, Trait, traits, types
from ovxai_convert.ops.regions import Reading, Region, Wanted, whole
from ovxai_convert.tensors.axes import Axes, Meanings
from ovxai_convert.tensors.extents import extent, number, rank_of, scalar, unsqueezed
from ovxai_convert.tensors.ports import elements, extents, rank

ATTENTION: Final = "ScaledDotProductAttention"


def _meaning(node: Node, meanings: Meanings) -> list[Axes | None]:
    """Rows are the queries', columns those of the values."""
    query, value = meanings.get(node.input_value(0)), meanings.get(node.input_value(2))
    return [(*query[:-1], value[-1]) if query and value and len(query) == len(value) else None]


def _copied(call: Call) -> list[Copied] | Refusal:
    """Copies lie before the axes that are broadcast; the op wants queries, keys and values of one rank."""
    full = rank(call.node.output(0))
    if full is None:
        return call.refuse("has a result of unknown rank")
    ports = [copying.wide(call, index, full) for index in range(len(call.inputs))]
    in_line = [unsqueezed(port, range(full + 1 - rank_of(port))) for port in ports[:3]]
    return copying.made(call, [*in_line, *ports[3:]])


def _narrowed(wanted: Wanted) -> Reading:
    """The rows that are read of it need these queries, and all keys; broadcast axes are read whole."""
    if wanted.node.get_attributes()["causal"]:
        return regions.as_a_whole(wanted)
    rows = wanted.region[-2]
    computed: Region = (*whole(wanted.shape[:-2]), rows, None)
    inputs = wanted.whole_inputs()
    inputs[0] = (*whole(wanted.input_shape(0)[:-2]), rows, None)
    if len(inputs) > 3 and len(mask := wanted.input_shape(3)) > 1:
        inputs[3] = (*whole(mask[:-2]), None if mask[-2] == 1 else rows, None)
    return Reading(computed, tuple(inputs), _written_out)


def _written_out(ports: Sequence[Output | None]) -> Output:
    query, keys, values, *others = (port for port in ports if port is not None)
    scale = others[1] if len(others) > 1 else _default_scale(query)
    scores = ops.matmul(ops.multiply(query, scale), keys, False, True).output(0)
    if others and rank_of(others[0]) > 0:  # a scalar stands for no mask
        if (mask := others[0]).get_element_type().is_real():
            scores = ops.add(scores, mask).output(0)
        else:  # truth values tell which keys take part
            scores = ops.select(mask, scores, number(float("-inf"), scores)).output(0)
    weights = ops.softmax(scores, rank_of(scores) - 1)
    return ops.matmul(weights, values, False, False).output(0)


def _default_scale(query: Output) -> Output:
    """One over the root of the number of channels of a head."""
    dtype, (*_, channels) = query.get_element_type(), extents(query) or (None,)
    if channels is not None:
        return number(channels**-0.5, query)
    count = ops.convert(scalar(extent(query, -1)), dtype)
    return ops.power(count, number(-0.5, query)).output(0)


def _macs(node: Node) -> int:
    """Queries times keys, and what comes of it times values."""
    query, keys, value = (extents(node.input_value(index)) or (1, 1) for index in range(3))
    rows, tokens, channels = query[-2] or 1, keys[-2] or 1, query[-1] or 1
    batch = elements(node.output(0)) // (rows * (value[-1] or 1))
    return batch * rows * tokens * (channels + (value[-1] or 1))


def values_of(node: Node) -> tuple[Output, int] | None:
    """What an attention weighs, and the axis that it sums over; None of any other op."""
    if node.get_type_name() != ATTENTION:
        return None
    values = node.input_value(2)
    return values, rank_of(values) - 2


OPS: Final = (
    Op(types(ATTENTION), traits(Trait.ATTENTION), _meaning, _copied, (), _narrowed, _macs, in_onnx),
)
