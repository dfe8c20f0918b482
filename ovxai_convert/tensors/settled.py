"""Extents that shape inference leaves open only because the batch is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from openvino import Model, Node, Output

from ovxai_convert.tensors.ports import extents

Extents: TypeAlias = Mapping[Output, tuple[int | None, ...]]

_TRIALS: Final = (2, 3)


def settled_extents(nodes: Sequence[Node], trials: Callable[[], Sequence[Model]]) -> Extents:
    """Extents of every tensor of known rank, None only where they change with the batch or are open anyway.

    Exporters write ``Reshape`` to ``[N, 197, -1, 64]`` with N read from a shape; where N is open, inference
    leaves the -1 open too. Two copies of the model (:func:`at_batches`, asked for where needed) tell that it
    is 12 in both.
    """
    known = {port: shape for node in nodes for port in node.outputs() if (shape := extents(port)) is not None}
    if all(None not in shape[1:] for shape in known.values()):
        return known
    copies = [copy.get_ordered_ops() for copy in trials()]
    if len(copies) != len(_TRIALS):
        return known
    for twins in zip(nodes, *copies, strict=True):
        for ports in zip(*(node.outputs() for node in twins), strict=True):
            first, second = (extents(port) for port in ports[1:])
            if first is not None and second is not None and len(first) == len(second):
                pairs = zip(first, second, strict=True)
                known[ports[0]] = tuple(one if one == other else None for one, other in pairs)
    return known


def at_batches(model: Model) -> list[Model]:
    """Copies of a model, nodes in its order, at the batches of two that it takes; none where none is open."""
    shapes = [port.get_partial_shape() for port in model.inputs]
    if not any(shape.rank.is_dynamic or (len(shape) and shape[0].is_dynamic) for shape in shapes):
        return []
    return [trial for count in _TRIALS if (trial := _at_batch(model, count)) is not None]


def _at_batch(model: Model, count: int) -> Model | None:
    """A copy with a static batch and the same nodes, None where the model does not take it."""
    trial = model.clone()
    for parameter in trial.get_parameters():
        shape = parameter.get_partial_shape()
        if shape.rank.is_dynamic:
            return None
        if len(shape) and shape[0].is_dynamic:
            shape[0] = count
            parameter.set_partial_shape(shape)
    try:
        trial.validate_nodes_and_infer_types()
    except RuntimeError:  # OpenVINO's answer where something in the model has another batch baked in
        return None
    return trial
