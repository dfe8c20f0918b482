"""What gives a network away that is no classifier: detections, embeddings, and what its outputs are named."""

from __future__ import annotations

import re
from typing import Final

from openvino import Node, Output

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.ops import Trait, has

_OTHER_WORDS: Final = frozenset(
    {
        *("box", "boxes", "bbox", "bboxes", "landmark", "landmarks", "keypoint", "keypoints", "coords"),
        *("coordinates", "embed", "embeds", "embedding", "embeddings", "descriptor", "descriptors"),
        *("feature", "features", "pooler", "mask", "masks", "heatmap", "heatmaps"),
    }
)
_FILLERS: Final = frozenset({"output", "out", "pred", "preds", "prediction", "predictions"})


def detects(flow: DataFlow, port: Output) -> Node | None:
    """The op that picks detections from which a tensor is computed, None where there is none."""
    return behind(flow, port, Trait.DETECTION)


def behind(flow: DataFlow, port: Output, trait: Trait) -> Node | None:
    """An op with a trait from which a tensor is computed, None where there is none."""
    waiting, met = [port.get_node()], {port.get_node()}
    while waiting:
        node = waiting.pop()
        if has(node, trait):
            return node
        sources = {source.get_node() for source in flow.data_inputs(node)} - met
        met |= sources
        waiting += sources
    return None


def scaled_to_length_one(flow: DataFlow, port: Output) -> bool:
    """Whether a tensor is another one divided by its own Euclidean length, as embeddings are.

    True of an op that does that, and of a quotient or product of ``x`` with what is computed from the sum of
    the squares of ``x``. A classifier may compare such rows with such weights; its scores are not scaled so.
    """
    node = port.get_node()
    if has(node, Trait.UNIT_LENGTH):
        return True
    if not has(node, Trait.DIVIDE, Trait.MULTIPLY):
        return False
    left, right = node.input_values()
    pairs = [(left, right)] if has(node, Trait.DIVIDE) else [(left, right), (right, left)]
    behind = (node for rows, length in pairs for node in flow.between(rows, length))
    return any(has(node, Trait.LENGTH) or (has(node, Trait.SUM) and _adds_squares(node)) for node in behind)


def _adds_squares(total: Node) -> bool:
    node = total.input_value(0).get_node()
    return has(node, Trait.POWER) or (has(node, Trait.MULTIPLY) and len(set(node.input_values())) == 1)


def named_otherwise(name: str) -> str | None:
    """The word in an output's name that says it holds no class scores (``landmarks``), None if there is none.

    Only the last word of the last part of a path counts: ``features/classifier`` is not named so.
    """
    parts = [part for part in re.split(r"[/:.]", name) if not part.isdecimal() and part]
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", parts[-1] if parts else "")
    meant = [word.lower() for word in words if word.lower() not in _FILLERS]
    return meant[-1] if meant and meant[-1] in _OTHER_WORDS else None
