"""Equations on masked tokens are met, save writing copies out, and can be spared."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray
from openvino import opset15 as ops

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods import Method
from ovxai_convert.mosaic.narrowing import narrowed
from ovxai_convert.ops import products
from tests.methods.test_vitreciprocam import FORMS, definition
from tests.ops.inserting import Answer, Change, as_it_is, insert_by, none_at_all, watching
from tests.ops.mistakes import shares_of_nothing_masked
from tests.oracle import Floats, assert_maps_equal
from tests.running import random_inputs, run
from tests.transformers import transformer

MEETS: Final = {
    "broadcast": "plain",
    "unary": "rotary",
    "channel-wise": "query_key_norm",
    "channel reduction": "query_key_norm_written_out",
    "concat": "rotary",
    "transpose": "plain",
    "reshape": "plain",
    "slice": "plain",
    "token join": "rotary",
    "channel matmul": "plain",
    "attention": "one_op",
    "einsum by weights": "einsum",
    "einsum of values": "einsum",
}
"""For an equation a form of transformer that meets it."""


def insert_form(form: str, change: Change = as_it_is) -> Insertion:
    """A branch built with other equations."""
    request = Request(Method.VITRECIPROCAM, embed_scaling=False)
    return insert_by(transformer(FORMS[form]), request, change)


@cache
def expected(form: str) -> tuple[dict[str, Floats], Floats]:
    """Inputs, and the map of the definition."""
    inputs = random_inputs(transformer(FORMS[form]))
    return inputs, definition(FORMS[form], inputs)


def map_of(insertion: Insertion, inputs: dict[str, Floats]) -> NDArray[Any]:
    return run(insertion.model, inputs)[-1]


@pytest.mark.parametrize("form", FORMS)
def test_without_equations_the_map_is_the_same(form: str) -> None:
    """Everything written out: slower, and as right."""
    inputs, definition_ = expected(form)
    assert_maps_equal(map_of(insert_form(form, none_at_all), inputs), definition_)


@pytest.mark.parametrize("equation", MEETS)
def test_equation_is_met_and_can_be_spared(equation: str) -> None:
    form, answers = MEETS[equation], set[Answer]()
    with_it = insert_form(form, watching(answers))
    assert equation in {answer.equation for answer in answers}
    without = insert_form(form, lambda each: None if each.name == equation else each)
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
        assert insert_form(form).cost.peak_bytes < 2 * sequence


@pytest.mark.parametrize("form", FORMS)
def test_narrowed_head_gives_the_same_scores(form: str) -> None:
    """What is left out was not read; what is left touches one row of tokens behind the attention."""
    model = transformer(FORMS[form])
    anatomy = Anatomy(model)
    nodes = {node.get_friendly_name(): node for node in anatomy.nodes}
    sources = [port for name in ("normed1", "tokens1") if name in nodes for port in nodes[name].outputs()]
    scores = nodes["scores"].output(0)
    end = narrowed(anatomy.flow, sources, scores, anatomy.extents)
    model.add_results([ops.result(end)])
    whole, narrow = run(model, random_inputs(model))
    np.testing.assert_allclose(narrow, whole, rtol=1e-4, atol=1e-5)
    assert end != scores


@pytest.mark.parametrize("form", ["plain", "query_key_norm", "rotary", "samples_inside"])
def test_a_wrong_share_of_a_level_is_noticed(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison sees values that are weighed as if nothing were masked."""
    inputs, definition_ = expected(form)

    monkeypatch.setattr(products, "_sum_of_products", shares_of_nothing_masked)
    with pytest.raises(AssertionError, match=r"^\S+ at \("):
        assert_maps_equal(map_of(insert_form(form), inputs), definition_)
