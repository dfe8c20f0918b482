"""Inserting a branch with chosen rules, watching which of them answer and how large the branch gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Final
from unittest.mock import patch

import openvino as ov
from openvino import Model, Node

from ovxai_convert.branches import reciprocam
from ovxai_convert.insertion import DEFAULT_MAX_BRANCH_BYTES, Insertion, Request, insert_branch
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Carried
from ovxai_convert.mosaic.rewrite import rewrite_head
from ovxai_convert.mosaic.rules import RULES, Rule
from ovxai_convert.vocabulary import Method
from tests.mosaic.rule_cases import TARGET
from tests.running import DYNAMIC_BATCH

ENDS: Final = frozenset({"Parameter", "Result"})


@dataclass(frozen=True)
class Answer:
    """One op that a rule rewrote."""

    rule: str
    node: str


def insert_with(
    model: Model,
    rules: Sequence[Rule] = RULES,
    max_bytes: int = DEFAULT_MAX_BRANCH_BYTES,
    tap_depth: int = 0,
) -> Insertion:
    """The branch as it is built with other rules; without any the mosaic is written out at the target."""
    request = Request(
        Method.RECIPROCAM, TARGET, embed_scaling=False, max_branch_bytes=max_bytes, tap_depth=tap_depth
    )
    with patch.object(reciprocam, "rewrite_head", partial(rewrite_head, rules=tuple(rules))):
        return insert_branch(model, request)


def insert_watched(model: Model) -> tuple[Insertion, set[Answer]]:
    """The branch with all rules, and what each of them answered."""
    answers: set[Answer] = set()
    insertion = insert_with(model, [_watched(rule, answers) for rule in RULES])
    return insertion, answers


def _watched(rule: Rule, answers: set[Answer]) -> Rule:
    def apply(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
        outputs = rule.apply(node, inputs, copies)
        if outputs:
            answers.add(Answer(rule.name, node.get_friendly_name()))
        return outputs

    return replace(rule, apply=apply)


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
