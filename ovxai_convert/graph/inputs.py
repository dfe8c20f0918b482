"""What a model's inputs look like: their names, and the layout that their first users give away."""

from __future__ import annotations

from typing import Final

from openvino import Model, Output

from ovxai_convert.graph.op_types import CONVOLUTIONS, ELEMENTWISE, POOLINGS
from ovxai_convert.graph.ports import constant_ints, rank

_KEEPS_AXES: Final = ELEMENTWISE | {"BatchNormInference", "Pad", "Interpolate", "MVN"}


def input_name(model: Model, index: int) -> str:
    """First tensor name of an input in alphabetical order, or its friendly name where it has none."""
    port = model.inputs[index]
    return str(min(port.get_names(), default=port.get_node().get_friendly_name()))


def input_layout(port: Output) -> str | None:
    """``"NCHW"`` or ``"NHWC"`` of a four-dimensional input, None where nothing tells.

    A layout that the model states wins. Else the input is followed through ops that keep or permute axes
    until a convolution or pooling, whose input is N, C, H, W by definition.
    """
    stated = port.get_node().get_layout()
    if not stated.empty:
        letters = str(stated).strip("[]").replace(",", "")
        return letters if letters in ("NCHW", "NHWC") else None
    if rank(port) != 4:
        return None
    waiting: list[tuple[Output, tuple[int, ...]]] = [(port, (0, 1, 2, 3))]
    while waiting:
        tensor, axes = waiting.pop(0)
        for user in tensor.get_target_inputs():
            node, kind = user.get_node(), user.get_node().get_type_name()
            if kind in CONVOLUTIONS | POOLINGS and user.get_index() == 0:
                return _letters(axes)
            if kind == "Transpose" and (order := constant_ints(node.input_value(1))):
                waiting.append((node.output(0), tuple(axes[each] for each in order)))
            elif kind in _KEEPS_AXES and rank(node.output(0)) == 4:
                waiting.append((node.output(0), axes))
    return None


def _letters(axes: tuple[int, ...]) -> str | None:
    """The input's layout, ``axes[i]`` being the input axis that arrives as the i-th of N, C, H, W."""
    letters = "".join("NCHW"[axes.index(each)] for each in range(4))
    return letters if letters in ("NCHW", "NHWC") else None
