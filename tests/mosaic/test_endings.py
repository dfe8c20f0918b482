"""Recipro-CAM behind every ending, and with metadata beside the image, equals its definition."""

from __future__ import annotations

import pytest

from tests.endings import ENDINGS, mean_of_two_heads, with_ending, with_metadata
from tests.running import assert_originals_kept, check_reciprocam, random_inputs, run

BATCHES = [1, 2, None]


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("make", ENDINGS)
def test_map_behind_an_ending(make: str, batch: int | None) -> None:
    insertion = check_reciprocam(with_ending(make, batch))
    assert insertion.place.target.port.get_node().get_friendly_name() == "target"
    assert insertion.place.scores.port.get_node().get_friendly_name() == "scores"


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("behind_softmax", [False, True])
def test_map_of_two_heads(behind_softmax: bool, batch: int | None) -> None:
    check_reciprocam(mean_of_two_heads(batch, behind_softmax))


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("gate", [False, True])
def test_map_with_metadata(gate: bool, batch: int | None) -> None:
    """The feature map is found on the image's way, and every sample's map follows its own metadata."""
    model = with_metadata(batch, gate)
    insertion = check_reciprocam(model)
    assert insertion.place.target.port.get_node().get_friendly_name() == "target"
    inputs = random_inputs(model)
    before = run(insertion.model, inputs)
    assert_originals_kept(model, insertion.model, run(model, inputs), before)
    inputs["metadata"] = -inputs["metadata"]
    assert abs(run(insertion.model, inputs)[-1].astype(float) - before[-1]).max() > 1
