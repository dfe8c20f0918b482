"""The table of ops: one row per op type, all that is known of it in one file per family.

To add an op, add a row to its family: every field is asked for, and one that has no answer says so. No other
part of the package names op types; it asks the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openvino import Node, Output

from ovxai_convert.ops import (
    attention,
    convolutions,
    detections,
    einsum,
    elementwise,
    joining,
    moves,
    normalisation,
    pooling,
    products,
    reductions,
    slicing,
    written_out,
)
from ovxai_convert.ops.detections import background_told_by, scores_picked_by
from ovxai_convert.ops.op import Equation, Op, Trait

ROWS: Final[tuple[Op, ...]] = (
    *elementwise.OPS,
    *normalisation.OPS,
    *reductions.OPS,
    *pooling.OPS,
    *convolutions.OPS,
    *products.OPS,
    *einsum.OPS,
    *attention.OPS,
    *moves.OPS,
    *slicing.OPS,
    *joining.OPS,
    *detections.OPS,
    *written_out.OPS,
)
TABLE: Final[Mapping[str, Op]] = {kind: row for row in ROWS for kind in row.types}
"""The row of every op type."""

if len(TABLE) != sum(len(row.types) for row in ROWS):
    raise ValueError("an op type stands in two rows")


def op_of(node: Node) -> Op:
    """What is known of an op."""
    return TABLE.get(node.get_type_name(), written_out.NOT_IN_TABLE)


def has(node: Node, *those: Trait) -> bool:
    """Whether an op has any of some traits."""
    return not op_of(node).traits.isdisjoint(those)


def values_of(node: Node) -> tuple[Output, int] | None:
    """What a product or an attention weighs, and the axis that it sums over; None where that is not one."""
    return products.values_of(node) or einsum.values_of(node) or attention.values_of(node)


__all__ = [
    "ROWS",
    "TABLE",
    "Equation",
    "Op",
    "Trait",
    "background_told_by",
    "has",
    "op_of",
    "scores_picked_by",
    "values_of",
]
