"""Reading a tensor so that the runtime does not tie the branch to the model's own ops.

The runtime merges ops that are equal and have equal inputs, and fuses an op with its only consumer. Where a
branch repeats an op of the head, or becomes one more consumer of a tensor, a fusion may be lost and a score
move in its last bit. Two remedies leave the numbers as they are: read the tensor through an op that changes
nothing but that the runtime does not see through, and read it further back and compute the last ops again.
"""

from __future__ import annotations

from typing import Final

from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.errors import Refusal
from ovxai_convert.ops import Trait, has
from ovxai_convert.tensors.ports import address
from ovxai_convert.tensors.recreate import recreate

_CHEAP: Final = (Trait.ELEMENTWISE, Trait.MOVE, Trait.NORMALISATION)


def tap_at_depth(flow: DataFlow, port: Output, depth: int) -> Output | Refusal:
    """A tensor equal to ``port``, tied to the model in another place for every depth.

    Depth 0 is the tensor itself; depth 1 reads it through ``max(x, x)``; from depth 2 on its last
    ``depth - 1`` layers of cheap ops are computed anew, on their inputs read through ``max(x, x)``. A refusal
    when an op on the way is a convolution, a product or the like, which would be paid twice.
    """
    if depth == 0 or not flow.depends_on_input(port):
        return port
    if depth == 1:
        return ops.maximum(port, port).output(0)
    node = port.get_node()
    if not has(node, *_CHEAP):
        return Refusal(f"{node.get_type_name()} is too costly to compute twice", address(port))
    inputs = []
    for source in node.input_values():
        tapped = tap_at_depth(flow, source, depth - 1)
        if isinstance(tapped, Refusal):
            return tapped
        inputs.append(tapped)
    copy = recreate(node, inputs)
    return copy if isinstance(copy, Refusal) else copy.output(port.get_index())
