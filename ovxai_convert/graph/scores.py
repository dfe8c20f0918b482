"""Finding the scores: the class tensor of a classifier, before its final activation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from openvino import Model, Output

from ovxai_convert.errors import LOCATE, Refusal, UsageError
from ovxai_convert.graph.cones import DataFlow
from ovxai_convert.graph.op_types import AXIS_MOVES
from ovxai_convert.graph.ports import address, extents
from ovxai_convert.suggestions import did_you_mean
from ovxai_convert.vocabulary import SALIENCY_CLASSES, SALIENCY_MAP

Activation = Literal["none", "softmax", "log_softmax", "sigmoid"]

_ACTIVATIONS: Final[dict[str, Activation]] = {
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
}
_TRANSPARENT: Final = AXIS_MOVES | {"Identity", "Convert", "FakeQuantize"}
"""What may stand between the scores and the output without changing which class a number belongs to."""


@dataclass(frozen=True)
class Scores:
    """The class tensor of a model.

    Attributes:
        port: tensor ``[N, K]`` or ``[N, K, 1, 1]``: one score per class, before the final activation.
        output_index: index of the model output that these scores feed.
        activation: what stands between the scores and that output.
        class_count: K.
    """

    port: Output
    output_index: int
    activation: Activation
    class_count: int


def find_scores(model: Model, flow: DataFlow, wanted: str | None = None) -> Scores | Refusal:
    """The scores behind the only output that is a class tensor, or behind the output that the user names.

    Args:
        model: the model.
        flow: its data edges.
        wanted: tensor name or index of an output; None takes the only one that qualifies.

    Returns:
        The scores, or a refusal that tells for every output why it is not a class tensor.

    Raises:
        UsageError: ``wanted`` names no output.
    """
    indices = [_output_index(model, wanted)] if wanted is not None else range(len(model.outputs))
    found = [_behind_output(model, flow, index) for index in indices]
    scores = [each for each in found if isinstance(each, Scores)]
    if len(scores) == 1:
        return scores[0]
    if scores:
        names = ", ".join(f"'{output_name(model, each.output_index)}'" for each in scores)
        return Refusal(LOCATE, f"several outputs are class tensors: {names}; choose with --scores-output")
    return Refusal(LOCATE, "; ".join(str(each.reason) for each in found if isinstance(each, Refusal)))


def output_name(model: Model, index: int) -> str:
    """First tensor name of an output in alphabetical order, or its index where it has none."""
    names = sorted(model.outputs[index].get_names())
    return names[0] if names else str(index)


def _output_index(model: Model, wanted: str) -> int:
    for index, output in enumerate(model.outputs):
        if wanted in output.get_names():
            return index
    if wanted.isdecimal() and int(wanted) < len(model.outputs):
        return int(wanted)
    known = sorted(name for output in model.outputs for name in output.get_names())
    listed = f"; the outputs are {', '.join(known)}"
    suggestion = did_you_mean(wanted, known, listed) if len(known) > 3 else listed
    raise UsageError(f"no output named '{wanted}'{suggestion}")


def _behind_output(model: Model, flow: DataFlow, index: int) -> Scores | Refusal:
    """Walk back over the final activation to the class tensor that is nearest the head."""
    name = output_name(model, index)
    if name in (SALIENCY_MAP, SALIENCY_CLASSES):
        return Refusal(LOCATE, f"output '{name}' is an explanation already")
    port = model.outputs[index].get_node().input_value(0)
    activation: Activation = "none"
    shape = _shape_text(port)
    candidate: Scores | None = None
    while flow.depends_on_input(port):
        classes = _class_count(port)
        if classes is not None and (candidate is None or classes == candidate.class_count):
            candidate = Scores(port, index, activation, classes)
        node = port.get_node()
        kind = node.get_type_name()
        if kind in _ACTIVATIONS and activation == "none":
            activation, candidate = _ACTIVATIONS[kind], None
        elif kind not in _TRANSPARENT:
            break
        port = node.input_value(0)
    if candidate is not None:
        return candidate
    return Refusal(LOCATE, f"output '{name}' {shape} is not a class tensor [N, K]", address(port))


def _class_count(port: Output) -> int | None:
    """K of a tensor ``[N, K]`` or ``[N, K, 1, 1]``, else None."""
    shape = extents(port)
    if shape is None or len(shape) < 2 or any(extent != 1 for extent in shape[2:]):
        return None
    return shape[1]


def _shape_text(port: Output) -> str:
    return str(port.get_partial_shape())
