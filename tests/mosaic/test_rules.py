"""Every compact rule rewrites the ops that it is for, and the maps are those of the definition."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

import pytest
from numpy.typing import NDArray
from openvino import Model

from ovxai_convert.insertion import Insertion
from ovxai_convert.mosaic.rules import RULES
from tests.mosaic.rule_cases import OP, WIDEST, RuleCase, rule_model
from tests.mosaic.rule_cases_contractions import AXIS_MOVE_CASES, CONTRACTION_CASES
from tests.mosaic.rule_cases_insertion import Answer, added_bytes, head_bytes, insert_watched, insert_with
from tests.mosaic.rule_cases_pointwise import POINTWISE_CASES
from tests.mosaic.rule_cases_pooling import POOLING_CASES
from tests.oracle import Floats, assert_maps_equal
from tests.running import assert_originals_kept, definition, random_inputs, run

CASES = (*POINTWISE_CASES, *CONTRACTION_CASES, *AXIS_MOVE_CASES, *POOLING_CASES)
SAMPLES, FLOAT_BYTES = 2, 4
DRAWN = [(case, case.batches[index % len(case.batches)]) for index, case in enumerate(CASES)]
"""Each case at one of the batches, in turn."""


@pytest.mark.parametrize(("case", "batch"), DRAWN, ids=str)
def test_map_is_the_definition(case: RuleCase, batch: int | None) -> None:
    model = rule_model(case, batch)
    inputs = random_inputs(model)
    insertion, answers = insert_watched(model)
    assert (Answer(case.rule, OP) in answers) == case.fires
    after = run(insertion.model, inputs)
    expected = definition(model, insertion, inputs)
    assert_maps_equal(after[-1], expected)
    _assert_kept_at_a_tap(model, inputs, insertion, after)

    written_out = run(insert_with(model, rules=()).model, inputs)[-1]
    assert_maps_equal(written_out, expected)
    assert_maps_equal(after[-1], written_out)


def _assert_kept_at_a_tap(
    model: Model, inputs: dict[str, Floats], insertion: Insertion, after: list[NDArray[Any]]
) -> None:
    """The original is kept bit for bit, if not at the target then at the tap that a conversion tries next."""
    before = run(model, inputs)
    if any(old.tobytes() != new.tobytes() for old, new in zip(before, after, strict=False)):
        insertion = insert_with(model, tap_depth=1)
        after = run(insertion.model, inputs)
    assert_originals_kept(model, insertion.model, before, after)


@pytest.mark.parametrize("case", [case for case in CASES if case.compact], ids=str)
def test_mosaic_is_not_written_out(case: RuleCase) -> None:
    """No tensor of the branch exceeds those of the model, or P of the widest vector; the mosaic does."""
    model = rule_model(case, SAMPLES)
    allowed = max(*head_bytes(model), SAMPLES * prod(case.grid) * WIDEST * FLOAT_BYTES)
    insertion, _ = insert_watched(model)
    assert max(added_bytes(model, insertion)) <= allowed
    mosaic = insert_with(model, rules=())
    assert max(added_bytes(model, mosaic)) > 2 * allowed


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_every_rule_has_cases(rule: str) -> None:
    fires = [case.fires for case in CASES if case.rule == rule]
    assert fires.count(True) >= 2
    assert fires.count(False) >= 1 or rule == "unary", "no case shows where the equation ends"


def test_cases_name_rules_and_differ() -> None:
    assert {case.rule for case in CASES} <= {rule.name for rule in RULES}
    assert max(Counter(str(case) for case in CASES).values()) == 1
