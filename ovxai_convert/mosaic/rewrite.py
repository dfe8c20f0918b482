"""The rewriting itself: the head, op by op from the target to the scores, on every copy at once."""

from __future__ import annotations

from math import prod

from openvino import Node, Output

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.cones import DataFlow
from ovxai_convert.graph.ports import extents
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.dense_rules import apply_dense
from ovxai_convert.mosaic.kinds import Carried, Dense, Shared, Sparse


def rewrite_head(
    flow: DataFlow, target: Sparse, sink: Output, copies: Copies, max_bytes: int
) -> Dense | Refusal:
    """The tensor ``sink`` for every copy of the target: ``[N * P, ...]``, sample by sample, copy by copy.

    Args:
        flow: data edges of the model.
        target: the masked feature map; its ``values`` are the tensor that the head starts from.
        sink: the scores.
        copies: how many copies there are and where.
        max_bytes: the largest tensor that may be built.

    Returns:
        The scores of all copies, or a refusal with the node that could not be rewritten.
    """
    carried: dict[Output, Carried] = {copies.target: target}
    for node in flow.between(copies.target, sink):
        inputs = [carried.get(port, Shared(port)) for port in node.input_values()]
        outputs = _apply(node, inputs, copies)
        if isinstance(outputs, Refusal):
            return outputs
        for port, tensor in zip(node.outputs(), outputs, strict=True):
            too_big = _too_big(node, tensor, max_bytes)
            if too_big is not None:
                return too_big
            carried[port] = tensor
    return _dense(carried[sink], copies)


def _apply(node: Node, inputs: list[Carried], copies: Copies) -> list[Dense] | Refusal:
    """The default: write sparse inputs out and re-create the op."""
    dense = [each if isinstance(each, Shared) else _dense(each, copies) for each in inputs]
    return apply_dense(node, dense, copies)


def _dense(tensor: Carried, copies: Copies) -> Dense:
    if isinstance(tensor, Sparse):
        return copies.materialise(tensor)
    assert isinstance(tensor, Dense), "what lies on the way from the target depends on it"
    return tensor


def _too_big(node: Node, tensor: Carried, max_bytes: int) -> Refusal | None:
    if not isinstance(tensor, Dense):
        return None
    shape = extents(tensor.port) or ()
    size = prod(each or 1 for each in shape) * tensor.port.get_element_type().size
    if size <= max_bytes:
        return None
    reason = (
        f"all copies of {node.get_type_name()} need {size / 2**30:.1f} GiB, more than {max_bytes / 2**30:.1f}"
    )
    return Refusal("mosaic", f"{reason}; a smaller --target-layer may fit", node.get_friendly_name())
