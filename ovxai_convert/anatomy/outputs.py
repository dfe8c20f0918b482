"""What a model's outputs are called."""

from __future__ import annotations

from openvino import Model


def has_output(model: Model, name: str) -> bool:
    """Whether an output carries this tensor name."""
    return any(name in output.get_names() for output in model.outputs)


def output_name(model: Model, index: int) -> str:
    """First tensor name of an output in alphabetical order, or its index where it has none."""
    return str(min(model.outputs[index].get_names(), default=index))
