"""Ops that treat every token by itself: apply them to U at every level.

``D[p, t] = U(M[p, t])[t]`` becomes ``f(D)[p, t] = f(U(M[p, t]))[t]``. Where f is affine, U stays a straight
line between its levels, so that the two ends tell all; else U must be known at every value that M takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Final

from openvino import Node, Output

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.axes import Atom, Axes, reduced_axes
from ovxai_convert.graph.op_types import AXIS_REDUCING, BROADCASTING, UNARY
from ovxai_convert.graph.rebuild import recreate
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Carried, Masked, Shared
from ovxai_convert.mosaic.masked import at_all_levels, filled
from ovxai_convert.mosaic.rules.pointwise import working_axes
from ovxai_convert.mosaic.rules.rule import Rule, shape_of

_AFFINE: Final = frozenset({"Convert", "Identity", "Negative", "Add", "Subtract", "ReduceMean", "ReduceSum"})


def masked_of(inputs: Sequence[Carried]) -> list[Masked] | None:
    """The masked inputs, if they are of one mask and all others are shared."""
    masked = [each for each in inputs if isinstance(each, Masked)]
    shared = [each for each in inputs if isinstance(each, Shared)]
    if not masked or len(masked) + len(shared) != len(inputs):
        return None
    return masked if all(each.mask == masked[0].mask for each in masked) else None


def on_every_level(
    node: Node, inputs: Sequence[Carried], axes: Sequence[Axes], *, affine: bool
) -> list[Masked] | None:
    """The op on U at every level; ``axes`` are those of its outputs. None if it cannot be built so."""
    if not affine or any(isinstance(each, Masked) and not each.linear for each in inputs):
        inputs = [at_all_levels(each) if isinstance(each, Masked) else each for each in inputs]
    first = next(each for each in inputs if isinstance(each, Masked))
    created = []
    for level in range(len(first.levels)):
        copy = recreate(node, [_at(each, level) for each in inputs])
        if isinstance(copy, Refusal):
            return None
        created.append(copy)
    return [
        replace(first, parts=tuple(copy.output(index) for copy in created), axes=each)
        for index, each in enumerate(axes)
    ]


def _at(tensor: Carried, level: int) -> Output:
    if isinstance(tensor, Masked):
        return tensor.parts[level]
    assert isinstance(tensor, Shared), "checked by the rule"
    return tensor.port


def _broadcasting(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Several values in, one out; tokens must meet their own kind."""
    masked, shape = masked_of(inputs), shape_of(node.output(0))
    if masked is None:
        return None
    axes = broadcast_axes([each.axes for each in masked], shape)
    if axes is None:
        return None
    kind = node.get_type_name()
    scaled = kind == "Multiply" or (kind == "Divide" and isinstance(inputs[0], Masked))
    return on_every_level(node, inputs, [axes], affine=kind in _AFFINE or (scaled and len(masked) == 1))


def broadcast_axes(sources: Sequence[Axes], shape: Sequence[int | None]) -> Axes | None:
    """What the axes of a broadcast result hold, None where samples or tokens would lie on two axes."""
    result: list[tuple[Atom, ...]] = [(Atom("?", extent),) for extent in shape]
    for source in sources:
        for index, axis in enumerate(source, start=len(shape) - len(source)):
            if prod(atom.extent or 0 for atom in axis) != 1:
                result[index] = axis
    roles = [atom.role for axis in result for atom in axis if atom.role != "?"]
    return tuple(result) if len(set(roles)) == len(roles) else None


def _unary(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """One value in, one value out."""
    masked = masked_of(inputs)
    if masked is None or not isinstance(inputs[0], Masked) or len(masked) > 1:
        return None
    return on_every_level(node, inputs, [masked[0].axes], affine=node.get_type_name() in _AFFINE)


def _channel_wise(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Normalisation and softmax along axes without tokens and samples."""
    masked, working = masked_of(inputs), working_axes(node)
    if masked is None or not isinstance(inputs[0], Masked) or not _free(masked[0], working):
        return None
    return on_every_level(node, inputs, [masked[0].axes], affine=False)


def _reduction(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Reduction along axes without tokens and samples."""
    masked, gone = masked_of(inputs), reduced_axes(node)
    if masked is None or gone is None or not _free(masked[0], sorted(gone)):
        return None
    kept = bool(node.get_attributes().get("keep_dims", False))
    pairs = enumerate(masked[0].axes)
    axes = tuple(
        (Atom("?", 1),) if axis in gone else held for axis, held in pairs if kept or axis not in gone
    )
    return on_every_level(node, inputs, [axes], affine=node.get_type_name() in _AFFINE)


def _concat(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
    """Pieces joined on an axis without tokens and samples."""
    masked = masked_of(inputs)
    if masked is None or len(masked) != len(inputs):
        return None
    joined = int(node.get_attributes()["axis"]) % len(masked[0].axes)
    if not _free(masked[0], [joined]) or any(each.axes[joined][0].role != "?" for each in masked):
        return None
    axes = with_extent(masked[0].axes, joined, shape_of(node.output(0))[joined])
    return on_every_level(node, [filled(each) for each in masked], [axes], affine=True)


def with_extent(axes: Axes, place: int, extent: int | None) -> Axes:
    """Axes of which one has another extent."""
    return tuple((Atom("?", extent),) if axis == place else held for axis, held in enumerate(axes))


def _free(tensor: Masked, axes: Sequence[int] | None) -> bool:
    """Whether neither tokens nor samples lie on some axes."""
    if axes is None:
        return False
    held = [tensor.axes[axis % len(tensor.axes)] for axis in axes]
    return not any(atom.role in "NT" for axis in held for atom in axis)


TOKEN_BROADCAST_RULE: Final = Rule("token-wise broadcast", BROADCASTING, _broadcasting)
TOKEN_UNARY_RULE: Final = Rule("token-wise unary", UNARY, _unary)
TOKEN_CHANNEL_RULE: Final = Rule(
    "token-wise normalisation",
    frozenset({"Softmax", "LogSoftmax", "MVN", "NormalizeL2"}),
    _channel_wise,
)
TOKEN_REDUCTION_RULE: Final = Rule("token-wise reduction", AXIS_REDUCING, _reduction)
TOKEN_CONCAT_RULE: Final = Rule("token-wise concat", frozenset({"Concat"}), _concat)
