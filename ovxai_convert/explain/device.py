"""Running a model on a device: for one answer at a time, or for a stream of batches, several at once."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from ovxai_convert.compiling import compile_in_float32
from ovxai_convert.errors import ModelReadError, UsageError, last_line
from ovxai_convert.explain.predictions import ReadScores
from ovxai_convert.explain.requests import Requests

Hint = Literal["LATENCY", "THROUGHPUT"]


def compile_for(model: ov.Model, device: str, hint: Hint, threads: int | None = None) -> ov.CompiledModel:
    """Compile in float32, so that a map does not depend on what the device computes in by default.

    ``threads``: so many at most compute on a CPU; None: as many as it has.

    A device that does not exist is a UsageError, one that cannot run the model a ModelReadError.
    """
    there = ov.Core().available_devices
    kind = device.split(":")[0].split(".")[0]
    known = {name.split(".")[0] for name in there} | {"AUTO", "HETERO", "MULTI", "BATCH"}
    if kind not in known:
        raise UsageError(f"no device '{device}' here; there are {', '.join(there)}")
    limits: dict[str, Any] = {}
    if threads is not None and kind == "CPU":  # nor tied to processors, as those of others may be
        limits = {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}
    try:
        return compile_in_float32(model, device, PERFORMANCE_HINT=hint, **limits)
    except RuntimeError as error:
        raise ModelReadError(f"device '{device}' cannot run the model: {last_line(error)}") from error


class InTheRuntime:
    """Runs a model in a block; a ModelReadError with what the runtime has to say if it cannot."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RuntimeError):
            raise ModelReadError(f"the runtime cannot run the model: {last_line(error)}") from error


class DeviceScores:
    """A compiled model as a function from batches to scores, in order.

    Batches are pulled only as requests become free, so they may be made while the device works. They are
    filled up to ``batch``, unless the model takes any number (None). Whatever ends the stream, also Ctrl-C,
    all its requests have come to rest when it returns. Streams of several threads share the requests that the
    device needs, each of which is one stream's from start to rest; every stream has at least one.
    """

    def __init__(self, compiled: ov.CompiledModel, read_scores: ReadScores, batch: int | None) -> None:
        self._requests = Requests(compiled)
        self.read_scores = read_scores
        self._batch = batch

    def reading(self, read_scores: ReadScores) -> DeviceScores:
        """The same, its results read in another way."""
        if read_scores is self.read_scores:
            return self
        other = copy.copy(self)
        other.read_scores = read_scores
        return other

    def __call__(self, batches: Iterator[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
        """Scores ``(B, K)`` of every batch ``(B, ...)``."""
        running: deque[tuple[ov.InferRequest, int]] = deque()
        try:
            for batch in batches:
                request = self._free(len(running))
                if request is None:
                    yield self._scores(*running[0])
                    request = running.popleft()[0]
                request.reset_state()
                with InTheRuntime():
                    request.start_async([self._filled(batch)])
                running.append((request, len(batch)))
            while running:
                yield self._scores(*running[0])
                self._requests.give_back(running.popleft()[0])
        finally:
            left = [request for request, _ in running]
            _stop(left)
            for request in left:
                self._requests.give_back(request)

    def _free(self, running: int) -> ov.InferRequest | None:
        """A request for a stream that has so many under way; None: it has to wait for one of its own."""
        if not running:
            return self._requests.take()
        return self._requests.take_another() if running < self._requests.ahead else None

    def _scores(self, request: ov.InferRequest, samples: int) -> NDArray[np.float32]:
        with InTheRuntime():
            request.wait()
        return self.read_scores(request.results, self._batch or samples)[:samples]

    def _filled(self, batch: NDArray[Any]) -> NDArray[Any]:
        missing = 0 if self._batch is None else self._batch - len(batch)
        return np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)]) if missing else batch


def _stop(requests: list[ov.InferRequest]) -> None:
    for request in requests:
        request.cancel()
    for request in requests:
        with suppress(RuntimeError):  # it was cancelled
            request.wait()
