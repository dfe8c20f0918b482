"""Inserting a branch with chosen equations, watching which of them answer and how large the branch gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Final
from unittest.mock import patch

import openvino as ov
from openvino import Model, Node

from ovxai_convert.insertion.request import DEFAULT_MAX_BRANCH_BYTES, Insertion, Request
from ovxai_convert.methods import Method
from ovxai_convert.mosaic.rewriting import Rewriting
from ovxai_convert.ops import ROWS, Equation, op_of
from ovxai_convert.ops.kinds import Call, Carried, NotHere
from tests.ops.equation_cases import TARGET
from tests.running import DYNAMIC_BATCH, insert_branch

ENDS: Final = frozenset({"Parameter", "Result"})
EQUATIONS: Final = tuple(dict.fromkeys(equation.name for row in ROWS for equation in row.equations))
"""Names of all equations."""
Change = Callable[[Equation], "Equation | None"]
"""What is used in place of an equation; None: nothing."""
WRITTEN_OUT: Final = Request(Method.RECIPROCAM, TARGET, embed_scaling=False)


@dataclass(frozen=True)
class Answer:
    """One op that an equation rewrote."""

    equation: str
    node: str


def as_it_is(equation: Equation) -> Equation:
    """No change."""
    return equation


def none_at_all(equation: Equation) -> None:
    """No equation is used, so that the mosaic is written out at the target."""


def insert_by(model: Model, request: Request, change: Change, tap_depth: int = 0) -> Insertion:
    """A branch as it is built with other equations."""

    def equations(self: Rewriting, node: Node) -> tuple[Equation, ...]:
        changed = (change(each) for each in op_of(node).equations)
        return tuple(each for each in changed if each is not None)

    with patch.object(Rewriting, "equations", equations):
        return insert_branch(model, request, tap_depth)


def insert_with(
    model: Model,
    change: Change = as_it_is,
    max_bytes: int = DEFAULT_MAX_BRANCH_BYTES,
    tap_depth: int = 0,
) -> Insertion:
    """The same for Recipro-CAM at the target."""
    return insert_by(model, replace(WRITTEN_OUT, max_branch_bytes=max_bytes), change, tap_depth)


def insert_watched(model: Model) -> tuple[Insertion, set[Answer]]:
    """The branch with all equations, and what each of them answered."""
    answers: set[Answer] = set()
    return insert_with(model, watching(answers)), answers


def watching(answers: set[Answer]) -> Change:
    """Every equation as it is, and a note where it holds."""

    def change(equation: Equation) -> Equation:
        def apply(call: Call) -> Sequence[Carried] | NotHere:
            outputs = equation.apply(call)
            if not isinstance(outputs, NotHere):
                answers.add(Answer(equation.name, call.node.get_friendly_name()))
            return outputs

        return replace(equation, apply=apply)

    return change


def added_bytes(original: Model, insertion: Insertion) -> list[int]:
    """Sizes of all tensors that the branch adds, at a batch of two where the model leaves it open."""
    known = {node.get_friendly_name() for node in original.get_ordered_ops()}
    return [
        tensor_bytes(port)
        for port in _ports(insertion.model)
        if port.get_node().get_friendly_name() not in known
    ]


def head_bytes(original: Model) -> list[int]:
    """Sizes of all tensors of the model itself, its weights among them."""
    return [tensor_bytes(port) for port in _ports(original)]


def _ports(model: Model) -> list[ov.Output]:
    at_rest = model.clone()
    if at_rest.is_dynamic():
        shapes = {port: port.get_partial_shape() for port in at_rest.inputs}
        at_rest.reshape({port: [DYNAMIC_BATCH, *list(shape)[1:]] for port, shape in shapes.items()})
    computed = [node for node in at_rest.get_ordered_ops() if node.get_type_name() not in ENDS]
    return [port for node in computed for port in node.outputs()]


def tensor_bytes(port: ov.Output) -> int:
    """Size of a tensor of static shape."""
    return prod(int(extent.get_length()) for extent in port.get_partial_shape()) * int(
        port.get_element_type().size
    )
