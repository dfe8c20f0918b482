from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ovxai_convert.blackbox.aise import Aise
from ovxai_convert.blackbox.direct import ONE, Direct
from ovxai_convert.blackbox.method import Preset
from ovxai_convert.blackbox.streaming import Batches
from ovxai_convert.errors import UsageError
from tests.blackbox.definitions import gaussian
from tests.blackbox.functions import LOWER_RIGHT, SIZE, UPPER_LEFT, Floats, image, running, windows

predict = windows(UPPER_LEFT, LOWER_RIGHT, (slice(0, 30), slice(0, 43)))


def plain_loop(target: int, widths: tuple[float, ...], budget: int, epsilon: float) -> NDArray[np.float64]:
    """One target, one window at a time: the formula of ``Aise`` as it stands, with whole masks."""
    picture, total = image(), np.zeros(SIZE)
    for width in widths:
        solver = Direct(epsilon, locally_biased=False)
        weighted, density = np.zeros(SIZE), np.zeros(SIZE)
        gains: list[float] = []
        masks: list[NDArray[np.float64]] = []
        while len(gains) < budget:
            asked = solver.ask()
            for row, column in asked[: budget - len(gains)] / ONE:
                mask = gaussian(SIZE, row, column, width)
                alone, without = (
                    predict((picture * each)[np.newaxis].astype(np.float32))[0, target]
                    for each in (mask, 1 - mask)
                )
                gains.append(float(alone) - float(without))
                masks.append(mask)
            if len(gains) < budget:
                solver.tell(-np.array(gains[-len(asked) :]))
        mean = np.mean(gains)
        for gain, mask in zip(gains, masks, strict=True):
            weighted += (gain - mean) * mask
            density += mask
        total += mean + weighted / (1 + density)
    return total / len(widths)


@pytest.mark.parametrize("budget", [1, 3, 5, 37])
def test_map_is_that_of_a_plain_loop(budget: int) -> None:
    method = Aise(num_iterations_per_kernel=budget, kernel_widths=(0.1, 0.3))
    result = method.explain(image(), (1, 2), running(predict), [1, 0], 8)
    assert result.maps.shape == (2, *SIZE)
    assert result.maps.dtype == np.float32
    for one, target in zip(result.maps, (1, 0), strict=True):
        np.testing.assert_allclose(one, plain_loop(target, (0.1, 0.3), budget, 0.1), rtol=1e-4, atol=1e-5)
    assert not result.converged


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 50), st.integers(1, 9), st.booleans())
def test_batch_size_and_requests_change_nothing(batch_size: int, ahead: int, locally_biased: bool) -> None:
    method = Aise(num_iterations_per_kernel=20, kernel_widths=(0.1, 0.3), locally_biased=locally_biased)
    reference = method.explain(image(), (1, 2), running(predict), None, 1)
    result = method.explain(image(), (1, 2), running(predict, ahead), None, batch_size)
    assert result.evaluations == reference.evaluations
    np.testing.assert_array_equal(result.maps, reference.maps)


def test_a_map_does_not_depend_on_the_other_targets() -> None:
    method = Aise(num_iterations_per_kernel=30)
    together = method.explain(image(), (1, 2), running(predict), None, 8)
    evaluations = 0
    for target in range(3):
        alone = method.explain(image(), (1, 2), running(predict), [target], 8)
        evaluations += alone.evaluations
        assert alone.evaluations == 30 * 3 * 2
        np.testing.assert_array_equal(alone.maps[0], together.maps[target])
    assert together.evaluations < evaluations, "targets share what they both look at"


def test_maximum_lies_where_the_class_is() -> None:
    maps = Aise().explain(image(), (1, 2), running(predict), [0, 1], 16).maps
    for one, (rows, columns) in zip(maps, (UPPER_LEFT, LOWER_RIGHT), strict=True):
        row, column = np.unravel_index(one.argmax(), SIZE)
        assert row in range(*rows.indices(30))
        assert column in range(*columns.indices(43))


def test_a_gain_that_is_negative_everywhere_does_not_turn_the_map() -> None:
    maps = Aise().explain(image(), (1, 2), running(lambda b: predict(b) ** 4), [0], 16).maps
    row, column = np.unravel_index(maps[0].argmax(), SIZE)
    assert row in range(*UPPER_LEFT[0].indices(30))
    assert column in range(*UPPER_LEFT[1].indices(43))


def test_a_constant_score_gives_a_constant_map() -> None:
    def flat(batch: NDArray[np.float32]) -> Floats:
        return np.full((len(batch), 1), 0.25, np.float32)

    result = Aise().explain(image(), (1, 2), running(flat), None, 8)
    np.testing.assert_array_equal(result.maps, np.zeros((1, *SIZE), np.float32))


def test_places_of_all_targets_and_both_objectives_share_batches() -> None:
    calls: list[list[int]] = []

    def stream(batches: Batches) -> Iterator[Floats]:
        calls.append([])
        for batch in batches:
            calls[-1].append(len(batch))
            yield predict(batch)

    result = Aise(num_iterations_per_kernel=50).explain(image(), (1, 2), stream, None, 16)
    assert sum(map(sum, calls)) == result.evaluations
    assert calls[0] == [16, 14], "the centre and its neighbours for three widths, alone and without"
    assert all(set(sizes[:-1]) <= {16} for sizes in calls), "only a round's last batch is smaller"
    assert len(calls) <= 20


@pytest.mark.parametrize(
    ("preset", "places"), [(Preset.SPEED, 60), (Preset.BALANCE, 150), (Preset.QUALITY, 250)]
)
def test_presets_and_progress(preset: Preset, places: int) -> None:
    done: list[tuple[int, int | None]] = []
    result = Aise(preset).explain(
        image(), (1, 2), running(predict), [0], 7, lambda *progress: done.append(progress)
    )
    assert result.evaluations == 2 * places
    assert done[-1] == (2 * places, 2 * places)
    assert [each for each, _ in done] == sorted({each for each, _ in done})
    done.clear()
    Aise(preset).explain(image(), (1, 2), running(predict), None, 7, lambda *progress: done.append(progress))
    assert {total for _, total in done} == {None}


def test_ctrl_c_passes() -> None:
    def interrupt(done: int, total: int | None) -> None:
        if done > 40:
            raise KeyboardInterrupt

    closed: list[bool] = []

    def stream(batches: Batches) -> Iterator[Floats]:
        try:
            for batch in batches:
                yield predict(batch)
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        Aise().explain(image(), (1, 2), stream, [0], 4, interrupt)
    assert len(closed) == 2, "one round was done, the second was closed"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"num_iterations_per_kernel": 0}, "num_iterations_per_kernel"),
        ({"kernel_widths": ()}, "kernel_widths"),
        ({"kernel_widths": (0.1, 0.0)}, "kernel_widths"),
        ({"kernel_widths": (float("nan"),)}, "kernel_widths"),
        ({"solver_epsilon": -1.0}, "solver_epsilon"),
    ],
)
def test_wrong_parameters(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says) as raised:
        Aise(**wrong)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


def test_the_number_of_classes_may_not_change_between_rounds() -> None:
    sizes = iter([3] * 30 + [2] * 1000)

    def shrinking(batch: NDArray[np.float32]) -> Floats:
        return predict(batch)[:, : next(sizes)]

    with pytest.raises(UsageError, match=r"must have shape \(10, 3\), not \(10, 2\)"):
        Aise().explain(image(), (1, 2), running(shrinking), [0], 10)


@pytest.mark.parametrize("targets", [[3], [-1], []])
def test_wrong_targets(targets: list[int]) -> None:
    with pytest.raises(UsageError, match=r"class|target"):
        Aise().explain(image(), (1, 2), running(predict), targets, 4)
