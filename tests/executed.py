"""What the runtime executes for a model's outputs: its fused layers, in an order that the graph decides."""

from __future__ import annotations

from dataclasses import dataclass

from openvino import Model, Node

from tests.running import compile_f32


@dataclass(frozen=True)
class Layer:
    """One executed layer.

    Attributes:
        kind: its type in the runtime's words (``Convolution``, ``Subgraph``, ``Reorder``).
        primitive: the implementation that was chosen.
        fused: friendly names of the model's nodes that it computes; a name that the runtime made up tells
            nothing, and a branch's node may be computed along. Empty where it made an
            op of the model and an equal one of the branch one and kept the latter's name.
    """

    kind: str
    primitive: str
    fused: tuple[str, ...]


def executed_for(original: Model, model: Model) -> list[Layer]:
    """The layers on which the outputs of ``original`` depend in ``model``, which is it or has more outputs.

    Inputs stand before what reads them, and those of one layer in their order; so equal graphs give equal
    lists, whatever is executed beside them.
    """
    names = {node.get_friendly_name() for node in original.get_ordered_ops()}
    results = [result.get_friendly_name() for result in original.get_results()]
    executed = {node.get_friendly_name(): node for node in compile_f32(model).get_runtime_model().get_ops()}
    order: dict[Node, Layer] = {}
    for name in results:
        _visit(executed[name], names, order)
    return [layer for layer in order.values() if layer.kind != "Const"]


def executed_alike(before: Layer, after: Layer) -> bool:
    """Whether a layer is executed as it was, under its name or under that of the branch's equal op."""
    same = (before.kind, before.primitive) == (after.kind, after.primitive)
    return same and (() in (before.fused, after.fused) or after.fused == before.fused)


def _visit(node: Node, names: set[str], order: dict[Node, Layer]) -> None:
    """Adds a layer behind those that it reads, without recursion: networks are deeper than Python's stack."""
    stack = [(node, iter(node.input_values()))]
    seen = {node}
    while stack:
        current, sources = stack[-1]
        source = next(
            (port.get_node() for port in sources if port.get_node() not in seen | order.keys()), None
        )
        if source is None:
            order.setdefault(current, _layer(current, names))
            stack.pop()
        else:
            seen.add(source)
            stack.append((source, iter(source.input_values())))


def _layer(node: Node, names: set[str]) -> Layer:
    kind, primitive, fused = (
        node.get_rt_info()[key].value for key in ("layerType", "primitiveType", "originalLayersNames")
    )
    return Layer(kind, primitive, tuple(name for name in fused.split(",") if name in names))
