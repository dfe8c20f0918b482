"""Nodes of an ONNX graph as they are found in a file: the graphs that they hold, and all that they read."""

from __future__ import annotations

from collections.abc import Iterator

from onnx import GraphProto, NodeProto


def inner_graphs(node: NodeProto) -> Iterator[GraphProto]:
    """The graphs in a node's attributes: branches of an If, the body of a Loop."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def tensors_read(node: NodeProto) -> Iterator[str]:
    """Names of all tensors that a node reads, those within its own graphs among them."""
    yield from (name for name in node.input if name)
    for graph in inner_graphs(node):
        for each in graph.node:
            yield from tensors_read(each)
