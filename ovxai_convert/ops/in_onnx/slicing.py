"""Some indices of an axis, in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from ovxai_convert.onnx_graph import forms
from ovxai_convert.onnx_graph.graph import CannotSay
from ovxai_convert.ops.in_onnx.call import OnnxCall, by_type, cannot
from ovxai_convert.tensors.ports import constant_value

_FAR: Final = 2**31 - 1
"""Behind every index: runtimes cut a bound to the extent."""


def _sliced(call: OnnxCall) -> list[str]:
    """Slice: data, starts, stops, steps, and axes if not the first ones."""
    bounds = [_bound(call, index) for index in (1, 2, 3)]
    lengths = {len(each) for each in bounds if not isinstance(each, str)}
    if call.count > 4:
        axes = call.numbers(4, "axes")
    elif lengths:
        axes = list(range(lengths.pop()))
    else:
        raise CannotSay("Slice whose axes are not known has no form in ONNX")
    starts, stops, steps = bounds
    rank = call.rank()
    return [forms.cut_out(call.graph, call.input(0), starts, stops, [axis % rank for axis in axes], steps)]


def _bound(call: OnnxCall, index: int) -> list[int] | str:
    """A bound as numbers, or as the name of a tensor of int64."""
    value = constant_value(call.node.input_value(index))
    if value is not None:
        return [int(np.clip(each, -_FAR, _FAR)) for each in np.ravel(value)]
    return call.whole(index)


def _strided(call: OnnxCall) -> list[str]:
    """StridedSlice: bounds of the first axes, of which masks say what is meant."""
    masks = {name: [int(each) for each in call.attributes[f"{name}_mask"]] for name in _MASKS}
    bounds = [_bound(call, index) for index in range(1, call.count)]
    starts, stops = bounds[:2]
    if any(isinstance(each, str) for each in bounds):
        if any(map(any, masks.values())):
            raise CannotSay("StridedSlice with bounds that are computed and masks has no form in ONNX")
        entries = call.shape(1)[0]
        if entries is None:
            raise CannotSay("StridedSlice with a number of axes that is not known has no form in ONNX")
        steps = bounds[2] if len(bounds) > 2 else None
        return [forms.cut_out(call.graph, call.input(0), starts, stops, range(entries), steps)]
    steps = bounds[2] if len(bounds) > 2 else [1] * len(starts)
    return [_by_masks(call, masks, list(map(int, starts)), list(map(int, stops)), list(map(int, steps)))]


_MASKS: Final = ("begin", "end", "new_axis", "shrink_axis", "ellipsis")


def _by_masks(
    call: OnnxCall, masks: dict[str, list[int]], starts: list[int], stops: list[int], steps: list[int]
) -> str:
    def on(name: str, entry: int) -> bool:
        return entry < len(masks[name]) and bool(masks[name][entry])

    new = sum(on("new_axis", entry) and not on("ellipsis", entry) for entry in range(len(starts)))
    open_entries = sum(on("ellipsis", entry) for entry in range(len(starts)))
    covered = call.rank() - (len(starts) - new - open_entries)
    source, shown = 0, 0
    cut: dict[int, tuple[int, int, int]] = {}
    gone: list[int] = []
    added: list[int] = []
    for entry in range(len(starts)):
        if on("ellipsis", entry):
            source, shown = source + covered, shown + covered
        elif on("new_axis", entry):
            added.append(shown)
            shown += 1
        elif on("shrink_axis", entry):
            first = starts[entry]
            cut[source] = first, first + 1 if first != -1 else _FAR, 1
            gone.append(source)
            source += 1
        else:
            backwards = steps[entry] < 0
            first = (_FAR if backwards else 0) if on("begin", entry) else starts[entry]
            last = (-_FAR if backwards else _FAR) if on("end", entry) else stops[entry]
            if (first, last, steps[entry]) != (0, _FAR, 1):
                cut[source] = first, last, steps[entry]
            source, shown = source + 1, shown + 1
    data = call.input(0)
    if cut:
        starts, stops, steps = (list(part) for part in zip(*cut.values(), strict=True))
        data = forms.cut_out(call.graph, data, starts, stops, list(cut), steps)
    return forms.unsqueezed_at(call.graph, forms.squeezed_at(call.graph, data, gone), added)


def _pieces(call: OnnxCall) -> list[str]:
    """Split and VariadicSplit."""
    (axis,) = (each % call.rank() for each in call.numbers(1, "axis"))
    count = int(call.node.get_output_size())
    lengths = [] if call.kind == "Split" else _lengths(call, axis)
    return forms.pieces_of(call.graph, call.input(0), axis, lengths, count)


def _lengths(call: OnnxCall, axis: int) -> Sequence[int]:
    lengths, full = call.numbers(2, "lengths"), call.shape()[axis]
    if -1 in lengths:
        if full is None:
            raise CannotSay("VariadicSplit of an axis whose extent is open has no form in ONNX")
        lengths[lengths.index(-1)] = full - sum(each for each in lengths if each != -1)
    return lengths


def _gathered(call: OnnxCall) -> list[str]:
    """Gather along a constant axis, whose indices may count from the end; batches by GatherND."""
    (axis,) = (each % call.rank() for each in call.numbers(2, "axis"))
    batches = int(call.attributes.get("batch_dims", 0))
    known = constant_value(call.node.input_value(1))
    if known is None or np.any(known < 0):
        call.graph.since(11, "Gather of indices that may count from the end")
    if not batches:
        return [call.graph.add("Gather", call.input(0), call.input(1), axis=axis)]
    if axis != batches % call.rank():
        raise CannotSay("Gather behind other axes than its batches has no form in ONNX")
    indices = forms.unsqueezed_at(call.graph, call.whole(1), [call.rank(1)])
    return [call.graph.add("GatherND", call.input(0), indices, batch_dims=axis)]


def _best(call: OnnxCall) -> list[str]:
    """TopK; ``sort`` by index is by no operator set, by value or not at all is."""
    attributes, rank = call.attributes, call.rank()
    axis = int(attributes["axis"]) % rank
    if str(attributes["sort"]).lower() == "index":
        raise CannotSay("TopK in the order of indices has no form in ONNX")
    known = constant_value(call.node.input_value(1))
    if known is None:
        k: int | str = forms.reshaped_to(call.graph, call.whole(1), [1])
    else:
        k = int(np.ravel(known)[0])
    largest = str(attributes["mode"]).lower() == "max"
    by_value = str(attributes["sort"]).lower() == "value"
    values, indices = forms.best_of(call.graph, call.input(0), k, axis, largest=largest, by_value=by_value)
    if str(call.node.output(1).get_element_type().get_type_name()) != "i64":
        indices = call.cast(indices, call.node.output(1))
    return [values, indices]


slices_in_onnx: Final = by_type(
    {
        "Gather": _gathered,
        "Slice": _sliced,
        "Split": _pieces,
        "StridedSlice": _strided,
        "TopK": _best,
        "VariadicSplit": _pieces,
    },
    cannot,
)
"""Of every op that takes some indices of an axis."""
