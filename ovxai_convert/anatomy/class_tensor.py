"""Walking back from one output to the class tensor behind it, before the final activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from openvino import Node, Output

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.other_tasks import detects, scaled_to_length_one
from ovxai_convert.errors import Refusal
from ovxai_convert.ops import Trait, has
from ovxai_convert.tensors.axes import roles
from ovxai_convert.tensors.ports import address, extents

Activation = Literal["none", "softmax", "log_softmax", "sigmoid", "argmax"]

_ACTIVATIONS: Final[dict[Trait, Activation]] = {
    Trait.SOFTMAX: "softmax",
    Trait.LOG_SOFTMAX: "log_softmax",
    Trait.SIGMOID: "sigmoid",
}
_TRANSPARENT: Final = (Trait.MOVE, Trait.COPY, Trait.ROUNDING)
"""What may stand between the scores and the output without changing which class a number belongs to."""
_TOP_K_INDICES: Final = 1
"""Output port of a TopK that holds indices; the one before it holds the values."""


@dataclass(frozen=True)
class ClassTensor:
    """One score per class of every image.

    Attributes:
        port: tensor ``[N, K]`` or ``[N, K, 1, 1]``, before the final activation.
        activation: what stands between it and the output; ``"argmax"`` where only indices of the best
            classes get out.
        class_count: K.
    """

    port: Output
    activation: Activation
    class_count: int


def class_tensor_behind(anatomy: Anatomy, port: Output, name: str) -> ClassTensor | Refusal:
    """The class tensor that an output shows, nearest the head.

    Args:
        anatomy: the model's.
        port: the tensor that becomes the output.
        name: the output's name.

    Returns:
        The class tensor, or a refusal: the output has no row of numbers per image, holds detections or an
        embedding, or values that no longer tell which class they belong to.
    """
    refused = _no_row_per_image(anatomy, port, name)
    if refused is not None:
        return refused
    shown = port
    passed: Activation = "none"
    best_only = False
    candidate: ClassTensor | None = None
    while anatomy.flow.depends_on_input(port):
        classes = _class_count(port)
        if classes is not None and (candidate is None or classes == candidate.class_count):
            candidate = ClassTensor(port, "argmax" if best_only else passed, classes)
        node = port.get_node()
        activation = _activation(node)
        if has(node, Trait.BEST_OF):
            if best_only or passed != "none" or not _takes_best_classes(node):
                return _no_classes(anatomy, name, shown, port)
            if port.get_index() != _TOP_K_INDICES:
                reason = f"output '{name}' holds the best scores without the classes that they belong to"
                return Refusal(reason, address(port))
            best_only, candidate = True, None
        elif activation is not None and passed == "none":
            passed, candidate = activation, None
        elif not has(node, *_TRANSPARENT):
            break
        port = node.input_value(0)
    if candidate is None:
        return _no_classes(anatomy, name, shown, port)
    return (
        _embedding(anatomy.flow, port, name) or _no_row_per_image(anatomy, candidate.port, name) or candidate
    )


def _activation(node: Node) -> Activation | None:
    return next((each for trait, each in _ACTIVATIONS.items() if has(node, trait)), None)


def _no_classes(anatomy: Anatomy, name: str, shown: Output, port: Output) -> Refusal:
    spread = {role for axis in anatomy.axes.get(shown, ()) for role in roles(axis)} & set("DHW")
    why = ": it has numbers for every position" if spread else ""
    reason = f"output '{name}' {shown.get_partial_shape()} is not a class tensor [N, K]{why}"
    return Refusal(reason, address(port))


def _embedding(flow: DataFlow, port: Output, name: str) -> Refusal | None:
    if not scaled_to_length_one(flow, port):
        return None
    reason = f"output '{name}' is an embedding, not class scores: each row is divided by its length"
    return Refusal(reason, address(port))


def _no_row_per_image(anatomy: Anatomy, port: Output, name: str) -> Refusal | None:
    """Why a tensor is not one row of numbers for each image, None if it may be."""
    found = detects(anatomy.flow, port)
    if found is not None:
        reason = (
            f"output '{name}' holds detections ({found.get_type_name()}), not one row of scores per image"
        )
        return Refusal(reason, found.get_friendly_name())
    shape = extents(port)
    if shape is None or sum(extent != 1 for extent in shape[1:]) > 1:
        return _no_classes(anatomy, name, port, port)
    if len(shape) > 1 and shape[0] not in (1, *_batches(anatomy)):
        meaning = anatomy.axes.get(port)
        if meaning is None or roles(meaning[0]) not in ((), ("N",)):
            reason = f"output '{name}' {port.get_partial_shape()} does not have one row per image"
            return Refusal(reason, address(port))
    return None


def _batches(anatomy: Anatomy) -> list[int | None]:
    """First extents of all inputs: how many images there may be."""
    shapes = (extents(port) for port in anatomy.model.inputs)
    return [shape[0] for shape in shapes if shape]


def _takes_best_classes(node: Node) -> bool:
    """Whether a TopK looks for the largest numbers along the axis of the classes."""
    shape, attributes = extents(node.input_value(0)), node.get_attributes()
    if shape is None or attributes["mode"] != "max":
        return False
    axis = attributes["axis"] % len(shape)
    return all(extent == 1 for index, extent in enumerate(shape) if index not in (0, axis)) and (
        axis != 0 or len(shape) == 1
    )


def _class_count(port: Output) -> int | None:
    """K of a tensor of real numbers ``[N, K]`` or ``[N, K, 1, 1]``, else None."""
    shape = extents(port)
    if shape is None or len(shape) < 2 or any(extent != 1 for extent in shape[2:]):
        return None
    return shape[1] if port.get_element_type().is_real() else None
