"""The comparison with the definition notices every equation that is deliberately made wrong."""

from __future__ import annotations

from functools import cache
from typing import Final

import pytest
from openvino import Model

from tests.ops.equation_cases import Case, case_model
from tests.ops.inserting import EQUATIONS, insert_with
from tests.ops.mutations import MUTATIONS, Mutation
from tests.ops.test_equations import CASES
from tests.oracle import Floats, assert_maps_equal
from tests.running import definition, random_inputs, run

BY_NAME: Final = {str(case): case for case in CASES}
SAMPLES: Final = 2


@cache
def _right(case: Case) -> tuple[Model, dict[str, Floats], Floats]:
    """The model, its inputs, and the map of the definition, which the rules give as they are."""
    model = case_model(case, SAMPLES)
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
def test_wrong_equation_is_noticed(mutation: Mutation, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    model, inputs, expected = _right(case)
    wrong = insert_with(model, mutation.mistake(monkeypatch))
    with pytest.raises(AssertionError, match=r"^\S+ at \("):
        assert_maps_equal(run(wrong.model, inputs)[-1], expected)


@pytest.mark.parametrize("equation", EQUATIONS)
def test_every_equation_is_made_wrong(equation: str) -> None:
    assert equation in {BY_NAME[name].equation for mutation in MUTATIONS for name in mutation.noticed_by}
