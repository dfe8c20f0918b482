"""Finding the scores: the output, and behind it the class tensor, that a classifier is there for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openvino import Model, Output

from ovxai_convert.anatomy.class_tensor import Activation, class_tensor_behind
from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.other_tasks import named_otherwise
from ovxai_convert.errors import LOCATE, Refusal, UsageError
from ovxai_convert.suggestions import did_you_mean
from ovxai_convert.vocabulary import SALIENCY_CLASSES, SALIENCY_MAP

_BY_WORTH: Final[tuple[Activation, ...]] = ("softmax", "sigmoid", "log_softmax", "none", "argmax")
"""Which output to read where several show one class tensor: probabilities, then logits, then indices."""

_OF_OTHER_TASKS: Final = ("none", "sigmoid")
"""How outputs of networks that are no classifiers may end; only there an output's name counts."""


@dataclass(frozen=True)
class Scores:
    """The class tensor of a model.

    Attributes:
        port: tensor ``[N, K]`` or ``[N, K, 1, 1]``: one score per class, before the final activation.
        output_index: index of the model output that these scores feed.
        activation: what stands between the scores and that output; ``"argmax"``: indices of the best classes.
        class_count: K.
    """

    port: Output
    output_index: int
    activation: Activation
    class_count: int


def find_scores(model: Model, flow: DataFlow, wanted: str | None = None) -> Scores | Refusal:
    """The scores behind the only output that is a class tensor, or behind the output that the user names.

    Several outputs may show one class tensor (logits, probabilities, the index of the best). A class tensor
    from which another one is computed is a feature of it and is passed over.

    Args:
        model: the model.
        flow: its data edges.
        wanted: tensor name or index of an output; None takes the only one that qualifies. An output whose
            name speaks of something else (boxes, landmarks, an embedding) qualifies only when named here.

    Returns:
        The scores, or a refusal that tells for every output why it is not a class tensor.

    Raises:
        UsageError: ``wanted`` names no output.
    """
    indices = [_output_index(model, wanted)] if wanted is not None else range(len(model.outputs))
    found = [_behind_output(model, flow, index, by_name=wanted is not None) for index in indices]
    scores = _last_ones(flow, _one_each([each for each in found if isinstance(each, Scores)]))
    if len(scores) == 1:
        return scores[0]
    if scores:
        names = ", ".join(f"'{output_name(model, each.output_index)}'" for each in scores)
        return Refusal(LOCATE, f"several outputs are class tensors: {names}; choose with --scores-output")
    refusals = [each for each in found if isinstance(each, Refusal)]
    node = refusals[0].node if len(refusals) == 1 else None
    return Refusal(LOCATE, "; ".join(each.reason for each in refusals), node)


def _one_each(found: list[Scores]) -> list[Scores]:
    """Of the outputs that show one class tensor, the one that tells most."""
    best: dict[Output, Scores] = {}
    for each in sorted(found, key=lambda scores: _BY_WORTH.index(scores.activation)):
        best.setdefault(each.port, each)
    return sorted(best.values(), key=lambda scores: scores.output_index)


def _last_ones(flow: DataFlow, found: list[Scores]) -> list[Scores]:
    """Those from which none of the others is computed."""
    return [
        each
        for each in found
        if not any(flow.between(each.port, other.port) for other in found if other != each)
    ]


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


def _behind_output(model: Model, flow: DataFlow, index: int, *, by_name: bool) -> Scores | Refusal:
    name = output_name(model, index)
    if name in (SALIENCY_MAP, SALIENCY_CLASSES):
        return Refusal(LOCATE, f"output '{name}' is an explanation already")
    found = class_tensor_behind(flow, model.outputs[index].get_node().input_value(0), name)
    if isinstance(found, Refusal):
        return found
    other = named_otherwise(name) if found.activation in _OF_OTHER_TASKS and not by_name else None
    if other is not None:
        hint = f"if it holds class scores, say so with --scores-output {name}"
        return Refusal(LOCATE, f"output '{name}' is named after {other}, not after classes; {hint}")
    return Scores(found.port, index, found.activation, found.class_count)
