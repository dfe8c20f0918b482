"""The comparison with the definition notices every equation that is deliberately made wrong."""

from __future__ import annotations

from functools import cache
from typing import Final

import pytest
from openvino import Model

from ovxai_convert.mosaic.rules import RULES
from tests.mosaic.rule_cases import RuleCase, rule_model
from tests.mosaic.rule_cases_insertion import insert_with
from tests.mosaic.rule_cases_mutations import MUTATIONS, Mutation
from tests.mosaic.test_rules import CASES
from tests.oracle import Floats, assert_maps_equal
from tests.running import definition, random_inputs, run

BY_NAME: Final = {str(case): case for case in CASES}
SAMPLES: Final = 2


@cache
def _right(case: RuleCase) -> tuple[Model, dict[str, Floats], Floats]:
    """The model, its inputs, and the map of the definition, which the rules give as they are."""
    model = rule_model(case, SAMPLES)
    inputs = random_inputs(model)
    insertion = insert_with(model)
    expected = definition(model, insertion, inputs)
    assert_maps_equal(run(insertion.model, inputs)[-1], expected)
    return model, inputs, expected


@pytest.mark.parametrize(
    ("mutation", "case"),
    [(mutation, BY_NAME[name]) for mutation in MUTATIONS for name in mutation.noticed_by],
    ids=str,
)
def test_wrong_equation_is_noticed(
    mutation: Mutation, case: RuleCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, inputs, expected = _right(case)
    wrong = insert_with(model, mutation.mistake(monkeypatch))
    with pytest.raises(AssertionError, match=r"^\S+ at \("):
        assert_maps_equal(run(wrong.model, inputs)[-1], expected)


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_every_rule_is_made_wrong(rule: str) -> None:
    assert rule in {BY_NAME[name].rule for mutation in MUTATIONS for name in mutation.noticed_by}
