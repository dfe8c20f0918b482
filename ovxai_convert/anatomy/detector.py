"""Finding a detector's dense head: from what it picks boxes by, or from its outputs, back to its places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from openvino import Node, Output

from ovxai_convert.anatomy.anatomy import Anatomy, asked_once
from ovxai_convert.anatomy.dense_assembly import UNTOLD, Told, assembled
from ovxai_convert.anatomy.dense_head import DenseActivation, DenseHead, ScoreTensor, score_tensor
from ovxai_convert.anatomy.dense_reading import Reader
from ovxai_convert.anatomy.interface import output_name
from ovxai_convert.anatomy.scores import output_index
from ovxai_convert.errors import Refusal
from ovxai_convert.ops import Trait, background_told_by, has, scores_picked_by
from ovxai_convert.tensors.ports import address, find_port

_BOX: Final = 4
_CLASS_WORDS: Final = frozenset(
    {"cls", "class", "classes", "score", "scores", "conf", "logits", "label", "labels", "prob", "probs"}
    | {"heatmap", "hm", "classification", "classificators", "confidence", "cate", "category"}
)
"""Words in an output's name that say that it holds classes."""


@dataclass(frozen=True)
class _Shown:
    """An output that shows a dense head: its name, the tensors behind it, what made its numbers scores."""

    name: str
    tensors: tuple[ScoreTensor, ...]
    activation: str

    @property
    def width(self) -> int:
        """How many numbers of each place and anchor it has."""
        return len(self.tensors[0].columns)


@asked_once
def find_dense_head(anatomy: Anatomy, told: Told = UNTOLD) -> DenseHead | Refusal:
    """The class scores of all places from which a detector picks its boxes.

    They are what the ops that suppress boxes read, the last of them where several follow each other; without
    such ops, the outputs that are named, else those that end in a softmax or sigmoid, that are named after
    classes, or that are neither boxes nor a score that there is anything.

    Raises:
        UsageError: what is told names no output or layer.
    """
    found = _found(anatomy, told)
    if told.layers:
        found = _at_layers(anatomy, told, found)
    if isinstance(found, Refusal) or told.activation in (None, "none", found.activation):
        return found
    return Refusal(f"the network makes scores of logits with a {found.activation} itself")


def _found(anatomy: Anatomy, told: Told) -> DenseHead | Refusal:
    """By itself, or from the outputs that are named."""
    reader, wanted = Reader(anatomy), told.output
    pickers = _last_pickers(anatomy)
    if pickers and wanted is None:
        found = _picked(reader, pickers)
        background = next((each for node in pickers if (each := background_told_by(node)) is not None), None)
    else:
        found, background = _shown(anatomy, reader, wanted, told.labels), None
    if isinstance(found, Refusal):
        return found
    return assembled(reader, found, background, told)


def _at_layers(anatomy: Anatomy, told: Told, found: DenseHead | Refusal) -> DenseHead | Refusal:
    """At the tensors that are named; what is said of classes by what was found without them, or by labels."""
    reader, tensors = Reader(anatomy), list[ScoreTensor]()
    for name in told.layers:
        port = find_port(anatomy.model, name)
        tensor = score_tensor(port, anatomy.axes.get(port))
        if tensor is None or not anatomy.flow.depends_on_input(port):
            return Refusal("the target layer has no scores at the places of a grid", address(port))
        tensors.append(tensor)
    known = found if isinstance(found, DenseHead) else None
    count = len(told.labels or ()) if known is None else known.tensors[0].width
    for index, tensor in enumerate(tensors):
        if count and tensor.width % count == 0:
            tensors[index] = tensor.with_anchors(tensor.width // count)
        elif count:
            reason = f"its {tensor.width} numbers at each place are not of {count} classes"
            return Refusal(f"the target layer is no class head: {reason}", address(tensor.port))
    if len({tensor.width for tensor in tensors}) > 1:
        return Refusal("the target layers have different numbers of classes", address(tensors[0].port))
    if known is None:
        return assembled(reader, tensors, None, told)
    tensors = [replace(tensor, classes=known.tensors[0].columns) for tensor in tensors]
    made = {reader.activation(tensor.port) for tensor in tensors}
    missing: DenseActivation = known.activation if made == {"none"} else "none"
    return replace(known, tensors=tuple(tensors), missing=missing, objectness="none")


def _last_pickers(anatomy: Anatomy) -> list[Node]:
    """Ops that pick boxes and on which no other such op depends."""
    pickers = [node for node in anatomy.nodes if has(node, Trait.DETECTION)]
    return [
        node
        for node in pickers
        if not any(
            anatomy.flow.between(port, other.output(0))
            for port in node.outputs()
            for other in pickers
            if other != node
        )
    ]


def _picked(reader: Reader, pickers: Sequence[Node]) -> list[ScoreTensor] | Refusal:
    found: dict[Output, ScoreTensor] = {}
    for node in pickers:
        scores = scores_picked_by(node)
        if scores is None:
            return Refusal("its boxes are proposals of regions alone", node.get_friendly_name())
        read = reader.read(scores)
        if isinstance(read, Refusal):
            return read
        found |= {each.port: each for each in read}
    return list(found.values())


def _shown(
    anatomy: Anatomy, reader: Reader, wanted: str | None, labels: tuple[str, ...] | None
) -> list[ScoreTensor] | Refusal:
    """The tensors behind the outputs that hold classes."""
    model = anatomy.model
    names = [output_name(model, index) for index in range(len(model.outputs))]
    indices = range(len(names))
    if wanted is not None:
        indices = [output_index(model, name.strip()) for name in wanted.split(",")]  # type: ignore[assignment]
    shown, refusals = list[_Shown](), list[Refusal]()
    for index in indices:
        read = reader.read(model.outputs[index].get_node().input_value(0))
        if isinstance(read, Refusal):
            refusals.append(replace(read, reason=f"output '{names[index]}': {read.reason}"))
        elif not any(
            tensor.port == each.port for other in shown for tensor in other.tensors for each in read
        ):
            activations = {reader.activation_behind(tensor) for tensor in read}
            shown.append(
                _Shown(names[index], tuple(read), min(activations) if len(activations) == 1 else "none")
            )
    if not shown:
        return refusals[0] if refusals else Refusal("it has no outputs")
    chosen = shown if wanted is not None else _of_classes(shown)
    widths = {each.width for each in chosen}
    if (len(widths) > 1 and not labels) or not chosen:
        listed = ", ".join(f"'{each.name}' ({each.width})" for each in chosen or shown)
        return Refusal(f"which outputs hold classes is not clear: {listed}; name them with --scores-output")
    return [tensor for each in chosen for tensor in each.tensors]


def _of_classes(shown: Sequence[_Shown]) -> list[_Shown]:
    """Those outputs that hold classes, by what made their numbers, by their names, by how many they are."""
    for chosen in (
        [each for each in shown if each.activation == "softmax"],
        [each for each in shown if each.activation == "sigmoid"],
        [each for each in shown if _words(each.name) & _CLASS_WORDS],
        [each for each in shown if each.width % _BOX],
        list(shown),
    ):
        most = max((each.width for each in chosen), default=0)
        several = [each for each in chosen if each.width > 1 or most == 1]
        if several:
            return several
    return []


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
