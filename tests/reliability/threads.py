"""Explanations from many threads beside those in turn: equal to the last bit, and no memory more.

Run ``python -m tests.reliability.threads --threads 8 --calls 1000``: so many white-box calls of each thread,
and a twentieth as many black-box ones. It fails if a result differs or the memory grows by more than
``MOST_GROWTH`` in the second half: in the first, the runtime takes what it needs for each thread and shape.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import itertools
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, ExplainMode, Explanation, Method

SPEC: Final = CnnSpec(batch=None)
MOST_GROWTH: Final = 16 << 20
"""Bytes: what a process moves by, whatever it does."""
_WARMING: Final = 50
"""Calls of each thread before memory is looked at, in which allocators and pools take what they need."""


@dataclass(frozen=True)
class Job:
    """A call of an explainer: images ``(N, 3, H, W)``, and options."""

    images: NDArray[np.float32]
    options: Mapping[str, Any] = field(default_factory=dict)


def images(seed: int, count: int = 1, spec: CnnSpec = SPEC) -> NDArray[np.float32]:
    """Prepared images."""
    shape = count, 3, spec.height, spec.width
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


WHITE_BOX: Final = (
    Job(images(0)),
    Job(images(1), {"embed_scaling": False, "targets": -1}),
    Job(images(2), {"target_layer": "block0", "targets": [1, 2]}),
    Job(images(3, 3), {"targets": -1}),
    Job(images(4), {"explain_method": Method.ACTIVATIONMAP}),
    Job(images(5), {"explain_mode": ExplainMode.WHITEBOX, "overlay": True}),
    Job(images(6, 2), {"target_layer": "block0", "embed_scaling": False, "resize": False, "colormap": False}),
)
BLACK_BOX: Final = (
    Job(images(7), {"explain_method": Method.RISE, "num_masks": 30, "targets": -1}),
    Job(images(8), {"explain_mode": ExplainMode.BLACKBOX, "num_masks": 20, "seed": 3}),
    Job(images(9, 2), {"explain_method": Method.AISE, "num_iterations_per_kernel": 3, "targets": [0, 2]}),
    Job(images(10), {"explain_method": Method.RISE, "num_masks": 7, "seed": 1}),
)


@dataclass(frozen=True)
class Figures:
    """What came of calls from many threads: how many gave what they give in turn, and bytes of memory."""

    calls: int
    equal: int
    seconds: float
    bytes_before: int
    bytes_halfway: int
    bytes_after: int

    @property
    def growth(self) -> int:
        """Bytes that the process has more at the end than halfway."""
        return self.bytes_after - self.bytes_halfway

    def __str__(self) -> str:
        sizes = (self.bytes_before, self.bytes_halfway, self.bytes_after)
        before, halfway, after = (f"{size / 2**20:.1f} MiB" for size in sizes)
        return (
            f"{self.calls} calls, {self.equal} equal to those in turn, {self.calls / self.seconds:.0f} per "
            f"second; RSS {before} before, {halfway} halfway, {after} after"
        )


def as_list(found: Explanation | list[Explanation]) -> list[Explanation]:
    """Explanations of one image or several."""
    return found if isinstance(found, list) else [found]


def same(found: Sequence[Explanation], expected: Sequence[Explanation]) -> bool:
    """Whether explanations are equal in all that they hold, maps to the last bit."""
    return len(found) == len(expected) and all(map(_equal, found, expected))


def _equal(one: Explanation, other: Explanation) -> bool:
    facts = [(each.method, each.targets, each.predictions, each.label_names) for each in (one, other)]
    pairs = ((one.saliency_map, other.saliency_map), (one.raw, other.raw))
    return facts[0] == facts[1] and all(
        first.keys() == second.keys()
        and all(first[key].dtype == second[key].dtype for key in first)
        and all(np.array_equal(first[key], second[key]) for key in first)
        for first, second in pairs
    )


def in_turn(explainer: Explainer, jobs: Sequence[Job]) -> list[list[Explanation]]:
    """What each call gives when nobody else calls."""
    return [as_list(explainer(job.images, **job.options)) for job in jobs]


def measured(
    explainer: Explainer,
    jobs: Sequence[Job],
    expected: Sequence[Sequence[Explanation]],
    threads: int,
    calls: int,
    warming: int = 0,
) -> Figures:
    """So many calls of each thread, each of which begins with another job; whatever one raises is raised."""

    def work(first: int, count: int) -> int:
        order = itertools.islice(itertools.cycle(range(len(jobs))), first, first + count)
        return sum(
            same(as_list(explainer(jobs[index].images, **jobs[index].options)), expected[index])
            for index in order
        )

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads), [warming] * threads))
        sizes, started, equal = [resident_bytes()], time.perf_counter(), 0
        for half in (calls // 2, calls - calls // 2):
            equal += sum(pool.map(work, range(threads), [half] * threads))
            sizes.append(resident_bytes())
        return Figures(threads * calls, equal, time.perf_counter() - started, *sizes)


def resident_bytes() -> int:
    """Memory of this process that is in use, as Linux tells it; 0 elsewhere.

    The allocator gives back what it holds for threads, which goes up and down by tens of megabytes.
    """
    told = Path("/proc/self/statm")
    if not told.exists():
        return 0
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(told.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    """Run, and print a line for either kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--calls", type=int, default=1000, help="white-box ones of each thread")
    asked = parser.parse_args()
    good = True
    for kind, jobs, calls in (
        ("white-box", WHITE_BOX, asked.calls),
        ("black-box", BLACK_BOX, -(-asked.calls // 20)),
    ):
        expected = in_turn(Explainer(cnn(SPEC)), jobs)
        figures = measured(Explainer(cnn(SPEC)), jobs, expected, asked.threads, calls, _WARMING)
        print(f"{kind}, {asked.threads} threads: {figures}")
        good &= figures.equal == figures.calls and figures.growth <= MOST_GROWTH
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
