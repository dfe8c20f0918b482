"""Reshape on the batch of copies: where the copies land, and shapes with the batch baked in."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from openvino import Node

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.ports import constant_ints, extents, rank
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.dense_rules.batched import Batched, finish, first_only, refuse, with_parameters
from ovxai_convert.mosaic.kinds import Dense
from ovxai_convert.mosaic.shapes import reshaped


def reshape(node: Node, inputs: Batched, copies: Copies) -> list[Dense] | Refusal:
    """Reshape, Squeeze, Unsqueeze: the samples stay the outermost factor of the axis they land on.

    In row-major order what lies before the batch axis has the same number of elements before and after, so
    the copies land on the axis where the leading extents reach that number. Where several do, because one
    sample's extent is 1, an Unsqueeze tells which it is.
    """
    first = first_only(node, inputs)
    if isinstance(first, Refusal):
        return first
    before, after = extents(node.input_value(0)), extents(node.output(0))
    landing = _kept_axis(node, first) or _landing(before, after, first)
    if landing is None or after is None:
        return refuse(node, "mixes samples with other axes, or its shape is not known")
    axis, inner = landing
    after = _completed(before or (), after, first, axis)
    others = [each for index, each in enumerate(after) if index != axis]
    if None not in others:
        wanted = [-1 if index == axis else each or 0 for index, each in enumerate(after)]
        return [Dense(reshaped(first.port, wanted), axis, inner)]
    if node.get_type_name() != "Reshape":
        return finish(node, with_parameters(first.port, inputs), axis, inner)
    if axis != first.batch_axis and (constant_ints(inputs[1].port) or [1])[axis] == 0:
        return refuse(node, "copies an extent to the axis on which the samples land")
    pattern = copies.scaled_pattern(inputs[1].port, axis, len(after))
    return finish(node, [first.port, pattern], axis, inner)


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


def _kept_axis(node: Node, first: Dense) -> tuple[int, int] | None:
    """Where an Unsqueeze puts the batch axis: ``[N, K] -> [1, N, K]`` is ready to be stacked with others."""
    if node.get_type_name() != "Unsqueeze":
        return None
    added, count = constant_ints(node.input_value(1)), rank(node.output(0))
    if added is None or count is None:
        return None
    kept = [axis for axis in range(count) if axis not in {each % count for each in added}]
    return kept[first.batch_axis], first.inner


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
