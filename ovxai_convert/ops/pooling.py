"""Pooling: of the whole map, of tiles that do not overlap, and of anything else on copies written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import Final

from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import copying
from ovxai_convert.ops.in_onnx.windows import poolings_in_onnx as in_onnx
from ovxai_convert.ops.kinds import Call, Carried, Copied, Masked, NotHere
from ovxai_convert.ops.meanings import windows
from ovxai_convert.ops.op import Equation, Trait, always_written_out, on_data
from ovxai_convert.ops.reductions import Pool, over_positions
from ovxai_convert.tensors.extents import Extent, extent, number, pinned, quotient, rank_of, reshaped

_POOLS: Final = {"MaxPool": Pool.MAX, "AvgPool": Pool.MEAN}


def _unpadded(name: str, apply: Callable[[Call, Masked], Sequence[Carried] | NotHere]) -> Equation:
    """An equation of an unpadded, undilated pooling of rows and columns, of which values alone are read."""
    return on_data(name, lambda call, data: _unfit(call, data) or apply(call, data))


def _unfit(call: Call, data: Masked) -> NotHere | None:
    attributes = call.node.get_attributes()
    if not data.mask.one_hot or data.positions != (2, 3):
        return NotHere("it does not pool rows and columns of one cell each")
    if any((*attributes["pads_begin"], *attributes["pads_end"])):
        return NotHere("its windows reach past the map")
    if any(step != 1 for step in attributes.get("dilations", ())):
        return NotHere("its windows have gaps")
    if any(port.get_target_inputs() for port in call.node.outputs()[1:]):
        return NotHere("the places of its values are used")
    return None


def _of_the_map(call: Call, data: Masked) -> Sequence[Carried] | NotHere:
    """A window that covers the map; at another size of the map the branch must not be built."""
    kernel = tuple(call.node.get_attributes()["kernel"])
    if kernel != call.original(0)[2:]:
        return NotHere("its window is not the whole map")
    nothing, values = data.parts
    sizes = zip(data.positions, kernel, data.windows, strict=True)
    values = pinned(values, {axis: size * window for axis, size, window in sizes})
    pooled = over_positions(_POOLS[call.node.get_type_name()], replace(data, parts=(nothing, values)))
    return pooled if isinstance(pooled, NotHere) else [Copied(pooled)] * call.node.get_output_size()


def _of_tiles(call: Call, data: Masked) -> Sequence[Carried] | NotHere:
    """Tiles that cover the map; each holds one copy's value and background: ``pool(V[p], B, B, ...)``."""
    attributes, source = call.node.get_attributes(), call.original(0)[2:]
    kernel = tuple(attributes["kernel"])
    if not data.uniform[0]:
        return NotHere("the background differs from cell to cell")
    if kernel != tuple(attributes["strides"]):
        return NotHere("its windows overlap, or leave cells out")
    if any(extent is None or extent % size for extent, size in zip(source, kernel, strict=True)):
        return NotHere("its windows do not cover the map, or its size is open")
    window = tuple(old * new for old, new in zip(data.windows, kernel, strict=True))
    nothing, values = data.parts
    values = _whole_tiles(values, window)
    if prod(kernel) > 1:
        values = _tile_value(_POOLS[call.node.get_type_name()], nothing, values, prod(kernel))
    tiled = replace(data, parts=(nothing, values), mask=replace(data.mask, window=window))
    return [tiled] * call.node.get_output_size()


def _whole_tiles(values: Output, window: Sequence[int]) -> Output:
    """The same tensor, which cannot be built where rows or columns are left over."""
    tiles: list[Extent] = [extent(values, 0), extent(values, 1)]
    for axis, size in enumerate(window, start=2):
        tiles += [quotient(extent(values, axis), size), size]
    return reshaped(reshaped(values, tiles), [extent(values, axis) for axis in range(rank_of(values))])


def _tile_value(pool: Pool, nothing: Output, values: Output, size: int) -> Output:
    """The value of a tile that holds one cell of V and otherwise B."""
    if pool is Pool.MAX:
        return ops.maximum(values, nothing).output(0)
    rest = ops.multiply(nothing, number(size - 1, values))
    return ops.divide(ops.add(values, rest), number(size, values)).output(0)


def _copied(call: Call) -> list[Copied] | Refusal:
    """As one batch, where indices do not count over all of it."""
    used = any(port.get_target_inputs() for port in call.node.outputs()[1:])
    axis = call.node.get_attributes().get("axis", 1)
    if used and axis % len(call.result) == 0:
        return call.refuse("gives indices that count over the whole batch")
    return copying.merged()(call)


_EQUATIONS: Final = (_unpadded("global pooling", _of_the_map), _unpadded("tiled pooling", _of_tiles))
_ADAPTIVE: Final = always_written_out(
    "AdaptiveMaxPool AdaptiveAvgPool", windows, _copied, Trait.POOLING, onnx=in_onnx
)

OPS: Final = (replace(_ADAPTIVE, types=frozenset(_POOLS), equations=_EQUATIONS), _ADAPTIVE)
