"""The one change we make to a model: another output at the end of its list."""

from __future__ import annotations

from collections.abc import Sequence

from openvino import Model, Node, Output
from openvino import opset15 as ops


def add_output(model: Model, port: Output, name: str) -> None:
    """Append ``port`` as the model's last output, with ``name`` as its tensor name and friendly name.

    Everything that was an output keeps its index, names, type and shape.
    """
    port.get_tensor().set_names({name})
    port.get_node().set_friendly_name(name)
    result = ops.result(port, name=f"{name}/result")
    model.add_results([result])  # add_outputs would also name outputs that have no name


def name_added_nodes(model: Model, before: Sequence[Node], prefix: str) -> list[Node]:
    """Give every node that is not one of those ``before`` a name that is the same in every run; all of these.

    They are called ``prefix/Type_3``. OpenVINO names new nodes by a counter of the process, which would make
    equal conversions differ.
    """
    old = set(before)
    taken = {node.get_friendly_name() for node in before}
    counts: dict[str, int] = {}
    added = [node for node in model.get_ordered_ops() if node not in old]
    for node in added:
        if node.get_friendly_name().startswith(prefix):
            continue
        kind = node.get_type_name()
        name = f"{prefix}/{kind}_{counts.setdefault(kind, 0)}"
        counts[kind] += 1
        node.set_friendly_name(name if name not in taken else f"{name}_added")
    return added
