"""Every rule on masked tokens is met, saves writing copies out, and can be left to the default rule."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray
from openvino import Node
from openvino import opset15 as ops

from ovxai_convert.branches import vitreciprocam
from ovxai_convert.errors import RefusedError
from ovxai_convert.graph.cones import DataFlow
from ovxai_convert.graph.open_batch import settled_extents
from ovxai_convert.insertion import Insertion, Request, insert_branch
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Carried
from ovxai_convert.mosaic.narrowing import narrowed
from ovxai_convert.mosaic.rewrite import rewrite_head
from ovxai_convert.mosaic.rules import TOKEN_RULES, Rule, token_products
from ovxai_convert.vocabulary import Kernel, Method, TokenMasking
from tests.branches.test_vitreciprocam import FORMS, definition
from tests.oracle import Floats, assert_maps_equal
from tests.running import random_inputs, run
from tests.transformers import transformer

MEETS: Final = {
    "token-wise broadcast": "plain",
    "token-wise unary": "rotary",
    "token-wise normalisation": "query_key_norm",
    "token-wise reduction": "query_key_norm_written_out",
    "token-wise concat": "rotary",
    "token transpose": "plain",
    "token reshape": "plain",
    "token slice": "plain",
    "token join": "rotary",
    "token-wise product": "plain",
    "attention": "one_op",
}
"""For every rule a form of transformer that meets it."""
MASKING: Final = TokenMasking(Kernel.GAUSSIAN)


def insert_by(form: str, rules: Sequence[Rule]) -> Insertion:
    """A branch built with other rules."""
    request = Request(Method.VITRECIPROCAM, embed_scaling=False)
    with patch.object(vitreciprocam, "rewrite_head", partial(rewrite_head, rules=tuple(rules))):
        return insert_branch(transformer(FORMS[form]), request)


@cache
def expected(form: str) -> tuple[dict[str, Floats], Floats]:
    """Inputs, and the map of the definition."""
    inputs = random_inputs(transformer(FORMS[form]))
    return inputs, definition(FORMS[form], inputs, MASKING)


def map_of(insertion: Insertion, inputs: dict[str, Floats]) -> NDArray[Any]:
    return run(insertion.model, inputs)[-1]


@pytest.mark.parametrize("form", FORMS)
def test_without_rules_the_map_is_the_same(form: str) -> None:
    """Everything written out: slower, and as right; or refused where samples lie inside of heads."""
    inputs, definition_ = expected(form)
    if FORMS[form].samples_inside:
        with pytest.raises(RefusedError, match="multiplies copies with each other"):
            insert_by(form, ())
        return
    assert_maps_equal(map_of(insert_by(form, ()), inputs), definition_)


@pytest.mark.parametrize("rule", TOKEN_RULES, ids=lambda rule: str(rule.name))
def test_rule_is_met_and_can_be_spared(rule: Rule) -> None:
    form = MEETS[rule.name]
    answers: list[Sequence[Carried] | None] = []

    def watched(node: Node, inputs: Sequence[Carried], copies: Copies) -> Sequence[Carried] | None:
        answers.append(rule.apply(node, inputs, copies))
        return answers[-1]

    with_it = insert_by(
        form, [Rule(each.name, each.op_types, watched) if each is rule else each for each in TOKEN_RULES]
    )
    assert any(answer is not None for answer in answers)
    without = insert_by(form, [each for each in TOKEN_RULES if each is not rule])
    inputs, definition_ = expected(form)
    assert_maps_equal(map_of(without, inputs), definition_)
    assert with_it.cost.peak_bytes <= without.cost.peak_bytes


@pytest.mark.parametrize("form", FORMS)
def test_copies_are_never_written_out(form: str) -> None:
    """No op touches as much as all copies of all tokens."""
    spec = FORMS[form]
    copies = spec.grid[0] * spec.grid[1]
    if copies > spec.tokens // 2 and copies > 10:
        sequence = copies * spec.tokens * spec.width * 4
        assert insert_by(form, TOKEN_RULES).cost.peak_bytes < 2 * sequence


@pytest.mark.parametrize("form", FORMS)
def test_narrowed_head_gives_the_same_scores(form: str) -> None:
    """What is left out was not read; what is left touches one row of tokens behind the attention."""
    model = transformer(FORMS[form])
    flow = DataFlow(model)
    nodes = {node.get_friendly_name(): node for node in flow.nodes}
    sources = [port for name in ("normed1", "tokens1") if name in nodes for port in nodes[name].outputs()]
    scores = nodes["scores"].output(0)
    end = narrowed(flow, sources, scores, settled_extents(model))
    model.add_results([ops.result(end)])
    whole, narrow = run(model, random_inputs(model))
    np.testing.assert_allclose(narrow, whole, rtol=1e-4, atol=1e-5)
    assert end != scores


@pytest.mark.parametrize("form", ["plain", "query_key_norm", "rotary", "samples_inside"])
def test_a_wrong_share_of_a_level_is_noticed(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison sees values that are weighed as if nothing were masked."""
    inputs, definition_ = expected(form)

    def unmasked(weights: Any, values: Any, turned: bool) -> Any:
        return ops.matmul(weights[-1], values.parts[-1], False, turned).output(0)

    monkeypatch.setattr(token_products, "_sum_of_products", unmasked)
    with pytest.raises(AssertionError, match=r"^\S+ at \("):
        assert_maps_equal(map_of(insert_by(form, TOKEN_RULES), inputs), definition_)
