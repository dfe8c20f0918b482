"""Convolutions and poolings, in ONNX."""

from __future__ import annotations

from typing import Any, Final

from ovxai_convert.onnx_graph.graph import CannotSay
from ovxai_convert.ops.in_onnx.call import OnnxCall, by_type, cannot
from ovxai_convert.tensors.ports import extents

_AUTO: Final = {"same_upper": "SAME_UPPER", "same_lower": "SAME_LOWER", "valid": "VALID"}


def _convolved(call: OnnxCall) -> list[str]:
    """Convolution, plain or within groups, whose weights have the groups as an axis of their own."""
    weights, group = _weights(call, outputs_first=True)
    shared = _window(call, dilated=True)
    return [call.graph.add("Conv", call.input(0), weights, group=group, **shared)]


def _convolved_backwards(call: OnnxCall) -> list[str]:
    """ConvolutionBackpropData and its grouped form: a transposed convolution."""
    weights, group = _weights(call, outputs_first=False)
    attributes: dict[str, Any] = _window(call, dilated=True)
    padding = [int(each) for each in call.attributes["output_padding"]]
    if any(padding):
        attributes["output_padding"] = padding
    if call.count > 2:
        attributes["output_shape"] = call.numbers(2, "extents")
        attributes.pop("pads", None)
    return [call.graph.add("ConvTranspose", call.input(0), weights, group=group, **attributes)]


def _deformed(call: OnnxCall) -> list[str]:
    """DeformableConvolution: data, offsets, weights and a mask."""
    attributes, offsets = call.attributes, call.input(1)
    if not attributes["bilinear_interpolation_pad"]:
        raise CannotSay("DeformableConvolution that reads no zeros beside the map has no form in ONNX")
    mask = ["", call.input(3)] if call.count > 3 else []
    shared = _window(call, dilated=True)
    return [
        call.graph.add(
            "DeformConv",
            call.input(0),
            call.input(2),
            offsets,
            *mask,
            group=int(attributes["group"]),
            offset_group=int(attributes["deformable_group"]),
            **shared,
        )
    ]


def _weights(call: OnnxCall, *, outputs_first: bool) -> tuple[str, int]:
    """The weights without an axis of groups, and the number of these."""
    if not call.kind.startswith("Group"):
        return call.input(1), 1
    shape = call.shape(1)
    if None in shape:
        raise CannotSay(f"{call.kind} with weights of unknown shape has no form in ONNX")
    groups, first, second, *kernel = (each or 0 for each in shape)
    # [G, O/G, I/G, ...] or, backwards, [G, I/G, O/G, ...]
    merged = [groups * first, second, *kernel]
    pattern = call.graph.constant(merged)
    return call.graph.add("Reshape", call.input(1), pattern), groups


def _window(call: OnnxCall, *, dilated: bool) -> dict[str, Any]:
    attributes = call.attributes
    shared: dict[str, Any] = {"strides": [int(each) for each in attributes["strides"]]}
    if dilated and any(int(each) != 1 for each in attributes.get("dilations", ())):
        shared["dilations"] = [int(each) for each in attributes["dilations"]]
    auto = _AUTO.get(str(attributes["auto_pad"]).lower())
    if auto is not None:
        shared["auto_pad"] = auto
    else:
        shared["pads"] = [int(each) for end in ("pads_begin", "pads_end") for each in attributes[end]]
    return shared


def _pooled(call: OnnxCall) -> list[str]:
    """MaxPool, of which the indices may be read, and AvgPool."""
    attributes, graph = call.attributes, call.graph
    shared = _window(call, dilated=call.kind == "MaxPool")
    shared["kernel_shape"] = [int(each) for each in attributes["kernel"]]
    rounding = str(attributes.get("rounding_type", "floor")).lower()
    if rounding != "floor":
        if rounding != "ceil_torch" and any(shared.get("pads", ())):
            raise CannotSay(f"{call.kind} that rounds up with padding has no form in ONNX")
        shared["ceil_mode"] = 1
    if call.kind == "AvgPool":
        if not attributes["exclude-pad" if "exclude-pad" in attributes else "exclude_pad"]:
            shared["count_include_pad"] = 1
        return [graph.add("AveragePool", call.input(0), **shared)]
    if any(port.get_target_inputs() for port in call.node.outputs()[1:]):
        raise CannotSay("MaxPool whose indices are read has no form in ONNX that counts alike")
    return [graph.add("MaxPool", call.input(0), **shared)]


def _pooled_to(call: OnnxCall) -> list[str]:
    """AdaptiveAvgPool and AdaptiveMaxPool, where their windows are equal."""
    graph, result, spatial = call.graph, extents(call.node.output(0)), call.shape()[2:]
    if any(port.get_target_inputs() for port in call.node.outputs()[1:]):
        raise CannotSay("AdaptiveMaxPool whose indices are read has no form in ONNX")
    kind = {"AdaptiveAvgPool": "Average", "AdaptiveMaxPool": "Max"}[call.kind]
    wanted = (result or ())[2:]
    if all(each == 1 for each in wanted):
        return [graph.add(f"Global{kind}Pool", call.input(0))]
    if (
        None in spatial
        or None in wanted
        or any(one % (two or 1) for one, two in zip(spatial, wanted, strict=True) if one)
    ):
        raise CannotSay(f"{call.kind} whose windows differ has no form in ONNX")
    kernel = [(one or 1) // (two or 1) for one, two in zip(spatial, wanted, strict=True)]
    return [graph.add(f"{kind}Pool", call.input(0), kernel_shape=kernel, strides=kernel)]


convolutions_in_onnx: Final = by_type(
    {
        "Convolution": _convolved,
        "ConvolutionBackpropData": _convolved_backwards,
        "DeformableConvolution": _deformed,
        "GroupConvolution": _convolved,
        "GroupConvolutionBackpropData": _convolved_backwards,
    },
    cannot,
)
poolings_in_onnx: Final = by_type({"AvgPool": _pooled, "MaxPool": _pooled}, _pooled_to)
