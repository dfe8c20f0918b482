"""The forms in which a tensor of the head is carried through the rewriting."""

from __future__ import annotations

from dataclasses import dataclass

from openvino import Output

from ovxai_convert.graph.axes import Axes


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


@dataclass(frozen=True)
class TokenMask:
    """By how much every token is multiplied in every copy.

    Attributes:
        weights: M ``[P, T]``.
        fixed: for every token its weight where that is the same in all copies (a class token), else None.
        levels: all values that M takes, and 0 and 1, in ascending order.
    """

    weights: Output
    fixed: tuple[float | None, ...]
    levels: tuple[float, ...]

    @property
    def everywhere(self) -> float | None:
        """The weight of all tokens in all copies, None where they differ."""
        return self.fixed[0] if len(set(self.fixed)) == 1 else None


@dataclass(frozen=True)
class Masked:
    """Tokens that were multiplied by a mask and have not met each other since.

    What token t of copy p is then depends on the copy through its own weight alone:

        D[p, t] = U(M[p, t])[t]

    U(m) being the tensor where all tokens were multiplied by m. It is known at some levels of m, and wherever
    a token was multiplied by another number it lies on the line between two levels:

        D[p, t] = U(0)[t] + M[p, t] * (U(1)[t] - U(0)[t])    where only linear ops were met.

    Attributes:
        parts: U at every level. In the original tensor's shape, or with extent 1 along samples and tokens.
        levels: the levels; 0 and 1 as long as ``linear``, later all values that M takes.
        linear: between the levels, U is a straight line.
        axes: what each axis holds: samples ``N``, tokens ``T`` (always alone), or anything else.
        mask: M.
    """

    parts: tuple[Output, ...]
    levels: tuple[float, ...]
    linear: bool
    axes: Axes
    mask: TokenMask

    @property
    def token_axis(self) -> int:
        """The axis that tokens lie on."""
        return next(index for index, axis in enumerate(self.axes) if axis[0].role == "T")

    @property
    def sample_axis(self) -> int | None:
        """The axis that samples lie on, None where there is one sample and no axis tells which it is."""
        found = (index for index, axis in enumerate(self.axes) if axis[0].role == "N")
        return next(found, None)


Carried = Shared | Dense | Sparse | Flattened | Masked
"""Any of the five."""
