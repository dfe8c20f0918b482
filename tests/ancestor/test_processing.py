"""The old functions around a model, by their values."""

from __future__ import annotations

import logging
import pickle
from typing import Any

import cv2
import numpy as np
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, Explanation, Method, UsageError, insert_xai
from ovxai_convert.ancestor import processing
from ovxai_convert.ancestor.processing import ActivationType
from tests.running import compile_f32

RANDOM = np.random.default_rng(0)
PICTURE = RANDOM.integers(0, 256, (20, 28, 3), np.uint8)


def test_preprocessing_step_by_step() -> None:
    mean, std = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    prepared = processing.get_preprocess_fn(
        change_channel_order=True, input_size=(14, 10), mean=mean, std=std, hwc_to_chw=True
    )(PICTURE)
    expected = (cv2.resize(PICTURE[:, :, ::-1].copy(), (14, 10)) - mean) / std
    assert prepared.shape == (1, 3, 10, 14)
    np.testing.assert_array_equal(prepared[0].transpose(1, 2, 0), expected)
    plain = processing.preprocess_fn(PICTURE, expand_zero_dim=False)
    np.testing.assert_array_equal(plain, PICTURE.astype(np.float64))


@pytest.mark.parametrize("activation", list(ActivationType))
def test_postprocessing(activation: ActivationType) -> None:
    logits = RANDOM.standard_normal((1, 5))
    expected = {
        ActivationType.NONE: logits,
        ActivationType.SIGMOID: 1 / (1 + np.exp(-logits)),
        ActivationType.SOFTMAX: np.exp(logits) / np.exp(logits).sum(),
    }[activation]
    named = processing.get_postprocess_fn("scores", activation)
    results: dict[Any, Any] = {"scores": logits, 0: -logits}
    np.testing.assert_allclose(named(results), expected)
    np.testing.assert_allclose(processing.get_postprocess_fn("logits", activation)({0: logits}), expected)
    for scores in (logits, logits[0]):
        assert processing.get_score(scores, 3, activation) == pytest.approx(expected[0, 3])
    with pytest.raises(UsageError, match=r"not \(2, 5\)"):
        processing.get_score(np.zeros((2, 5)), 3)


def test_softmax_of_batches_and_large_numbers() -> None:
    rows = RANDOM.standard_normal((4, 6)) * 500
    found = processing.softmax(rows)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(found.argmax(axis=1), rows.argmax(axis=1))
    assert np.isfinite(processing.sigmoid(np.array([-1e4, 1e4]))).all()


def test_an_explainer_takes_these_functions() -> None:
    model = cnn(CnnSpec())
    prepare = processing.get_preprocess_fn(
        input_size=(14, 10), mean=(128,) * 3, std=(64,) * 3, hwc_to_chw=True
    )
    read = processing.get_postprocess_fn("output", ActivationType.SOFTMAX)
    explainer = Explainer(model, preprocess_fn=prepare, postprocess_fn=read)
    found = pickle.loads(pickle.dumps(explainer))(PICTURE, -1)
    assert isinstance(found, Explanation)
    logits = compile_f32(model)([prepare(PICTURE).astype(np.float32)])[0][0]
    expected = processing.softmax(logits)
    np.testing.assert_allclose([each.score for each in found.predictions.values()], expected, rtol=1e-4)
    plain = Explainer(model, preprocess_fn=processing.IdentityPreprocessFN())
    assert isinstance(plain(prepare(PICTURE)[0]), Explanation)


@pytest.mark.parametrize("targets", [-1, [-1], np.array([-1]), np.array(-1), "-1"])
def test_all_classes(targets: Any) -> None:
    assert processing.explains_all(targets)


@pytest.mark.parametrize("targets", [0, [-1, 2], "dog", ["dog"], [0], np.array([1, 2])])
def test_not_all_classes(targets: Any) -> None:
    assert not processing.explains_all(targets)


def test_indices_of_targets() -> None:
    labels = ["cat", "dog", "person", "7"]
    assert processing.get_target_indices(["person", "cat"], labels) == [2, 0]
    assert processing.get_target_indices("dog", labels) == [1]
    assert processing.get_target_indices("7", labels) == [3]
    assert processing.get_target_indices(np.array([4, 11])) == [4, 11]
    assert processing.get_target_indices(5) == [5]
    for wrong, names in ((["dgo"], labels), (["dog"], None), ([1.5], labels)):
        with pytest.raises(UsageError):
            processing.get_target_indices(wrong, names)  # type: ignore[arg-type]
    assert processing.convert_targets_to_numpy(3).tolist() == [3]
    with pytest.raises(UsageError, match="one class or a list"):
        processing.convert_targets_to_numpy([[1], [2]])  # type: ignore[list-item]


def test_scaling() -> None:
    maps = RANDOM.standard_normal((3, 4, 5)).astype(np.float32)
    maps[1] = 7
    levels = processing.scaling(maps)
    assert levels.dtype == np.uint8
    assert [(each.min(), each.max()) for each in levels] == [(0, 255), (0, 0), (0, 255)]
    np.testing.assert_array_equal(processing.scaling(maps[0]), levels[0])
    shares = processing.scaling(maps, cast_to_uint8=False, max_value=1)
    np.testing.assert_allclose(shares[0] * 255, levels[0], atol=0.5001)
    low, high = processing.get_min_max(maps.reshape(3, -1))
    np.testing.assert_array_equal([low, high], [maps.min(axis=(1, 2)), maps.max(axis=(1, 2))])


def test_shapes_of_pictures() -> None:
    assert processing.is_bhwc_layout(np.zeros((1, 20, 28, 3)))
    assert not processing.is_bhwc_layout(np.zeros((1, 3, 20, 28)))
    for shape in ((20, 28), (20, 28, 3), (3, 20, 28), (2, 20, 28, 3), (2, 3, 20, 28)):
        assert processing.infer_size_from_image(np.zeros(shape)) == (20, 28)
    with pytest.raises(UsageError, match="and not 5"):
        processing.infer_size_from_image(np.zeros((1, 1, 3, 20, 28)))
    assert processing.format_to_bhwc(PICTURE.transpose(2, 0, 1)).shape == (1, 20, 28, 3)


def test_sets_of_methods_and_whether_there_is_a_map() -> None:
    assert {*processing.WhiteBoxXAIMethods, *processing.BlackBoxXAIMethods} == set(Method)
    assert not processing.WhiteBoxXAIMethods & processing.BlackBoxXAIMethods
    assert Method.RISE in processing.BlackBoxXAIMethods
    model = cnn(CnnSpec())
    assert [processing.has_xai(each) for each in (model, insert_xai(model))] == [False, True]
    with pytest.raises(UsageError, match="and not str"):
        processing.has_xai("model.xml")


def test_logger_is_left_alone() -> None:
    assert isinstance(processing.logger, logging.Logger)
    assert processing.logger.handlers == []
