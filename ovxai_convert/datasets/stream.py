"""Doing many things at once by threads: in bounded memory, and what comes of them in their order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

_Task = TypeVar("_Task")
_Done = TypeVar("_Done")
_TICK: Final = 0.5
"""Seconds between two looks at the time, while the next one is not done."""
_HELD_FOR_EACH: Final = 4
"""Tasks that may be begun for each thread before the first of them is done."""


def threads_for(processors: int | None = None) -> int:
    """Threads that keep a device and all processors busy, where each reads, waits for the device and writes.

    Half of them wait for the device, which has requests for each of its streams and one more.
    """
    return 2 * (processors or os.cpu_count() or 1) + 2


@dataclass(frozen=True)
class InOrder(Generic[_Task, _Done]):
    """Threads that work on tasks; one that takes long holds up what comes of later ones, and not their work.

    Attributes:
        work: is called by several threads at once; what it raises ends the iteration.
        threads: how many.
        size: bytes that what came of a task holds; none begins while more are held than ``most``.
        most: see there.
        began: is told the number of the next task to be done, and of the last that has begun.
        tick: is called now and then while the next one is not done.
        stop: is called at the end, also at one that comes early.
    """

    work: Callable[[_Task], _Done]
    threads: int
    size: Callable[[_Done], int] = lambda done: 0
    most: int = 256 * 2**20
    began: Callable[[int, int], None] = lambda first, last: None
    tick: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None

    def __call__(
        self, tasks: Iterable[_Task], alone: Callable[[int], bool] = lambda number: False
    ) -> Iterator[_Done]:
        """What comes of each task, in order.

        Tasks are numbered from 0. One that is to be ``alone`` begins when what came of all before it is
        taken, and none begins before its own is. Where the iteration is broken off, what has begun is not
        waited for.
        """
        executor = ThreadPoolExecutor(self.threads)
        running: deque[Future[_Done]] = deque()
        begun = 0

        def taken(is_enough: Callable[[], bool]) -> Iterator[_Done]:
            while running and not is_enough():
                if running[0].done():
                    yield running.popleft().result()
                    self._tell(running, begun)
                else:
                    self._wait(running)

        try:
            for number, task in enumerate(tasks):
                if single := alone(number):
                    yield from taken(lambda: False)
                yield from taken(lambda: not running[0].done() and not self._is_full(running))
                running.append(executor.submit(self.work, task))
                begun += 1
                self._tell(running, begun)
                if single:
                    yield from taken(lambda: False)
            yield from taken(lambda: False)
        finally:
            self.stop()
            executor.shutdown(wait=False, cancel_futures=True)

    def _tell(self, running: deque[Future[_Done]], begun: int) -> None:
        if running:
            self.began(begun - len(running), begun - 1)

    def _is_full(self, running: deque[Future[_Done]]) -> bool:
        """Whether no more is to begin: all threads have work, or too much is held."""
        done = [each for each in running if each.done()]
        if len(running) - len(done) > self.threads or len(running) >= _HELD_FOR_EACH * self.threads:
            return True
        return sum(self.size(each.result()) for each in done if each.exception() is None) > self.most

    def _wait(self, running: Iterable[Future[_Done]]) -> None:
        """Wait until one more is done, whichever it is, or some time has passed."""
        if not wait([each for each in running if not each.done()], _TICK, FIRST_COMPLETED).done:
            self.tick()
