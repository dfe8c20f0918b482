"""A detector's dense head as what is explained (its scores), and as where the branch stands (its target)."""

from __future__ import annotations

from openvino import Output

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_assembly import UNTOLD, Told
from ovxai_convert.anatomy.dense_head import DenseHead, HeadScale, Role, ScoreTensor
from ovxai_convert.anatomy.detector import find_dense_head
from ovxai_convert.anatomy.feature_maps import Candidate, Standing
from ovxai_convert.anatomy.scores import Scores, output_index
from ovxai_convert.anatomy.target import Target
from ovxai_convert.errors import Refusal
from ovxai_convert.ops import Trait, has


def detector_scores(anatomy: Anatomy, told: Told = UNTOLD) -> Scores | Refusal:
    """A detector's dense head as the scores that are explained; errors as of :func:`find_dense_head`."""
    head = find_dense_head(anatomy, told)
    if isinstance(head, Refusal):
        return head
    first = 0 if told.output is None else output_index(anatomy.model, told.output.split(",")[0].strip())
    port, activation = head.tensors[0].port, head.activation
    return Scores(port, first, activation, head.class_count, meaning="detections", dense=head)


def dense_target(scores: Scores) -> Target | Refusal:
    """Where a detector's map stands: all of its score tensors, the one of the finest scale first."""
    dense = scores.dense
    if dense is None:
        return Refusal("it explains detectors, by the class scores of all places")
    finest = dense.finest
    first = next(tensor for tensor, scale in dense.scales if scale is finest)
    scale = finest.size("H"), finest.size("W")
    return Target(first.port, "dense", scale, dense=dense, feature=_feature(dense))


def dense_layers(scores: Scores) -> list[Candidate]:
    """Every tensor with class scores, with its scales."""
    if scores.dense is None:
        return []
    target = dense_target(scores)
    return [
        Candidate(
            tensor.port, Standing.MAP, target if isinstance(target, Target) else None, _scales_of(tensor)
        )
        for tensor in scores.dense.tensors
    ]


def _scales_of(tensor: ScoreTensor) -> str:
    """Its scales in words, as in ``80x80, 40x40 (3 anchors)``."""

    def counted(scale: HeadScale, role: Role) -> str:
        size = scale.size(role)
        return "?" if size is None else str(size)

    return ", ".join(
        f"{counted(scale, 'H')}x{counted(scale, 'W')}"
        + (f" ({counted(scale, 'A')} anchors)" if scale.size("A") != 1 else "")
        for scale in tensor.scales
    )


def _feature(dense: DenseHead) -> Output | None:
    """The map ``[N, C, H, W]`` from which the scores of the coarsest scale are computed."""
    coarsest = min((scale for _, scale in dense.scales), key=lambda scale: scale.size("H") or 0)
    place = coarsest.places.get("H")
    node = None if place is None else place[0].get_node()
    if node is None or not has(node, Trait.CONVOLUTION):
        return None
    return node.input_value(0)
