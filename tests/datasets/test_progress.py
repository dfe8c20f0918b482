"""How far a run is, in words: rate, time left, reasons."""

from __future__ import annotations

import pytest

from ovxai_convert.datasets.progress import Pace, duration


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def goes_on(pace: Pace, clock: Clock, count: int, each: float, error: str | None = None) -> None:
    for _ in range(count):
        clock.now += each
        pace.add(error)


def test_line(clock: Clock) -> None:
    pace = Pace(1000, clock=clock)
    assert pace.line() == "0 of 1000"
    goes_on(pace, clock, 100, 0.1)
    assert pace.line() == "100 of 1000, 10 a second, 1 min 30 s left"
    goes_on(pace, clock, 2, 0.1, "it is empty")
    assert pace.line().startswith("102 of 1000, 2 failed, 10 a second, ")


def test_rate_is_that_of_late(clock: Clock) -> None:
    pace = Pace(100_000, clock=clock)
    goes_on(pace, clock, 10, 10)
    assert pace.rate == pytest.approx(0.1, rel=0.3)
    goes_on(pace, clock, 6000, 0.01)
    assert pace.rate == pytest.approx(100, rel=0.05)


def test_what_was_done_before_counts_for_the_time_that_is_left(clock: Clock) -> None:
    pace = Pace(1000, kept=890, clock=clock)
    goes_on(pace, clock, 10, 1)
    assert pace.line() == "900 of 1000, 1 a second, 1 min 40 s left"
    assert pace.so_far() == "; 900 of 1000 photographs are done"
    assert Pace(1, clock=clock).so_far() == ""


def test_a_line_is_due_now_and_then(clock: Clock) -> None:
    pace = Pace(10, clock=clock)
    due = []
    for _ in range(40):
        clock.now += 1
        due.append(pace.is_due())
    assert [index for index, each in enumerate(due, 1) if each] == [10, 20, 30, 40]
    clock.now += 0.3
    assert pace.is_due(0.2)
    assert not pace.is_due(0.2)


def test_summary(clock: Clock) -> None:
    pace = Pace(100, clock=clock)
    goes_on(pace, clock, 90, 0.5)
    goes_on(pace, clock, 7, 0.5, "it is empty")
    goes_on(pace, clock, 3, 0.5, "no such image")
    assert pace.summary() == [
        "90 of 100 explained in 50 s (2 a second), 10 failed",
        "  7 failed: it is empty",
        "  3 failed: no such image",
    ]


def test_summary_of_many_reasons_and_an_earlier_run(clock: Clock) -> None:
    pace = Pace(100, kept=50, clock=clock)
    pace.failed_before["it is empty"] = 4
    for number in range(20):
        goes_on(pace, clock, 1, 0.1, f"reason {number}")
    first, *reasons, last = pace.summary()
    assert first == (
        "0 of 100 explained in 2.0 s (10 a second), 20 failed; 50 were done before, of which 4 failed"
    )
    assert len(reasons) == 12
    assert last == "  and others for 8 more reasons"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59.6, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (7290, "2 h 1 min"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
