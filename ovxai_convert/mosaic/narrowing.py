"""The head of a model, computed for no more than its scores read of it.

A classifier that reads one token of a transformer computes a whole block for all of them. Which region of
each tensor is read follows from the scores backwards, op by op: the row of one token stays one row through
everything that treats tokens by themselves, until an attention mixes them; there one row of queries is read,
and all keys and values. The same tells apart what a fused projection computes for queries, keys and values.
Forwards, every op is created again on those regions. The numbers are the same; what nobody reads is gone.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce

from openvino import Node, Output

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.errors import Refusal
from ovxai_convert.ops import op_of
from ovxai_convert.ops.regions import Reading, Region, Wanted, contains, cut, hull, overlap, whole
from ovxai_convert.tensors.settled import Extents


def narrowed(flow: DataFlow, sources: Collection[Output], sink: Output, extents: Extents) -> Output | Refusal:
    """A tensor equal to ``sink``, computed from the same ``sources`` with nothing that is not read.

    What lies before the sources is read as it stands. Attention that is one op is written out as products
    and a softmax on the way. Of extents see :func:`~ovxai_convert.tensors.settled.settled_extents`.
    """
    built: dict[Output, list[tuple[Region, Output]]] = {}
    for port, reading in _plan(flow.downstream(sources, sink), sink, extents):
        reads = _reads(port, reading)
        inputs = [None if region is None else _fetched(built, source, region) for source, region in reads]
        output = reading.build(inputs)
        if isinstance(output, Refusal):
            return output
        built.setdefault(port, []).append((reading.computed, output))
    return _fetched(built, sink, whole(extents[sink]))


def _reads(port: Output, reading: Reading) -> list[tuple[Output, Region | None]]:
    """Tensors that an output is computed from, and the region of each, None where it is not read."""
    return list(zip(reading.instead or port.get_node().input_values(), reading.inputs, strict=True))


def _plan(head: list[Node], sink: Output, extents: Extents) -> list[tuple[Output, Reading]]:
    """All outputs to be created, in order, each once for every region of it that is read."""
    inside = set(head)
    read: dict[Output, list[Region]] = {sink: [whole(extents[sink])]}
    plan: list[tuple[Output, Reading]] = []
    for node in reversed(head):
        for index, port in enumerate(node.outputs()):
            for region in read.get(port, []):
                reading = op_of(node).narrowed(Wanted(node, index, region, extents))
                plan.append((port, reading))
                for source, wanted in _reads(port, reading):
                    if wanted is not None and source.get_node() in inside:
                        read[source] = _with(read.get(source, []), wanted)
    return plan[::-1]


def _with(regions: list[Region], wanted: Region) -> list[Region]:
    """Regions of one tensor, those that overlap joined, so that nothing is computed twice."""
    touching = [region for region in regions if overlap(region, wanted)]
    if not touching:
        return [*regions, wanted]
    return _with([region for region in regions if region not in touching], reduce(hull, touching, wanted))


def _fetched(built: dict[Output, list[tuple[Region, Output]]], port: Output, region: Region) -> Output:
    """A tensor within a region: cut from what was built, or from the model itself outside of the head."""
    for computed, output in built.get(port, []):
        if contains(computed, region):
            return cut(output, region, computed)
    return cut(port, region, whole(region))
