"""Checks one conversion apart from the converter: `python -m benchmarks.coverage.check ORIGINAL SIDECAR`.

Prints JSON. The definition is taken literally: the whole network runs once for every cell, its feature map
multiplied by a mask that is one at that cell and zero elsewhere, or its tokens by a kernel around it. Nothing
of the package is imported; place and layout of what is masked come from the sidecar.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset15 as ops

from benchmarks.coverage.masked_tokens import Floats, Run, Tokens, UnknownPatternError, masked_run
from benchmarks.coverage.results import Check
from benchmarks.latency import measure

_SEED: Final = 77
_CELLS: Final = 60
_CLASSES: Final = 6
_F32: Final = {"INFERENCE_PRECISION_HINT": "f32"}
_ONE_THREAD: Final = {"INFERENCE_NUM_THREADS": 1}
_ROUNDING: Final = 8e-6
"""What float32 may lose between two orders of the same sums, as a part of the largest score."""


@dataclass(frozen=True)
class _Place:
    """Where a sidecar says that the map comes from."""

    target: str
    target_port: int
    layout: str
    scores: str
    scores_port: int
    method: str

    @classmethod
    def of(cls, sidecar: dict[str, Any]) -> _Place:
        target, scores = sidecar["target_layer"], sidecar["scores"]
        return cls(
            target["name"],
            target["port"],
            target["layout"],
            scores["node"],
            scores["port"],
            sidecar["method"],
        )


def check(original: Path, sidecar_file: Path, seconds: float) -> Check:
    """Compare a conversion with its original and its definition."""
    sidecar = json.loads(sidecar_file.read_text(encoding="utf-8"))
    xml = sidecar_file.with_suffix(".xml")
    core = ov.Core()
    unsteady = "one thread" in sidecar["verification"]["device"]
    settings: dict[str, Any] = {**_F32, **(_ONE_THREAD if unsteady else {})}
    converted = core.read_model(xml)
    feed = [_image(port) for port in converted.inputs]
    found = np.array(core.compile_model(converted, "CPU", settings)(feed)["saliency_map"])
    latency = measure(str(original), str(xml), seconds, seconds / 3, settings)
    map_check = _check_map(core, core.read_model(xml), sidecar, feed, found, settings)
    return Check(latency.bit_exact, latency.max_abs_diff, latency.ratio.median, *map_check)


def _check_map(
    core: ov.Core,
    model: ov.Model,
    sidecar: dict[str, Any],
    feed: list[Any],
    found: NDArray[Any],
    settings: dict[str, Any],
) -> tuple[int, float | None, float | None]:
    """Cells compared, largest difference in grey levels beyond rounding, share of maps that vary."""
    place = _Place.of(sidecar)
    if place.method == "activationmap":
        return _check_mean(core, model, place, feed, found, settings)
    if place.method == "reciprocam":
        return _check_classes(_masked(core, model, place, found.shape[-2:], settings), feed, found)
    nodes = {node.get_friendly_name(): node for node in model.get_ops()}
    rows, columns = (int(each) for each in found.shape[-2:])
    tokens = Tokens(
        nodes[place.target].output(place.target_port),
        place.layout.index("T"),
        (rows, columns),
        sidecar["parameters"]["kernel"] == "gaussian",
        sidecar["parameters"]["class_token"] == "kept",
    )
    try:
        run = masked_run(core, model, tokens, nodes[place.scores].output(place.scores_port), settings)
    except UnknownPatternError:  # the definition of this one is not written down here
        return 0, None, None
    return _check_classes(run, feed, found)


def _image(port: ov.Output) -> NDArray[np.float32]:
    shape = [extent.get_length() if extent.is_static else 1 for extent in port.get_partial_shape()]
    return np.random.default_rng(_SEED).standard_normal(shape).astype(np.float32)


def _check_classes(run: Run, feed: list[Any], found: NDArray[Any]) -> tuple[int, float | None, float | None]:
    """Cells compared, largest difference in grey levels beyond rounding, share of maps that vary."""
    rows, columns = found.shape[-2:]
    random = np.random.default_rng(_SEED)
    classes = random.choice(found.shape[1], min(_CLASSES, found.shape[1]), replace=False)
    shown = found[0, classes].reshape(len(classes), -1).astype(np.float64)
    wanted = {int(cell) for row in shown for cell in (row.argmin(), row.argmax())}
    others = [cell for cell in random.permutation(rows * columns) if cell not in wanted]
    cells = sorted([*wanted, *others[: max(0, _CELLS - len(wanted))]])
    scores = np.array([run(feed, cell).ravel()[classes] for cell in cells]).T
    worst = max(_grey_difference(raw, row[cells]) for raw, row in zip(scores, shown, strict=True))
    return len(cells), worst, float(np.mean([len(set(row)) > 1 for row in shown]))


def _masked(
    core: ov.Core, model: ov.Model, place: _Place, grid: tuple[int, ...], settings: dict[str, Any]
) -> Run:
    """The scores of the whole network with all cells but one of its feature map times zero."""
    nodes = {node.get_friendly_name(): node for node in model.get_ops()}
    target, scores = (
        nodes[place.target].output(place.target_port),
        nodes[place.scores].output(place.scores_port),
    )
    users = list(target.get_target_inputs())
    mask = ops.parameter([-1] * len(target.get_partial_shape()), target.get_element_type())
    product = ops.multiply(target, mask).output(0)
    for user in users:
        user.replace_source_output(product)
    if scores == target:
        scores = product
    compiled = core.compile_model(
        ov.Model([ops.result(scores)], [*model.get_parameters(), mask]), "CPU", settings
    )

    def run(feed: list[Any], cell: int) -> Floats:
        values = np.zeros(grid, target.get_element_type().to_dtype())
        values.flat[cell] = 1
        shapes = {"NCHW": (1, 1, *grid), "NHWC": (1, *grid, 1), "NTC": (1, -1, 1)}
        return np.array(compiled([*feed, values.reshape(shapes[place.layout])])[0], np.float64)

    return run


def _grey_difference(raw: Floats, shown: Floats) -> float:
    """Grey levels by which a map is off beyond what float32 explains; some cells, the extremes among them."""
    span, magnitude = float(np.ptp(raw)), float(np.abs(raw).max())
    if span <= _ROUNDING * magnitude + 255 * float(np.finfo(np.float32).eps) * magnitude:
        return 0.0 if not shown.any() or span <= _ROUNDING * magnitude else float(shown.max())
    expected = 255 * (raw - raw.min()) / span
    return float(max(0.0, np.abs(shown - expected).max() - 255 * _ROUNDING * magnitude / span))


def _check_mean(
    core: ov.Core,
    model: ov.Model,
    place: _Place,
    feed: list[Any],
    found: NDArray[Any],
    settings: dict[str, Any],
) -> tuple[int, float | None, float | None]:
    """The same for the mean over channels."""
    nodes = {node.get_friendly_name(): node for node in model.get_ops()}
    target = nodes[place.target].output(place.target_port)
    compiled = core.compile_model(ov.Model([ops.result(target)], model.get_parameters()), "CPU", settings)
    features = np.array(compiled(feed)[0], np.float64)
    raw = features.mean(place.layout.index("C"))[0].ravel()
    shown = found[0].ravel().astype(np.float64)
    return raw.size, _grey_difference(raw, shown), float(len(set(shown)) > 1)


def main() -> None:
    """Check and print."""
    parser = argparse.ArgumentParser(description="Check a conversion by the literal definition.")
    parser.add_argument("original", type=Path)
    parser.add_argument("sidecar", type=Path)
    parser.add_argument("--seconds", type=float, default=1.0, help="time for the comparison of latencies")
    arguments = parser.parse_args()
    print(json.dumps(asdict(check(arguments.original, arguments.sidecar, arguments.seconds))))


if __name__ == "__main__":
    main()
