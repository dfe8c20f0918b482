"""What repeats, pads, rolls, resizes, counts, or reads a shape, in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from ovxai_convert.onnx_graph import forms
from ovxai_convert.onnx_graph.graph import CannotSay
from ovxai_convert.ops.in_onnx.call import OnnxCall, by_type, cannot
from ovxai_convert.tensors.ports import constant_value


def _broadcast(call: OnnxCall) -> list[str]:
    """Expand; of an explicit mapping of axes by a Reshape first."""
    graph, data = call.graph, call.input(0)
    if str(call.attributes["mode"]).lower() == "explicit":
        places, rank = call.numbers(2, "axes"), call.shape(1)[0]
        if rank is None or sorted(places) != places:
            raise CannotSay("Broadcast to axes that are not in order has no form in ONNX")
        data = forms.unsqueezed_at(graph, data, [axis for axis in range(rank) if axis not in places])
    return [graph.add("Expand", data, call.whole(1))]


def _tiled(call: OnnxCall) -> list[str]:
    """Tile; where it repeats other axes than the data has, 1s stand in front."""
    graph, data, repeats = call.graph, call.input(0), call.whole(1)
    entries, rank = call.shape(1)[0], call.rank()
    if entries is None:
        raise CannotSay("Tile of a number of axes that is not known has no form in ONNX")
    if entries > rank:
        data = forms.unsqueezed_at(graph, data, range(entries - rank))
    elif entries < rank:
        repeats = graph.add("Concat", graph.constant([1] * (rank - entries)), repeats, axis=0)
    return [graph.add("Tile", data, repeats)]


def _padded(call: OnnxCall) -> list[str]:
    mode = str(call.attributes["pad_mode"]).lower()
    if mode not in ("constant", "edge", "reflect"):
        raise CannotSay(f"Pad in the mode {mode} has no form in ONNX")
    before, after = (call.numbers(index, "widths") for index in (1, 2))
    filling: str | float = 0.0
    if mode == "constant":
        known = constant_value(call.node.input_value(3)) if call.count > 3 else np.zeros(())
        if known is not None and call.dtype() == np.float32:
            filling = float(np.ravel(known)[0])
        else:
            filling = call.input(3) if call.count > 3 else call.number(0.0)
    return [forms.padded_by(call.graph, call.input(0), before, after, mode, filling)]


def _rolled(call: OnnxCall) -> list[str]:
    """Each axis cut in two, and put together the other way round."""
    shifts, axes = call.numbers(1, "shifts"), call.numbers(2, "axes")
    graph, data, rank = call.graph, call.input(0), call.rank()
    shape = call.shape()
    for shift, axis in zip(shifts * (len(axes) // len(shifts)), axes, strict=True):
        place, extent = axis % rank, shape[axis % rank]
        if extent is not None:
            shift %= extent
        if shift:
            far = np.iinfo(np.int32).max
            end = forms.cut_out(graph, data, [-shift], [far], [place])
            start = forms.cut_out(graph, data, [0], [-shift], [place])
            data = graph.add("Concat", end, start, axis=place)
    return [data if data != call.input(0) else graph.add("Identity", data)]


def _resized(call: OnnxCall) -> list[str]:
    """Interpolate, version 4 and later, as Resize."""
    attributes, graph, rank = call.attributes, call.graph, call.rank()
    graph.since(11, "Resize")
    mode = str(attributes["mode"]).lower()
    kinds = {"nearest": "nearest", "linear": "linear", "linear_onnx": "linear", "cubic": "cubic"}
    if mode not in kinds or attributes.get("antialias"):
        raise CannotSay(f"Interpolate in the mode {mode} has no form in ONNX")
    if any((*attributes.get("pads_begin", ()), *attributes.get("pads_end", ()))):
        raise CannotSay("Interpolate that pads has no form in ONNX")
    told: dict[str, Any] = {
        "mode": kinds[mode],
        "coordinate_transformation_mode": str(attributes["coordinate_transformation_mode"]).lower(),
    }
    if mode == "nearest":
        told["nearest_mode"] = str(attributes["nearest_mode"]).lower()
        if told["nearest_mode"] == "simple":
            raise CannotSay("Interpolate in the nearest mode simple has no form in ONNX")
    if mode == "cubic":
        told["cubic_coeff_a"] = float(attributes["cube_coeff"])
    by_scales = str(attributes["shape_calculation_mode"]).lower() == "scales"
    # version 4 has extents, factors and axes; since version 11 one input holds either of the first two
    apart = call.node.get_type_info().version_id == "opset4"
    last = 3 if apart else 2
    axes = [axis % rank for axis in (call.numbers(last, "axes") if call.count > last else range(rank))]
    values = call.value(2 if apart and by_scales else 1, "extents")
    if by_scales:
        factors = dict(zip(axes, map(float, np.ravel(values)), strict=True))
        scales = np.array([factors.get(axis, 1.0) for axis in range(rank)], np.float32)
        return [graph.add("Resize", call.input(0), _nothing(call), graph.constant(scales), **told)]
    wanted = dict(zip(axes, map(int, np.ravel(values)), strict=True))
    nothing = _nothing(call)
    return [graph.add("Resize", call.input(0), nothing, nothing, _extents(call, wanted), **told)]


def _extents(call: OnnxCall, wanted: dict[int, int]) -> str:
    """Extents of all axes: those that are wanted, and of the others what they are."""
    shape = call.shape()
    if all(axis in wanted or shape[axis] is not None for axis in range(len(shape))):
        return call.graph.constant([wanted.get(axis, shape[axis] or 0) for axis in range(len(shape))])
    own = call.graph.add("Shape", call.input(0))
    parts = [
        call.graph.constant([wanted[axis]])
        if axis in wanted
        else forms.cut_out(call.graph, own, [axis], [axis + 1], [0])
        for axis in range(len(shape))
    ]
    return call.graph.add("Concat", *parts, axis=0)


def _nothing(call: OnnxCall) -> str:
    """An optional input that is not given."""
    return "" if call.graph.opset >= 13 else call.graph.constant(np.zeros(0, np.float32))


def _depth_to_space(call: OnnxCall) -> list[str]:
    """``blocks_first`` is ONNX's DCR, ``depth_first`` CRD."""
    size, mode = int(call.attributes["block_size"]), str(call.attributes["mode"]).lower()
    if mode == "blocks_first":
        return [call.graph.add("DepthToSpace", call.input(0), blocksize=size)]
    return [call.graph.add("DepthToSpace", call.input(0), blocksize=size, mode="CRD")]


def _space_to_depth(call: OnnxCall) -> list[str]:
    """``blocks_first`` as it is; of ``depth_first`` the new channels are dealt out another way."""
    graph, rank, shape = call.graph, call.rank(), call.shape()
    size, mode = int(call.attributes["block_size"]), str(call.attributes["mode"]).lower()
    dealt = graph.add("SpaceToDepth", call.input(0), blocksize=size)
    if mode == "blocks_first":
        return [dealt]
    if shape[1] is None or rank != 4:
        raise CannotSay("SpaceToDepth with depth first of channels whose number is open has no form in ONNX")
    return [_channels_turned(call, dealt, size * size, shape[1])]


def _channels_turned(call: OnnxCall, data: str, outer: int, inner: int) -> str:
    """``[N, A * B, H, W] -> [N, B * A, H, W]``."""
    graph = call.graph
    back = graph.add("Shape", data)
    apart = graph.add("Reshape", data, graph.constant([0, outer, inner, -1]))
    return graph.add("Reshape", graph.add("Transpose", apart, perm=[0, 2, 1, 3]), back)


def _shape(call: OnnxCall) -> list[str]:
    """A shape, in int64 or int32."""
    read = call.graph.add("Shape", call.input(0))
    wide = str(call.node.output(0).get_element_type().get_type_name()) == "i64"
    return [read if wide else forms.cast_to(call.graph, read, "int32")]


def _counted(call: OnnxCall) -> list[str]:
    """Range, of numbers of its result's type."""
    target = call.node.output(0)
    same = [str(target.get_element_type().get_type_name()) == call.element(index) for index in range(3)]
    names: Sequence[str] = call.inputs()
    names = [name if kept else call.cast(name, target) for name, kept in zip(names, same, strict=True)]
    return [call.graph.add("Range", *names)]


others_in_onnx: Final = by_type(
    {
        "Broadcast": _broadcast,
        "DepthToSpace": _depth_to_space,
        "Interpolate": _resized,
        "Pad": _padded,
        "Range": _counted,
        "Roll": _rolled,
        "ShapeOf": _shape,
        "SpaceToDepth": _space_to_depth,
        "Tile": _tiled,
    },
    otherwise=cannot,
)
"""Of every op that no other file says."""
