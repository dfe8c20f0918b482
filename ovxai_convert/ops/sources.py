"""Where values come from, what reads shapes, and ops of other tasks: never a part of a head."""

from __future__ import annotations

from typing import Final

from ovxai_convert.ops import copying, meanings, regions
from ovxai_convert.ops.op import Op, Trait, no_products, traits, types
from ovxai_convert.tensors.ports import SHAPE_OF


def _known_by_name(names: str, *those: Trait) -> Op:
    return Op(
        types(names), traits(*those), meanings.unknown, copying.UNKNOWN, (), regions.as_a_whole, no_products
    )


UNKNOWN: Final = _known_by_name("")
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
