"""Writing into a tensor at given indices."""

from __future__ import annotations

from typing import Final

from openvino import Output

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, meanings, regions
from ovxai_convert.ops.kinds import Call, Copied
from ovxai_convert.ops.op import Op, no_products, traits, types
from ovxai_convert.tensors.extents import rank_of
from ovxai_convert.tensors.permuting import transposed


def _copied(call: Call) -> list[Copied] | Refusal:
    """Indices name leading axes; the copies become the last axis of data and updates, which none names."""
    if copying.depends(call, (0, 2)):
        return call.refuse("takes indices that depend on the target")
    data, updates = _copies_last(copying.spread(call, 0)), _copies_last(copying.spread(call, 2))
    outputs = copying.made(call, [data, copying.port_of(call, 1), updates])
    if isinstance(outputs, Refusal):
        return outputs
    count = rank_of(outputs[0].port) - 1
    return [Copied(transposed(outputs[0].port, [count, *range(count)]))]


def _copies_last(port: Output) -> Output:
    return transposed(port, [*range(1, rank_of(port)), 0])


OPS: Final = (
    Op(
        types("ScatterNDUpdate"),
        traits(),
        meanings.unknown,
        _copied,
        (),
        regions.as_a_whole,
        no_products,
    ),
)
