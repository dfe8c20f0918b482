"""Finding the scores: the output, and behind it the class tensor, that a classifier is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from openvino import Model, Output

from ovxai_convert.anatomy.anatomy import Anatomy, asked_once
from ovxai_convert.anatomy.class_tensor import Activation, class_tensor_behind
from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.other_tasks import named_otherwise
from ovxai_convert.anatomy.outputs import output_name
from ovxai_convert.errors import Refusal, UsageError
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

    def carried(self, port: Callable[[Output], Output]) -> Scores:
        """The same scores in a copy of their model, given where each tensor is there."""
        return replace(self, port=port(self.port))


@asked_once
def find_scores(anatomy: Anatomy, wanted: str | None = None) -> Scores | Refusal:
    """The scores behind the only output that is a class tensor, or behind the output that the user names.

    Several outputs may show one class tensor (logits, probabilities, the index of the best). A class tensor
    from which another one is computed is a feature of it and is passed over.

    Args:
        anatomy: the model's.
        wanted: tensor name or index of an output; None takes the only one that qualifies. An output whose
            name speaks of something else (boxes, landmarks, an embedding) qualifies only when named here.

    Returns:
        The scores, or a refusal that tells for every output why it is not a class tensor.

    Raises:
        UsageError: ``wanted`` names no output.
    """
    model = anatomy.model
    if wanted is not None:
        return _behind_output(anatomy, _output_index(model, wanted), by_name=True)
    answers = [_behind_output(anatomy, index, by_name=False) for index in range(len(model.outputs))]
    scores = _distinct(anatomy, answers)
    if len(scores) == 1:
        return scores[0]
    if scores:
        names = ", ".join(f"'{output_name(model, each.output_index)}'" for each in scores)
        return Refusal(f"several outputs are class tensors: {names}; choose with --scores-output")
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    node = refusals[0].node if len(refusals) == 1 else None
    return Refusal("; ".join(refusal.reason for refusal in refusals), node)


def possible_scores(anatomy: Anatomy) -> list[Scores]:
    """Every class tensor that an output shows, whatever it is named; one for outputs that share it."""
    outputs = range(len(anatomy.model.outputs))
    return _distinct(anatomy, [_behind_output(anatomy, index, by_name=True) for index in outputs])


def _distinct(anatomy: Anatomy, answers: list[Scores | Refusal]) -> list[Scores]:
    return _last_ones(anatomy.flow, _one_each([each for each in answers if isinstance(each, Scores)]))


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


def _behind_output(anatomy: Anatomy, index: int, *, by_name: bool) -> Scores | Refusal:
    name = output_name(anatomy.model, index)
    if name in (SALIENCY_MAP, SALIENCY_CLASSES):
        return Refusal(f"output '{name}' is an explanation already")
    found = class_tensor_behind(anatomy, anatomy.model.outputs[index].get_node().input_value(0), name)
    if isinstance(found, Refusal):
        return found
    other = named_otherwise(name) if found.activation in _OF_OTHER_TASKS and not by_name else None
    if other is not None:
        hint = f"if it holds class scores, say so with --scores-output {name}"
        return Refusal(f"output '{name}' is named after {other}, not after classes; {hint}")
    return Scores(found.port, index, found.activation, found.class_count)
