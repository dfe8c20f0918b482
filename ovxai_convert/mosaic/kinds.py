"""The forms in which a tensor of the head is carried through the rewriting."""

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
    """Copy p equals ``background`` everywhere but in the cell of position p, where it equals ``values[p]``.

        D[p] = B + onehot(cell(p)) * (V[p] - B)

    Attributes:
        values: V; samples along the first axis, positions along ``position_axes``. In the original tensor's
            shape, but for a pooled grid.
        background: B, of the same rank; its extents are the original tensor's, or 1 along samples and
            positions.
        position_axes: the axes that positions run along, rows before columns.
        window: along each position axis, how many positions share one cell of the original tensor, after a
            pooling: ``cell(p) = p // window``. All 1 before.
    """

    values: Output
    background: Output
    position_axes: tuple[int, ...]
    window: tuple[int, ...]

    @property
    def pooled(self) -> bool:
        """Whether several positions share a cell."""
        return any(size != 1 for size in self.window)


@dataclass(frozen=True)
class Flattened:
    """A sparse tensor behind a Flatten: ``[N, D1, D2, ...]`` meant as ``[N, D1 * D2 * ...]``."""

    unflattened: Sparse


Carried = Shared | Dense | Sparse | Flattened
"""Any of the four."""
