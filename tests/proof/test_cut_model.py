"""The model that the proof cuts at the target: what enters its head, and the scores that the head gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import Model

from ovxai_convert import convert
from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.insertion.insert import find_place
from ovxai_convert.insertion.request import Place, Request
from ovxai_convert.methods.reciprocam import METHOD as RECIPROCAM
from ovxai_convert.proof.cut_model import CutModel
from tests import special_networks as networks
from tests.oracle import assert_maps_equal, reciprocam
from tests.running import CORE, port_name, random_inputs


def _cut(model: Model, target_layer: str | None = None) -> tuple[CutModel, Place]:
    anatomy = Anatomy(model)
    place = find_place(anatomy, RECIPROCAM, Request(target_layer=target_layer))
    assert isinstance(place, Place), place
    copy = anatomy.copied()
    return CutModel(copy.model, place.carried(copy.port)), place


@pytest.mark.parametrize("form", ["flatten", "baked_reshape", "shape_subgraph"])
@pytest.mark.parametrize(("batch", "others"), [(1, 0), (2, 0), (None, 1)])
def test_only_what_varies_is_fed(form: networks.FlattenForm, batch: int | None, others: int) -> None:
    """Axes and shapes that exporters compute are constants of the head where the map's shape is static."""
    model = CORE.read_model(networks.exported_onnx(form, batch))
    cut, place = _cut(model)
    inputs = random_inputs(model)
    values, _ = cut.values(list(inputs.values()))
    assert values[0].shape[1:] == (networks.CHANNELS, 5, 7)
    assert len(values) - 1 <= others
    found = RECIPROCAM.define(cut, values, range(35), RECIPROCAM.settings({}))
    target, scores = port_name(place.target.port), port_name(place.scores.port)
    expected = reciprocam(model, target, scores, "NCHW", inputs)
    assert_maps_equal(found.reshape(expected.shape), expected)


def test_tensors_that_carry_data_past_the_target_are_fed() -> None:
    model = networks.skip_past_target(2)
    cut, _ = _cut(model, "target")
    values, _ = cut.values(list(random_inputs(model).values()))
    assert [each.shape for each in values] == [(2, 4, 4, 6), (2, 4)]


def test_state_goes_on_from_feed_to_feed() -> None:
    """The variable that the head reads has grown by the pooled map when the next feed comes."""
    model = networks.stateful()
    cut, _ = _cut(model, "target")
    feeds = [list(random_inputs(model, seed).values()) for seed in (0, 1)]
    (features, before), (_, after) = [cut.values(feed)[0] for feed in feeds]
    np.testing.assert_allclose(after - before, features.mean(axis=(2, 3)), rtol=1e-5)


def test_a_model_with_state_is_proved(tmp_path: Path) -> None:
    ov.save_model(networks.stateful(), tmp_path / "stateful.xml", compress_to_fp16=False)
    report = convert(tmp_path / "stateful.xml", tmp_path / "out", target_layer="target")
    assert report.sidecar.method == "reciprocam"
    check = report.sidecar.verification.saliency_map
    assert check is not None
    assert check.positions_checked > 0
