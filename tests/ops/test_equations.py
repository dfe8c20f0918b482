"""Every equation rewrites the ops that it is for, and the maps are those of the definition."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any, Final

import pytest
from numpy.typing import NDArray
from openvino import Model

from ovxai_convert.insertion.request import Insertion
from tests.emission.whole_models import as_onnx, in_onnx_runtime
from tests.ops.equation_cases import OP, WIDEST, Case, case_model
from tests.ops.equation_cases_contractions import AXIS_MOVE_CASES, CONTRACTION_CASES
from tests.ops.equation_cases_joins import JOIN_CASES
from tests.ops.equation_cases_pointwise import POINTWISE_CASES
from tests.ops.equation_cases_pooling import POOLING_CASES
from tests.ops.inserting import (
    EQUATIONS,
    Answer,
    added_bytes,
    head_bytes,
    insert_watched,
    insert_with,
    none_at_all,
)
from tests.oracle import Floats, assert_maps_equal
from tests.running import assert_originals_kept, definition, random_inputs, run

CASES = (*POINTWISE_CASES, *CONTRACTION_CASES, *AXIS_MOVE_CASES, *POOLING_CASES, *JOIN_CASES)
SAMPLES, FLOAT_BYTES = 2, 4
ENDLESS: Final = ("unary",)
"""Equations that hold wherever their op stands."""
NOT_IN_ONNX: Final = ("tiled_pooling-places_are_used",)
"""Places of the largest values are counted otherwise there."""
DRAWN = [(case, case.batches[index % len(case.batches)]) for index, case in enumerate(CASES)]
"""Each case at one of the batches, in turn."""


@pytest.mark.parametrize(("case", "batch"), DRAWN, ids=str)
def test_map_is_the_definition(case: Case, batch: int | None) -> None:
    model = case_model(case, batch)
    inputs = random_inputs(model)
    insertion, answers = insert_watched(model)
    assert (Answer(case.equation, OP) in answers) == case.fires
    after = run(insertion.model, inputs)
    expected = definition(model, insertion, inputs)
    assert_maps_equal(after[-1], expected)
    _assert_kept_at_a_tap(model, inputs, insertion, after)
    if str(case) not in NOT_IN_ONNX:
        assert_maps_equal(in_onnx_runtime(as_onnx(insertion.model), inputs)[-1], expected)

    written_out = run(insert_with(model, none_at_all).model, inputs)[-1]
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
def test_mosaic_is_not_written_out(case: Case) -> None:
    """No tensor of the branch exceeds those of the model, or P of the widest vector; the mosaic does."""
    model = case_model(case, SAMPLES)
    allowed = max(*head_bytes(model), SAMPLES * prod(case.grid) * WIDEST * FLOAT_BYTES)
    insertion, _ = insert_watched(model)
    assert max(added_bytes(model, insertion)) <= allowed
    mosaic = insert_with(model, none_at_all)
    assert max(added_bytes(model, mosaic)) > 2 * allowed


@pytest.mark.parametrize("equation", EQUATIONS)
def test_every_equation_has_cases(equation: str) -> None:
    fires = [case.fires for case in CASES if case.equation == equation]
    assert fires.count(True) >= 2
    assert fires.count(False) >= 1 or equation in ENDLESS, "no case shows where the equation ends"


def test_cases_name_equations_and_differ() -> None:
    assert {case.equation for case in CASES} <= set(EQUATIONS)
    assert max(Counter(str(case) for case in CASES).values()) == 1
