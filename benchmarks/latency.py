"""Two models run in turn on the CPU: `python -m benchmarks.latency ORIGINAL CONVERTED`, JSON on stdout.

Run by this project's Python and by the ancestor's, so only what OpenVINO has had for years is used.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, Protocol

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from benchmarks.open_dimensions import closed_shape
from benchmarks.results import Latency, Quartiles

Feed = Mapping[Any, NDArray[Any]]
"""An array per input, by its index or name."""
Clock = Callable[[], float]
"""Tells seconds."""
_LEAST_PAIRS: Final = 5
_LEAST_WARM_UP_PAIRS: Final = 2
_SEED: Final = 20
_F32: Final[Mapping[str, Any]] = {"INFERENCE_PRECISION_HINT": "f32"}
"""On every CPU, so that equal can mean equal and no ratio depends on the CPU's bfloat16."""


class Runner(Protocol):
    """A model that is ready to run."""

    def infer(self, feed: Feed) -> None:
        """One inference, which is what is timed."""

    def outputs(self, count: int) -> list[NDArray[Any]]:
        """The first outputs of the last one."""


class _OpenVino:
    """A model compiled by OpenVINO."""

    def __init__(self, core: ov.Core, path: str, settings: Mapping[str, Any]) -> None:
        compiled = core.compile_model(core.read_model(path), "CPU", dict(settings))
        self._request = compiled.create_infer_request()

    def infer(self, feed: Feed) -> None:
        self._request.infer(feed)

    def outputs(self, count: int) -> list[NDArray[Any]]:
        return [np.array(self._request.get_output_tensor(index).data) for index in range(count)]


def measure(
    original: str, converted: str, seconds: float, warm_up: float, settings: Mapping[str, Any] = _F32
) -> Latency:
    """Compile both and run them in turn."""
    core = ov.Core()
    runners = [_OpenVino(core, path, settings) for path in (original, converted)]
    model = core.read_model(original)
    return in_turn(runners, _feeds(model), len(model.outputs), seconds, warm_up, ov.get_version())


def in_turn(
    runners: Sequence[Runner],
    feeds: Sequence[Feed],
    outputs: int,
    seconds: float,
    warm_up: float,
    version: str,
    clock: Clock = time.perf_counter,
) -> Latency:
    """Warm original and converted up, then run A B A B ... for some time; ``outputs`` are the original's.

    Only neighbours are compared, so a machine that slows down for a while slows both sides of a ratio.
    """
    before, after = ([_outputs(runner, feed, outputs) for feed in feeds] for runner in runners)
    _run_in_turn(runners, feeds, warm_up, _LEAST_WARM_UP_PAIRS, clock)
    times = np.array(_run_in_turn(runners, feeds, seconds, _LEAST_PAIRS, clock))
    ratios = times[:, 1] / times[:, 0]
    exact, difference = _compare(before, after)
    return Latency(
        Quartiles.of(ratios.tolist()),
        Quartiles.of((times[:, 0] * 1e3).tolist()),
        Quartiles.of((times[:, 1] * 1e3).tolist()),
        len(times),
        exact,
        difference,
        version,
    )


def _feeds(model: ov.Model) -> list[Feed]:
    """Two seeded random images."""
    random = np.random.default_rng(_SEED)
    return [
        {
            index: random.standard_normal(closed_shape(port)).astype(port.get_element_type().to_dtype())
            for index, port in enumerate(model.inputs)
        }
        for _ in range(2)
    ]


def _outputs(runner: Runner, feed: Feed, count: int) -> list[NDArray[Any]]:
    runner.infer(feed)
    return runner.outputs(count)


def _run_in_turn(
    runners: Sequence[Runner], feeds: Sequence[Feed], seconds: float, least: int, clock: Clock
) -> list[tuple[float, ...]]:
    """Seconds of every run, one tuple per turn; `least` turns even where they take longer."""
    turns: list[tuple[float, ...]] = []
    end = time.perf_counter() + seconds
    while len(turns) < least or time.perf_counter() < end:
        feed = feeds[len(turns) % len(feeds)]
        turns.append(tuple(_timed(runner, feed, clock) for runner in runners))
    return turns


def _timed(runner: Runner, feed: Feed, clock: Clock) -> float:
    started = clock()
    runner.infer(feed)
    return clock() - started


def _compare(
    before: Sequence[Sequence[NDArray[Any]]], after: Sequence[Sequence[NDArray[Any]]]
) -> tuple[bool, float]:
    pairs = [
        (old, new)
        for olds, news in zip(before, after, strict=True)
        for old, new in zip(olds, news, strict=True)
    ]
    exact = all(old.shape == new.shape and old.tobytes() == new.tobytes() for old, new in pairs)
    if exact:
        return True, 0.0
    return False, float(max(np.max(np.abs(new.astype(np.float64) - old)) for old, new in pairs))


def parser_of_pairs(description: str) -> argparse.ArgumentParser:
    """A program's arguments: two files, and for how long they are run."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("original")
    parser.add_argument("converted")
    parser.add_argument("--seconds", type=float, default=10.0, help="time to measure for")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds of running before that")
    return parser


def main() -> None:
    """Measure and print."""
    arguments = parser_of_pairs("Run two models in turn and compare their times.").parse_args()
    found = measure(arguments.original, arguments.converted, arguments.seconds, arguments.warm_up)
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
