"""Two ONNX files run in turn in ONNX Runtime: `python -m benchmarks.onnx_latency ORIGINAL CONVERTED`.

On the CPU with its default options, but with two threads that both sessions share: with threads of its own
each would spin for a while after a run and slow the other one's. With `--processor-time` on one thread, by
the time that it has of a processor, which other work on the machine hardly moves.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from benchmarks.latency import Clock, Feed, in_turn, parser_of_pairs
from benchmarks.results import Latency

_THREADS: Final = 2
_SEED: Final = 20
_TYPES: Final[Mapping[str, type[Any]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}


class Session:
    """A file loaded by ONNX Runtime; ``shared``: with the threads that all of this process have in common."""

    def __init__(self, path: str, *, shared: bool = True) -> None:
        options = ort.SessionOptions()
        options.use_per_session_threads = not shared
        options.log_severity_level = 4
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._found: list[NDArray[Any]] = []

    def infer(self, feed: Feed) -> None:
        """One inference of all outputs."""
        self._found = self.session.run(None, dict(feed))

    def outputs(self, count: int) -> list[NDArray[Any]]:
        """The first outputs of the last one."""
        return self._found[:count]

    def feeds(self) -> list[Feed]:
        """Two seeded random images; what is open is 1."""
        random = np.random.default_rng(_SEED)

        def drawn(port: Any) -> NDArray[Any]:
            shape = [extent if isinstance(extent, int) else 1 for extent in port.shape]
            return random.standard_normal(shape).astype(_TYPES[port.type])

        return [{port.name: drawn(port) for port in self.session.get_inputs()} for _ in range(2)]


def metadata_bytes(path: Path) -> int:
    """Bytes of a file that hold metadata."""
    model = onnx.load(path, load_external_data=False)
    whole = int(model.ByteSize())
    del model.metadata_props[:]
    return whole - int(model.ByteSize())


def share_threads(count: int = _THREADS) -> None:
    """Give the sessions of this process some threads in common; before the first is made."""
    ort.set_global_thread_pool_sizes(count, 1)


def measure(original: str, converted: str, seconds: float, warm_up: float, clock: Clock) -> Latency:
    """Load both and run them in turn."""
    sessions = [Session(path) for path in (original, converted)]
    count = len(sessions[0].session.get_outputs())
    return in_turn(sessions, sessions[0].feeds(), count, seconds, warm_up, ort.__version__, clock)


def main() -> None:
    """Measure and print."""
    parser = parser_of_pairs("Run two ONNX files in turn and compare their times.")
    parser.add_argument("--processor-time", action="store_true", help="of one thread, instead of the clock")
    arguments = parser.parse_args()
    spent = arguments.processor_time
    share_threads(1 if spent else _THREADS)
    original, converted = arguments.original, arguments.converted
    clock = time.thread_time if spent else time.perf_counter
    latency = measure(original, converted, arguments.seconds, arguments.warm_up, clock)
    described = metadata_bytes(Path(converted)) - metadata_bytes(Path(original))
    print(json.dumps({"latency": asdict(latency), "described": described}))


if __name__ == "__main__":
    main()
