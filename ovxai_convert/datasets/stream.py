"""Doing many things at once by threads: in bounded memory, and what comes of them in their order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
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
        under_way = _UnderWay(self.work, self.size)

        def taken(is_enough: Callable[[], bool]) -> Iterator[_Done]:
            while under_way and not is_enough():
                if under_way.is_next_done():
                    yield under_way.take()
                    self._tell(under_way)
                elif not under_way.wait():
                    self.tick()

        try:
            for number, task in enumerate(tasks):
                if single := alone(number):
                    yield from taken(lambda: False)
                yield from taken(lambda: not under_way.is_next_done() and not self._is_full(under_way))
                executor.submit(under_way.work_on, under_way.begin(), task)
                self._tell(under_way)
                if single:
                    yield from taken(lambda: False)
            yield from taken(lambda: False)
        finally:
            self.stop()
            executor.shutdown(wait=False, cancel_futures=True)

    def _tell(self, under_way: _UnderWay[_Task, _Done]) -> None:
        if under_way:
            self.began(under_way.first, under_way.behind - 1)

    def _is_full(self, under_way: _UnderWay[_Task, _Done]) -> bool:
        """Whether no more is to begin: all threads have work, or too much is held."""
        if under_way.not_done > self.threads or len(under_way) >= _HELD_FOR_EACH * self.threads:
            return True
        return under_way.held > self.most


@dataclass
class _UnderWay(Generic[_Task, _Done]):
    """Tasks that have begun, from ``first`` to one before ``behind``, and of which nothing is taken yet.

    Threads hand over what came of a task by a queue, which costs them and the one that takes it much less
    than waiting for many futures at once. ``held`` is the size of all that is there.
    """

    work: Callable[[_Task], _Done]
    size: Callable[[_Done], int]
    first: int = 0
    behind: int = 0
    held: int = 0
    _there: dict[int, _Done | _Raised] = field(default_factory=dict)
    _handed_over: SimpleQueue[tuple[int, _Done | _Raised]] = field(default_factory=SimpleQueue)

    def __len__(self) -> int:
        return self.behind - self.first

    @property
    def not_done(self) -> int:
        """How many are being worked on, or wait for that."""
        return len(self) - len(self._there)

    def begin(self) -> int:
        """One more; its number."""
        self.behind += 1
        return self.behind - 1

    def work_on(self, number: int, task: _Task) -> None:
        """Work on a task and hand over what came of it; a thread does so."""
        try:
            done: _Done | _Raised = self.work(task)
        except BaseException as error:  # which is raised where it is taken
            done = _Raised(error)
        self._handed_over.put((number, done))

    def is_next_done(self) -> bool:
        """Whether the first one can be taken."""
        while not self._handed_over.empty():
            self._receive(*self._handed_over.get())
        return self.first in self._there

    def take(self) -> _Done:
        """What came of the first one, or the exception that did."""
        done = self._there.pop(self.first)
        self.first += 1
        if isinstance(done, _Raised):
            raise done.error
        self.held -= self.size(done)
        return done

    def wait(self) -> bool:
        """Wait until one more is done, whichever it is; False where some time has passed before."""
        try:
            self._receive(*self._handed_over.get(timeout=_TICK))
        except Empty:
            return False
        return True

    def _receive(self, number: int, done: _Done | _Raised) -> None:
        self._there[number] = done
        if not isinstance(done, _Raised):
            self.held += self.size(done)


@dataclass(frozen=True)
class _Raised:
    """In place of what comes of a task, what it raised."""

    error: BaseException
