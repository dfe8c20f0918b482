"""Many things at once, in their order: how many are begun, what is held, what ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from threading import Event, Lock

import pytest

from ovxai_convert.datasets.stream import InOrder, threads_for


class Watched:
    """Work that counts how much of it is done at once."""

    def __init__(self, seconds: float = 0.002) -> None:
        self.at_once = self.most = 0
        self.threads: set[int] = set()
        self._seconds, self._lock = seconds, Lock()

    def __call__(self, number: int) -> int:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            self.threads.add(threading.get_ident())
        time.sleep(self._seconds * (number % 7))
        with self._lock:
            self.at_once -= 1
        return 10 * number


def test_what_comes_is_in_order_and_by_several_threads() -> None:
    work = Watched()
    assert list(InOrder(work, 4)(range(200))) == [10 * number for number in range(200)]
    assert work.most == len(work.threads) == 4
    assert list(InOrder(work, 4)([])) == []


def test_no_more_is_begun_than_memory_takes() -> None:
    begun: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(1000):
            begun.append(number)
            yield number

    first = Event()

    def work(number: int) -> int:
        if number == 0:
            first.wait(60)
        return number

    stream = InOrder(work, 3, tick=lambda: first.set() if len(begun) >= 12 else None)
    assert next(iter(stream(tasks()))) == 0
    assert 3 < len(begun) <= 13, "four for each thread, and one that is to come"


def test_what_is_held_has_a_limit() -> None:
    begun: list[int] = []
    first = Event()

    def work(number: int) -> bytes:
        if number == 0:
            first.wait(60)
        return bytes(100)

    def tasks() -> Iterator[int]:
        for number in range(1000):
            begun.append(number)
            yield number

    stream = InOrder(work, 8, size=len, most=250, tick=first.set)
    taken = stream(tasks())
    assert len(next(taken)) == 100
    assert len(begun) <= 12, "8 that are begun, and 3 of 100 bytes"
    assert len(list(taken)) == 999


def test_tasks_that_are_alone() -> None:
    work = Watched()
    told: list[tuple[int, int]] = []
    done: list[int] = []
    stream = InOrder(work, 4, began=lambda first, last: told.append((first, last)))
    for number in stream(range(20), alone=lambda number: len(done) < 5):
        if len(done) < 5:
            assert work.most == 1
        done.append(number)
    assert done == [10 * number for number in range(20)]
    assert told[:5] == [(number, number) for number in range(5)]
    assert work.most > 1
    assert all(first <= last for first, last in told)
    assert [first for first, _ in told] == sorted(first for first, _ in told)
    assert told[-1] == (19, 19)


def test_error_of_the_work_comes_in_its_turn() -> None:
    def work(number: int) -> int:
        if number == 5:
            raise ZeroDivisionError
        return number

    stopped: list[bool] = []
    taken: list[int] = []
    with pytest.raises(ZeroDivisionError):
        taken.extend(InOrder(work, 3, stop=lambda: stopped.append(True))(range(100)))
    assert taken in ([], [0, 1, 2, 3, 4])
    assert stopped == [True]


def test_iteration_that_is_broken_off() -> None:
    stopping = Event()
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number > 0:
            stopping.wait(60)
        return number

    for number in InOrder(work, 2, stop=stopping.set)(range(100)):
        assert number == 0
        break
    assert stopping.wait(60)
    assert len(begun) < 10


def test_it_ticks_while_it_waits() -> None:
    ticks: list[float] = []
    work = Watched(seconds=0.2)
    assert list(InOrder(work, 1, tick=lambda: ticks.append(0))([6])) == [60]
    assert ticks


def test_threads() -> None:
    assert threads_for(1) == 4
    assert threads_for(8) == 18
