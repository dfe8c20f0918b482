"""The proof's own definition of the map: the head cut out of the model, and what has to be fed to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import Model

from ovxai_convert import convert
from ovxai_convert.errors import Refusal
from ovxai_convert.insertion.insert import Request, locate
from ovxai_convert.methods.reciprocam import BRANCH as RECIPROCAM
from ovxai_convert.proof.slow_definition import SlowDefinition
from ovxai_convert.vocabulary import DEFAULT_MASKING
from tests import special_networks as networks
from tests.oracle import Floats, Port, assert_maps_equal, reciprocam
from tests.running import CORE, port_name, random_inputs


def _slow(model: Model) -> tuple[SlowDefinition, Port, Port]:
    copy = model.clone()
    place = locate(copy, RECIPROCAM, Request())
    assert not isinstance(place, Refusal)
    target, scores = port_name(place.target.port), port_name(place.scores.port)
    return SlowDefinition(copy, place.flow, place.target, place.scores, DEFAULT_MASKING), target, scores


@pytest.mark.parametrize("form", ["flatten", "baked_reshape", "shape_subgraph"])
@pytest.mark.parametrize(("batch", "others"), [(1, 0), (2, 0), (None, 1)])
def test_only_what_varies_is_fed(form: networks.FlattenForm, batch: int | None, others: int) -> None:
    """Axes and shapes that exporters compute are constants of the head where the map's shape is static."""
    model = CORE.read_model(networks.exported_onnx(form, batch))
    slow, target, scores = _slow(model)
    inputs = random_inputs(model)
    border = slow.border_values(list(inputs.values()))
    assert border[0].shape[1:] == (networks.CHANNELS, 5, 7)
    assert len(border) - 1 <= others
    found: list[Floats] = [slow.scores(border, cell) for cell in range(35)]
    expected = reciprocam(model, target, scores, "NCHW", inputs)
    assert_maps_equal(np.stack(found, axis=-1).reshape(expected.shape), expected)


def test_tensors_that_carry_data_past_the_target_are_fed() -> None:
    model = networks.skip_past_target(2)
    copy = model.clone()
    place = locate(copy, RECIPROCAM, Request(target_layer="target"))
    assert not isinstance(place, Refusal)
    slow = SlowDefinition(copy, place.flow, place.target, place.scores, DEFAULT_MASKING)
    border = slow.border_values(list(random_inputs(model).values()))
    assert [each.shape for each in border] == [(2, 4, 4, 6), (2, 4)]


def test_state_goes_on_from_feed_to_feed() -> None:
    """The variable that the head reads has grown by the pooled map when the next feed comes."""
    model = networks.stateful()
    copy = model.clone()
    place = locate(copy, RECIPROCAM, Request(target_layer="target"))
    assert not isinstance(place, Refusal)
    slow = SlowDefinition(copy, place.flow, place.target, place.scores, DEFAULT_MASKING)
    feeds = [list(random_inputs(model, seed).values()) for seed in (0, 1)]
    (features, before), (_, after) = [slow.border_values(feed) for feed in feeds]
    np.testing.assert_allclose(after - before, features.mean(axis=(2, 3)), rtol=1e-5)


def test_a_model_with_state_is_proved(tmp_path: Path) -> None:
    ov.save_model(networks.stateful(), tmp_path / "stateful.xml", compress_to_fp16=False)
    report = convert(tmp_path / "stateful.xml", tmp_path / "out", target_layer="target")
    assert report.sidecar.method == "reciprocam"
    check = report.sidecar.verification.saliency_map
    assert check is not None
    assert check.positions_checked > 0
