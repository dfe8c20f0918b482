"""Requests of a compiled model, lent to one thread at a time; and what a forked process makes of them.

A process that was forked has none of the threads that OpenVINO computes with. There (OpenVINO 2026.4) a
request started asynchronously never ends, and neither may the destruction of a compiled model, also at the
end of the process. What is compiled in the forked process itself works. So an explainer that was made before
refuses to work there, and what was compiled before is never destroyed there.
"""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Iterator
from threading import Lock
from typing import Final
from weakref import WeakSet

import openvino as ov

_QUEUED: Final = 2
"""Requests for each that the device runs at once, so that it never waits for the next batch."""
_KEPT: Final = 16
"""Idle requests that are kept in any case: one for each of so many threads."""


class Requests:
    """Requests of a compiled model, made as they are needed and used again.

    Nobody ever waits for one: a thread that has lent none gets one, however many there are; who asks for more
    gets them up to a bound, and idle ones are kept up to the same. A request that is not given back, since an
    exception came between, is no more than forgotten.

    Attributes:
        ahead: how many requests keep the device busy.
    """

    def __init__(self, compiled: ov.CompiledModel) -> None:
        self._compiled = compiled
        self.ahead = _QUEUED * int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._bound = max(self.ahead, _KEPT)
        self._idle: deque[ov.InferRequest] = deque()  # its ends are taken and added to in one step
        self._made: WeakSet[ov.InferRequest] = WeakSet()
        self._making = Lock()
        _IN_THIS_PROCESS.add(self)

    def __iter__(self) -> Iterator[ov.InferRequest]:
        """All that there are, idle or lent."""
        return iter(self._made)

    def take(self) -> ov.InferRequest:
        """A request of one's own, to be given back at rest."""
        return self._taken() or self._new()

    def take_another(self) -> ov.InferRequest | None:
        """One more, or None where there are enough."""
        return self._taken() or (self._new() if len(self._made) < self._bound else None)

    def give_back(self, request: ov.InferRequest) -> None:
        """End the use of a request that is at rest."""
        if len(self._idle) < self._bound:
            self._idle.append(request)

    def keep_forever(self) -> None:
        """Let neither the requests nor the compiled model ever be destroyed."""
        for each in (self._compiled, *self._made):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))

    def _taken(self) -> ov.InferRequest | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _new(self) -> ov.InferRequest:
        request = self._compiled.create_infer_request()
        with self._making:
            self._made.add(request)
        return request


_IN_THIS_PROCESS: Final[WeakSet[Requests]] = WeakSet()


def _in_a_forked_process() -> None:
    for requests in list(_IN_THIS_PROCESS):
        requests.keep_forever()
    _IN_THIS_PROCESS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_process)
