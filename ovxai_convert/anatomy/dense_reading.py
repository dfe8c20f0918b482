"""From numbers that a detector decides by back to the tensors of its dense head that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from openvino import Node, Output

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_head import DenseActivation, ScoreTensor, score_tensor
from ovxai_convert.anatomy.other_tasks import behind
from ovxai_convert.errors import Refusal
from ovxai_convert.ops import Trait, has, scores_picked_by
from ovxai_convert.ops.slicing import indices_taken
from ovxai_convert.tensors.ports import address

_BOX: Final = 4
"""Numbers that tell a box."""
_FORMS: Final = (Trait.MOVE, Trait.COPY, Trait.JOIN, Trait.PIECES, Trait.SLICE, Trait.TAKING, Trait.ROUNDING)
"""Ops that give numbers as they are, in another form, or some of them."""


class Reader:
    """Reads one model; what was found of a tensor is kept."""

    def __init__(self, anatomy: Anatomy) -> None:
        self.anatomy = anatomy
        self._known: dict[Output, list[ScoreTensor] | Refusal] = {}

    def read(self, port: Output) -> list[ScoreTensor] | Refusal:
        """The tensors of a dense head that the numbers of a tensor come from.

        Back through all that gives the same numbers in another form, joins those of several scales, or takes
        some of them, to what computes them: there rows and columns are still axes, or factors of one.
        """
        if port not in self._known:
            self._known[port] = Refusal(f"'{address(port)}' is computed from itself")
            self._known[port] = self._read(port)
        return self._known[port]

    def _read(self, port: Output) -> list[ScoreTensor] | Refusal:
        node = port.get_node()
        here = score_tensor(port, self.anatomy.axes.get(port))
        if not self.anatomy.flow.depends_on_input(port):
            return Refusal(f"'{address(port)}' does not depend on the input")
        if (scores := scores_picked_by(node)) is not None:
            return self.read(scores)
        if has(node, Trait.JOIN) and (parts := self._class_parts(node)) is not None:
            return self._of_classes(parts)
        below = self._below(port, here)
        if below is None or isinstance(below, Refusal):
            return [here] if here is not None else below or self._nowhere(port)
        if here is None or not here.tells_classes:
            return below
        anchors = here.scales[0].size("A") or 1
        mixed = any(
            each.unfinished or (anchors > 1 and len(each.columns) == anchors * here.width) for each in below
        )
        return [here] if mixed else below

    def _nowhere(self, port: Output) -> Refusal:
        node = port.get_node()
        if (regions := behind(self.anatomy.flow, port, Trait.REGIONS)) is not None:
            reason = "its classes are scores of proposed regions, as a two-stage detector's are"
            return Refusal(f"{reason}, and not of places", regions.get_friendly_name())
        reason = f"its classes come from {node.get_type_name()} '{node.get_friendly_name()}'"
        return Refusal(
            f"{reason} and not from places of a grid, as those of a detector with queries do", address(port)
        )

    def _below(self, port: Output, here: ScoreTensor | None) -> list[ScoreTensor] | Refusal | None:
        """The same of what a tensor takes its numbers from; None where its node makes them."""
        node = port.get_node()
        if has(node, Trait.JOIN):
            return self._all(self.anatomy.flow.data_inputs(node))
        if has(node, Trait.MOVE, Trait.COPY):
            return self.read(node.input_value(0))
        if has(node, Trait.BEST_OF) and port.get_index() > 0:
            return Refusal(f"'{address(port)}' holds indices", address(port))
        if has(node, Trait.SLICE, Trait.PIECES, Trait.TAKING, Trait.BEST_OF, Trait.LARGEST):
            return self._some(port)
        if has(node, Trait.WRITTEN_INTO):
            return self.read(node.input_value(0))
        if here is not None:
            return self._peaks(node)
        if not has(node, Trait.SIGMOID):
            return self._product(node)
        found = self.read(node.input_value(0))
        return found if isinstance(found, Refusal) else [replace(each, unfinished=True) for each in found]

    def _peaks(self, node: Node) -> list[ScoreTensor] | Refusal | None:
        """What a product with what is true or false leaves, as peaks of their neighbours; None of others."""
        choices = [port for port in node.input_values() if _is_choice(port)]
        return self._product(node) if len(choices) == 1 else None

    def _product(self, node: Node) -> list[ScoreTensor] | Refusal | None:
        """What a product of two tensors is of: what is true or false leaves the other one's numbers.

        Of two that are scores of the same places, which were taken from among all before, one is the classes'
        and the other that there is anything. None of all else.
        """
        values = self.anatomy.flow.data_inputs(node)
        if not has(node, Trait.MULTIPLY) or len(values) != 2:
            return None
        numbers = [port for port in values if not _is_choice(port)]
        if len(numbers) == 1:
            return self.read(numbers[0])
        found = [self.read(port) for port in numbers]
        lists = [each for each in found if not isinstance(each, Refusal)]
        if len(lists) != 2 or len(lists[0]) != len(lists[1]):
            return None
        classes, anything = sorted(lists, key=lambda each: -len(each[0].columns))
        if any(len(each.columns) != 1 for each in anything):
            return None
        return [replace(one, objectness=other) for one, other in zip(classes, anything, strict=True)]

    def _all(self, ports: Sequence[Output]) -> list[ScoreTensor] | Refusal:
        """What several tensors come from: scales of one head; or scores alone, beside boxes and indices."""
        each = [(port, self.read(port)) for port in ports]
        read = [(port, below) for port, below in each if not isinstance(below, Refusal)]
        if len(read) < len(each) or len({len(below[0].columns) for _, below in read}) > 1:
            scored = [(port, below) for port, below in read if self.activation_behind(below[0]) != "none"]
            read = scored or (read if len(read) == len(each) else [])
        if not read:
            return next(below for _, below in each if isinstance(below, Refusal))
        found: dict[Output, ScoreTensor] = {}
        for one in (one for _, below in read for one in below):
            found[one.port] = _united(found[one.port], one) if one.port in found else one
        return list(found.values())

    def _some(self, port: Output) -> list[ScoreTensor] | Refusal:
        """What some numbers are taken from; of classes cut out, which these are."""
        node = port.get_node()
        source = node.input_value(0)
        if has(node, Trait.BEST_OF, Trait.LARGEST):
            return self.read(source)
        whole = score_tensor(source, self.anatomy.axes.get(source))
        found = self.read(source)
        if whole is None or whole.class_axis is None or isinstance(found, Refusal):
            return found
        taken = indices_taken(port, whole.class_axis, whole.width)
        if taken is None or any(each.width != whole.width for each in found):
            return found
        return [replace(each, classes=tuple(each.columns[index] for index in taken)) for each in found]

    def _class_parts(self, node: Node) -> list[Output] | None:
        """What a join puts beside each other for each place (boxes, classes), None if it joins others."""
        parts = node.input_values()
        shapes = [self.anatomy.extents.get(port) for port in parts]
        if None in shapes:
            return None
        axis = int(node.get_attributes()["axis"]) % len(shapes[0] or (1,))
        understood = [score_tensor(port, self.anatomy.axes.get(port)) for port in parts]
        known = {each.class_axis for each in understood if each is not None and each.class_axis is not None}
        if known != {axis}:
            return None
        sizes = {shape[axis] for shape in shapes if shape is not None}
        alike = {self.activation(port) for port in parts}
        return None if len(sizes) == 1 and len(alike) == 1 else parts

    def _of_classes(self, parts: Sequence[Output]) -> list[ScoreTensor] | Refusal:
        """The classes among what stands beside each other, with the score that there is anything."""
        flow = self.anatomy.flow
        moving = [port for port in parts if flow.depends_on_input(port)]
        behind = moving[_behind_box([self._numbers(port) for port in moving]) :]
        scored = [port for port in behind or moving if self.activation(port) != "none"]
        scored = scored or [port for port in moving if self.activation(port) != "none"] or behind
        if not scored:
            return Refusal("nothing but boxes stands beside each other", address(parts[0]))
        apart = len(scored) > 1 and self._numbers(scored[0]) == 1
        found = self.read(scored[1] if apart else scored[0])
        if not apart or isinstance(found, Refusal):
            return [_with_objectness_within(each) for each in found] if isinstance(found, list) else found
        beside = self.read(scored[0])
        if isinstance(beside, Refusal) or len(beside) != len(found):
            return Refusal("the score that there is anything cannot be followed", address(scored[0]))
        return [replace(each, objectness=one) for each, one in zip(found, beside, strict=True)]

    def activation(self, port: Output, *, of_some: bool = False) -> DenseActivation:
        """What made scores of logits: the op nearest to a tensor that does more than give numbers a form.

        A product of several scores, or a root of one, is a score if its factors are. What is joined is one if
        all of it is, or ``of_some`` any.
        """
        node = port.get_node()
        while has(node, *_FORMS) and (values := self.anatomy.flow.data_inputs(node)):
            if has(node, Trait.JOIN):
                each = {self.activation(value, of_some=of_some) for value in values}
                return min(each - {"none"}, default="none") if of_some or "none" not in each else "none"
            node = values[0].get_node()
        if has(node, Trait.SIGMOID):
            return "sigmoid"
        if has(node, Trait.SOFTMAX):
            return "softmax"
        values = [each for each in self.anatomy.flow.data_inputs(node) if not _is_choice(each)]
        scored = len(values) == 1 if has(node, Trait.POWER, Trait.ROOT) else len(values) == 2
        if not has(node, Trait.POWER, Trait.ROOT, Trait.MULTIPLY) or not scored:
            return "none"
        found = {self.activation(each, of_some=of_some) for each in values}
        return "none" if "none" in found else min(found)

    def activation_behind(self, tensor: ScoreTensor) -> DenseActivation:
        """The same, or what comes of the scores of some candidates later."""
        found = self.activation(tensor.port, of_some=True)
        return "sigmoid" if tensor.unfinished else found

    def _numbers(self, port: Output) -> int | None:
        """How many numbers of each place a tensor has."""
        scores = score_tensor(port, self.anatomy.axes.get(port))
        return None if scores is None else scores.width


def _united(first: ScoreTensor, second: ScoreTensor) -> ScoreTensor:
    """One tensor of which several paths read some classes each."""
    if first.classes is None or second.classes is None:
        return replace(first, classes=None)
    return replace(first, classes=tuple(sorted({*first.classes, *second.classes})))


def _with_objectness_within(scores: ScoreTensor) -> ScoreTensor:
    """Where one convolution gives a box, the score that there is anything and the classes, in this order.

    Classes that begin behind the box in the tensor that made both have that score before them.
    """
    columns = scores.columns
    if scores.objectness is None and len(columns) > 1 and columns == tuple(range(_BOX, scores.width)):
        return replace(scores, classes=columns[1:], objectness=_BOX)
    return scores


def _behind_box(numbers: Sequence[int | None]) -> int:
    """How many parts tell a box: those that have four numbers together."""
    total = 0
    for index, count in enumerate(numbers):
        if total >= _BOX or count is None:
            return index
        total += count
    return len(numbers)


def _is_choice(port: Output) -> bool:
    """Whether a tensor says yes or no, as a number."""
    node = port.get_node()
    return has(node, Trait.COPY) and node.input_value(0).get_element_type().to_string() == "boolean"
