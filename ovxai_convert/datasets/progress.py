"""How far a run over many photographs is, and what came of it, in words."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_RECENT: Final = 30.0
"""Seconds that the rate is taken of, so that it follows what the machine does."""
_EVERY: Final = 10.0
"""Seconds between two lines where there is no terminal."""
_MOST_REASONS: Final = 12


@dataclass
class Pace:
    """Counts photographs as they are done.

    Attributes:
        total: how many there are.
        kept: of these, how many an earlier run has done.
        failed_before: reasons of those among them that have failed.
        clock: seconds.
    """

    total: int
    kept: int = 0
    failed_before: Counter[str] = field(default_factory=Counter)
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._start = self._said = self.clock()
        self._marks: deque[tuple[float, int]] = deque([(self._start, 0)])

    def add(self, error: str | None = None) -> None:
        """One more is done, or has failed for a reason."""
        self.done += 1
        if error is not None:
            self.failures[error] += 1
        now = self.clock()
        if now - self._marks[-1][0] >= 1:
            self._marks.append((now, self.done))
            while now - self._marks[0][0] > _RECENT and len(self._marks) > 2:
                self._marks.popleft()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self.clock() - self._start

    @property
    def rate(self) -> float:
        """Photographs a second of late; 0 before there are any."""
        since, before = self._marks[0]
        elapsed = self.clock() - since
        return (self.done - before) / elapsed if elapsed > 0 else 0.0

    def line(self) -> str:
        """How far it is: ``312 of 1000, 141 a second, 5 s left``."""
        done = self.kept + self.done
        failed = self.failures.total()
        parts = [f"{done} of {self.total}", *([f"{failed} failed"] if failed else [])]
        if rate := self.rate:
            parts += [f"{_rate(rate)} a second", f"{duration((self.total - done) / rate)} left"]
        return ", ".join(parts)

    def is_due(self, every: float = _EVERY) -> bool:
        """Whether it is so many seconds since a line was due; by default where each line is one more."""
        now = self.clock()
        if now - self._said < every:
            return False
        self._said = now
        return True

    def summary(self) -> list[str]:
        """What came of it: a line of how many in what time, and one for each reason of failures."""
        failed, seconds = self.failures.total(), self.seconds
        good = self.done - failed
        rate = f" ({_rate(self.done / seconds)} a second)" if self.done and seconds > 0 else ""
        before = self.failed_before.total()
        kept = f"; {self.kept} were done before" if self.kept else ""
        kept += f", of which {before} failed" if before else ""
        lost = f", {failed} failed" if failed else ""
        lines = [f"{good} of {self.total} explained in {duration(seconds)}{rate}{lost}{kept}"]
        lines += [f"  {count} failed: {reason}" for reason, count in self.failures.most_common(_MOST_REASONS)]
        more = len(self.failures) - _MOST_REASONS
        return [*lines, f"  and others for {more} more reasons"] if more > 0 else lines

    def so_far(self) -> str:
        """How many are done where a run is broken off, behind other words; nothing where there is but one."""
        return f"; {self.kept + self.done} of {self.total} photographs are done" if self.total > 1 else ""


def duration(seconds: float) -> str:
    """A time as people say it: ``4.2 s``, ``2 min 5 s``, ``3 h 20 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _rate(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"
