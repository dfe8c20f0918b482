"""The old objects of methods give the maps of ``insert_xai`` and ``Explainer``."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, Explanation, Method, RefusedError, UsageError, insert_xai
from ovxai_convert.ancestor.method_objects import (
    RISE,
    ActivationMap,
    AISEClassification,
    ReciproCAM,
    ViTReciproCAM,
)
from ovxai_convert.blackbox.method import Preset
from ovxai_convert.insertion.request import Request
from tests.running import compile_f32, insert_branch
from tests.special_networks import perceptron
from tests.transformers import VitSpec, transformer

BATCH: Final = np.random.default_rng(0).standard_normal((1, 3, 10, 14)).astype(np.float32)


def doubled(x: Any) -> Any:
    return x * np.float32(2)


def read(results: Any) -> Any:
    return results["output"]


@pytest.mark.parametrize(
    ("kind", "method"), [(ReciproCAM, Method.RECIPROCAM), (ActivationMap, Method.ACTIVATIONMAP)]
)
@pytest.mark.parametrize("scaled", [True, False])
def test_white_box(kind: Any, method: Method, scaled: bool) -> None:
    model = cnn(CnnSpec())
    made = kind(model, doubled, embed_scaling=scaled)
    expected = compile_f32(insert_xai(model, explain_method=method, embed_scaling=scaled))([BATCH * 2])
    found = made.generate_saliency_map(BATCH)
    assert found.dtype == (np.uint8 if scaled else np.float32)
    np.testing.assert_array_equal(found, expected["saliency_map"])
    np.testing.assert_array_equal(
        made.model_forward(BATCH * 2, preprocess=False)["output"], expected["output"]
    )
    assert len(made.model_ori.outputs) == 1
    assert len(made.prepare_model().outputs) == 2


def test_layer_of_ones_own_and_compiling_later() -> None:
    made = ReciproCAM(cnn(CnnSpec()), target_layer="block0", prepare_model=False)
    assert made.model_compiled is None
    with pytest.raises(UsageError, match="prepare_model"):
        made.generate_saliency_map(BATCH)
    made.prepare_model()
    expected = compile_f32(insert_xai(cnn(CnnSpec()), target_layer="block0"))([BATCH])["saliency_map"]
    np.testing.assert_array_equal(made.generate_saliency_map(BATCH), expected)


def test_model_with_a_map_is_taken_as_it_is() -> None:
    model = insert_xai(cnn(CnnSpec()), embed_scaling=False)
    assert len(ReciproCAM(model).prepare_model().outputs) == 2
    expected = compile_f32(model)([BATCH])["saliency_map"]
    np.testing.assert_array_equal(ReciproCAM(model).generate_saliency_map(BATCH), expected)


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ({}, {}),
        ({"use_gaussian": False}, {"kernel": "single"}),
        ({"cls_token": False}, {"class_token": "drop"}),
        ({"k": 2}, {"block": 2}),
    ],
    ids=str,
)
def test_transformer(given: dict[str, Any], options: dict[str, Any]) -> None:
    model = transformer(VitSpec(batch=1))
    image = np.random.default_rng(1).standard_normal(tuple(model.inputs[0].shape)).astype(np.float32)
    request = Request(Method.VITRECIPROCAM, embed_scaling=False, options=options)
    expected = compile_f32(insert_branch(model, request).model)([image])["saliency_map"]
    found = ViTReciproCAM(model, embed_scaling=False, **given).generate_saliency_map(image)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    if given:
        assert (
            abs(found - ViTReciproCAM(model, embed_scaling=False).generate_saliency_map(image)).max() > 1e-4
        )


def test_what_is_not_possible_is_refused() -> None:
    with pytest.raises(RefusedError):
        ReciproCAM(perceptron())
    with pytest.raises(UsageError, match="final_norm"):
        ViTReciproCAM(transformer(VitSpec(batch=1)), final_norm=False)


@pytest.mark.parametrize(
    ("kind", "method", "settings"),
    [
        (RISE, Method.RISE, {"num_masks": 30, "num_cells": 3, "prob": 0.4, "seed": 5}),
        (AISEClassification, Method.AISE, {"num_iterations_per_kernel": 6, "kernel_widths": [0.1, 0.3]}),
    ],
)
def test_black_box(kind: Any, method: Method, settings: dict[str, Any]) -> None:
    made = kind(cnn(CnnSpec()), read, doubled)
    explainer = Explainer(cnn(CnnSpec()), preprocess_fn=doubled, postprocess_fn=read, explain_method=method)
    plain = {"resize": False, "colormap": False, **settings}
    for scaled in (True, False):
        expected = explainer(BATCH, -1, scaling=scaled, **plain)
        assert isinstance(expected, Explanation)
        found = made.generate_saliency_map(BATCH, scale_output=scaled, preset=Preset.SPEED, **settings)
        assert found.shape == (1, 3, 10, 14)
        assert found.dtype == (np.uint8 if scaled else np.float32)
        np.testing.assert_array_equal(found[0], np.stack(list(expected.saliency_map.values())))
    some = made.generate_saliency_map(BATCH, [2, 0], **settings)
    assert list(some) == [2, 0]
    assert {each.shape for each in some.values()} == {(10, 14)}
    np.testing.assert_array_equal(
        made.model_forward(BATCH)["output"], compile_f32(cnn(CnnSpec()))([BATCH * 2])[0]
    )


def test_black_box_explains_one_image_at_a_time() -> None:
    made = RISE(cnn(CnnSpec(batch=None)), read)
    with pytest.raises(UsageError, match="and not 2"):
        made.generate_saliency_map(np.concatenate([BATCH, BATCH]), num_masks=3)
