"""What detectors do with candidates: picking boxes by scores, looking at regions, taking some of many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openvino import Node, Output

from ovxai_convert.ops import meanings
from ovxai_convert.ops.copying import UNKNOWN
from ovxai_convert.ops.in_onnx.call import cannot
from ovxai_convert.ops.in_onnx.others import others_in_onnx as in_onnx
from ovxai_convert.ops.op import Trait, always_written_out

_SCORES: Final[Mapping[str, int]] = {
    "DetectionOutput": 1,
    "ExperimentalDetectronDetectionOutput": 2,
    "MatrixNms": 1,
    "MulticlassNms": 1,
    "MulticlassNmsIEInternal": 1,
    "NonMaxSuppression": 1,
    "NMSRotated": 1,
}
"""Which input holds the scores by which boxes are picked."""
_PROPOSALS: Final = "Proposal GenerateProposals ExperimentalDetectronGenerateProposalsSingleImage"
_REGIONS: Final = "ROIAlign ROIPooling PSROIPooling ExperimentalDetectronROIFeatureExtractor"
_TAKING: Final = "GatherElements GatherND"
_BACKGROUND: Final[Mapping[str, str]] = {
    "DetectionOutput": "background_label_id",
    "MatrixNms": "background_class",
    "MulticlassNms": "background_class",
}
"""The attribute that tells which class is none."""


def scores_picked_by(node: Node) -> Output | None:
    """The scores by which an op picks boxes; None of an op that picks none."""
    index = _SCORES.get(node.get_type_name())
    return None if index is None else node.input_value(index)


def background_told_by(node: Node) -> int | None:
    """Which class stands for nothing, where an op that picks boxes tells; None where it does not, or none."""
    attribute = _BACKGROUND.get(node.get_type_name())
    number = int(node.get_attributes()[attribute]) if attribute else -1
    return number if number >= 0 else None


OPS: Final = (
    always_written_out(" ".join(_SCORES), meanings.unknown, UNKNOWN, Trait.DETECTION, onnx=in_onnx),
    always_written_out(_PROPOSALS, meanings.unknown, UNKNOWN, Trait.DETECTION, Trait.REGIONS, onnx=cannot),
    always_written_out(_REGIONS, meanings.unknown, UNKNOWN, Trait.REGIONS, onnx=cannot),
    always_written_out(_TAKING, meanings.unknown, UNKNOWN, Trait.TAKING, onnx=cannot),
)
