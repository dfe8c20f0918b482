"""Ops on the batch of copies that keep or drop axes: element by element, per sample, along some axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from openvino import Node

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.axes import reduced_axes
from ovxai_convert.graph.ports import constant_ints, rank
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.dense_rules.batched import (
    Batched,
    Rule,
    aligned,
    finish,
    first_only,
    refuse,
    with_parameters,
)
from ovxai_convert.mosaic.kinds import Dense
from ovxai_convert.mosaic.shapes import rank_of

_PER_SAMPLE_INPUTS: Final = {"DeformableConvolution": (1, 3)}
"""Inputs after the data that hold one set of values per sample: offsets and modulation."""


def broadcasting(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Element by element, axes aligned to the right."""
    full = rank(node.output(0))
    placed = aligned(node, inputs, copies, full, 0)
    if isinstance(placed, Refusal):
        return placed
    ports, from_right, inner = placed
    assert full is not None, "checked by the alignment"
    return finish(node, ports, full - from_right, inner)


def unary(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """One value in, one value out."""
    first = first_only(node, inputs)
    if isinstance(first, Refusal):
        return first
    return finish(node, with_parameters(first.port, inputs), first.batch_axis, first.inner)


def leading_batch(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Convolution, pooling and kin: the first axis is the batch by definition."""
    first = first_only(node, inputs)
    if isinstance(first, Refusal):
        return first
    if first.batch_axis != 0:
        return refuse(node, "works across the axis that holds the copies")
    if _counts_over_the_batch(node):
        return refuse(node, "gives indices that count over the whole batch")
    per_sample = _PER_SAMPLE_INPUTS.get(node.get_type_name(), ())
    if per_sample and first.inner != 1:
        return refuse(node, "takes parameters per sample, of which a Reshape has made several rows")
    ports = [
        copies.repeat(each.port, 0) if index in per_sample else each.port for index, each in enumerate(inputs)
    ]
    return finish(node, ports, 0, first.inner)


def _counts_over_the_batch(node: Node) -> bool:
    """Whether a MaxPool's indices are used and start anew with the batch only, not with every sample."""
    used = any(port.get_target_inputs() for port in node.outputs()[1:])
    return used and node.get_attributes().get("axis", 1) % rank_of(node.output(0)) == 0


def along_axes(axes_of: Callable[[Node], Sequence[int] | None]) -> Rule:
    """An op that keeps the shape and works along some axes, none of which may be the copies'."""

    def rule(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
        first, axes = first_only(node, inputs), axes_of(node)
        if isinstance(first, Refusal):
            return first
        if axes is None or first.batch_axis in [axis % rank_of(first.port) for axis in axes]:
            return refuse(node, "works across the axis that holds the copies")
        return finish(node, with_parameters(first.port, inputs), first.batch_axis, first.inner)

    return rule


def axis_attribute(node: Node) -> list[int]:
    """The axis along which an op works, from its attribute."""
    return [int(node.get_attributes()["axis"])]


def axes_input(node: Node) -> list[int] | None:
    """The axes along which an op works, from its second input."""
    return constant_ints(node.input_value(1))


def last_input_axes(node: Node) -> list[int] | None:
    """The axes along which an op works, from its last input (Roll, Interpolate); None where it names none."""
    last = node.input_value(node.get_input_size() - 1)
    named = node.get_input_size() > 2 and last.get_element_type().is_integral()
    return constant_ints(last) if named else None


def mvn_axes(node: Node) -> list[int] | None:
    """Version 6 takes its axes as an input; version 0 as attributes, never the batch."""
    return constant_ints(node.input_value(1)) if node.get_input_size() > 1 else []


def reduction(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Reductions along other axes than the copies'."""
    first, axes = first_only(node, inputs), reduced_axes(node)
    if isinstance(first, Refusal):
        return first
    if axes is None or first.batch_axis in axes:
        return refuse(node, "reduces the axis that holds the copies")
    kept = bool(node.get_attributes().get("keep_dims", False))
    gone = 0 if kept else sum(axis < first.batch_axis for axis in axes)
    return finish(node, with_parameters(first.port, inputs), first.batch_axis - gone, first.inner)
