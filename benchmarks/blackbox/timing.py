"""Explanations and the device alone, run in turn; run by this project's Python and by the ancestor's.

So only what OpenVINO has had for years is used.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from benchmarks.blackbox.cases import CASES, LEAST_PAIRS, PHOTOGRAPHS, Case, case_named
from benchmarks.blackbox.device import Device, predicted_class
from benchmarks.blackbox.results import Speed
from benchmarks.results import Quartiles


class Explained(NamedTuple):
    """An explanation: maps by class, and how many altered images were evaluated for them."""

    maps: dict[int, NDArray[Any]]
    evaluations: int


Explain = Callable[[NDArray[Any], int | None], Explained]
"""Explains a class, or all classes for None, of a model input `(1, 3, H, W)`."""
MakeExplain = Callable[[str, Case], Explain]
"""Makes it for the model of a path."""


class _Seconds(NamedTuple):
    wall: float
    processor: float


def main(make_explain: MakeExplain) -> None:
    """What either side's worker does: save the maps of all photographs, measure on the first, print."""
    parser = argparse.ArgumentParser(description="Measure a black-box method beside the device alone.")
    parser.add_argument("model")
    parser.add_argument("case", choices=[case.key for case in CASES])
    parser.add_argument("photographs", type=Path, help="folder of the inputs")
    parser.add_argument("--seconds", type=float, default=10.0, help="time to measure for")
    parser.add_argument("--maps", type=Path, help="folder to save the maps of the predicted classes in")
    arguments = parser.parse_args()
    case = case_named(arguments.case)
    explain = make_explain(arguments.model, case)
    images = {name: np.load(arguments.photographs / f"{name}.npy") for name in PHOTOGRAPHS}
    if arguments.maps is not None:
        for name, image in images.items():
            target = predicted_class(arguments.model, image)
            np.save(arguments.maps / f"{name}.npy", explain(image, target).maps[target])
    first = images[PHOTOGRAPHS[0]]
    wanted = None if case.all_classes else predicted_class(arguments.model, first)
    found = measure(
        lambda: explain(first, wanted).evaluations, Device(arguments.model, first), arguments.seconds
    )
    print(json.dumps(asdict(found)))


def measure(explain: Callable[[], int], device: Device, seconds: float) -> Speed:
    """Run device and explanation in turn, D E D E ... D, for some time.

    Args:
        explain: makes an explanation and returns how many evaluations it took.
        device: the yardstick.
        seconds: how long.
    """
    count = explain()  # warms up, too
    device.evaluate(count)
    end = time.perf_counter() + seconds
    alone = [_timed(lambda: device.evaluate(count))]
    explained: list[_Seconds] = []
    while len(explained) < LEAST_PAIRS or time.perf_counter() < end:
        explained.append(_timed(explain))
        alone.append(_timed(lambda: device.evaluate(count)))
    return Speed(
        Quartiles.of(_ratios([each.wall for each in explained], [each.wall for each in alone])),
        Quartiles.of(_ratios([each.processor for each in explained], [each.processor for each in alone])),
        Quartiles.of([each.wall for each in explained]),
        Quartiles.of([count / each.wall for each in alone]),
        count,
        ov.get_version(),
    )


def _ratios(explained: list[float], alone: list[float]) -> list[float]:
    """Each explanation by the mean of the device's runs before and after it."""
    return [
        2 * each / (before + after)
        for each, before, after in zip(explained, alone[:-1], alone[1:], strict=True)
    ]


def _timed(run: Callable[[], object]) -> _Seconds:
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return _Seconds(time.perf_counter() - wall, time.process_time() - processor)
