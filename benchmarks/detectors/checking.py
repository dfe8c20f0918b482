"""One detector converted: whether its head is found, what the proof says, what the branch costs."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov

from benchmarks.detectors.catalogue import Detector
from ovxai_convert import convert
from ovxai_convert.errors import OvxaiError

_ROUNDS: Final = 30
_THREADS: Final = 2


@dataclass(frozen=True)
class Found:
    """What came of one detector.

    Attributes:
        reason: why it has no branch; empty where it has one.
        with_labels: whether the names of the classes had to be told.
        bit_exact: whether all original outputs are.
        head: scales, activation and objectness in words.
        classes: how many were found.
        maps_compared: by the proof, with their definition.
        ratio: latency with the branch to that without, medians of runs in turn; None where not measured.
    """

    detector: Detector
    reason: str = ""
    with_labels: bool = False
    bit_exact: bool = False
    head: str = ""
    classes: int = 0
    maps_compared: int = 0
    ratio: float | None = None


def check(detector: Detector, path: Path, *, timed: bool) -> Found:
    """Convert a detector as its user would: first saying nothing, then what its classes are called."""
    labels = [f"class {index}" for index in range(detector.classes)]
    found = Found(detector)
    for told in (None, labels):
        with tempfile.TemporaryDirectory() as folder:
            try:
                report = convert(
                    path,
                    folder,
                    task="detection",
                    labels=told,
                    preprocessing="unit",
                    reference="none",
                    require_whitebox=True,
                )
            except OvxaiError as error:
                found = Found(detector, reason=found.reason or str(error))
                continue
            told_of, proof = report.sidecar.detection, report.sidecar.verification
            assert told_of is not None, "a branch of a detector has a head"
            assert proof.saliency_map is not None, "and maps"
            scales = ", ".join(
                f"{each.rows}x{each.columns}" + (f" ({each.anchors})" if each.anchors > 1 else "")
                for each in told_of.scales
            )
            return Found(
                detector,
                with_labels=told is not None,
                bit_exact=all(each.bit_exact for each in proof.outputs),
                head=f"{scales}; {told_of.activation}; objectness {told_of.objectness.replace('_', ' ')}",
                classes=report.sidecar.scores.class_count,
                maps_compared=proof.saliency_map.maps_compared,
                ratio=latency_ratio(path, report.xml) if timed else None,
            )
    return found


def latency_ratio(original: Path, converted: Path) -> float:
    """Medians of runs in turn, of the converted model to the original, at batch 1 on the CPU."""
    core = ov.Core()
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": _THREADS}
    runs = [
        _runner(core.compile_model(_settled(core, path), "CPU", settings)) for path in (original, converted)
    ]
    times: list[list[float]] = [[], []]
    for round_ in range(_ROUNDS):
        for which in (0, 1) if round_ % 2 else (1, 0):
            start = time.perf_counter()
            runs[which]()
            times[which].append(time.perf_counter() - start)
    before, after = (statistics.median(each[2:]) for each in times)
    return after / before


def _settled(core: ov.Core, path: Path) -> ov.Model:
    """A model whose input has a size."""
    model = core.read_model(path)
    sizes = {
        port: [
            dim.get_length() if dim.is_static else (1 if axis == 0 else 320)
            for axis, dim in enumerate(port.get_partial_shape())
        ]
        for port in model.inputs
        if port.get_partial_shape().is_dynamic
    }
    if sizes:
        model.reshape(sizes)
    return model


def _runner(compiled: ov.CompiledModel) -> Callable[[], Any]:
    rng = np.random.default_rng(0)
    feed = {
        index: rng.random(list(port.get_shape())).astype(port.get_element_type().to_dtype())
        for index, port in enumerate(compiled.inputs)
    }
    request = compiled.create_infer_request()
    return lambda: request.infer(feed)
