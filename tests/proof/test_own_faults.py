"""What a model does wrong by itself is called so: NaN, infinities, random numbers, one sample at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, Tensor, classifier, image_parameter, named, reshaped
from ovxai_convert import RefusedError, VerificationError, convert
from ovxai_convert.proof import trial_inputs
from tests.special_networks import stateful


def network(before: Tensor | None = None, batch: int | None = None, image: Node | None = None) -> Model:
    """A CNN that reads an image, or what was made of it."""
    draw = Draw(7)
    image = image or image_parameter(CnnSpec(batch=batch, height=6, width=8))
    target = named(ops.tanh(draw.convolution(before if before is not None else image, 4)), "target")
    scores = draw.linear(ops.reduce_mean(target, [2, 3], False), 3)
    return classifier(named(scores, "scores"), [image])


def saved(model: Model, folder: Path) -> Path:
    """The model as a file."""
    ov.save_model(model, folder / "net.xml", compress_to_fp16=False)
    return folder / "net.xml"


@pytest.mark.parametrize(
    ("values", "word"), [((np.nan,), "NaN"), ((np.inf, -np.inf), "NaN"), ((np.inf,), "Inf")]
)
def test_a_model_that_answers_nothing_with_numbers(
    values: tuple[float, ...], word: str, tmp_path: Path
) -> None:
    image = image_parameter(CnnSpec(batch=None, height=6, width=8))
    draw = Draw(7)
    target = named(ops.tanh(draw.convolution(image, 4)), "target")
    scores = draw.linear(ops.reduce_mean(target, [2, 3], False), 3)
    for value in values:
        scores = ops.add(scores, np.float32(value))
    path = saved(classifier(named(scores, "scores"), [image]), tmp_path)
    with pytest.raises(VerificationError, match=f"the original model itself gives {word} on normal numbers"):
        convert(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_inputs_that_a_model_answers_with_nan_are_left_out(tmp_path: Path) -> None:
    """The logarithm of numbers below zero; pictures of 0 to 1 are answered."""
    image = image_parameter(CnnSpec(batch=None, height=6, width=8))
    report = convert(saved(network(ops.log(image), image=image), tmp_path), tmp_path / "out")
    assert any("the original model itself gives NaN on normal numbers" in each for each in report.warnings)
    assert report.sidecar.verification.inputs == 2
    check = report.sidecar.verification.saliency_map
    assert check is not None
    assert check.maps_compared > 0


def test_random_numbers(tmp_path: Path) -> None:
    image = image_parameter(CnnSpec(batch=1, height=6, width=8))
    shape = ops.constant(np.array([1, 3, 6, 8], np.int64))
    noise = ops.random_uniform(shape, np.float32(0), np.float32(1), "f32")
    path = saved(network(ops.add(image, noise), image=image), tmp_path)
    with pytest.raises(
        VerificationError, match="gives other outputs each time that it runs on the same input"
    ):
        convert(path, tmp_path / "out")


def test_seeded_random_numbers(tmp_path: Path) -> None:
    """Both models draw the same ones, so that the map can be proved; that it varies is said."""
    image = image_parameter(CnnSpec(batch=1, height=6, width=8))
    shape = ops.constant(np.array([1, 3, 6, 8], np.int64))
    noise = ops.random_uniform(shape, np.float32(0), np.float32(1), "f32", 11, 12)
    report = convert(saved(network(ops.add(image, noise), image=image), tmp_path), tmp_path / "out")
    assert any("it draws random numbers, or keeps something" in warning for warning in report.warnings)


def test_a_state_that_survives_from_call_to_call(tmp_path: Path) -> None:
    report = convert(saved(stateful(), tmp_path), tmp_path / "out", target_layer="target")
    assert any("it draws random numbers, or keeps something" in warning for warning in report.warnings)


def test_a_batch_that_is_open_in_name_only(tmp_path: Path) -> None:
    draw = Draw(7)
    image = image_parameter(CnnSpec(batch=None, height=6, width=8))
    target = named(ops.tanh(draw.convolution(image, 4)), "target")
    pooled = reshaped(ops.reduce_mean(target, [2, 3], True), [1, 4])
    path = saved(classifier(named(draw.linear(pooled, 3), "scores"), [image]), tmp_path)
    report = convert(path, tmp_path / "out")
    assert any("takes one sample at a time" in warning for warning in report.warnings)
    assert report.sidecar.verification.inputs == 3


def test_an_input_that_would_fill_the_memory(tmp_path: Path) -> None:
    path = saved(
        network(batch=1, image=image_parameter(CnnSpec(batch=1, height=40_000, width=50_000))), tmp_path
    )
    with pytest.raises(RefusedError, match=r"an input of \[1, 3, 40000, 50000\] holds 6e\+09 numbers"):
        convert(path, tmp_path / "out")


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8, np.int8, np.int32])
def test_trials_are_of_the_inputs_type_and_repeat_themselves(dtype: type) -> None:
    image = ops.parameter([-1, 3, 6, 8], dtype, name="image")
    model = Model([ops.result(ops.convert(image, "f32"))], [image], "net")
    trials = [*trial_inputs.first_trials(model), *trial_inputs.more_trials(model)]
    again = [*trial_inputs.first_trials(model), *trial_inputs.more_trials(model)]
    assert len({trial.kind for trial in trials}) == len(trials)
    for trial, twin in zip(trials, again, strict=True):
        (array,) = trial.feed
        assert array.dtype == dtype
        assert array.shape == (2 if "0 to 255" in trial.kind and "smooth" in trial.kind else 1, 3, 6, 8)
        np.testing.assert_array_equal(array, twin.feed[0])
        assert np.ptp(array.astype(float)) > 0 or "grey" in trial.kind or np.issubdtype(dtype, np.integer)
