"""What a graph itself does to the levels of its image, before anything in it looks at more than one pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from openvino import Model, Node, Output, Tensor

from ovxai_convert.ops import Trait, has
from ovxai_convert.tensors.permuting import order_of
from ovxai_convert.tensors.ports import constant_value, extents

_LONGEST: Final = 16
"""Ops that are followed; normalisation takes four or five."""
_MOST: Final = 2**22
"""Elements of an input that are computed with."""
_TRIED: Final = (0.0, 1.0, 255.0)


@dataclass(frozen=True)
class OwnLevels:
    """A graph begins with ``(level - mean) / scale``; the smallest and the largest of each number."""

    mean: tuple[float, float]
    scale: tuple[float, float]

    def __str__(self) -> str:
        """As in ``(x - 104..124) / 58.8``."""
        mean, scale = (
            f"{low:.4g}" if np.isclose(low, high) else f"{low:.4g}..{high:.4g}"
            for low, high in (self.mean, self.scale)
        )
        return f"(x - {mean}) / {scale}"


def own_levels(model: Model) -> OwnLevels | None:
    """What a model does to the levels of its only input of floats; None: nothing, or it cannot be told."""
    if len(model.inputs) != 1 or not model.inputs[0].get_element_type().is_real():
        return None
    port = model.inputs[0]
    shape = tuple(each or 1 for each in extents(port) or ())
    if not shape or np.prod(shape, dtype=np.float64) > _MOST:
        return None
    dtype = port.get_element_type().to_dtype()
    values: Sequence[NDArray[Any]] = [np.broadcast_to(np.array(level, dtype), shape) for level in _TRIED]
    known = _line(values)
    for _ in range(_LONGEST):
        node = _only_reader(port)
        if node is None or node.get_output_size() != 1:
            break
        following = _after(node, port, values)
        line = None if following is None else _line(following)
        if following is None or line is None:
            break
        values, known, port = following, line, node.output(0)
    return None if known is None or known == OwnLevels((0.0, 0.0), (1.0, 1.0)) else known


def _only_reader(port: Output) -> Node | None:
    """The op that alone reads the numbers of a tensor."""
    readers = [each.get_node() for each in port.get_target_inputs()]
    readers = [node for node in readers if not has(node, Trait.SHAPE)]
    return readers[0] if len(readers) == 1 else None


def _after(node: Node, port: Output, values: Sequence[NDArray[Any]]) -> list[NDArray[Any]] | None:
    """What an op makes of values of a tensor; None for one that does more than to change levels."""
    if has(node, Trait.ROUNDING):
        return list(values)
    if (order := order_of(node)) is not None:
        return [value.transpose(order) for value in values]
    places = [index for index, each in enumerate(node.input_values()) if each == port]
    if len(places) != 1 or not has(node, Trait.KEEPS_AXES):
        return None
    others = [None if each == port else constant_value(each) for each in node.input_values()]
    if sum(each is None for each in others) != 1:
        return None
    if has(node, Trait.ELEMENTWISE):
        return _evaluated(node, [[value if each is None else each for each in others] for value in values])
    if len(others) == 5 and has(node, Trait.NORMALISATION):
        return [_batch_norm(value, others[1:], node.get_attributes()["epsilon"]) for value in values]
    return None


def _evaluated(node: Node, calls: Sequence[Sequence[NDArray[Any]]]) -> list[NDArray[Any]] | None:
    """The op's results, or None where OpenVINO does not compute it outside of a compiled model."""
    results = []
    for inputs in calls:
        shape = np.broadcast_shapes(*(each.shape for each in inputs))
        result = Tensor(node.output(0).get_element_type(), list(shape))
        if not node.evaluate([result], [Tensor(np.array(each, order="C")) for each in inputs]):
            return None
        results.append(np.array(result.data))
    return results


def _batch_norm(value: NDArray[Any], numbers: Sequence[NDArray[Any] | None], epsilon: float) -> NDArray[Any]:
    """Gain, shift, mean and variance by channel, the second axis."""
    shape = (1, -1, *[1] * (value.ndim - 2))
    gain, shift, mean, variance = (np.reshape(each, shape) for each in numbers if each is not None)
    return np.asarray((value - mean) / np.sqrt(variance + epsilon) * gain + shift)


def _line(values: Sequence[NDArray[Any]]) -> OwnLevels | None:
    """The straight line through what levels of 0, 1 and 255 became; None where they lie on none."""
    at_zero, at_one, at_white = (value.astype(np.float64) for value in values)
    slope = (at_white - at_zero) / 255
    if not np.isfinite(slope).all() or (slope == 0).any():
        return None
    room = 1e-3 * np.abs(at_white - at_zero).max() / 255 + 1e-6 * np.abs(at_zero).max()
    if np.abs(at_one - at_zero - slope).max() > room:
        return None
    mean, scale = -at_zero / slope + 0.0, 1 / slope
    return OwnLevels((float(mean.min()), float(mean.max())), (float(scale.min()), float(scale.max())))
