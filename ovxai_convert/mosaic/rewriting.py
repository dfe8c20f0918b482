"""The rewriting itself: the head, op by op from the target to the scores, on every copy at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openvino import Node, Output

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.errors import Refusal, TooBig
from ovxai_convert.mosaic.cost import bytes_of, readable
from ovxai_convert.ops import Equation, op_of
from ovxai_convert.ops.kinds import Call, Carried, Copied, Masked, NotHere, Shared
from ovxai_convert.ops.levels import write_out
from ovxai_convert.tensors.recreate import recreate


@dataclass(frozen=True)
class WrittenOut:
    """Name and type of an op at which copies had to be written out, and why none of its equations holds."""

    node: str
    type: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.type} '{self.node}'" + (f": {'; '.join(self.reasons)}" if self.reasons else "")


@dataclass(frozen=True)
class Rewritten:
    """A tensor of the head for all copies, ``[P, *shape]``, and where they were written out on the way."""

    port: Output
    written_out: tuple[WrittenOut, ...] = ()


@dataclass(frozen=True)
class Rewriting:
    """How many copies there are (P, an i64 tensor of shape [1]), and how large a tensor may be built."""

    count: Output
    max_bytes: int

    def equations(self, node: Node) -> tuple[Equation, ...]:
        """The compact forms of an op, in the order in which they are tried."""
        return op_of(node).equations


def rewrite_head(
    flow: DataFlow, sources: Mapping[Output, Carried], sink: Output, rewriting: Rewriting
) -> Rewritten | Refusal:
    """The tensor ``sink`` for every copy, or a refusal with the node that could not be rewritten.

    The head starts from ``sources``: the masked tensors, as they stand in the model, and their copies.
    """
    carried = dict(sources)
    written_out: list[WrittenOut] = []
    for node in flow.downstream(sources, sink):
        call = Call(node, [carried.get(port, Shared(port)) for port in node.input_values()], rewriting.count)
        outputs = _compact(call, rewriting)
        if isinstance(outputs, WrittenOut):
            written_out.append(outputs)
            outputs = _written(call, rewriting)
        if isinstance(outputs, Refusal):
            return outputs
        for port, tensor in zip(node.outputs(), outputs, strict=True):
            if (too_big := _too_big(node, tensor, rewriting)) is not None:
                return too_big
            carried[port] = tensor
    scores = _copied(carried[sink], rewriting)
    return _too_big(sink.get_node(), scores, rewriting) or Rewritten(scores.port, tuple(written_out))


def _compact(call: Call, rewriting: Rewriting) -> Sequence[Carried] | WrittenOut | Refusal:
    """What the first equation says that holds for an op; without compact inputs, the op as it is."""
    shared = [tensor.port for tensor in call.inputs if isinstance(tensor, Shared)]
    if len(shared) == len(call.inputs):  # computed once, from what it was read as
        copy = recreate(call.node, shared)
        return copy if isinstance(copy, Refusal) else [Shared(port) for port in copy.outputs()]
    if not any(isinstance(tensor, Masked) for tensor in call.inputs):
        return op_of(call.node).copied(call)
    reasons = []
    for equation in rewriting.equations(call.node):
        outputs = equation.apply(call)
        if not isinstance(outputs, NotHere):
            return outputs
        reasons.append(outputs.reason)
    name, kind = call.node.get_friendly_name(), call.node.get_type_name()
    return WrittenOut(name, kind, tuple(dict.fromkeys(reasons)))


def _written(call: Call, rewriting: Rewriting) -> Sequence[Carried] | Refusal:
    """Write compact inputs out and create the op again on all copies: always correct, only slower."""
    inputs: list[Carried] = []
    for tensor in call.inputs:
        inputs.append(_copied(tensor, rewriting) if isinstance(tensor, Masked) else tensor)
        if (too_big := _too_big(call.node, inputs[-1], rewriting)) is not None:
            return too_big
    return op_of(call.node).copied(Call(call.node, inputs, call.count))


def _copied(tensor: Carried, rewriting: Rewriting) -> Copied:
    if isinstance(tensor, Masked):
        return write_out(tensor, rewriting.count)
    assert isinstance(tensor, Copied), "what lies on the way from the target depends on it"
    return tensor


def _too_big(node: Node, tensor: Carried, rewriting: Rewriting) -> TooBig | None:
    """A refusal of a tensor that is too big, an open batch counted as one sample."""
    if not isinstance(tensor, Copied) or (size := bytes_of(tensor.port)) <= rewriting.max_bytes:
        return None
    limit = readable(rewriting.max_bytes)
    reason = f"all copies at {node.get_type_name()} need {readable(size)}, more than {limit}"
    return TooBig(reason, node.get_friendly_name())
