"""Checks a conversion to ONNX apart from the converter: `... coverage.onnx_check SOURCE IR_XML CONVERTED`.

Prints JSON. Source and converted file run beside each other in ONNX Runtime; the map there is compared with
that of the IR in OpenVINO, which another program holds to its definition. Nothing of the package is imported.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from benchmarks.coverage.results import OnnxCheck
from benchmarks.latency import in_turn
from benchmarks.onnx_latency import Session, metadata_bytes, share_threads


def check(source: Path, xml: Path, converted: Path, seconds: float, *, shared: bool = False) -> OnnxCheck:
    """Compare a converted file with its source and with the IR; ``shared``: they have the same threads."""
    before, after = (Session(str(path), shared=shared) for path in (source, converted))
    count = len(before.session.get_outputs())
    feeds = before.feeds()
    latency = in_turn((before, after), feeds, count, seconds, seconds / 3, "")
    compiled = ov.Core().compile_model(xml, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    apart = []
    for feed in feeds:
        after.infer(feed)
        wanted = np.array(compiled(dict(feed))["saliency_map"], np.float64)
        apart.append(float(np.abs(_map(after) - wanted).max()))
    return OnnxCheck(
        latency.bit_exact,
        latency.max_abs_diff,
        latency.ratio.median,
        max(apart),
        metadata_bytes(converted) - metadata_bytes(source),
    )


def _map(session: Session) -> NDArray[Any]:
    names = [port.name for port in session.session.get_outputs()]
    return session.outputs(len(names))[names.index("saliency_map")].astype(np.float64)


def main() -> None:
    """Check and print."""
    parser = argparse.ArgumentParser(description="Check a conversion to ONNX in ONNX Runtime.")
    for name in ("source", "xml", "converted"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--seconds", type=float, default=1.0, help="time for the comparison of latencies")
    arguments = parser.parse_args()
    share_threads()
    found = check(arguments.source, arguments.xml, arguments.converted, arguments.seconds, shared=True)
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
