"""Measures of maps beside openvino-xai 1.1.0's own: ``python -m benchmarks.ancestor_metrics``.

ReciproCAM's maps of EfficientNet-Lite0 for the twelve photographs of `fixtures.evaluation_sets`, cut to the
model's own size, are measured here and by the package itself, in an environment of its own; then the package
measures the maps that it makes. Pixels are covered with black, as it does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from benchmarks.environments import ANCESTOR, ensure
from benchmarks.failures import BenchmarkError
from fixtures.efficientnet_lite0 import IMAGE_SIZE, WEIGHTS, build
from fixtures.evaluation_sets import Corners, imagenet_photographs
from fixtures.fetch import fetch, fetch_labels
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert.artifact.notes import UserNotes
from ovxai_convert.evaluation.annotations import ObjectBox
from ovxai_convert.evaluation.canvases import scaled_to_one
from ovxai_convert.evaluation.evaluated_models import evaluated_model
from ovxai_convert.evaluation.inquiry import Inquiry
from ovxai_convert.evaluation.measuring import Measuring
from ovxai_convert.photographs.hints import PreprocessingHints
from ovxai_convert.pictures.rendering import enlarged

STEPS: Final = 30
MEASURES: Final = (
    "deletion",
    "insertion",
    "average_drop",
    "coherency",
    "complexity",
    "adcc",
    "pointing",
)


def _cut(picture: NDArray[Any], box: Corners) -> tuple[NDArray[Any], ObjectBox]:
    """The middle of a picture in the model's size, and the box in its pixels."""
    rows, columns = picture.shape[:2]
    side = min(rows, columns)
    left, top = (columns - side) // 2, (rows - side) // 2
    pixels = cv2.resize(
        np.ascontiguousarray(picture[top : top + side, left : left + side]),
        (IMAGE_SIZE, IMAGE_SIZE),
        interpolation=cv2.INTER_AREA,
    )
    factor = IMAGE_SIZE / side
    edges = box.left - left, box.top - top, box.right - left, box.bottom - top
    return np.asarray(pixels), ObjectBox("object", *(edge * factor for edge in edges))


def measured_here(model: Path, folder: Path) -> tuple[list[dict[str, float]], list[dict[str, Any]]]:
    """Our numbers of each photograph, and the order for the package."""
    hints = PreprocessingHints(mean=(127.0,), scale=(128.0,), colour="rgb", resize="stretch")
    rated = evaluated_model(model, ["reciprocam"], (), UserNotes(None, hints))
    inquiry = Inquiry(
        ("deletion", "insertion", "pointing", "adcc"),
        steps=STEPS,
        cover="black",
        any_box=True,
        baselines=(),
    )
    found, order = [], []
    for name, picture, _, corners in imagenet_photographs():
        pixels, box = _cut(picture, corners)
        measured = Measuring([rated], inquiry).measured(name, 0, {3: pixels}, [box])
        ((saliency, _),) = measured.maps.values()
        photograph, array = folder / f"{name}.png", folder / f"{name}.npy"
        cv2.imwrite(str(photograph), pixels)
        np.save(array, scaled_to_one(enlarged(saliency, (IMAGE_SIZE, IMAGE_SIZE))).astype(np.float64))
        boxes = [[box.left, box.top, box.right - box.left, box.bottom - box.top]]
        order.append({"photograph": str(photograph), "map": str(array), "boxes": boxes, "steps": STEPS})
        numbers = {str(row.metric): float(row.value or 0) for row in measured.rows}
        found.append({**numbers, "target": float(measured.rows[0].class_index or 0)})
    return found, order


def main() -> None:
    """Measure with both, and print means and largest differences."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "model.onnx"
        onnx.save(build(read_legacy_checkpoint(fetch(WEIGHTS)), 1, fetch_labels(WEIGHTS)), model)
        ours, order = measured_here(model, folder)
        (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")
        script = Path(__file__).with_name("measure_ancestor.py")
        command = [ensure(ANCESTOR), "-P", str(script), str(model), str(folder / "order.json")]
        result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    theirs = json.loads(result.stdout.splitlines()[-1])
    if [each["target"] for each in ours] != [each["target"] for each in theirs]:
        raise BenchmarkError("both do not answer with the same classes")
    print("| measure | here | it, of the same maps | largest difference | it, of its own maps | as u8 |")
    print("| --- | --- | --- | --- | --- | --- |")
    for measure in MEASURES:
        here = np.array([each[measure] for each in ours])
        given, shares, levels = (
            np.array([each[f"{kind}: {measure}"] for each in theirs])
            for kind in ("given", "own shares", "own levels")
        )
        cells = [here.mean(), given.mean(), abs(here - given).max(), shares.mean(), levels.mean()]
        print(f"| {measure} | " + " | ".join(f"{cell:.4f}" for cell in cells) + " |")


if __name__ == "__main__":
    try:
        main()
    except BenchmarkError as error:
        sys.exit(f"Error: {error}")
