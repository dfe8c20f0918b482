"""What a conversion is doing just now, told to whoever looks after its process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


class Steps:
    """The steps that are being taken, in the order in which they began; several threads may take some.

    Args:
        tell: is told all of them whenever one begins or ends.
    """

    def __init__(self, tell: Callable[[tuple[str, ...]], None] | None = None) -> None:
        self._tell, self._lock = tell, Lock()
        self._open: list[str] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Take a step, named as in ``while ...``."""
        self._change(self._open.append, name)
        try:
            yield
        finally:
            self._change(self._open.remove, name)

    def _change(self, change: Callable[[str], None], name: str) -> None:
        if self._tell is None:
            return
        with self._lock:
            change(name)
            self._tell(tuple(self._open))
