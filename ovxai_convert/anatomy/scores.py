"""Finding the scores: the output, and behind it the class tensor, that a classifier is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from openvino import Model, Node, Output

from ovxai_convert.anatomy.anatomy import Anatomy, asked_once
from ovxai_convert.anatomy.answer_form import groups_within, joins_classes, meaning_of, parts_of
from ovxai_convert.anatomy.dense_head import DenseHead
from ovxai_convert.anatomy.interface import output_name
from ovxai_convert.anatomy.likeness import likeness, scores_of_boxes
from ovxai_convert.anatomy.other_tasks import detects, named_otherwise, scaled_to_length_one
from ovxai_convert.errors import Refusal, UsageError, did_you_mean, quoted
from ovxai_convert.ops import Trait, has
from ovxai_convert.tensors.axes import roles
from ovxai_convert.tensors.ports import address, extents
from ovxai_convert.vocabulary import (
    SALIENCY_CLASSES,
    SALIENCY_MAP,
    Activation,
    AnswerMeaning,
    Range,
    index_in,
)

_ACTIVATIONS: Final[dict[Trait, Activation]] = {
    Trait.SOFTMAX: "softmax",
    Trait.LOG_SOFTMAX: "log_softmax",
    Trait.SIGMOID: "sigmoid",
}
_BY_WORTH: Final[tuple[Activation, ...]] = ("softmax", "sigmoid", "joined", "log_softmax", "none", "argmax")
"""Which output to read where several show one class tensor: probabilities, then logits, then indices."""
_DECIDES: Final = ("softmax", "log_softmax")
"""What a class output alone ends in, where others are numbers as they come."""


@dataclass(frozen=True)
class Scores:
    """The class tensor ``[N, K]`` or ``[N, K, 1, 1]`` of a model: one score per class.

    Attributes:
        activation: what stands between it and the output that it feeds; ``"argmax"``: indices of the best
            classes; ``"joined"``: the numbers are those of several heads, each behind its own.
        groups: classes that exclude each other, of several softmaxes in one output.
        meaning: what its numbers are.
        parts: how many numbers each head gives of which it is joined, where none has an activation.
        passed_over: outputs that hold numbers like these but do not end in a softmax, as this one alone does.
        dense: of a detector, the scores of all places; ``port`` is the first tensor of them, and
            ``output_index`` that of the first output.
    """

    port: Output
    output_index: int
    activation: Activation
    class_count: int
    groups: tuple[Range, ...] = ()
    meaning: AnswerMeaning = "classes"
    parts: tuple[int, ...] = ()
    passed_over: tuple[str, ...] = ()
    dense: DenseHead | None = None

    def carried(self, port: Callable[[Output], Output]) -> Scores:
        """The same scores in a copy of their model, given where each tensor is there."""
        return replace(self, port=port(self.port), dense=self.dense and self.dense.carried(port))


@asked_once
def find_scores(anatomy: Anatomy, wanted: str | None = None) -> Scores | Refusal:
    """The scores behind the only output that is a class tensor, or behind the output that the user names.

    Several outputs may show one class tensor (logits, probabilities, the index of the best). A class tensor
    from which another one is computed is a feature of it and is passed over. Of several others, one alone
    that ends in a softmax is the class output.

    An output whose name speaks of something else (boxes, landmarks, an embedding) qualifies only when
    ``wanted``, its tensor name or index, names it.
    A refusal tells for every output why it is not a class tensor.

    Raises:
        UsageError: ``wanted`` names no output.
    """
    model = anatomy.model
    if wanted is not None:
        return _behind_output(anatomy, output_index(model, wanted), by_name=True)
    answers = [_behind_output(anatomy, index, by_name=False) for index in range(len(model.outputs))]
    scores = _distinct(anatomy, answers)
    if len(scores) == 1:
        return scores_of_boxes(anatomy, scores[0].port) or scores[0]
    deciding = [each for each in scores if each.activation in _DECIDES]
    if len(deciding) == 1 and all(each.activation == "none" for each in scores if each != deciding[0]):
        others = [output_name(model, each.output_index) for each in scores if each != deciding[0]]
        return replace(deciding[0], passed_over=tuple(others))
    if scores:
        names = [output_name(model, each.output_index) for each in scores]
        listed, several = ", ".join(f"'{name}'" for name in names), ",".join(names)
        choice = f"choose with --scores-output, or take each: --scores-output {quoted(several)}"
        return Refusal(f"several outputs are class tensors: {listed}; {choice}")
    if (other := likeness(anatomy)) is not None:
        return other
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    node = refusals[0].node if len(refusals) == 1 else None
    return Refusal("; ".join(refusal.reason for refusal in refusals), node)


def possible_scores(anatomy: Anatomy) -> list[Scores]:
    """Every class tensor that an output shows, whatever it is named; one for outputs that share it."""
    outputs = range(len(anatomy.model.outputs))
    return _distinct(anatomy, [_behind_output(anatomy, index, by_name=True) for index in outputs])


def _distinct(anatomy: Anatomy, answers: list[Scores | Refusal]) -> list[Scores]:
    """Class tensors that no other one is computed from, each behind the output that tells most of it."""
    best: dict[Output, Scores] = {}
    several = [answer for answer in answers if isinstance(answer, Scores)]
    for scores in sorted(several, key=lambda scores: _BY_WORTH.index(scores.activation)):
        best.setdefault(scores.port, scores)
    return [
        scores
        for scores in sorted(best.values(), key=lambda scores: scores.output_index)
        if not any(anatomy.flow.between(scores.port, port) for port in best if port != scores.port)
    ]


def output_index(model: Model, wanted: str) -> int:
    """The index of an output that is wanted by its tensor name or index; a UsageError if there is none."""
    for index, output in enumerate(model.outputs):
        if wanted in output.get_names():
            return index
    place = index_in(wanted)
    if place is not None and place < len(model.outputs):
        return place
    known = sorted(name for output in model.outputs for name in output.get_names())
    listed = f"; the outputs are {', '.join(known)}"
    suggestion = did_you_mean(wanted, known, listed) if len(known) > 3 else listed
    raise UsageError(f"no output named '{wanted}'{suggestion}")


def _behind_output(anatomy: Anatomy, index: int, *, by_name: bool) -> Scores | Refusal:
    name = output_name(anatomy.model, index)
    if name in (SALIENCY_MAP, SALIENCY_CLASSES):
        return Refusal(f"output '{name}' is an explanation already")
    shown = anatomy.model.outputs[index].get_node().input_value(0)
    scores = _no_row_per_image(anatomy, shown, name) or _class_tensor(anatomy, index, shown, name)
    if isinstance(scores, Refusal):
        return scores
    # networks that are no classifiers may end in these two; only there an output's name counts
    other = named_otherwise(name) if scores.activation in ("none", "sigmoid") and not by_name else None
    if other is None:
        return scores
    hint = f"if it holds class scores, say so with --scores-output {name}"
    return Refusal(f"output '{name}' is named after {other}, not after classes; {hint}")


def _class_tensor(anatomy: Anatomy, index: int, shown: Output, name: str) -> Scores | Refusal:
    """Walk back from an output to the class tensor that it shows, nearest the head.

    Refused where that is an embedding, or values that no longer tell which class they belong to.
    """
    port, best_only = shown, False
    passed: Activation = "none"
    candidate: Scores | None = None
    while anatomy.flow.depends_on_input(port):
        classes = _class_count(port)
        if classes is not None and (candidate is None or classes == candidate.class_count):
            candidate = Scores(port, index, "argmax" if best_only else passed, classes)
        node = port.get_node()
        activation = next((kind for trait, kind in _ACTIVATIONS.items() if has(node, trait)), None)
        if has(node, Trait.BEST_OF):
            if best_only or passed != "none" or not _takes_best_classes(node):
                return _no_classes(anatomy, name, shown, port)
            if port.get_index() == 0:  # the values; the indices are the next output
                reason = f"output '{name}' holds the best scores without the classes that they belong to"
                return Refusal(reason, address(port))
            best_only, candidate = True, None
        elif activation is not None and passed == "none":
            passed, candidate = activation, None
        elif not has(node, Trait.MOVE, Trait.COPY, Trait.ROUNDING):
            break  # others may change which class a number belongs to
        port = node.input_value(0)
    if candidate is None:
        return _no_classes(anatomy, name, shown, port)
    if scaled_to_length_one(anatomy.flow, port):
        reason = f"output '{name}' is an embedding, not class scores: each row is divided by its length"
        return Refusal(reason, address(port))
    return _no_row_per_image(anatomy, candidate.port, name) or _in_full(anatomy, candidate, shown, name)


def _in_full(anatomy: Anatomy, scores: Scores, shown: Output, name: str) -> Scores:
    """With what the graph tells of the numbers."""
    within = groups_within(shown) if scores.activation in ("none", "softmax") else None
    if within is not None and len(within) != 1 and joins_classes(scores.port.get_node()):
        scores = replace(scores, activation="joined")
    elif scores.activation == "none":
        scores = replace(scores, parts=parts_of(scores.port))
    count, activation = scores.class_count, scores.activation
    meaning = meaning_of(anatomy.flow, scores.port, count, activation, name)
    groups = within if within is not None and len(within) > 1 else ()
    return replace(scores, groups=groups, meaning=meaning)


def _no_classes(anatomy: Anatomy, name: str, shown: Output, port: Output) -> Refusal:
    spread = {role for axis in anatomy.axes.get(shown, ()) for role in roles(axis)} & set("DHW")
    why = ": it has numbers for every position" if spread else _why_rows(shown)
    reason = f"output '{name}' {shown.get_partial_shape()} is not a class tensor [N, K]{why}"
    return Refusal(reason, address(port))


def _why_rows(shown: Output) -> str:
    """What a tensor ``[N, S, K]`` may be, and what to do about it; nothing of others."""
    shape = extents(shown)
    if shape is None or len(shape) != 3 or None in shape[1:] or 1 in shape[1:]:
        return ""
    rows, classes = shape[1:]
    way = "make each row an output of its own, as docs/outputs.md shows"
    return f": it holds {rows} rows of {classes} numbers; if these are {rows} classifications, {way}"


def _no_row_per_image(anatomy: Anatomy, port: Output, name: str) -> Refusal | None:
    """Why a tensor is not one row of numbers for each image, None if it may be."""
    picker = detects(anatomy.flow, port)
    if picker is not None:
        what = f"detections ({picker.get_type_name()}), not one row of scores per image"
        return Refusal(f"output '{name}' holds {what}", picker.get_friendly_name())
    shape = extents(port)
    if shape is None or sum(extent != 1 for extent in shape[1:]) > 1:
        return _no_classes(anatomy, name, port, port)
    batches = [inputs[0] for port in anatomy.model.inputs if (inputs := extents(port))]
    if len(shape) > 1 and shape[0] not in (1, *batches):
        meaning = anatomy.axes.get(port)
        if meaning is None or roles(meaning[0]) not in ((), ("N",)):
            reason = f"output '{name}' {port.get_partial_shape()} does not have one row per image"
            return Refusal(reason, address(port))
    return None


def _takes_best_classes(node: Node) -> bool:
    """Whether a TopK looks for the largest numbers along the axis of the classes."""
    shape, attributes = extents(node.input_value(0)), node.get_attributes()
    if shape is None or attributes["mode"] != "max":
        return False
    axis = attributes["axis"] % len(shape)
    others = [extent for index, extent in enumerate(shape) if index not in (0, axis)]
    return all(extent == 1 for extent in others) and (axis != 0 or len(shape) == 1)


def _class_count(port: Output) -> int | None:
    """K of a tensor of real numbers ``[N, K]`` or ``[N, K, 1, 1]``, else None."""
    shape = extents(port)
    if shape is None or len(shape) < 2 or any(extent != 1 for extent in shape[2:]):
        return None
    return shape[1] if port.get_element_type().is_real() else None
