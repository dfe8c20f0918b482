"""From tensors of class scores to a detector's dense head: anchors, objectness, background, activation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from openvino import Output

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_head import DenseActivation, DenseHead, ScoreTensor, score_tensor
from ovxai_convert.anatomy.dense_reading import Reader
from ovxai_convert.errors import Refusal
from ovxai_convert.ops import Trait, has
from ovxai_convert.tensors.ports import address

_BOX: Final = 4
_NO_ACTIVATION: DenseActivation = "none"
_BACKGROUND_WORDS: Final = frozenset({"background", "__background__", "bg", "none"})


@dataclass(frozen=True)
class Told:
    """What a user says of a detector; empty or None where that is nothing.

    Attributes:
        output: names or indices of the outputs that hold classes, commas between.
        layers: tensors that hold class scores at every place, one for each scale or several.
        labels: names of the classes: their number tells how many anchors raw channels hold.
        activation: what scores are made of logits with.
    """

    output: str | None = None
    layers: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None
    activation: DenseActivation | None = None


UNTOLD: Final = Told()


def assembled(
    reader: Reader, tensors: list[ScoreTensor], background: int | None, told: Told
) -> DenseHead | Refusal:
    """One head of the tensors of all scales."""
    where = address(tensors[0].port)
    made = {reader.activation_behind(tensor) for tensor in tensors}
    if len(made) > 1 or len({tensor.unfinished for tensor in tensors}) > 1:
        return Refusal("its scales make scores of logits in different ways", where)
    anchors = _anchors_of_boxes(reader.anatomy, tensors)
    split = _split(
        tensors,
        told.labels,
        anchors,
        alone=_alone(reader.anatomy, tensors),
        told_apart=_shown_apart(reader.anatomy, tensors),
    )
    if isinstance(split, Refusal):
        return split
    tensors, beside = split
    if len({tensor.columns for tensor in tensors}) > 1:
        return Refusal("its scales have different numbers of classes", where)
    activation, assumed = made.pop(), list[str]()
    missing = activation if tensors[0].unfinished else _NO_ACTIVATION
    if activation == "none":
        activation = missing = told.activation or ("sigmoid" if beside else "none")
    if activation == "none":
        assumed.append("the scores are logits, shown as they are (--activation says what they lack)")
    one_more = len(told.labels or ()) == tensors[0].width - 1 > 0
    if background is None and (activation == "softmax" or (activation == "none" and one_more)):
        background, sure = _background(tensors[0].columns, tensors[0].width, told.labels)
        if not sure:
            assumed.append("the first class of the softmax stands for nothing (background)")
    columns = tuple(column for column in tensors[0].columns if column != background)
    if not columns:
        return Refusal("it has no class but the background", where)
    if background is not None:
        tensors = [replace(tensor, classes=columns) for tensor in tensors]
    objectness = _objectness(tensors, beside=beside)
    return DenseHead(
        tuple(tensors), len(columns), activation, missing, objectness, background, tuple(assumed)
    )


def _objectness(tensors: Sequence[ScoreTensor], *, beside: bool) -> Literal["none", "in_scores", "beside"]:
    """Where the score is that there is anything."""
    if beside:
        return "beside"
    return "in_scores" if _multiplied(tensors) else "none"


def _background(
    columns: Sequence[int], width: int, labels: tuple[str, ...] | None
) -> tuple[int | None, bool]:
    """The class of a softmax that stands for nothing, and whether that is sure.

    It is one that nobody reads, or that a label says is it; none where each class has a label that says
    something else; and else, as in SSD's paper, the first.
    """
    unread = set(range(width)) - set(columns)
    if unread:
        return next((column for column in (0, width - 1) if column in unread), None), True
    if width == 1:
        return None, True
    if labels is None or len(labels) != width:
        return 0, labels is not None and len(labels) == width - 1
    named = [index for index, label in enumerate(labels) if label.strip().lower() in _BACKGROUND_WORDS]
    return (named[0] if named else None), True


def _alone(anatomy: Anatomy, tensors: Sequence[ScoreTensor]) -> bool:
    """Whether the outputs show these tensors and nothing else, so that boxes must be in them, too."""
    ports = {tensor.port for tensor in tensors}
    shown = [result.input_value(0) for result in anatomy.model.get_results()]
    return all(ports & {port, *_sources(anatomy, port)} for port in shown) and not any(
        has(node, Trait.DETECTION) for node in anatomy.nodes
    )


def _sources(anatomy: Anatomy, port: Output) -> Iterator[Output]:
    """What a tensor is another form of."""
    while has(port.get_node(), Trait.MOVE, Trait.COPY, Trait.ROUNDING):
        port = port.get_node().input_value(0)
        yield port


def _split(
    tensors: list[ScoreTensor],
    labels: tuple[str, ...] | None,
    anchors_of_boxes: int,
    *,
    alone: bool,
    told_apart: bool,
) -> tuple[list[ScoreTensor], bool] | Refusal:
    """The tensors, with what raw channels hold told apart, and whether a score beside the classes is left."""
    if any(tensor.objectness is not None for tensor in tensors):
        return tensors, True
    width, told = len(tensors[0].columns), len(labels or ())
    whole = all(tensor.classes is None and _counts_no_anchors(tensor) for tensor in tensors)
    raw = whole and not told_apart
    if not alone:
        counts = [count for count in (told, told + 1) if told and raw and _divides(count, tensors)]
        if counts:
            return [tensor.with_anchors(tensor.width // counts[0]) for tensor in tensors], False
        if raw and not told and anchors_of_boxes > 1 and width % anchors_of_boxes == 0:
            reason = f"its {width} numbers of each place are of one anchor or of several"
            return Refusal(f"{reason}; tell how many classes there are: --labels", address(tensors[0].port))
        return tensors, False
    if any(tensor.classes is not None for tensor in tensors):
        return tensors, False
    each = told + _BOX + 1
    if told and width % each == 0:
        anchors = width // each
    elif told and width == told + _BOX:
        return [replace(tensor, classes=tuple(range(_BOX, width))) for tensor in tensors], False
    elif not raw and width > _BOX + 1:
        anchors = 1
    else:
        reason = f"its {width} numbers of each place hold boxes and classes of one anchor or several"
        return Refusal(f"{reason}; tell how many classes there are: --labels", address(tensors[0].port))
    split = [tensor.with_anchors(anchors) for tensor in tensors]
    return [
        replace(tensor, classes=tuple(range(_BOX + 1, tensor.width)), objectness=_BOX) for tensor in split
    ], True


def _divides(count: int, tensors: Sequence[ScoreTensor]) -> bool:
    """Whether each tensor holds so many classes of one anchor or more."""
    return all(tensor.width % count == 0 for tensor in tensors)


def _shown_apart(anatomy: Anatomy, tensors: Sequence[ScoreTensor]) -> bool:
    """Whether the classes stand on an axis beside one of all places, among which anchors would be."""
    outputs = [result.input_value(0) for result in anatomy.model.get_results()]
    shown = [score_tensor(port, anatomy.axes.get(port)) for port in outputs]
    for each in (tensors[0], *(each for each in shown if each is not None)):
        scale = each.scales[0]
        merged = scale.axis_of("H") is not None and scale.axis_of("H") == scale.axis_of("W")
        if merged and each.class_axis is not None and each.width == tensors[0].width:
            return True
    return False


def _counts_no_anchors(tensor: ScoreTensor) -> bool:
    return all(scale.size("A") == 1 for scale in tensor.scales)


def _anchors_of_boxes(anatomy: Anatomy, tensors: Sequence[ScoreTensor]) -> int:
    """How many times four numbers another output has at each place, which may be anchors; or 1."""
    own, scales = {tensor.port for tensor in tensors}, {tensor.scales[0].size("H") for tensor in tensors}
    for result in anatomy.model.get_results():
        port = result.input_value(0)
        other = score_tensor(port, anatomy.axes.get(port))
        if other is None or other.width % _BOX or any(anatomy.flow.between(each, port) for each in own):
            continue
        same_places = other.scales[0].size("H") in scales and _counts_no_anchors(other)
        if same_places and other.width != tensors[0].width:
            return other.width // _BOX
    return 1


def _multiplied(tensors: Sequence[ScoreTensor]) -> bool:
    """Whether the network itself has multiplied each score by another one."""
    nodes = [tensor.port.get_node() for tensor in tensors]
    sources = [
        node.input_value(0).get_node() if has(node, Trait.ROOT, Trait.POWER) else node for node in nodes
    ]
    return any(has(node, Trait.MULTIPLY) for node in sources)
