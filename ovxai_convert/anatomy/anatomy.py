"""A model read once: its nodes, data flow, extents, what axes hold; carried to copies by node and port."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from openvino import Model, Node, Output

from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.interface import image_ports, input_layout
from ovxai_convert.ops import op_of
from ovxai_convert.tensors.axes import Axes, Meanings, fresh
from ovxai_convert.tensors.settled import Extents, at_batches, settled_extents

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


class Anatomy:
    """What is where in a model, found out when it is first asked for and then kept.

    The model is not changed, and must not be while its anatomy is in use. ``model`` is a copy of it where
    copying adds nodes (it writes out inputs that an op leaves to their default); a copy of a copy has the
    same nodes in the same order. ``answers`` are those to questions that are :func:`asked_once`.
    """

    def __init__(self, model: Model) -> None:
        copy = model.clone()
        self.model = model if _types(model) == _types(copy) else copy
        self.nodes: list[Node] = self.model.get_ordered_ops()
        self.answers: dict[Hashable, Any] = {}

    @cached_property
    def flow(self) -> DataFlow:
        """The data edges from all inputs."""
        return DataFlow(self.model, nodes=self.nodes)

    @cached_property
    def images(self) -> list[Output]:
        """Inputs that may take an image."""
        return image_ports(self.model)

    @cached_property
    def image_flow(self) -> DataFlow:
        """The data edges that carry the image: those of all inputs, but of metadata beside an only image."""
        if len(self.images) != 1 or len(self.model.inputs) == 1:
            return self.flow
        return DataFlow(self.model, [self.images[0].get_node()], self.nodes)

    @cached_property
    def trials(self) -> list[Model]:
        """Copies at two batches, of those that the model takes; none where its batch is not open."""
        return at_batches(self.model)

    @cached_property
    def extents(self) -> Extents:
        """Extents of every tensor of known rank, None where they change with the batch or are open anyway."""
        return settled_extents(self.nodes, lambda: self.trials)

    @cached_property
    def axes(self) -> dict[Output, Axes]:
        """What every axis of every tensor of known rank holds, traced in one pass.

        An image has rows and columns, and a convolution or pooling gives its output axes a meaning (in
        OpenVINO always N, C, H, W); every other op carries meanings from its inputs to its outputs, as its
        row in the table of ops says.
        """
        meanings = Meanings(self.extents)
        inputs = set(self.model.get_parameters())
        for node in self.nodes:
            image = node in inputs
            held = [_of_image(node, self.extents)] if image else op_of(node).meaning(node, meanings)
            for port, axes in zip(node.outputs(), held, strict=False):
                meanings.settle(port, axes)
        return meanings

    def twin(self, port: Output, nodes: list[Node]) -> Output:
        """The same tensor in a copy of the model whose ordered nodes are these."""
        return nodes[self.flow.position[port.get_node()]].output(port.get_index())

    def copied(self) -> ModelCopy:
        """A copy of the model that may be changed."""
        copy = self.model.clone()
        return ModelCopy(self, copy, copy.get_ordered_ops())


def _of_image(node: Node, known: Extents) -> Axes | None:
    """An image's axes, where its layout is known."""
    layout, shape = input_layout(node.output(0)), known.get(node.output(0))
    if layout is None or shape is None:
        return None
    return tuple(fresh(role, extent) for role, extent in zip(layout, shape, strict=True))


def _types(model: Model) -> list[str]:
    return [node.get_type_name() for node in model.get_ordered_ops()]


@dataclass(frozen=True)
class ModelCopy:
    """A copy of a model with its nodes, in the order of the model's, and the anatomy of the model itself."""

    anatomy: Anatomy
    model: Model
    nodes: list[Node]

    def port(self, original: Output) -> Output:
        """A tensor of the model in the copy."""
        return self.anatomy.twin(original, self.nodes)

    def flow(self) -> DataFlow:
        """The data edges from all inputs."""
        return self.anatomy.flow.carried(self.nodes)

    def extents(self) -> Extents:
        """Extents of every tensor of known rank, see :attr:`Anatomy.extents`."""
        return {self.port(port): extents for port, extents in self.anatomy.extents.items()}


def asked_once(
    question: Callable[Concatenate[Anatomy, _Asked], _Answer],
) -> Callable[Concatenate[Anatomy, _Asked], _Answer]:
    """A question about a model that is answered once; its arguments, given by position, can be hashed."""

    @wraps(question)
    def answered(anatomy: Anatomy, /, *args: _Asked.args, **kwargs: _Asked.kwargs) -> _Answer:
        asked = (question, *args)
        if asked not in anatomy.answers:
            anatomy.answers[asked] = question(anatomy, *args, **kwargs)
        answer: _Answer = anatomy.answers[asked]
        return answer

    return answered
