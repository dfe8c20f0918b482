"""One explainer and many threads: what each gets is what it gets alone, whatever the others ask and break."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, ExplainMode, Explanation, Method
from ovxai_convert.errors import ModelReadError
from ovxai_convert.explain import engines
from ovxai_convert.explain.device import DeviceScores, compile_for
from ovxai_convert.explain.predictions import ScoresOutput
from ovxai_convert.explain.requests import Requests
from ovxai_convert.source.answers import NO_ANSWER_HINTS, answer_of
from tests.answer_forms import Form
from tests.reliability.threads import (
    BLACK_BOX,
    SPEC,
    WHITE_BOX,
    Job,
    as_list,
    images,
    in_turn,
    measured,
    same,
)
from tests.special_networks import perceptron, stateful

PATIENCE: Final = 60
BLACK: Final = ExplainMode.BLACKBOX
READ: Final = ScoresOutput(0, answer_of(Form("softmax", 3), NO_ANSWER_HINTS))
kinds = pytest.mark.parametrize(
    ("jobs", "threads", "calls"), [(WHITE_BOX, 8, 25), (BLACK_BOX, 4, 6)], ids=["white-box", "black-box"]
)


@pytest.fixture(scope="module")
def alone() -> list[list[Explanation]]:
    """All jobs in turn, white-box ones first."""
    return in_turn(Explainer(cnn(SPEC)), (*WHITE_BOX, *BLACK_BOX))


def test_the_jobs_differ(alone: list[list[Explanation]]) -> None:
    """Results that went to the wrong call would be seen."""
    for index, one in enumerate(alone):
        assert not any(same(one, other) for other in alone[index + 1 :])


@kinds
def test_threads_get_what_calls_in_turn_give(jobs: tuple[Job, ...], threads: int, calls: int) -> None:
    expected = in_turn(Explainer(cnn(SPEC)), jobs)
    figures = measured(Explainer(cnn(SPEC)), jobs, expected, threads, calls)
    assert figures.equal == figures.calls == threads * calls


def test_both_kinds_at_once(alone: list[list[Explanation]]) -> None:
    jobs = (*WHITE_BOX, *BLACK_BOX)
    explainer = Explainer(cnn(SPEC))
    figures = measured(explainer, jobs, alone, threads=6, calls=len(jobs))
    assert figures.equal == figures.calls
    assert {each.method for found in alone for each in found} >= {
        Method.RECIPROCAM,
        Method.ACTIVATIONMAP,
        Method.RISE,
        Method.AISE,
    }


ATTEMPTS_TO_COLLIDE: Final = 10
"""Threads of a busy machine may happen to run one after the other."""


@kinds
def test_one_request_for_all_would_be_seen(
    jobs: tuple[Job, ...], threads: int, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = in_turn(Explainer(cnn(SPEC)), jobs)
    explainer = Explainer(cnn(SPEC))
    only: dict[int, ov.InferRequest] = {}

    def shared(requests: Requests) -> ov.InferRequest:
        return only.setdefault(id(requests), requests._compiled.create_infer_request())

    monkeypatch.setattr(Requests, "take", shared)
    monkeypatch.setattr(Requests, "give_back", lambda *_: None)

    def is_seen() -> bool:
        try:
            figures = measured(explainer, jobs, expected, threads, calls)
        except (RuntimeError, ModelReadError) as error:
            assert "busy" in str(error)  # noqa: PT017  # one of the two ways to fail
            return True
        return figures.equal < figures.calls

    assert any(is_seen() for _ in range(ATTEMPTS_TO_COLLIDE))


def test_a_wrong_result_is_counted(alone: list[list[Explanation]]) -> None:
    jobs = WHITE_BOX[:2]
    first = alone[0][0]
    key, values = next(iter(first.raw.items()))
    moved = values.copy()
    moved.flat[0] ^= 1
    wrong = [[replace(first, raw={key: moved})], alone[1]]
    figures = measured(Explainer(cnn(SPEC)), jobs, wrong, threads=2, calls=4)
    assert (figures.calls, figures.equal) == (8, 4)


@pytest.mark.parametrize("options", [{"target_layer": "target"}, {"explain_mode": BLACK, "num_masks": 10}])
def test_a_model_with_state_starts_anew_in_every_thread(options: dict[str, Any]) -> None:
    spec = CnnSpec(height=4, width=6)
    jobs = [Job(images(seed, spec=spec), options) for seed in range(5)]
    expected = in_turn(Explainer(stateful(), num_masks=2), jobs)
    assert not same(expected[0], expected[1])
    figures = measured(Explainer(stateful(), num_masks=2), jobs, expected, threads=4, calls=10)
    assert figures.equal == figures.calls


def at_once(work: Callable[[int], Any], threads: int = 8) -> list[Any]:
    """What so many threads get that start at the same moment."""
    start = threading.Barrier(threads)

    def begin(index: int) -> Any:
        start.wait(PATIENCE)
        return work(index)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(begin, range(threads)))


def test_an_engine_is_made_once_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []

    def slow(model: ov.Model, device: str, hint: Any, *threads: Any) -> ov.CompiledModel:
        compiled.append(hint)
        time.sleep(0.1)
        return compile_for(model, device, hint, *threads)

    monkeypatch.setattr(engines, "compile_for", slow)
    explainer = Explainer(cnn(SPEC))
    assert compiled == ["LATENCY"]
    at_once(lambda _: explainer(images(0), target_layer="block0"))
    assert compiled == ["LATENCY"] * 2
    at_once(lambda _: explainer(images(0), explain_method=Method.RISE, num_masks=2))
    assert compiled == ["LATENCY"] * 2 + ["THROUGHPUT"]


def test_a_refused_plan_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception while an engine is made leaves nothing behind that others would wait for."""
    explainer = Explainer(cnn(SPEC))
    with monkeypatch.context() as patch:
        patch.setattr(engines, "compile_for", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        for options in ({"target_layer": "block0"}, {"explain_mode": ExplainMode.BLACKBOX}):
            with pytest.raises(KeyboardInterrupt):
                explainer(images(0), **options)
    found = at_once(lambda _: explainer(images(0), target_layer="block0"), 2)
    assert same([found[0]], [found[1]])
    explainer(images(0), explain_mode=ExplainMode.BLACKBOX, num_masks=2)


def test_explainers_of_one_model_in_memory_made_at_once(alone: list[list[Explanation]]) -> None:
    model = cnn(SPEC)
    found = at_once(lambda _: as_list(Explainer(model)(WHITE_BOX[0].images)))
    assert all(same(each, alone[0]) for each in found)


def stream() -> DeviceScores:
    return DeviceScores(compile_for(cnn(SPEC), "CPU", "THROUGHPUT"), READ, None)


def test_streams_that_take_turns_do_not_mix() -> None:
    scores = stream()
    inputs = [[images(100 * number + index) for index in range(9)] for number in range(5)]
    expected = [np.concatenate(list(scores(iter(each)))) for each in inputs]
    turns = [scores(iter(each)) for each in inputs]
    found = [np.concatenate(rows) for rows in zip(*zip(*turns, strict=True), strict=True)]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(expected[0], expected[1])


def test_streams_share_a_bounded_number_of_requests() -> None:
    scores = stream()
    requests = scores._requests
    many = 3 * requests._bound
    open_streams = [scores(iter([images(index) for index in range(50)])) for index in range(many)]
    for each in open_streams:
        next(each)
    first = requests._bound // requests.ahead  # streams that get all they ask for; every later one has one
    assert len(list(requests)) == first * requests.ahead + many - first
    for each in open_streams:
        each.close()  # type: ignore[attr-defined]  # generators
    assert len(requests._idle) == len(list(requests)) == requests._bound
    list(scores(iter([images(index) for index in range(50)])))
    assert len(list(requests)) == requests._bound


def test_one_stream_takes_no_more_than_keep_the_device_busy() -> None:
    scores = stream()
    list(scores(iter([images(index) for index in range(50)])))
    assert len(list(scores._requests)) == scores._requests.ahead


@pytest.mark.parametrize("method", [Method.RISE, None])
def test_an_explainer_called_while_it_tells_its_progress(method: Method | None) -> None:
    explainer = Explainer(cnn(SPEC), explain_method=Method.RISE, num_masks=6)
    inner: list[list[Explanation]] = []
    asked: dict[str, Any] = {"explain_method": method} if method else {"explain_mode": ExplainMode.WHITEBOX}
    settings: dict[str, Any] = {"num_masks": 6} if method else {}
    expected = as_list(Explainer(cnn(SPEC))(images(1), **asked, **settings))
    outer = as_list(explainer(images(0)))
    found = as_list(
        explainer(images(0), on_progress=lambda *_: inner.append(as_list(explainer(images(1), **asked))))
    )
    assert same(found, outer)
    assert len(inner) == 6
    assert all(same(each, expected) for each in inner)


def test_asyncio(alone: list[list[Explanation]]) -> None:
    jobs = (*WHITE_BOX, *BLACK_BOX)
    explainer = Explainer(cnn(SPEC))

    async def all_at_once() -> list[Any]:
        calls = (asyncio.to_thread(explainer, job.images, **job.options) for job in jobs * 2)
        return await asyncio.gather(*calls)

    found = asyncio.run(all_at_once())
    assert all(same(as_list(one), other) for one, other in zip(found, alone * 2, strict=True))


def test_what_a_call_came_to_stands_in_its_explanation() -> None:
    model = perceptron()
    model.get_parameters()[0].set_layout(ov.Layout("NCHW"))
    explainer = Explainer(model, num_masks=2)
    data = np.ones((1, 3, 4, 6), np.float32)
    (tried,) = as_list(explainer(data))
    assert (tried.method, tried.refusals) == (Method.RISE, explainer.refusals)
    assert tried.refusals
    (not_tried,) = as_list(explainer(data, explain_mode=BLACK))
    assert (not_tried.method, not_tried.refusals) == (Method.RISE, ())


class Interrupting:
    """A function of progress that raises at a call."""

    def __init__(self, at: int) -> None:
        self._left = at

    def __call__(self, done: int, total: int | None) -> None:
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt


def test_an_interrupt_in_one_thread_is_no_matter_to_the_others(alone: list[list[Explanation]]) -> None:
    explainer = Explainer(cnn(SPEC))
    job, expected = BLACK_BOX[0], alone[len(WHITE_BOX)]

    def work(index: int) -> int:
        good = 0
        for at in range(1, 13):
            if index % 2:
                with pytest.raises(KeyboardInterrupt):
                    explainer(job.images, **job.options, on_progress=Interrupting(at))
            else:
                good += same(as_list(explainer(job.images, **job.options)), expected)
        return good

    assert at_once(work, 4) == [12, 0, 12, 0]
    black_box = explainer._engines._black_box
    assert black_box is not None
    requests = black_box.stream._requests
    assert len(requests._idle) == len(list(requests)) <= requests._bound, "all have been given back"


class Stop(BaseException):
    """What a thread is stopped by from outside."""


class Stopped:
    """Work that is done again and again, whatever stops it, until it has ``ended``."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.ended, self.stops, self._work = threading.Event(), 0, work

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                while not self.ended.is_set():
                    self._once()
            except Stop:
                continue

    def _once(self) -> None:
        try:
            self._work()
        except Stop:
            self.stops += 1


@pytest.mark.parametrize("jobs", [WHITE_BOX[:3], BLACK_BOX[:2]], ids=["white-box", "black-box"])
def test_exceptions_from_outside_at_any_moment(
    jobs: tuple[Job, ...], alone: list[list[Explanation]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is stopped while it destroys something cannot be raised, and must not stop who would tell of it.
    monkeypatch.setattr(sys, "unraisablehook", lambda *_: None)
    explainer = Explainer(cnn(SPEC))
    expected = in_turn(explainer, jobs)
    worker = Stopped(lambda: in_turn(explainer, jobs))
    threads = [threading.Thread(target=worker.run, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for moment in range(60):
        time.sleep(0.001 * (moment % 7 + 1))
        for thread in threads:
            assert thread.ident is not None
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stop))
    worker.ended.set()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert worker.stops > 20
    assert all(same(*pair) for pair in zip(in_turn(explainer, jobs), expected, strict=True))
    figures = measured(explainer, jobs, expected, threads=4, calls=6)
    assert figures.equal == figures.calls


INTERRUPTED: Final = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from ovxai_convert import Explainer
from fixtures.networks import cnn
from tests.reliability.threads import BLACK_BOX, SPEC, WHITE_BOX, as_list, in_turn, measured, same
jobs = (*WHITE_BOX, *BLACK_BOX)
explainer = Explainer(cnn(SPEC))
expected = in_turn(explainer, jobs)
with ThreadPoolExecutor(2) as pool:
    beside = pool.submit(measured, explainer, jobs, expected, 2, 60)
    print("running", flush=True)
    try:
        while True:
            in_turn(explainer, jobs)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    figures = beside.result()
assert figures.equal == figures.calls, figures
assert all(same(*pair) for pair in zip(in_turn(explainer, jobs), expected, strict=True))
print("as before", flush=True)
"""


def test_ctrl_c_leaves_the_explainer_usable() -> None:
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "running\n"
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=PATIENCE)
    assert (child.returncode, out, err) == (0, "interrupted\nas before\n", "")


def test_requests_do_not_become_more() -> None:
    explainer = Explainer(cnn(SPEC))
    jobs = WHITE_BOX[:3]
    measured(explainer, jobs, in_turn(explainer, jobs), threads=8, calls=30)
    for engine in explainer._engines._white_boxes.values():
        assert isinstance(engine, engines.Engine)
        requests = engine.observe.__self__.requests  # type: ignore[attr-defined]  # a bound method
        assert len(list(requests)) == len(requests._idle) <= 8
