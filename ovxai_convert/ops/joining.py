"""Tensors put together: behind each other along an axis, or one written into another at given indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, meanings
from ovxai_convert.ops.in_onnx.moves import joins_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Carried, Copied, Masked, NotHere, Shared
from ovxai_convert.ops.levels import among_others, by_level, filled, general
from ovxai_convert.ops.op import Op, Trait, always_written_out, no_products, on_masked, traits, types
from ovxai_convert.ops.regions import Reading, Region, Wanted
from ovxai_convert.tensors.axes import Atom, Axes, Meanings, fresh, is_unclear, roles
from ovxai_convert.tensors.extents import rank_of
from ovxai_convert.tensors.permuting import transposed


def _joined(node: Node, rank: int) -> int:
    return int(node.get_attributes()["axis"]) % rank


def _meaning(node: Node, known: Meanings) -> list[Axes | None]:
    """The joined axis remembers its parts; it stays channels if it is that everywhere."""
    shape, sources = known.extents.get(node.output(0)), [known.get(port) for port in node.input_values()]
    if shape is None or not any(sources):
        return [None]
    source = min(filter(None, sources), key=lambda axes: sum(map(is_unclear, axes)))
    joined = _joined(node, len(shape))
    parts = [axes[joined] if axes else fresh("?", None) for axes in sources]
    kept = {role for part in parts for role in (roles(part) or ("C",))} == {"C"}
    new = (Atom("C" if kept else "?", shape[joined], tuple(parts)),)
    return [tuple(new if index == joined else axis for index, axis in enumerate(source))]


def _copied(call: Call) -> list[Copied] | Refusal:
    """Along the same axis, one further on; parts that do not depend on the target are repeated."""
    joined = _joined(call.node, len(call.original(0)))
    ports = [copying.spread(call, index) for index in range(len(call.inputs))]
    return copying.made(call, ports, {"axis": joined + 1})


def _along_others(call: Call, masked: list[tuple[int, Masked]]) -> list[Masked] | NotHere:
    """``concat(U1(m), U2(m), S)`` along an axis without positions."""
    first, joined = masked[0][1], _joined(call.node, len(call.result))
    if any(tensor.positions != first.positions for _, tensor in masked) or joined in first.positions:
        return NotHere("it joins positions, or maps whose positions lie along different axes")
    if first.mask.pooled:
        return NotHere("it joins pooled maps")
    alone = len(masked) == len(call.inputs) and all(each.uniform == first.uniform for _, each in masked)
    if alone and first.mask.one_hot:
        return by_level(call, [first.positions], affine=True)
    inputs = [filled(each) if isinstance(each, Masked) else each for each in call.inputs]
    return by_level(replace(call, inputs=inputs), [first.positions], affine=True, same=False)


def _along_positions(call: Call, masked: list[tuple[int, Masked]]) -> Sequence[Carried] | NotHere:
    """Masked tokens beside some that are the same in every copy, as a rotary embedding leaves them."""
    (place, data), joined = masked[0], _joined(call.node, len(call.result))
    lengths = [call.original(index)[joined] for index in range(len(call.inputs))]
    if len(masked) != 1 or data.positions != (joined,) or None in lengths or data.mask.pooled:
        return NotHere("it does not join one sequence with others that all copies share")
    tensor = filled(general(data))
    before, after = (sum(each or 0 for each in part) for part in (lengths[:place], lengths[place + 1 :]))
    parts = tuple(
        ops.concat([one.port if isinstance(one, Shared) else part for one in call.inputs], joined).output(0)
        for part in tensor.parts
    )
    return [replace(tensor, parts=parts, mask=among_others(tensor.mask, before, after))]


def _narrowed(wanted: Wanted) -> Reading:
    """Along another axis, or those pieces of the joined one that are read."""
    joined = _joined(wanted.node, len(wanted.shape))
    pieces = [wanted.input_shape(index)[joined] for index in range(wanted.node.get_input_size())]
    span = wanted.region[joined]
    if span is None or None in pieces:
        computed = (*wanted.region[:joined], None, *wanted.region[joined + 1 :])
        return wanted.recreated(computed, [computed] * len(pieces))
    inputs: list[Region | None] = []
    start = 0
    for length in pieces:
        assert length is not None, "checked above"
        part = max(span[0] - start, 0), min(span[1] - start, length)
        beside = (*wanted.region[:joined], part, *wanted.region[joined + 1 :])
        inputs.append(beside if part[0] < part[1] else None)
        start += length

    def build(ports: Sequence[Output | None]) -> Output:
        read = [port for port in ports if port is not None]
        return read[0] if len(read) == 1 else ops.concat(read, joined).output(0)

    return Reading(wanted.region, tuple(inputs), build)


def _written_into(call: Call) -> list[Copied] | Refusal:
    """Indices name leading axes; the copies become the last axis of data and updates, which none names."""
    if copying.depends(call, (0, 2)):
        return call.refuse("takes indices that depend on the target")
    both = [copying.spread(call, index) for index in (0, 2)]
    data, updates = (transposed(port, [*range(1, rank_of(port)), 0]) for port in both)
    outputs = copying.made(call, [data, copying.port_of(call, 1), updates])
    if isinstance(outputs, Refusal):
        return outputs
    count = rank_of(outputs[0].port) - 1
    return [Copied(transposed(outputs[0].port, [count, *range(count)]))]


_EQUATIONS: Final = on_masked("concat", _along_others), on_masked("token join", _along_positions)

OPS: Final = (
    Op(types("Concat"), traits(Trait.JOIN), _meaning, _copied, _EQUATIONS, _narrowed, no_products, in_onnx),
    always_written_out("ScatterNDUpdate", meanings.unknown, _written_into, Trait.WRITTEN_INTO, onnx=in_onnx),
)
