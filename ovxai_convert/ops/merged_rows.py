"""Linear layers between two Reshapes that make one axis of all but the channels, and take it apart again.

``[T, N, h, d] -> [T * N, C] -> layer -> [T * N, C'] -> [T, N, C']``, as torch writes attention.
In the middle, samples lie inside of tokens; the layer does not care, and works as well on axes kept apart.
"""

from __future__ import annotations

from math import prod

from openvino import Node, Output

from ovxai_convert.errors import Refusal
from ovxai_convert.ops import elementwise, products
from ovxai_convert.ops.regions import Reading, Region, Wanted, within
from ovxai_convert.tensors.extents import reshaped
from ovxai_convert.tensors.recreate import recreate
from ovxai_convert.tensors.settled import Extents


def kept_apart(wanted: Wanted, reshape: str) -> Reading | None:
    """The second Reshape read straight from what the first one merges, None where this is no such pair."""
    layer: list[Node] = []  # ops that do the same to each row, in order
    port = wanted.node.input_value(0)
    while (rows := _rows_read_by(port.get_node(), wanted.extents)) is not None:
        layer.insert(0, port.get_node())
        port = rows
    first = port.get_node()
    if not layer or first.get_type_name() != reshape:
        return None
    merged, before = wanted.extents[port], wanted.extents[first.input_value(0)]
    leading = wanted.shape[:-1]
    if len(merged) != 2 or before[: len(leading)] != leading or leading.count(None) > 1:
        return None
    if merged[1] is None or prod(each or 0 for each in before[len(leading) :]) != merged[1]:
        return None
    computed: Region = (*wanted.region[:-1], None)
    source = (*wanted.region[:-1], *[None] * (len(before) - len(leading)))
    entries = [*within(wanted.node.output(0), computed)[:-1], merged[1]]

    def build(port: Output) -> Output | Refusal:
        result = reshaped(port, entries)
        for node in layer:
            rows = _rows_read_by(node, wanted.extents)
            copy = recreate(node, [result if port == rows else port for port in node.input_values()])
            if isinstance(copy, Refusal):
                return copy
            result = copy.output(0)
        return result

    return wanted.from_data(computed, source, build, first.input_value(0))


def _rows_read_by(node: Node, known: Extents) -> Output | None:
    """The input ``[rows, C]`` of an op that does the same to each row, None where it may mix rows."""
    return products.rows_read_by(node, known) or elementwise.rows_read_by(node, known)
