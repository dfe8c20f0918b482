"""Extents that shape inference leaves open only because the batch is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from openvino import Model, Output

from ovxai_convert.tensors.ports import extents

Extents: TypeAlias = Mapping[Output, tuple[int | None, ...]]

_TRIALS: Final = (2, 3)


def settled_extents(model: Model) -> Extents:
    """Extents of every tensor of known rank, None only where they change with the batch or are open anyway.

    Exporters write ``Reshape`` to ``[N, 197, -1, 64]`` with N read from a shape; where N is open, inference
    leaves the -1 open too. Two copies of the model with a batch of their own tell that it is 12 in both.
    """
    found = {
        port: shape
        for node in model.get_ordered_ops()
        for port in node.outputs()
        if (shape := extents(port)) is not None
    }
    if all(None not in shape[1:] for shape in found.values()):
        return found
    trials = at_batches(model)
    if len(trials) != len(_TRIALS):
        return found
    for nodes in zip(model.get_ordered_ops(), *(each.get_ordered_ops() for each in trials), strict=True):
        for ports in zip(*(node.outputs() for node in nodes), strict=True):
            first, second = (extents(port) for port in ports[1:])
            if first is not None and second is not None and len(first) == len(second):
                pairs = zip(first, second, strict=True)
                found[ports[0]] = tuple(one if one == other else None for one, other in pairs)
    return found


def at_batches(model: Model) -> list[Model]:
    """Copies of a model at two batches, of those that it takes; nodes in the same order."""
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
