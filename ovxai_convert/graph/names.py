"""Names for nodes that the source file left unnamed, the same in every process that reads the file."""

from __future__ import annotations

from openvino import Model


def settle_names(model: Model) -> None:
    """Replace names that OpenVINO made up from a counter of the process by ``Type_1``, ``Type_2``, ...

    A name that the file gives is never touched. Without this the same ONNX file would give other names, and
    other bytes, each time it is read, and a layer's name as printed could not be used in the next call.
    """
    nodes = model.get_ordered_ops()
    unnamed = [node for node in nodes if node.get_friendly_name() == node.get_name()]
    taken = {node.get_friendly_name() for node in nodes} - {node.get_name() for node in unnamed}
    counts: dict[str, int] = {}
    for node in unnamed:
        kind = node.get_type_name()
        while (name := f"{kind}_{counts.get(kind, 0) + 1}") in taken:
            counts[kind] = counts.get(kind, 0) + 1
        counts[kind] = counts.get(kind, 0) + 1
        node.set_friendly_name(name)
