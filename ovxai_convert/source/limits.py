"""What a model may be before anything else is asked of it: names that are text, inputs that can be fed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from openvino import Model, Node

from ovxai_convert.errors import ModelReadError
from ovxai_convert.tensors.ports import extents

MOST_AXES: Final = 16
MOST_NODES: Final = 200_000
DEEPEST: Final = 8
"""How many graphs may lie in each other: the runtime's time doubles with each."""
TOO_DEEP: Final = f"graphs lie in each other more than {DEEPEST} deep"


def check_limits(path: Path, model: Model) -> None:
    """Raise a ModelReadError for a model that no part of the program could deal with."""
    reason = next(_reasons(model), None)
    if reason is not None:
        raise ModelReadError(f"{path}: {reason}")


def _reasons(model: Model) -> Iterator[str]:
    nodes = model.get_ordered_ops()
    if len(nodes) > MOST_NODES:
        yield f"its graph has {len(nodes)} nodes; at most {MOST_NODES} are looked at"
    if not all(map(_is_text, nodes)):
        yield "a name in it is no text in UTF-8"
        return
    for port in model.inputs:
        name, shape = port.get_node().get_friendly_name(), extents(port)
        if shape is None:
            yield f"its input '{name}' has any number of axes, which the runtime does not take; fix it"
        elif len(shape) > MOST_AXES:
            yield f"its input '{name}' has {len(shape)} axes; at most {MOST_AXES} are tried"
        elif 0 in shape:
            yield f"its input '{name}' holds nothing: one of its axes has no entry"
        try:
            port.get_element_type().to_dtype()
        except (RuntimeError, IndexError):  # by the type, of those that NumPy has none for
            kind = port.get_element_type().get_type_name()
            yield f"its input '{name}' is of {kind}, which is no kind of number that can be fed"
    depth = _depth(nodes)
    if depth > DEEPEST:
        yield TOO_DEEP


def _is_text(node: Node) -> bool:
    """Whether all names of a node can be read."""
    try:
        node.get_friendly_name()
        for port in node.outputs():
            port.get_names()
    except UnicodeDecodeError:
        return False
    return True


def _depth(nodes: list[Node]) -> int:
    """How deep graphs lie in each other, up to one more than is allowed."""
    depth, level = 0, nodes
    while depth <= DEEPEST:
        level = [inner for node in level for inner in _inside(node)]
        if not level:
            return depth
        depth += 1
    return depth


def _inside(node: Node) -> list[Node]:
    """The nodes of the graphs that a node holds."""
    if hasattr(node, "get_then_body") and hasattr(node, "get_else_body"):
        graphs = [node.get_then_body(), node.get_else_body()]
    else:
        graphs = [node.get_function()] if hasattr(node, "get_function") else []
    return [inner for graph in graphs for inner in graph.get_ordered_ops()]
