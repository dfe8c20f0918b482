"""Ops that keep the shape and work along some axes: normalisations, softmax, running sums, shuffles."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from openvino import Node

from ovxai_convert.ops import copying, meanings, regions
from ovxai_convert.ops.copying import AxesOf, axis_attribute, second_input
from ovxai_convert.ops.in_onnx.normalisation import normalisations_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Masked, NotHere
from ovxai_convert.ops.levels import by_level
from ovxai_convert.ops.op import CopiedForm, Narrowed, Op, Trait, always_written_out, on_data


def _along(
    names: str, axes_of: AxesOf, copied: CopiedForm, narrowed: Narrowed, *more: Trait, affine: bool = False
) -> Op:
    """An op along axes; ``f(U(m))`` where these hold no positions: each position is treated by itself."""

    def apart(call: Call, data: Masked) -> list[Masked] | NotHere:
        axes = axes_of(call.node)
        if axes is None:
            return NotHere("it works along axes that are not constant")
        working = {axis % len(call.original(0)) for axis in axes}
        if working & set(data.positions):
            return NotHere("it works along the positions")
        outputs = [data.positions] * call.node.get_output_size()
        return by_level(call, outputs, affine=affine, thin=None if data.thin in working else data.thin)

    row = always_written_out(names, meanings.kept, copied, *more, onnx=in_onnx)
    return replace(row, equations=(on_data("channel-wise", apart),), narrowed=narrowed)


def _channels(node: Node) -> list[int]:
    return [1]


def _mvn_axes(node: Node) -> list[int] | None:
    """Version 6 takes its axes as an input; version 0 as attributes, never the batch."""
    if node.get_input_size() > 1:
        return second_input(node)
    count = len(node.input_value(0).get_partial_shape())
    return list(range(1 if node.get_attributes().get("across_channels", False) else 2, count))


def _by_attribute(names: str, *more: Trait) -> Op:
    form, region = copying.along(axis_attribute, None), regions.along(axis_attribute)
    return _along(names, axis_attribute, form, region, *more)


def _by_input(names: str, *more: Trait) -> Op:
    form = copying.along_or_merged(second_input, 1)
    return _along(names, second_input, form, regions.along(second_input), Trait.NORMALISATION, *more)


_NORM: Final = (Trait.NORMALISATION, Trait.KEEPS_AXES)

OPS: Final = (
    _by_attribute("Softmax", Trait.NORMALISATION, Trait.SOFTMAX),
    _by_attribute("LogSoftmax", Trait.NORMALISATION, Trait.LOG_SOFTMAX),
    _by_attribute("ShuffleChannels"),
    _by_input("NormalizeL2", Trait.UNIT_LENGTH),
    _by_input("LRN"),
    _by_input("RMS"),
    _along("MVN", _mvn_axes, copying.along_or_merged(_mvn_axes, 1), regions.along(_mvn_axes), *_NORM),
    _along("BatchNormInference", _channels, copying.merged(), regions.as_a_whole, *_NORM, affine=True),
    always_written_out(
        "GroupNormalization",
        meanings.kept,
        copying.merged(),
        Trait.NORMALISATION,
        onnx=in_onnx,
    ),
    _along("CumSum", second_input, copying.along(second_input, 1), regions.along(second_input)),
    always_written_out("ReverseSequence", meanings.kept, copying.UNKNOWN, onnx=in_onnx),
)
