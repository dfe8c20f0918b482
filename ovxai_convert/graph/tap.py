"""Reading a tensor without becoming its consumer: compute its last ops again from a neighbour.

One more consumer of a tensor may keep the runtime from fusing the ops around it, and a score then moves in
its last bit. A branch that reads a tensor further back and repeats the cheap ops in between gets the same
numbers and leaves that place alone.
"""

from __future__ import annotations

from typing import Final

from openvino import Output

from ovxai_convert.errors import LOCATE, Refusal
from ovxai_convert.graph.cones import DataFlow
from ovxai_convert.graph.op_types import AXIS_MOVES, ELEMENTWISE, NORMALISATIONS
from ovxai_convert.graph.ports import address
from ovxai_convert.graph.rebuild import recreate

_CHEAP: Final = ELEMENTWISE | AXIS_MOVES | NORMALISATIONS


def tap_at_depth(flow: DataFlow, port: Output, depth: int) -> Output | Refusal:
    """A tensor equal to ``port`` whose last ``depth`` layers of cheap ops are computed anew.

    Depth 0 is the tensor itself. A refusal when an op on the way is a convolution, a product or the like,
    which would be paid twice.
    """
    if depth == 0 or not flow.depends_on_input(port):
        return port
    node = port.get_node()
    if node.get_type_name() not in _CHEAP:
        reason = f"{node.get_type_name()} is too costly to compute twice"
        return Refusal(LOCATE, reason, address(port))
    inputs = []
    for source in node.input_values():
        tapped = tap_at_depth(flow, source, depth - 1)
        if isinstance(tapped, Refusal):
            return tapped
        inputs.append(tapped)
    copy = recreate(node, inputs)
    return copy if isinstance(copy, Refusal) else copy.output(port.get_index())
