"""What the default rules share: their form, and how an op is re-created on the batch of copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from openvino import Node, Output

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.ports import extents
from ovxai_convert.graph.rebuild import recreate
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Dense, Shared
from ovxai_convert.mosaic.shapes import rank_of

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


def aligned(
    node: Node, inputs: Batched, copies: Copies, full: int | None, fixed: int
) -> tuple[list[Output], int, int] | Refusal:
    """Inputs with the batch axis in one place, counted from the right, and the rows per sample there.

    Shared inputs with an extent of their own on that axis are repeated. The last ``fixed`` axes of every
    input are not broadcast (the rows and columns of matrices).
    """
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
