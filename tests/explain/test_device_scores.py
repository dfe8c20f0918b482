"""The stream of scores: in order, pulled as needed, and at rest whatever ends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import openvino as ov
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.errors import ModelReadError
from ovxai_convert.explain.device import DeviceScores, compile_for
from ovxai_convert.explain.predictions import ReadScores, ScoresOutput
from ovxai_convert.source.answers import NO_ANSWER_HINTS, answer_of
from tests.answer_forms import Form
from tests.oracle import Floats
from tests.running import compile_f32

READ: Final = ScoresOutput(0, answer_of(Form("softmax", 3), NO_ANSWER_HINTS))
BATCHES: Final = [None, 1, 3]
HEAVY: Final = CnnSpec(channels=48, strides=(1, 1, 1, 1), height=112, width=112, ending="softmax")
"""Takes long enough that its requests are still running when something goes wrong."""


def compiled(spec: CnnSpec) -> ov.CompiledModel:
    return compile_for(cnn(spec), "CPU", "THROUGHPUT")


def requests_of(model: ov.CompiledModel) -> int:
    return 2 * int(model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))


def small(batch: int | None) -> DeviceScores:
    return DeviceScores(compiled(CnnSpec(batch=batch, ending="softmax")), READ, batch)


def images(count: int, spec: CnnSpec = HEAVY, seed: int = 0) -> Floats:
    shape = (count, 3, spec.height, spec.width)
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def expected_scores(spec: CnnSpec, samples: Floats) -> Floats:
    model = compile_f32(cnn(spec))
    return np.concatenate([model([sample[np.newaxis]])[0] for sample in samples])


class Counted:
    """Batches that count how many of them were pulled, and raise after some if told to."""

    def __init__(self, samples: Floats, sizes: list[int], error: BaseException | None = None) -> None:
        self.pulled = 0
        self._batches = np.split(samples, np.cumsum(sizes)[:-1])
        self._error = error

    def __iter__(self) -> Iterator[Floats]:
        for batch in self._batches:
            self.pulled += 1
            yield batch
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize("batch", BATCHES)
def test_scores_come_in_the_order_of_their_batches(batch: int | None) -> None:
    sizes = [1] * 12 if batch == 1 else [3, 1, 2, 3, 3, 1, 3, 2, 3, 3]
    samples = images(sum(sizes), CnnSpec())
    found = list(small(batch)(iter(Counted(samples, sizes))))
    assert [len(each) for each in found] == sizes
    expected = expected_scores(CnnSpec(ending="softmax"), samples)
    assert np.ptp(expected, axis=0).max() > 0.05, "the samples score alike: an order could not be seen"
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-6)


def test_any_batch_size_where_the_model_takes_any() -> None:
    samples = images(14, CnnSpec())
    stream = small(None)
    whole, alone = (np.concatenate(list(stream(iter(Counted(samples, sizes))))) for sizes in ([14], [1] * 14))
    np.testing.assert_allclose(whole, alone, atol=1e-6)


@pytest.mark.parametrize("batch", BATCHES)
def test_no_batches(batch: int | None) -> None:
    assert list(small(batch)(iter([]))) == []


def test_batches_are_pulled_as_requests_become_free() -> None:
    model = compiled(CnnSpec(ending="softmax"))
    at_once = requests_of(model)
    count = 5 * at_once + 3
    batches = Counted(images(count, CnnSpec()), [1] * count)
    stream = DeviceScores(model, READ, 1)(iter(batches))
    assert batches.pulled == 0
    for done in range(1, count + 1):
        next(stream)
        assert done <= batches.pulled <= done + at_once
    assert next(stream, None) is None


def test_next_batches_are_made_while_the_device_works() -> None:
    model = compiled(CnnSpec(ending="softmax"))
    assert requests_of(model) >= 2
    batches = Counted(images(9, CnnSpec()), [1] * 9)
    stream = DeviceScores(model, READ, 1)(iter(batches))
    next(stream)
    assert batches.pulled >= 2


def test_batch_may_be_written_to_again() -> None:
    """The stream takes a copy when it starts a request: the caller's array is not borrowed."""
    samples = images(6, CnnSpec())
    expected = expected_scores(CnnSpec(ending="softmax"), samples)
    buffer = np.empty_like(samples[:1])

    def reused() -> Iterator[Floats]:
        for sample in samples:
            buffer[0] = sample
            yield buffer

    found = np.concatenate(list(small(1)(reused())))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.fixture(scope="module")
def heavy() -> ov.CompiledModel:
    """The heavy network, compiled once."""
    return compiled(HEAVY)


def begun(model: ov.CompiledModel, read: ReadScores = READ) -> DeviceScores:
    """A stream whose requests have all run once: OpenVINO takes one that never has for one under way."""
    count = requests_of(model)
    stream = DeviceScores(model, READ, 1)
    list(stream(iter(Counted(images(count), [1] * count))))
    assert running(stream) == 0
    stream.read_scores = read
    return stream


def running(stream: DeviceScores) -> int:
    """How many requests are under way at this moment."""
    count = 0
    for request in stream._requests:
        try:
            count += not request.wait_for(0)
        except RuntimeError:  # it was cancelled
            continue
    return count


def assert_usable(stream: DeviceScores) -> None:
    """All requests are at rest: each can be started at once, and gives the right scores."""
    assert running(stream) == 0
    samples = images(6, seed=9)
    found = np.concatenate(list(stream(iter(Counted(samples, [1] * 6)))))
    np.testing.assert_allclose(found, expected_scores(HEAVY, samples), atol=1e-5)


@pytest.mark.parametrize("error", [ZeroDivisionError("masks"), KeyboardInterrupt()], ids=repr)
def test_exception_of_the_batches_comes_through(error: BaseException, heavy: ov.CompiledModel) -> None:
    stream = begun(heavy)
    with pytest.raises(type(error)) as caught:
        list(stream(iter(Counted(images(1), [1], error))))
    assert caught.value is error
    assert_usable(stream)


def test_exception_of_reading_comes_through(heavy: ov.CompiledModel) -> None:
    calls: list[int] = []

    def read(results: Any, samples: int) -> Floats:
        calls.append(samples)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return READ(results, samples)

    stream = begun(heavy, read)
    with pytest.raises(KeyboardInterrupt):
        list(stream(iter(Counted(images(8), [1] * 8))))
    assert len(calls) == 2
    assert_usable(stream)


def test_closing_early(heavy: ov.CompiledModel) -> None:
    stream = begun(heavy)
    batches = Counted(images(8), [1] * 8)
    scores = stream(iter(batches))
    next(scores)
    scores.close()  # type: ignore[attr-defined]  # an iterator by its type, a generator by its nature
    assert batches.pulled < 8
    assert next(scores, None) is None
    assert_usable(stream)


def test_batch_that_does_not_fit_comes_through(heavy: ov.CompiledModel) -> None:
    stream = begun(heavy)
    wrong = iter([images(1), images(1)[..., :5]])
    with pytest.raises(ModelReadError):
        list(stream(wrong))
    assert_usable(stream)


def test_request_left_running_would_be_seen(heavy: ov.CompiledModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes the tests above worth something."""
    monkeypatch.setattr("ovxai_convert.explain.device._stop", lambda _: None)
    stream = begun(heavy)
    left = 0
    for _ in range(10):  # on a busy machine they may have ended before anybody looks
        scores = stream(iter(Counted(images(8), [1] * 8)))
        next(scores)
        scores.close()  # type: ignore[attr-defined]
        left += running(stream)
        for request in stream._requests:
            request.wait()
    assert left > 0
