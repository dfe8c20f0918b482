"""Photographs a second on Ray beside those of threads: ``python -m benchmarks.on_ray MODEL FOLDER``.

Both explain the same photographs without pictures, in turns, so that what else the machine does meets both.
The time of Ray's begins when its first rows come, since starting workers is a matter of seconds, however many
photographs there are. Needs the environment that ``make ray`` makes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable
from pathlib import Path

import cv2

from ovxai_convert.datasets.explaining import Asked, Outcome, PhotographExplainer
from ovxai_convert.datasets.sources import Photographs
from ovxai_convert.datasets.stream import InOrder, threads_for
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.on_ray.cluster import cluster
from ovxai_convert.on_ray.outcomes import OnRay


def rate(outcomes: Iterable[Outcome], passed_over: int) -> float:
    """Photographs a second, from the end of the first few on."""
    started, count = time.perf_counter(), 0
    for number, _ in enumerate(outcomes, 1):
        if number == passed_over:
            started, count = time.perf_counter(), -1
        count += number > passed_over
    return (count + 1) / (time.perf_counter() - started)


def main() -> None:
    """Measure, and print a line for each turn."""
    parser = argparse.ArgumentParser(description="Compare Ray with one process.")
    parser.add_argument("model", type=Path)
    parser.add_argument("folder")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    told = parser.parse_args()
    os.environ.setdefault("RAY_worker_niceness", "0")  # else all other work of the machine goes before
    items = list(Photographs([told.folder], recursive=True))
    explain = PhotographExplainer(FileExplainer.for_heads(told.model, throughput=True), Asked())
    cv2.setNumThreads(1)  # as the command does
    with cluster(None) as ray:
        for _ in range(told.turns):
            first = min(64, len(items) // 4)
            here = rate(InOrder(explain, threads_for())(items), first)
            there = rate(OnRay(ray, explain, told.workers)(items), first)
            print(
                f"threads {here:.1f}, {told.workers} workers {there:.1f} a second: {there / here:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
