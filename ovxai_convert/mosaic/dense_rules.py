"""The default rule: re-create an op on the batch of all copies, once it is sure to keep them apart.

An op may be re-created on ``[N * P, ...]`` when it treats each index of the batch axis by itself. That is
known of the families below; each of their rules finds out where the copies stand afterwards. Shared inputs
that have samples of their own are repeated for every copy, and shapes that have the batch baked in
(``Reshape`` to ``[1, 1000]``) are scaled. Of everything else nothing is assumed: it is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Final

from openvino import Node, Output

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.axes import reduced_axes
from ovxai_convert.graph.op_types import AXIS_REDUCING, BROADCASTING, CONVOLUTIONS, POOLINGS, UNARY
from ovxai_convert.graph.ports import constant_ints, extents, rank
from ovxai_convert.graph.rebuild import recreate
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Dense, Shared
from ovxai_convert.mosaic.shapes import reshaped

Batched = Sequence[Dense | Shared]
Rule = Callable[[Node, Batched, Copies], list[Dense] | Refusal]

_NO_END: Final = 2**31 - 1
_PER_SAMPLE_INPUTS: Final = {"DeformableConvolution": (1, 3)}
"""Inputs after the data that hold one set of values per sample: offsets and modulation."""


def apply_dense(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Outputs of an op for all copies; ``inputs`` holds at least one Dense tensor.

    Args:
        node: the op, as it stands in the model.
        inputs: what it is to be computed from, one per input.
        copies: the copies of the mosaic.
    """
    rule = _RULES.get(node.get_type_name())
    if rule is None:
        return _refuse(node, "is not known to keep the samples of a batch apart")
    return rule(node, inputs, copies)


def _refuse(node: Node, reason: str) -> Refusal:
    return Refusal("mosaic", f"{node.get_type_name()} {reason}", node.get_friendly_name())


def _finish(
    node: Node,
    ports: Sequence[Output],
    batch_axis: int,
    inner: int,
    changed: Mapping[str, object] | None = None,
) -> list[Dense] | Refusal:
    created = recreate(node, ports, changed)
    if isinstance(created, Refusal):
        return created
    return [Dense(port, batch_axis, inner) for port in created.outputs()]


def _first_only(node: Node, inputs: Batched) -> Dense | Refusal:
    """The data input of an op whose other inputs (weights, axes, patterns) must not depend on the target."""
    first = inputs[0]
    if not isinstance(first, Dense) or any(isinstance(each, Dense) for each in inputs[1:]):
        return _refuse(node, "has parameters that depend on the target")
    return first


def _ports(first: Output, inputs: Batched) -> list[Output]:
    return [first, *(each.port for each in inputs[1:])]


def _broadcasting(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Element by element, axes aligned to the right."""
    full = rank(node.output(0))
    aligned = _aligned(node, inputs, copies, full, 0)
    if isinstance(aligned, Refusal):
        return aligned
    ports, from_right, inner = aligned
    assert full is not None, "checked by the alignment"
    return _finish(node, ports, full - from_right, inner)


def _aligned(
    node: Node, inputs: Batched, copies: Copies, full: int | None, fixed: int
) -> tuple[list[Output], int, int] | Refusal:
    """Inputs with the batch axis in one place, counted from the right, and the rows per sample there.

    Shared inputs with an extent of their own on that axis are repeated. The last ``fixed`` axes of every
    input are not broadcast (the rows and columns of matrices).
    """
    places = {(_rank(each.port) - each.batch_axis, each.inner) for each in inputs if isinstance(each, Dense)}
    if full is None or len(places) != 1:
        return _refuse(node, "joins copies that lie along different axes")
    from_right, inner = places.pop()
    ports = []
    for each in inputs:
        axis = _rank(each.port) - from_right
        own = (extents(each.port) or ())[axis] if axis >= 0 else 1
        if isinstance(each, Dense) or own == 1 or from_right <= fixed:
            ports.append(each.port)
        elif isinstance(own, int) and isinstance(copies.samples, int) and own != copies.samples * inner:
            return _refuse(node, "broadcasts the samples")
        else:
            ports.append(copies.repeat(each.port, axis, inner))
    return ports, from_right, inner


def _rank(port: Output) -> int:
    return len(extents(port) or ())


def _unary(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    first = _first_only(node, inputs)
    if isinstance(first, Refusal):
        return first
    return _finish(node, _ports(first.port, inputs), first.batch_axis, first.inner)


def _leading_batch(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Convolution, pooling and kin: the first axis is the batch by definition."""
    first = _first_only(node, inputs)
    if isinstance(first, Refusal):
        return first
    if first.batch_axis != 0:
        return _refuse(node, "works across the axis that holds the copies")
    per_sample = _PER_SAMPLE_INPUTS.get(node.get_type_name(), ())
    if per_sample and first.inner != 1:
        return _refuse(node, "takes parameters per sample, of which a Reshape has made several rows")
    ports = [
        copies.repeat(each.port, 0) if index in per_sample else each.port for index, each in enumerate(inputs)
    ]
    return _finish(node, ports, 0, first.inner)


def _along_axes(axes_of: Callable[[Node], Sequence[int] | None]) -> Rule:
    """An op that keeps the shape and works along some axes, none of which may be the copies'."""

    def rule(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
        first, axes = _first_only(node, inputs), axes_of(node)
        if isinstance(first, Refusal):
            return first
        if axes is None or first.batch_axis in [axis % _rank(first.port) for axis in axes]:
            return _refuse(node, "works across the axis that holds the copies")
        return _finish(node, _ports(first.port, inputs), first.batch_axis, first.inner)

    return rule


def _axis_attribute(node: Node) -> list[int]:
    return [int(node.get_attributes()["axis"])]


def _axes_input(node: Node) -> list[int] | None:
    return constant_ints(node.input_value(1))


def _reduce(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    first, axes = _first_only(node, inputs), reduced_axes(node)
    if isinstance(first, Refusal):
        return first
    if axes is None or first.batch_axis in axes:
        return _refuse(node, "reduces the axis that holds the copies")
    kept = bool(node.get_attributes().get("keep_dims", False))
    gone = 0 if kept else sum(axis < first.batch_axis for axis in axes)
    return _finish(node, _ports(first.port, inputs), first.batch_axis - gone, first.inner)


def _transpose(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    first, order = _first_only(node, inputs), constant_ints(node.input_value(1))
    if isinstance(first, Refusal):
        return first
    if order is None:
        return _refuse(node, "has an order that is not constant")
    order = order or list(range(_rank(first.port)))[::-1]
    return _finish(node, _ports(first.port, inputs), order.index(first.batch_axis), first.inner)


def _reshape(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Reshape, Squeeze, Unsqueeze: the samples stay the outermost factor of the axis they land on.

    In row-major order what lies before the batch axis has the same number of elements before and after, so
    the copies land on the axis where the leading extents reach that number.
    """
    first = _first_only(node, inputs)
    if isinstance(first, Refusal):
        return first
    before, after = extents(node.input_value(0)), extents(node.output(0))
    landing = _landing(before, after, first)
    if landing is None or after is None:
        return _refuse(node, "mixes samples with other axes, or its shape is not known")
    axis, inner = landing
    after = _completed(before or (), after, first, axis)
    others = [each for index, each in enumerate(after) if index != axis]
    if None not in others:
        wanted = [-1 if index == axis else each or 0 for index, each in enumerate(after)]
        return [Dense(reshaped(first.port, wanted), axis, inner)]
    if node.get_type_name() != "Reshape":
        return _finish(node, _ports(first.port, inputs), axis, inner)
    if axis != first.batch_axis and (constant_ints(inputs[1].port) or [1])[axis] == 0:
        return _refuse(node, "copies an extent to the axis on which the samples land")
    pattern = copies.scaled_pattern(inputs[1].port, axis, len(after))
    return _finish(node, [first.port, pattern], axis, inner)


def _completed(
    before: tuple[int | None, ...], after: tuple[int | None, ...], first: Dense, axis: int
) -> tuple[int | None, ...]:
    """The output's extents with the one that shape inference did not find, where the others leave no choice.

    ``[?, 512, 1, 1]`` to ``[?, ?]``, as exporters flatten a dynamic batch, can only be ``[?, 512]``.
    """
    unknown = [index for index in range(axis + 1, len(after)) if after[index] is None]
    behind = _static_product(before[first.batch_axis + 1 :])
    rest = prod(each for each in after[axis + 1 :] if each is not None)
    if len(unknown) != 1 or behind is None or first.inner != 1:
        return after
    return tuple(behind // rest if index == unknown[0] else each for index, each in enumerate(after))


def _landing(
    before: tuple[int | None, ...] | None, after: tuple[int | None, ...] | None, first: Dense
) -> tuple[int, int] | None:
    """Axis of the output on which the copies land, and the rows per sample there, as few as can be."""
    if before is None or after is None:
        return None
    ahead = _static_product(before[: first.batch_axis])
    starts = [axis for axis in range(len(after)) if ahead == _static_product(after[:axis])]
    behind = _static_product(before[first.batch_axis + 1 :])
    found: list[tuple[int, int]] = []
    for axis in starts:
        rest = _static_product(after[axis + 1 :])
        if behind is None or rest is None:
            if after[axis] == before[first.batch_axis] and first.inner == 1:
                found.append((1, axis))
        elif (first.inner * behind) % rest == 0:
            found.append((first.inner * behind // rest, axis))
    return min(found)[::-1] if found else None


def _static_product(shape: Sequence[int | None]) -> int | None:
    factors = [each for each in shape if each is not None]
    return prod(factors) if len(factors) == len(shape) else None


def _matmul(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Copies may lie along the axes that are broadcast, or along the rows (left) or columns (right)."""
    attributes = node.get_attributes()
    left, right = inputs
    full = rank(node.output(0))
    dense = [each for each in inputs if isinstance(each, Dense)]
    if full is None or min(_rank(each.port) for each in inputs) < 2:
        return _refuse(node, "multiplies vectors, or its rank is not known")
    if all(_rank(each.port) - each.batch_axis > 2 for each in dense):
        aligned = _aligned(node, inputs, copies, full, 2)
        if isinstance(aligned, Refusal):
            return aligned
        ports, from_right, inner = aligned
        return _finish(node, ports, full - from_right, inner)
    if len(dense) != 1:
        return _refuse(node, "multiplies copies with each other")
    only = dense[0]
    contracted = -1 if (only is left) != attributes["transpose_a" if only is left else "transpose_b"] else -2
    if only.batch_axis == _rank(only.port) + contracted or _has_samples(right if only is left else left):
        return _refuse(node, "multiplies across the axis that holds the copies")
    place = full - 2 if only is left else full - 1
    return _finish(node, [each.port for each in inputs], place, only.inner)


def _has_samples(shared: Dense | Shared) -> bool:
    """Whether a matrix operand comes as a batch of its own."""
    return prod(each or 0 for each in (extents(shared.port) or (0,))[:-2]) != 1


def _concat(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Along another axis; parts that do not depend on the target are repeated for every copy."""
    dense = [each for each in inputs if isinstance(each, Dense)]
    axis, inner = dense[0].batch_axis, dense[0].inner
    joined = node.get_attributes()["axis"] % _rank(dense[0].port)
    if joined == axis or any((each.batch_axis, each.inner) != (axis, inner) for each in dense):
        return _refuse(node, "joins along the axis that holds the copies")
    ports = [
        copies.repeat(each.port, axis, inner) if isinstance(each, Shared) else each.port for each in inputs
    ]
    return _finish(node, ports, axis, inner)


def _gather(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Constant indices along an axis that is not the copies'."""
    first, axes = _first_only(node, inputs), constant_ints(node.input_value(2))
    if isinstance(first, Refusal):
        return first
    index_rank = rank(node.input_value(1))
    if axes is None or index_rank is None or node.get_attributes().get("batch_dims", 0):
        return _refuse(node, "gathers along an axis that is not constant")
    axis = axes[0] % _rank(first.port)
    if axis == first.batch_axis:
        return _refuse(node, "picks from the axis that holds the copies")
    moved = index_rank - 1 if axis < first.batch_axis else 0
    return _finish(node, _ports(first.port, inputs), first.batch_axis + moved, first.inner)


def _slice(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Slices that leave the copies' axis whole."""
    axes = constant_ints(node.input_value(4)) if node.get_input_size() > 4 else None
    starts = constant_ints(node.input_value(1))
    if axes is None:
        axes = list(range(len(starts))) if starts is not None and node.get_input_size() <= 4 else None
    return _along_axes(lambda _: axes)(node, inputs, copies)


def _strided_slice(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Strided slices that leave the copies' axis whole; its bounds, which may be baked, are masked out."""
    first, begin, end = _first_only(node, inputs), *(constant_ints(node.input_value(each)) for each in (1, 2))
    if isinstance(first, Refusal):
        return first
    attributes, axis = node.get_attributes(), first.batch_axis
    moving = [attributes[mask] for mask in ("new_axis_mask", "shrink_axis_mask", "ellipsis_mask")]
    if any(any(mask[: axis + 1]) for mask in moving) or any(attributes["ellipsis_mask"]):
        return _refuse(node, "adds or drops axes before the copies' axis")
    if begin is None or end is None:
        return _refuse(node, "has bounds that are not constant")
    if axis >= len(begin):
        return _finish(node, _ports(first.port, inputs), axis, first.inner)
    begin_mask, end_mask = (_padded(attributes[mask], len(begin)) for mask in ("begin_mask", "end_mask"))
    length = (extents(node.input_value(0)) or ())[axis]
    whole = (begin_mask[axis] or begin[axis] == 0) and (end_mask[axis] or end[axis] >= (length or _NO_END))
    if not whole:
        return _refuse(node, "cuts the axis that holds the copies")
    begin_mask[axis] = end_mask[axis] = 1
    masks = {"begin_mask": begin_mask, "end_mask": end_mask}
    return _finish(node, _ports(first.port, inputs), axis, first.inner, masks)


def _padded(mask: Sequence[int], length: int) -> list[int]:
    return [*mask, *([0] * (length - len(mask)))]


def _broadcast(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Broadcast to a shape whose entry for the copies' axis is scaled."""
    first = _first_only(node, inputs)
    if isinstance(first, Refusal):
        return first
    full = rank(node.output(0))
    if full is None or len(inputs) != 2:
        return _refuse(node, "broadcasts along explicit axes")
    axis = first.batch_axis + full - _rank(first.port)
    pattern = copies.scaled_pattern(inputs[1].port, axis, full)
    return _finish(node, [first.port, pattern], axis, first.inner)


def _tile(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Repeats along other axes."""
    repeats = constant_ints(node.input_value(1))
    full = rank(node.output(0))
    if repeats is None or full is None:
        return _refuse(node, "repeats a number of times that is not constant")
    padded = [1] * (full - len(repeats)) + repeats
    if full != rank(node.input_value(0)):
        return _refuse(node, "adds axes")
    return _along_axes(lambda _: [axis for axis, times in enumerate(padded) if times != 1])(
        node, inputs, copies
    )


def _pad(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Pads other axes."""
    begin, end = constant_ints(node.input_value(1)), constant_ints(node.input_value(2))
    padded = (
        None
        if begin is None or end is None
        else [i for i, pair in enumerate(zip(begin, end, strict=True)) if any(pair)]
    )
    return _along_axes(lambda _: padded)(node, inputs, copies)


def _mvn(node: Node) -> list[int] | None:
    """Version 6 takes its axes as an input; version 0 as attributes, never the batch."""
    return constant_ints(node.input_value(1)) if node.get_input_size() > 1 else []


_RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(BROADCASTING, _broadcasting),
    **dict.fromkeys(UNARY | {"PRelu"}, _unary),
    **dict.fromkeys(CONVOLUTIONS | POOLINGS, _leading_batch),
    **dict.fromkeys(
        ("BatchNormInference", "GroupNormalization", "DepthToSpace", "SpaceToDepth"), _leading_batch
    ),
    **dict.fromkeys(AXIS_REDUCING, _reduce),
    **dict.fromkeys(("Softmax", "LogSoftmax", "ShuffleChannels"), _along_axes(_axis_attribute)),
    **dict.fromkeys(("NormalizeL2", "LRN", "CumSum", "Split", "VariadicSplit"), _along_axes(_axes_input)),
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze"), _reshape),
    "MVN": _along_axes(_mvn),
    "Transpose": _transpose,
    "MatMul": _matmul,
    "Concat": _concat,
    "Gather": _gather,
    "Slice": _slice,
    "StridedSlice": _strided_slice,
    "Broadcast": _broadcast,
    "Tile": _tile,
    "Pad": _pad,
}
