"""What a rule is, and the questions that all rules ask of sparse tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from openvino import Node, Output

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.ports import extents
from ovxai_convert.graph.rebuild import recreate
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Carried, Shared, Sparse

Apply = Callable[[Node, Sequence[Carried], Copies], Sequence[Carried] | None]


@dataclass(frozen=True)
class Rule:
    """One equation.

    Attributes:
        name: unique name.
        op_types: the ops to which it may apply.
        apply: the op's outputs, or None where the equation does not hold.
    """

    name: str
    op_types: frozenset[str]
    apply: Apply


def shape_of(port: Output) -> tuple[int | None, ...]:
    """Extents of a tensor of known rank, None where dynamic."""
    return extents(port) or ()


def data_and_parameters(inputs: Sequence[Carried]) -> tuple[Sparse, list[Output]] | None:
    """A sparse first input and shared others (weights, axes), or None where the inputs are otherwise."""
    first, *others = inputs
    if not isinstance(first, Sparse):
        return None
    ports = [each.port for each in others if isinstance(each, Shared)]
    return (first, ports) if len(ports) == len(others) else None


def uniform(tensor: Sparse) -> bool:
    """Whether the background is the same in every cell."""
    shape = shape_of(tensor.background)
    return all(shape[axis] == 1 for axis in tensor.position_axes)


def on_both(node: Node, tensor: Sparse, parameters: Sequence[Output]) -> list[Sparse] | None:
    """The op on V and on B, for ops that treat every cell by itself; None if it cannot be built so."""
    values = recreate(node, [tensor.values, *parameters])
    background = recreate(node, [tensor.background, *parameters])
    if isinstance(values, Refusal) or isinstance(background, Refusal):
        return None
    pairs = zip(values.outputs(), background.outputs(), strict=True)
    return [replace(tensor, values=new, background=old) for new, old in pairs]
