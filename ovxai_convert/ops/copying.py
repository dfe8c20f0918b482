"""Makers of the form that an op takes on all copies written out, ``[P, *shape]``.

As in a vectorising map, most ops only count their axes from one further on. Ops whose first axis is the
batch by definition take copies and samples as one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.ops.kinds import Call, Copied, Masked
from ovxai_convert.ops.op import CopiedForm
from ovxai_convert.tensors.extents import (
    extent,
    full_shape,
    ints,
    rank_of,
    reshaped,
    shape_vector,
    unsqueezed,
)
from ovxai_convert.tensors.ports import constant_ints, rank
from ovxai_convert.tensors.recreate import recreate

AxesOf = Callable[[Node], "Sequence[int] | None"]
"""The axes along which an op works, counted as the op does; None where they are not constant."""


def port_of(call: Call, index: int) -> Output:
    """The tensor that stands for an input, with or without copies."""
    tensor = call.inputs[index]
    assert not isinstance(tensor, Masked), "what is compact was written out before"
    return tensor.port


def has_copies(call: Call, index: int) -> bool:
    """Whether an input has an axis of copies."""
    return isinstance(call.inputs[index], Copied)


def ports_of(call: Call) -> list[Output]:
    """The tensors that stand for all inputs."""
    return [port_of(call, index) for index in range(len(call.inputs))]


def depends(call: Call, but: Sequence[int] = (0,)) -> bool:
    """Whether an input other than these depends on the target."""
    return any(has_copies(call, index) for index in range(len(call.inputs)) if index not in but)


def wide(call: Call, index: int, full: int) -> Output:
    """An input with ``full`` axes behind that of the copies: 1s stand behind P; shared ones align right."""
    port = port_of(call, index)
    missing = full + 1 - rank_of(port) if has_copies(call, index) else 0
    return unsqueezed(port, range(1, missing + 1))


def spread(call: Call, index: int) -> Output:
    """An input with the axis of the copies, a shared one repeated."""
    port = port_of(call, index)
    if has_copies(call, index):
        return port
    once = shape_vector([call.count, *[1] * rank_of(port)])
    return ops.broadcast(port, once, broadcast_spec="BIDIRECTIONAL").output(0)


def made(
    call: Call, ports: Sequence[Output], changed: Mapping[str, object] | None = None
) -> list[Copied] | Refusal:
    """The op created again; all its outputs have the axis of the copies."""
    node = recreate(call.node, ports, changed)
    return node if isinstance(node, Refusal) else [Copied(port) for port in node.outputs()]


def refused(reason: str) -> CopiedForm:
    """No form is known."""
    return lambda call: call.refuse(reason)


UNKNOWN = refused("is not known to keep copies apart")


def broadcasting(call: Call) -> list[Copied] | Refusal:
    """Element by element, axes aligned to the right."""
    full = rank(call.node.output(0))
    if full is None:
        return call.refuse("has a result of unknown rank")
    return made(call, [wide(call, index, full) for index in range(len(call.inputs))])


def unary(call: Call) -> list[Copied] | Refusal:
    """One value in, one value out; parameters are shared."""
    if depends(call):
        return call.refuse("has parameters that depend on the target")
    return made(call, ports_of(call))


def merged(*per_sample: int) -> CopiedForm:
    """The first axis is the batch: ``[P, N, ...] -> [P * N, ...] -> op -> [P, N, ...]``.

    So is that of the inputs ``per_sample``, which follow the data and hold one set of values for each.
    """

    def form(call: Call) -> list[Copied] | Refusal:
        if depends(call, (0, *per_sample)):
            return call.refuse("has parameters that depend on the target")
        full = {index: spread(call, index) for index in (0, *per_sample) if index < len(call.inputs)}
        ports = ports_of(call)
        for index, port in full.items():
            ports[index] = reshaped(port, [-1, *full_shape(port, 2)])
        outputs = made(call, ports)
        if isinstance(outputs, Refusal):
            return outputs
        copies = extent(full[0], 0)
        return [Copied(_apart(output.port, copies)) for output in outputs]

    return form


def _apart(port: Output, copies: Output) -> Output:
    """``[P * N, ...] -> [P, N, ...]``.

    By way of an axis more: a reshape of four axes before a permutation and another reshape makes the runtime
    (2026.4) look for a channel shuffle, which fails where the batch is open.
    """
    return reshaped(unsqueezed(port, [0]), [copies, -1, *full_shape(port, 1)])


def along(axes_of: AxesOf, place: int | None) -> CopiedForm:
    """An op that works along some axes: one further on.

    ``place`` is the input that names them, from the end if negative; None: the attribute ``axis``.
    """

    def form(call: Call) -> list[Copied] | Refusal:
        axes = axes_of(call.node)
        if axes is None:
            return call.refuse("works along axes that are not constant")
        if depends(call):
            return call.refuse("has parameters that depend on the target")
        moved = [axis % len(call.original(0)) + 1 for axis in axes]
        ports = ports_of(call)
        if place is None:
            return made(call, ports, {"axis": moved[0]})
        single = rank(call.node.input_value(place % len(ports))) == 0
        ports[place] = ints(moved[0] if single else moved)
        return made(call, ports)

    return form


def along_or_merged(axes_of: AxesOf, place: int | None) -> CopiedForm:
    """The same for ops that runtimes know on four axes best: as one batch, where they leave it alone."""
    shifted, as_batch = along(axes_of, place), merged()

    def form(call: Call) -> list[Copied] | Refusal:
        axes = axes_of(call.node)
        count = len(call.original(0))
        alone = axes is not None and 0 not in {axis % count for axis in axes}
        return as_batch(call) if alone and count > 1 else shifted(call)

    return form


def per_axis(first: int | None) -> CopiedForm:
    """An op whose other inputs have one entry per axis: one more in front, ``first`` or P, for the copies."""

    def form(call: Call) -> list[Copied] | Refusal:
        full = rank(call.node.output(0))
        if full is None or depends(call):
            return call.refuse("has parameters that depend on the target, or a result of unknown rank")
        ports = [wide(call, 0, full)]
        for index in range(1, len(call.inputs)):
            port = port_of(call, index)
            entries = call.original(index)
            if len(entries) != 1:
                ports.append(port)
                continue
            if entries[0] is None:
                return call.refuse("has a number of axes that is not known")
            missing = full - entries[0] + (first is not None)
            filling = np.full(missing, 1 if first is None else first)
            fill = [ops.constant(filling, port.get_element_type()).output(0)] if missing else []
            front = [ops.convert(call.count, port.get_element_type())] if first is None else []
            ports.append(ops.concat([*front, *fill, port], 0).output(0))
        return made(call, ports)

    return form


def axis_attribute(node: Node) -> list[int]:
    """The axis along which an op works, from its attribute."""
    return [int(node.get_attributes()["axis"])]


def second_input(node: Node) -> list[int] | None:
    """The axes along which an op works, from its second input."""
    return constant_ints(node.input_value(1)) if node.get_input_size() > 1 else None


def last_input(node: Node) -> list[int] | None:
    """The axes along which an op works, from its last input; None where it names none."""
    last = node.input_value(node.get_input_size() - 1)
    named = node.get_input_size() > 2 and last.get_element_type().is_integral()
    return constant_ints(last) if named else None
