"""The rewriting itself: the head, op by op from the target to the scores, on every copy at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from openvino import Node, Output

from ovxai_convert.errors import Refusal, TooBig
from ovxai_convert.graph.cones import DataFlow
from ovxai_convert.graph.cost import readable
from ovxai_convert.graph.ports import extents
from ovxai_convert.graph.rebuild import recreate
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.dense_rules import apply_dense
from ovxai_convert.mosaic.kinds import Carried, Dense, Flattened, Masked, Shared, Sparse
from ovxai_convert.mosaic.masked import write_out
from ovxai_convert.mosaic.rules import RULES, TOKEN_RULES, Rule


def rewrite_head(
    flow: DataFlow,
    sources: Mapping[Output, Carried],
    sink: Output,
    copies: Copies,
    max_bytes: int,
    rules: Sequence[Rule] = (*RULES, *TOKEN_RULES),
) -> Dense | Refusal:
    """The tensor ``sink`` for every copy: ``[N * P, ...]``, sample by sample, copy by copy.

    Args:
        flow: data edges of the model.
        sources: what the head starts from: the masked tensors, as they stand in the model, and their copies.
        sink: the scores.
        copies: how many copies there are and where.
        max_bytes: the largest tensor that may be built.
        rules: the compact rules, tried in order; without any the mosaic is written out at the target.

    Returns:
        The scores of all copies, or a refusal with the node that could not be rewritten.
    """
    carried = dict(sources)
    for node in flow.downstream(sources, sink):
        inputs = [carried.get(port, Shared(port)) for port in node.input_values()]
        outputs = _compact(node, inputs, copies, rules) or _default(node, inputs, copies, max_bytes)
        if isinstance(outputs, Refusal):
            return outputs
        for port, tensor in zip(node.outputs(), outputs, strict=True):
            too_big = _too_big(node, tensor, copies, max_bytes)
            if too_big is not None:
                return too_big
            carried[port] = tensor
    scores = _dense(carried[sink], copies)
    return _too_big(sink.get_node(), scores, copies, max_bytes) or scores


def _compact(
    node: Node, inputs: Sequence[Carried], copies: Copies, rules: Sequence[Rule]
) -> Sequence[Carried] | None:
    """What the first rule says that knows this op on these inputs."""
    if not any(isinstance(each, Sparse | Flattened | Masked) for each in inputs):
        return None
    fitting = (rule for rule in rules if node.get_type_name() in rule.op_types)
    return next((outputs for rule in fitting if (outputs := rule.apply(node, inputs, copies))), None)


def _default(
    node: Node, inputs: Sequence[Carried], copies: Copies, max_bytes: int
) -> Sequence[Carried] | Refusal:
    """Write compact inputs out and re-create the op on the batch: always correct, only slower."""
    if all(isinstance(each, Shared) for each in inputs):
        return _shared(node, inputs)
    dense: list[Dense | Shared] = []
    for each in inputs:
        written = each if isinstance(each, Shared) else _dense(each, copies)
        if isinstance(written, Dense) and (too_big := _too_big(node, written, copies, max_bytes)) is not None:
            return too_big
        dense.append(written)
    return apply_dense(node, dense, copies)


def _shared(node: Node, inputs: Sequence[Carried]) -> Sequence[Carried] | Refusal:
    """What lies behind the target but is the same in every copy: computed once, from what it was read as."""
    ports = [each.port for each in inputs if isinstance(each, Shared)]
    copy = recreate(node, ports)
    return copy if isinstance(copy, Refusal) else [Shared(port) for port in copy.outputs()]


def _dense(tensor: Carried, copies: Copies) -> Dense:
    if isinstance(tensor, Sparse | Flattened):
        return copies.materialise(tensor)
    if isinstance(tensor, Masked):
        return write_out(tensor, copies)
    assert isinstance(tensor, Dense), "what lies on the way from the target depends on it"
    return tensor


def _too_big(node: Node, tensor: Carried, copies: Copies, max_bytes: int) -> TooBig | None:
    """A refusal of a tensor that is too big for one sample, where their number is open."""
    if not isinstance(tensor, Dense):
        return None
    shape = list(extents(tensor.port) or ())
    if shape[tensor.batch_axis] is None and isinstance(copies.count, int):
        shape[tensor.batch_axis] = copies.count * tensor.inner
    size = prod(each or 1 for each in shape) * tensor.port.get_element_type().size
    if size <= max_bytes:
        return None
    reason = f"all copies at {node.get_type_name()} need {readable(size)}, more than {readable(max_bytes)}"
    return TooBig("mosaic", reason, node.get_friendly_name())
