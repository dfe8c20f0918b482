"""The three forms in which a tensor of the head is carried through the rewriting."""

from __future__ import annotations

from dataclasses import dataclass

from openvino import Output


@dataclass(frozen=True)
class Shared:
    """A tensor that does not depend on the target: the same for every copy, as it stands in the model."""

    port: Output


@dataclass(frozen=True)
class Dense:
    """A real batch of all copies.

    Attributes:
        port: the tensor of the original's rank, with P times its extent on ``batch_axis``.
        batch_axis: the axis that holds samples, copies and ``inner`` more rows of each, in that order.
        inner: how many rows of one sample a Reshape has merged into ``batch_axis`` (1: none).
    """

    port: Output
    batch_axis: int = 0
    inner: int = 1


@dataclass(frozen=True)
class Sparse:
    """Copy p equals ``background`` everywhere but at position p, where it equals ``values``.

        D[p] = B + onehot(p) * (V - B)

    Attributes:
        values: V, in the original tensor's shape.
        background: B, of the same rank; it broadcasts to V.
        position_axes: the axes of V that the positions run along, rows before columns.
    """

    values: Output
    background: Output
    position_axes: tuple[int, ...]


Carried = Shared | Dense | Sparse
"""Any of the three."""
