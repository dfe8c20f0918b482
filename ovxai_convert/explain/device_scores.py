"""Scoring a stream of batches on a device, several at a time, while the next ones are made."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.explain.predictions import ReadScores

_QUEUED: Final = 2
"""Requests for each that the device runs at once, so that it never waits for the next batch."""


class DeviceScores:
    """A compiled model as a function from batches to scores, in order.

    Batches are pulled only as requests become free, so they may be made while the device works. Whatever ends
    the stream, also Ctrl-C, all requests have come to rest when it returns.

    Args:
        compiled: the model, best compiled for throughput.
        read_scores: from its results to scores.
        batch: how many samples the model takes at once, None for any number; shorter batches are filled up.
    """

    def __init__(self, compiled: ov.CompiledModel, read_scores: ReadScores, batch: int | None) -> None:
        at_once = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._requests = [compiled.create_infer_request() for _ in range(_QUEUED * at_once)]
        self._read_scores = read_scores
        self._batch = batch

    def __call__(self, batches: Iterator[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
        """Scores ``(B, K)`` of every batch ``(B, ...)``."""
        idle = list(self._requests)
        running: deque[tuple[ov.InferRequest, int]] = deque()
        try:
            for batch in batches:
                if not idle:
                    yield self._scores(*running[0])
                    idle.append(running.popleft()[0])
                request = idle.pop()
                request.reset_state()
                request.start_async([self._filled(batch)])
                running.append((request, len(batch)))
            while running:
                yield self._scores(*running[0])
                running.popleft()
        finally:
            _stop([request for request, _ in running])

    def _scores(self, request: ov.InferRequest, samples: int) -> NDArray[np.float32]:
        request.wait()
        return self._read_scores(request.results, self._batch or samples)[:samples]

    def _filled(self, batch: NDArray[Any]) -> NDArray[Any]:
        missing = 0 if self._batch is None else self._batch - len(batch)
        return np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)]) if missing else batch


def _stop(requests: list[ov.InferRequest]) -> None:
    """Let requests that may be running come to rest."""
    for request in requests:
        request.cancel()
    for request in requests:
        with suppress(RuntimeError):  # it was cancelled
            request.wait()
