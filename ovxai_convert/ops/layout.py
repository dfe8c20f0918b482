"""Ops that repeat, pad, roll or resize along axes, and those that trade channels for positions."""

from __future__ import annotations

from typing import Final

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying, meanings, regions
from ovxai_convert.ops.copying import last_input
from ovxai_convert.ops.kinds import Call, Copied
from ovxai_convert.ops.op import CopiedForm, Meaning, Op, Trait, no_products, traits, types


def _broadcast(call: Call) -> list[Copied] | Refusal:
    """To a shape with P in front."""
    if len(call.inputs) != 2:
        return call.refuse("broadcasts along explicit axes")
    return copying.per_axis(None)(call)


def _of_layout(names: str, copied: CopiedForm, meaning: Meaning = meanings.unknown, *more: Trait) -> Op:
    return Op(types(names), traits(*more), meaning, copied, (), regions.as_a_whole, no_products)


OPS: Final = (
    _of_layout("Broadcast", _broadcast),
    _of_layout("Tile", copying.per_axis(1)),
    _of_layout("Pad", copying.per_axis(0), meanings.resized, Trait.KEEPS_AXES),
    _of_layout("Roll", copying.along_or_merged(last_input, -1)),
    _of_layout("Interpolate", copying.along_or_merged(last_input, -1), meanings.resized, Trait.KEEPS_AXES),
    _of_layout("DepthToSpace SpaceToDepth", copying.merged()),
)
