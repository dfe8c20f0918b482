"""Ops without an equation: what repeats, pads, rolls or resizes, colours, sources, shapes."""

from __future__ import annotations

from typing import Final

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, meanings
from ovxai_convert.ops.copying import UNKNOWN
from ovxai_convert.ops.in_onnx.call import cannot
from ovxai_convert.ops.in_onnx.others import others_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Copied
from ovxai_convert.ops.op import Trait, always_written_out
from ovxai_convert.tensors.ports import SHAPE_OF


def _broadcast(call: Call) -> list[Copied] | Refusal:
    """To a shape with P in front."""
    if len(call.inputs) != 2:
        return call.refuse("broadcasts along explicit axes")
    return copying.per_axis(None)(call)


_ALONG_LAST: Final = copying.along_or_merged(copying.last_input, -1)

NOT_IN_TABLE: Final = always_written_out("", meanings.unknown, UNKNOWN, onnx=cannot)
"""The row of every op that has none."""

OPS: Final = (
    always_written_out("Broadcast", meanings.unknown, _broadcast, onnx=in_onnx),
    always_written_out("Tile", meanings.unknown, copying.per_axis(1), onnx=in_onnx),
    always_written_out("Pad", meanings.resized, copying.per_axis(0), Trait.KEEPS_AXES, onnx=in_onnx),
    always_written_out("Roll", meanings.unknown, _ALONG_LAST, onnx=in_onnx),
    always_written_out("Interpolate", meanings.resized, _ALONG_LAST, Trait.KEEPS_AXES, onnx=in_onnx),
    always_written_out("DepthToSpace SpaceToDepth", meanings.unknown, copying.merged(), onnx=in_onnx),
    always_written_out("NV12toRGB NV12toBGR", meanings.unknown, UNKNOWN, Trait.NV12, onnx=in_onnx),
    always_written_out("I420toRGB I420toBGR", meanings.unknown, UNKNOWN, Trait.I420, onnx=in_onnx),
    always_written_out("Parameter ReadValue", meanings.unknown, UNKNOWN, Trait.SOURCE, onnx=in_onnx),
    always_written_out("Range", meanings.unknown, UNKNOWN, onnx=in_onnx),
    always_written_out(SHAPE_OF, meanings.unknown, UNKNOWN, Trait.SHAPE, onnx=in_onnx),
)
