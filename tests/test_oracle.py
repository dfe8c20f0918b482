"""The comparisons can fail, and the oracle itself agrees with a head worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, cnn
from tests import oracle
from tests.oracle import Floats, Port, assert_grey_levels_equal, assert_maps_equal, grey_levels
from tests.running import assert_originals_kept, random_inputs, run

TARGET, SCORES = Port("target"), Port("scores")


@pytest.fixture(scope="module")
def right() -> Floats:
    """Maps ``[2, 3, 5, 7]`` of a classifier."""
    model = cnn(CnnSpec(batch=2))
    return oracle.reciprocam(model, TARGET, SCORES, "NCHW", random_inputs(model))


def _softmax(maps: Floats) -> Floats:
    exponentials = np.exp(maps)
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float32)


def _one_cell_off(maps: Floats) -> Floats:
    wrong = maps.copy()
    wrong[1, 2, 3, 4] += 1e-3 * np.ptp(maps[1, 2])
    return wrong


WRONG: dict[str, Callable[[Floats], Floats]] = {
    "transposed positions": lambda maps: maps.swapaxes(-1, -2).reshape(maps.shape),
    "one cell further": lambda maps: np.roll(maps, 1, axis=-1),
    "one row further": lambda maps: np.roll(maps, 1, axis=-2),
    "another class": lambda maps: np.roll(maps, 1, axis=1),
    "another sample": lambda maps: np.roll(maps, 1, axis=0),
    "after softmax": _softmax,
    "one cell off by a thousandth": _one_cell_off,
    "constant": lambda maps: np.zeros_like(maps),
    "not finite": lambda maps: np.where(maps == maps.max(), np.float32(np.nan), maps),
    "another shape": lambda maps: maps.swapaxes(-1, -2),
    "double precision": lambda maps: maps.astype(np.float64),
}


def test_right_maps_pass(right: Floats) -> None:
    assert_maps_equal(right.copy(), right)
    assert_grey_levels_equal(grey_levels(right), right)


@pytest.mark.parametrize("mistake", WRONG)
def test_wrong_maps_fail(right: Floats, mistake: str) -> None:
    with pytest.raises(AssertionError):
        assert_maps_equal(WRONG[mistake](right), right)


@pytest.mark.parametrize(
    "mistake", sorted(WRONG.keys() - {"one cell off by a thousandth", "double precision", "not finite"})
)
def test_wrong_grey_levels_fail(right: Floats, mistake: str) -> None:
    with pytest.raises(AssertionError):
        assert_grey_levels_equal(grey_levels(WRONG[mistake](right)), right)


def test_grey_levels_of_another_kind_fail(right: Floats) -> None:
    levels = grey_levels(right)
    with pytest.raises(AssertionError, match="not u8"):
        assert_grey_levels_equal(levels.astype(np.float32), right)
    wrong = levels.copy()
    wrong[0, 0, 0, 0] ^= 2
    with pytest.raises(AssertionError, match="grey level"):
        assert_grey_levels_equal(wrong, right)


def test_constant_expectations_compare_nothing() -> None:
    constant = np.ones((1, 2, 3, 4), np.float32)
    with pytest.raises(AssertionError, match="nothing is compared"):
        assert_maps_equal(constant, constant)
    with pytest.raises(AssertionError, match="nothing is compared"):
        assert_grey_levels_equal(grey_levels(constant), constant)


def test_background_of_another_value_fails(right: Floats) -> None:
    """Cells filled with a tenth of the map instead of zero give other maps."""
    model = cnn(CnnSpec(batch=2))
    copy = model.clone()
    target = next(node for node in copy.get_ordered_ops() if node.get_friendly_name() == "target")
    users = list(target.output(0).get_target_inputs())
    shifted = ops.add(target, np.float32(0.1))
    for user in users:
        user.replace_source_output(shifted.output(0))
    wrong = oracle.reciprocam(copy, TARGET, SCORES, "NCHW", random_inputs(model))
    with pytest.raises(AssertionError):
        assert_maps_equal(wrong, right)


def test_mean_pooled_head_by_hand() -> None:
    """``score_k = F[p] . w_k / P + b_k`` for the head ``fc(mean(F))``."""
    rng = np.random.default_rng(3)
    weights, bias = rng.standard_normal((4, 3)).astype(np.float32), np.array([1, -2, 3], np.float32)
    image = ops.parameter([2, 4, 3, 5], np.float32, name="target")
    image.output(0).get_tensor().set_names({"image"})
    pooled = ops.reduce_mean(image, [2, 3], False)
    scores = ops.add(ops.matmul(pooled, weights, False, False), bias, name="scores")
    model = ov.Model([scores], [image])
    features = rng.standard_normal((2, 4, 3, 5)).astype(np.float32)
    expected = np.einsum("nchw,ck->nkhw", features, weights) / 15 + bias[:, None, None]
    maps = oracle.reciprocam(model, TARGET, SCORES, "NCHW", {"image": features})
    np.testing.assert_allclose(maps, expected, atol=1e-5)


def test_grey_levels_by_hand() -> None:
    maps = np.array([[[[0, 1], [2, 4]], [[7, 7], [7, 7]]]], np.float32)
    assert grey_levels(maps).tolist() == [[[[0, 64], [128, 255]], [[0, 0], [0, 0]]]]


@pytest.mark.parametrize("change", ["bit", "name", "missing"])
def test_changed_originals_fail(change: str) -> None:
    model = cnn(CnnSpec())
    converted = model.clone()
    target = next(node for node in converted.get_ordered_ops() if node.get_friendly_name() == "target")
    if change != "missing":
        target.output(0).get_tensor().set_names({"saliency_map"})
        converted.add_outputs(target.output(0))
    before = run(model, random_inputs(model))
    after = [before[0].copy()]
    if change == "bit":
        after[0].view(np.uint32)[0, 0] ^= 1
    if change == "name":
        converted.outputs[0].get_tensor().set_names({"renamed"})
    with pytest.raises(AssertionError):
        assert_originals_kept(model, converted, before, after)
