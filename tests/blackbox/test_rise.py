from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ovxai_convert.blackbox.method import Preset
from ovxai_convert.blackbox.rise import Rise
from ovxai_convert.blackbox.streaming import Batches
from ovxai_convert.errors import UsageError
from tests.blackbox.definitions import rise, rise_centred, rise_masks
from tests.blackbox.functions import LOWER_RIGHT, SIZE, UPPER_LEFT, Floats, Predict, image, running, windows

predict = windows(UPPER_LEFT, LOWER_RIGHT, (slice(0, 30), slice(0, 43)))


def joint(batch: NDArray[np.float32]) -> Floats:
    """Two boxes have to be seen together; nothing is linear here."""
    boxes = windows(UPPER_LEFT, LOWER_RIGHT)(batch)
    together: Floats = boxes[:, 0] * boxes[:, 1]
    return np.stack([together, np.tanh(8 * boxes[:, 0] - 4)], 1)


@pytest.mark.parametrize("function", [predict, joint])
@pytest.mark.parametrize("centred", [False, True])
def test_map_is_that_of_a_plain_loop(function: Predict, centred: bool) -> None:
    picture = image()
    method = Rise(num_masks=70, num_cells=6, prob=0.4, seed=11, centred=centred)
    result = method.explain(picture, (1, 2), running(function), None, 8)
    definition = rise_centred if centred else rise
    expected = definition(picture, function, rise_masks(SIZE, 70, 6, 0.4, 11), 0.4)
    assert result.maps.dtype == np.float32
    np.testing.assert_allclose(result.maps, expected, rtol=1e-5, atol=1e-5)
    assert (result.evaluations, result.converged) == (70, False)


def test_another_seed_is_seen_to_differ() -> None:
    picture = image()
    result = Rise(num_masks=70, num_cells=6, seed=1).explain(picture, (1, 2), running(predict), None, 8)
    other = rise_centred(picture, predict, rise_masks(SIZE, 70, 6, 0.5, 2), 0.5)
    assert abs(result.maps - other).max() > 1e-2


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(1, 9), st.booleans())
def test_batch_size_and_requests_change_nothing(batch_size: int, ahead: int, fixed: bool) -> None:
    method = Rise(num_masks=33 if fixed else None, num_cells=4, tolerance=0.3)
    reference = method.explain(image(), (1, 2), running(joint), None, 1)
    result = method.explain(image(), (1, 2), running(joint, ahead), None, batch_size)
    assert result.evaluations == reference.evaluations
    assert result.converged == (not fixed)
    np.testing.assert_array_equal(result.maps, reference.maps)


def test_axes_and_targets() -> None:
    picture = image()
    method = Rise(num_masks=50, num_cells=5)
    maps = method.explain(picture, (1, 2), running(predict), None, 4).maps
    turned = method.explain(
        picture.transpose(1, 2, 0), (0, 1), running(lambda b: predict(b.transpose(0, 3, 1, 2))), [2, 0, 2], 4
    ).maps
    np.testing.assert_allclose(turned, maps[[2, 0, 2]], rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float16, np.float64])
def test_batches_have_the_images_type(dtype: type) -> None:
    picture: NDArray[Any] = np.round(image() * 80).astype(dtype)
    seen = []

    def stream(batches: Batches) -> Iterator[Floats]:
        for batch in batches:
            seen.append(batch)
            yield np.zeros((len(batch), 1), np.float32)

    Rise(num_masks=7, num_cells=3).explain(picture, (1, 2), stream, None, 3)
    assert [each.shape for each in seen] == [(3, *picture.shape)] * 2 + [(1, *picture.shape)]
    assert {each.dtype for each in seen} == {np.dtype(dtype)}
    masks = rise_masks(SIZE, 7, 3, 0.5, 0)
    exact = picture[np.newaxis].astype(float) * masks[:, np.newaxis]
    rounding = 0.5001 if np.issubdtype(dtype, np.integer) else 0.1
    assert abs(np.concatenate(seen).astype(float) - exact).max() <= rounding


def test_maximum_lies_where_the_class_is() -> None:
    maps = Rise(num_masks=2000).explain(image(), (1, 2), running(predict), [0, 1], 16).maps
    for one, (rows, columns) in zip(maps, (UPPER_LEFT, LOWER_RIGHT), strict=True):
        row, column = np.unravel_index(one.argmax(), SIZE)
        assert row in range(*rows.indices(30))
        assert column in range(*columns.indices(43))


def correlation_with_a_long_run(maps: Floats, function: Predict) -> float:
    long = Rise(num_masks=8000, seed=99).explain(image(), (1, 2), running(function), [0], 64)
    return float(np.corrcoef(maps.ravel(), long.maps.ravel())[0, 1])


def test_an_easy_map_stops_early() -> None:
    result = Rise(tolerance=0.05).explain(image(), (1, 2), running(predict), [0], 16)
    assert result.converged
    assert result.evaluations <= 1000
    assert correlation_with_a_long_run(result.maps, predict) > 0.96


def test_a_hard_map_does_not_stop_too_early() -> None:
    """The score is 1 for one in some 60 masks and else 0."""

    def rare(batch: NDArray[np.float32]) -> Floats:
        boxes = windows(UPPER_LEFT, LOWER_RIGHT)(batch) / windows(UPPER_LEFT, LOWER_RIGHT)(
            image()[np.newaxis]
        )
        seen: Floats = (boxes.min(1, keepdims=True) > 0.72).astype(np.float32)
        return seen

    method = Rise(tolerance=0.05)
    hard = method.explain(image(), (1, 2), running(rare), [0], 16)
    easy = method.explain(image(), (1, 2), running(predict), [0], 16)
    assert hard.evaluations > 2 * easy.evaluations
    assert correlation_with_a_long_run(hard.maps, rare) > 0.95


@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_a_constant_score_never_converges(constant: float) -> None:
    def flat(batch: NDArray[np.float32]) -> Floats:
        return np.full((len(batch), 1), constant, np.float32)

    result = Rise(Preset.SPEED).explain(image(), (1, 2), running(flat), [0], 100)
    assert (result.evaluations, result.converged) == (1000, False)
    np.testing.assert_allclose(result.maps, constant, atol=1e-6)


def test_presets_and_progress() -> None:
    calls: list[tuple[int, int | None]] = []

    def progress(done: int, total: int | None) -> None:
        calls.append((done, total))

    Rise(num_masks=25).explain(image(), (1, 2), running(predict), [0], 10, progress)
    assert calls == [(10, 25), (20, 25), (25, 25)]
    calls.clear()
    result = Rise(Preset.SPEED, tolerance=0).explain(image(), (1, 2), running(predict), [0], 500, progress)
    assert calls == [(500, 1000), (1000, 1000)]
    assert (result.evaluations, result.converged) == (1000, False)
    Rise().explain(image(), (1, 2), running(predict), [0], 500, progress)
    assert calls[-1][1] is None


def test_no_mask_is_made_for_a_stream_that_has_enough() -> None:
    made: list[int] = []

    def stream(batches: Batches) -> Iterator[Floats]:
        for batch in batches:
            made.append(len(batch))
            yield predict(batch)

    result = Rise().explain(image(), (1, 2), stream, [0], 10)
    assert sum(made) == result.evaluations


def test_ctrl_c_passes_and_closes_the_stream() -> None:
    closed = []

    def stream(batches: Batches) -> Iterator[Floats]:
        try:
            for number, batch in enumerate(batches):
                if number == 3:
                    raise KeyboardInterrupt
                yield predict(batch)
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        Rise(num_masks=100).explain(image(), (1, 2), stream, [0], 4)

    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    def waiting(batches: Batches) -> Iterator[Floats]:
        try:
            for batch in batches:
                yield predict(batch)
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        Rise(num_masks=100).explain(image(), (1, 2), waiting, [0], 4, interrupt)
    assert closed == [True, True]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"num_masks": 0}, "num_masks"),
        ({"num_cells": 0}, "num_cells"),
        ({"prob": 0.0}, "prob"),
        ({"prob": 1.0}, "prob"),
        ({"prob": float("nan")}, "prob"),
        ({"seed": -1}, "seed"),
        ({"tolerance": -0.1}, "tolerance"),
        ({"tolerance": 1.0}, "tolerance"),
    ],
)
def test_wrong_parameters(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(UsageError, match=says) as raised:
        Rise(**wrong)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("targets", "axes", "batch_size", "says"),
    [
        ([3], (1, 2), 4, "class 3 is out of range: the model has 3 classes"),
        ([-1], (1, 2), 4, "class -1"),
        ([], (1, 2), 4, "no target"),
        ([0], (2, 1), 4, "no rows and columns"),
        ([0], (1, 3), 4, "no rows and columns"),
        ([0], (1, 2), 0, "batch size"),
    ],
)
def test_wrong_requests(targets: list[int], axes: tuple[int, int], batch_size: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Rise(num_masks=9).explain(image(), axes, running(predict), targets, batch_size)


def test_images_that_are_none() -> None:
    for picture in (np.zeros((3, 0, 4), np.float32), np.zeros((3, 4, 4), bool), np.array([["a", "b"]])):
        with pytest.raises(UsageError, match="image"):
            Rise(num_masks=9).explain(picture, (picture.ndim - 2, picture.ndim - 1), running(predict), [0], 4)
