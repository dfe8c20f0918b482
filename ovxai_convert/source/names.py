"""Names for nodes that the source file left unnamed, the same in every process that reads the file."""

from __future__ import annotations

from openvino import Model


def settle_names(model: Model, read_again: Model | None = None) -> None:
    """Replace names that OpenVINO made up from a counter of the process by ``Type_1``, ``Type_2``, ...

    A name that the file gives is never touched. Without this the same file would give other bytes at each
    conversion, and a layer's name as printed could not be used in the next call.

    Args:
        model: the model; its nodes are renamed.
        read_again: the same file, read a second time: a name that differs was made up. Needed for readers
            that hand made-up names on from one node to another; elsewhere a node that was given no name
            answers with its unique one.
    """
    nodes = model.get_ordered_ops()
    if read_again is None:
        named = {node: node.get_friendly_name() != node.get_name() for node in nodes}
    else:
        pairs = zip(nodes, read_again.get_ordered_ops(), strict=True)
        named = {node: node.get_friendly_name() == twin.get_friendly_name() for node, twin in pairs}
    taken = {node.get_friendly_name() for node, kept in named.items() if kept}
    counts: dict[str, int] = {}
    for node in (node for node, kept in named.items() if not kept):
        kind = node.get_type_name()
        counts[kind] = counts.get(kind, 0) + 1
        while f"{kind}_{counts[kind]}" in taken:
            counts[kind] += 1
        node.set_friendly_name(f"{kind}_{counts[kind]}")
