"""Linear layers between two Reshapes that make one axis of all but the channels, and take it apart again.

``[T, N, h, d] -> [T * N, C] -> layer -> [T * N, C'] -> [T, N, C']``, as torch writes attention.
In the middle, samples lie inside of tokens; the layer does not care, and works as well on axes kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

from openvino import Node, Output

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.open_batch import Extents
from ovxai_convert.graph.rebuild import recreate
from ovxai_convert.mosaic.narrowing.regions import Reading, Region, Wanted
from ovxai_convert.mosaic.shapes import reshaped

_LAYER_OPS: Final = ("MatMul", "Multiply", "Add")


def kept_apart(wanted: Wanted) -> Reading | None:
    """The second Reshape read straight from what the first one merges, None where this is no such pair."""
    shape = wanted.shape
    layer: list[Node] = []
    port = wanted.node.input_value(0)
    while port.get_node().get_type_name() in _LAYER_OPS:
        layer.insert(0, port.get_node())
        data = _rows_read_by(port.get_node(), wanted.extents)
        if data is None:
            return None
        port = data
    first = port.get_node()
    if not layer or first.get_type_name() != "Reshape":
        return None
    merged, before = wanted.extents[port], wanted.extents[first.input_value(0)]
    leading = shape[:-1]
    if len(merged) != 2 or before[: len(leading)] != leading or leading.count(None) > 1:
        return None
    if merged[1] is None or prod(each or 0 for each in before[len(leading) :]) != merged[1]:
        return None
    computed: Region = (*wanted.region[:-1], None)
    source: Region = (*wanted.region[:-1], *([None] * (len(before) - len(leading))))
    pairs = zip(wanted.region, leading, strict=False)
    kept = [span[1] - span[0] if span else -1 if each is None else each for span, each in pairs]
    entries = [*kept, merged[1]]

    def build(ports: Sequence[Output | None]) -> Output | Refusal:
        assert ports[0] is not None, "the data are read"
        result = reshaped(ports[0], entries)
        for node in layer:
            rows = _rows_read_by(node, wanted.extents)
            copy = recreate(node, [result if each == rows else each for each in node.input_values()])
            if isinstance(copy, Refusal):
                return copy
            result = copy.output(0)
        return result

    return Reading(computed, (source,), build, (first.input_value(0),))


def _rows_read_by(node: Node, extents: Extents) -> Output | None:
    """The input ``[rows, C]`` of an op that does the same to each row, None where it may mix rows."""
    first, second = node.input_values()
    if node.get_type_name() == "MatMul":
        return first if len(extents[second]) == 2 and not node.get_attributes()["transpose_a"] else None
    vectors = [all(each == 1 for each in extents[port][:-1]) for port in (first, second)]
    return None if vectors[0] == vectors[1] else second if vectors[0] else first
