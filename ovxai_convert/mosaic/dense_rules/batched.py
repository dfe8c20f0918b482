"""What the default rules share: their form, and how an op is re-created on the batch of copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from openvino import Node, Output

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.ports import extents
from ovxai_convert.graph.rebuild import recreate
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Dense, Shared
from ovxai_convert.mosaic.shapes import rank_of, transposed

Batched = Sequence[Dense | Shared]
Rule = Callable[[Node, Batched, Copies], list[Dense] | Refusal]


def refuse(node: Node, reason: str) -> Refusal:
    """A refusal at this op."""
    return Refusal("mosaic", f"{node.get_type_name()} {reason}", node.get_friendly_name())


def finish(
    node: Node,
    ports: Sequence[Output],
    batch_axis: int,
    inner: int,
    changed: Mapping[str, object] | None = None,
) -> list[Dense] | Refusal:
    """Re-create the op; the copies of all its outputs lie along ``batch_axis``."""
    created = recreate(node, ports, changed)
    if isinstance(created, Refusal):
        return created
    return [Dense(port, batch_axis, inner) for port in created.outputs()]


def first_only(node: Node, inputs: Batched) -> Dense | Refusal:
    """The data input of an op whose other inputs (weights, axes, patterns) must not depend on the target."""
    first = inputs[0]
    if not isinstance(first, Dense) or any(isinstance(each, Dense) for each in inputs[1:]):
        return refuse(node, "has parameters that depend on the target")
    return first


def with_parameters(first: Output, inputs: Batched) -> list[Output]:
    """The inputs of an op with another first one."""
    return [first, *(each.port for each in inputs[1:])]


def moved_together(node: Node, inputs: Batched, copies: Copies, unfit: int | None = None) -> Batched:
    """The same inputs with the copies of all on one axis, where a single sample leaves a choice.

    A token ``[1, 1, C]`` has two axes that may hold its copies. Inputs stay as they are where none will do.

    Args:
        node: the op, of whose inputs at least one is Dense; they have the same rank.
        inputs: what it is to be computed from.
        copies: the copies of the mosaic.
        unfit: an axis that must not hold the copies, counted from the left.
    """
    dense = [(index, each) for index, each in enumerate(inputs) if isinstance(each, Dense)]
    places = {each.batch_axis for _, each in dense}
    if copies.samples != 1 or (len(places) == 1 and unfit not in places):
        return inputs
    shapes = [extents(node.input_value(index)) or () for index, _ in dense]
    if len(set(map(len, shapes))) != 1 or any(each.inner != 1 for _, each in dense):
        return inputs
    free = [
        axis for axis in range(len(shapes[0])) if axis != unfit and all(each[axis] == 1 for each in shapes)
    ]
    if not free:
        return inputs
    axis = next((each for each in free if each in places), free[0])
    return [_with_copies_on(each, axis) if isinstance(each, Dense) else each for each in inputs]


def _with_copies_on(tensor: Dense, axis: int) -> Dense:
    """The copies on another axis, which has the extent 1."""
    if tensor.batch_axis == axis:
        return tensor
    order = list(range(rank_of(tensor.port)))
    order[axis], order[tensor.batch_axis] = order[tensor.batch_axis], order[axis]
    return Dense(transposed(tensor.port, order), axis)


def aligned(
    node: Node, inputs: Batched, copies: Copies, full: int | None, fixed: int
) -> tuple[list[Output], int, int] | Refusal:
    """Inputs with the batch axis in one place, counted from the right, and the rows per sample there.

    Shared inputs with an extent of their own on that axis are repeated. The last ``fixed`` axes of every
    input are not broadcast (the rows and columns of matrices).
    """
    inputs = moved_together(node, inputs, copies)
    places = {
        (rank_of(each.port) - each.batch_axis, each.inner) for each in inputs if isinstance(each, Dense)
    }
    if full is None or len(places) != 1:
        return refuse(node, "joins copies that lie along different axes")
    from_right, inner = places.pop()
    ports = []
    for each in inputs:
        axis = rank_of(each.port) - from_right
        own = (extents(each.port) or ())[axis] if axis >= 0 else 1
        if isinstance(each, Dense) or own == 1 or from_right <= fixed:
            ports.append(each.port)
        elif isinstance(own, int) and isinstance(copies.samples, int) and own != copies.samples * inner:
            return refuse(node, "broadcasts the samples")
        else:
            ports.append(copies.repeat(each.port, axis, inner))
    return ports, from_right, inner
