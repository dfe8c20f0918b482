"""What comes of photographs, in their order, from workers on Ray."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final

from ovxai_convert.datasets.explaining import Outcome, PhotographExplainer
from ovxai_convert.datasets.sources import Item
from ovxai_convert.on_ray.cluster import what_ray_says
from ovxai_convert.on_ray.ledger import Ledger
from ovxai_convert.on_ray.workers import OUTCOMES, Worker, batch_of, sent

_MOST_IN_A_BATCH: Final = 32
"""Photographs that a worker is given at once: work for some tenths of a second."""
_BATCHES_FOR_EACH: Final = 8
"""So many batches there are for each worker, if the photographs suffice, so that all end together."""
_AT_ONCE: Final = 50_000
"""Photographs that are held at once; behind them workers are made anew."""
_PASSED_ON: Final = ("OPENCV_IO_MAX_IMAGE_PIXELS",)
"""Settings of this process that count where photographs are read."""


def explained_batches(
    ray: Any,
    items: Sequence[Item],
    setup: bytes,
    workers: int,
    cpus: float,
    returned: Callable[[Sequence[Outcome]], Any] | None = None,
) -> Any:
    """A data set of Ray's that holds what workers return of photographs, batch by batch in their order.

    Args:
        ray: the library, connected.
        items: the photographs.
        setup: what workers are made of.
        workers: how many.
        cpus: processors of each.
        returned: see :class:`~ovxai_convert.on_ray.workers.Worker`.
    """
    ledger = ray.remote(Ledger).options(num_cpus=0, max_restarts=-1, max_task_retries=-1).remote()
    size = max(1, min(_MOST_IN_A_BATCH, -(-len(items) // (_BATCHES_FOR_EACH * workers))))
    batches = [batch_of(items[first : first + size]) for first in range(0, len(items), size)]
    given = ray.data.from_items(batches, override_num_blocks=len(batches))
    given.context.execution_options.preserve_order = True  # its own, and no other data set's
    settings = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # Ray Data makes dead workers anew, and gives their batches to others, without end; the ledger sees to it
    # that no photograph ends all of them.
    return given.map_batches(
        Worker,
        batch_size=1,
        batch_format="pyarrow",
        fn_constructor_kwargs={"setup": setup, "ledger": ledger, "returned": returned},
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=cpus,
        **({"runtime_env": {"env_vars": settings}} if settings else {}),
    )


@dataclass(frozen=True)
class OnRay:
    """Explains photographs by workers on a cluster, those that have to be alone in this process.

    Attributes:
        ray: the library, connected.
        explain: makes an outcome of a photograph; workers do as it does.
        workers: how many; None: one for each processor of the cluster.
        began: is told the number of the next photograph to be done, and that of one behind it.
        stop: is called at the end.
    """

    ray: Any
    explain: PhotographExplainer
    workers: int | None = None
    began: Callable[[int, int], None] = lambda first, last: None
    stop: Callable[[], None] = lambda: None

    def __call__(
        self, items: Iterable[Item], alone: Callable[[int], bool] = lambda number: False
    ) -> Iterator[Outcome]:
        """What comes of each photograph, in order; a ModelReadError where Ray breaks down.

        Photographs are numbered from 0. Those that are to be ``alone`` stand in front of all others.
        """
        left, taken = iter(items), 0
        try:
            for item in left:
                if not alone(taken):
                    left = chain([item], left)
                    break
                self.began(taken, taken)
                yield self.explain(item)
                taken += 1
            while held := list(islice(left, _AT_ONCE)):
                for outcome in self._by_workers(held):
                    self.began(taken, taken + 1)
                    yield outcome
                    taken += 1
        finally:
            self.stop()

    def _by_workers(self, items: Sequence[Item]) -> Iterator[Outcome]:
        workers = self.workers or max(1, int(self.ray.cluster_resources().get("CPU", 1)))
        workers = min(workers, len(items))
        done = explained_batches(self.ray, items, sent(self.explain, 1, is_quiet=True), workers, 1)
        done.context.enable_progress_bars = done.context.print_on_execution_start = False
        rows = iter(done.iter_rows())
        while (row := what_ray_says(self.ray, lambda: next(rows, None))) is not None:
            yield from pickle.loads(row[OUTCOMES])
