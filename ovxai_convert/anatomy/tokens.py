"""Sequences of image tokens: which axis they lie on, which of them are patches, and of what grid.

A patch-embedding convolution has rows and columns; a Reshape merges them into one axis, and a Concat puts
class tokens, registers and the like before or behind. All of that is read from the meaning of the axes, never
from the number of tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

from openvino import Output

from ovxai_convert.tensors.axes import Axes, Axis, roles, static_extent


@dataclass(frozen=True)
class Tokens:
    """The tokens on an axis: auxiliary ones (class, distillation, registers), patches, auxiliary ones.

    The grid says rows and columns of the patches, which lie row by row; None where there are no patches.
    """

    axis: int
    before: int
    grid: tuple[int, int] | None
    after: int = 0

    @property
    def patches(self) -> int:
        """How many tokens are patches."""
        return self.grid[0] * self.grid[1] if self.grid else 0

    @property
    def count(self) -> int:
        """How many tokens there are in all."""
        return self.before + self.patches + self.after


@dataclass(frozen=True)
class TokenTensor:
    """A tensor of tokens, and what they are."""

    port: Output
    tokens: Tokens


def tokens_of(meaning: Axes) -> Tokens | None:
    """The tokens of a tensor, None where no axis holds the patches of exactly one static grid."""
    tokens = [Tokens(index, *parts) for index, axis in enumerate(meaning) if (parts := _parts(axis))]
    return tokens[0] if len(tokens) == 1 else None


def _parts(axis: Axis) -> tuple[int, tuple[int, int], int] | None:
    """Auxiliary tokens before, the grid, and auxiliary tokens after."""
    segments = _segments(axis)
    grids = [index for index, segment in enumerate(segments) if _is_grid(segment)]
    mixed = any({"H", "W"} & set(roles(segment)) for segment in segments if not _is_grid(segment))
    lengths = [length for segment in segments if (length := static_extent(segment)) is not None]
    if len(grids) != 1 or mixed or len(lengths) != len(segments):
        return None
    extents = {atom.role: atom.extent or 0 for atom in segments[grids[0]][::-1]}
    grid = extents.get("H", 1), extents.get("W", 1)
    return sum(lengths[: grids[0]]), grid, sum(lengths[grids[0] + 1 :])


def _segments(axis: Axis) -> list[Axis]:
    """What Concats have put behind each other on an axis."""
    if len(axis) == 1 and axis[0].parts:
        return [segment for part in axis[0].parts for segment in _segments(part)]
    return [axis]


def _is_grid(axis: Axis) -> bool:
    """Whether an axis holds rows and then columns, of which one may have a single cell, and nothing else."""
    return roles(axis) in (("H", "W"), ("H",), ("W",))
