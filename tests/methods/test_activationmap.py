"""The activation map equals the mean of the feature map over its channels."""

from __future__ import annotations

import pytest

from fixtures.networks import CnnSpec, Layout, cnn
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods import Method
from tests import oracle
from tests.oracle import assert_grey_levels_equal, assert_maps_equal
from tests.running import assert_originals_kept, insert_branch, port_name, random_inputs, run
from tests.special_networks import token_mean


@pytest.mark.parametrize("batch", [1, 2, None])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("scaled", [False, True])
def test_map_is_the_channel_mean(layout: Layout, batch: int | None, scaled: bool) -> None:
    model = cnn(CnnSpec(batch=batch, layout=layout, activation="hswish"))
    inputs = random_inputs(model)
    insertion = insert_branch(model, Request(Method.ACTIVATIONMAP, embed_scaling=scaled))
    outputs = run(insertion.model, inputs)
    assert_originals_kept(model, insertion.model, run(model, inputs), outputs)
    expected = oracle.activation_map(model, port_name(insertion.place.target.port), layout, inputs)
    (assert_grey_levels_equal if scaled else assert_maps_equal)(outputs[-1], expected)


@pytest.mark.parametrize("batch", [1, 2, None])
def test_tokens_are_laid_out_as_rows_and_columns(batch: int | None) -> None:
    model = token_mean(batch)
    inputs = random_inputs(model)
    insertion = insert_branch(model, Request(Method.ACTIVATIONMAP, embed_scaling=False))
    target = port_name(insertion.place.target.port)
    expected = oracle.activation_map(model, target, "NTC", inputs, (4, 6))
    assert_maps_equal(run(insertion.model, inputs)[-1], expected)


def test_open_rows_and_columns() -> None:
    model = cnn(CnnSpec(batch=None, dynamic_size=True))
    insertion = insert_branch(model, Request(Method.ACTIVATIONMAP, embed_scaling=False))
    for size in ((6, 10), (9, 5)):
        inputs = random_inputs(model, size=size)
        expected = oracle.activation_map(model, port_name(insertion.place.target.port), "NCHW", inputs)
        assert_maps_equal(run(insertion.model, inputs)[-1], expected)


def test_reciprocam_comes_first() -> None:
    """The first method of the order is taken where it is possible."""
    insertion = insert_branch(cnn(CnnSpec()), Request())
    assert insertion.place.method is Method.RECIPROCAM.white_box
    assert insertion.refusals == ()


def test_taken_when_the_first_is_refused() -> None:
    model = cnn(CnnSpec())
    needed = {
        method: insert_branch(model, Request(method)).cost.peak_bytes
        for method in (Method.RECIPROCAM, Method.ACTIVATIONMAP)
    }
    assert needed[Method.ACTIVATIONMAP] < needed[Method.RECIPROCAM]
    insertion = insert_branch(model, Request(max_branch_bytes=needed[Method.ACTIVATIONMAP]))
    assert insertion.place.method is Method.ACTIVATIONMAP.white_box
    assert [refusal.method for refusal in insertion.refusals] == ["reciprocam", "vitreciprocam"]
