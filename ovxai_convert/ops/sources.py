"""Where values come from, what reads shapes, and ops of other tasks: never a part of a head."""

from __future__ import annotations

from typing import Final

from ovxai_convert.ops import copying, meanings
from ovxai_convert.ops.op import Op, Trait, always_written_out
from ovxai_convert.tensors.ports import SHAPE_OF


def _known_by_name(names: str, *those: Trait) -> Op:
    return always_written_out(names, meanings.unknown, copying.UNKNOWN, *those)


NOT_IN_TABLE: Final = _known_by_name("")
"""The row of every op that has none."""

OPS: Final = (
    _known_by_name("Parameter ReadValue", Trait.SOURCE),
    _known_by_name(SHAPE_OF, Trait.SHAPE),
    _known_by_name(
        "DetectionOutput ExperimentalDetectronDetectionOutput MatrixNms MulticlassNms "
        "MulticlassNmsIEInternal NonMaxSuppression NMSRotated",
        Trait.DETECTION,
    ),
)
