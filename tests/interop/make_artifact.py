"""Convert EfficientNet-Lite0 with Model API's metadata, and say what its saliency map must be.

Run by the project's own Python: ``python -m tests.interop.make_artifact FOLDER`` writes an artifact, a
photograph of the network's own size (so that nobody's resizing matters), and ``expected.npy``, the map of all
classes by the slow definition.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import openvino as ov

from fixtures.efficientnet_lite0 import IMAGE_SIZE, WEIGHTS, build
from fixtures.fetch import fetch, fetch_labels
from fixtures.photographs import load_rgb, preprocess
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert import convert
from tests import oracle
from tests.oracle import Port
from tests.running import CORE, run

MEAN, SCALE = 127, 128
"""(x - 127) / 128 is exact in float32, so that any order of computing it gives the same input."""


def main(folder: Path) -> None:
    """Write all of it to a folder."""
    labels = [label.replace(" ", "_") for label in fetch_labels(WEIGHTS)]  # Model API separates by spaces
    source = _source_with_model_info(folder, labels)
    report = convert(source, folder)
    pixels = _cut(load_rgb(fetch("chelsea")))
    cv2.imwrite(str(folder / "photograph.png"), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    inputs = {"input": preprocess(pixels, IMAGE_SIZE, MEAN, SCALE)}
    target, scores = report.sidecar.target_layer, report.sidecar.scores
    if target is None:
        raise ValueError("a white-box conversion has a target")
    model = CORE.read_model(source)
    raw = oracle.reciprocam(
        model, Port(target.name, target.port), Port(scores.node, scores.port), "NCHW", inputs
    )
    np.save(folder / "expected.npy", oracle.grey_levels(raw))
    best = int(run(model, inputs)[0].argmax())
    (folder / "expected.json").write_text(json.dumps({"label": labels[best], "id": best}), encoding="utf-8")


def _source_with_model_info(folder: Path, labels: list[str]) -> Path:
    path = folder / "efficientnet_lite0.onnx"
    onnx.save(build(read_legacy_checkpoint(fetch(WEIGHTS)), 1), path)
    model = CORE.read_model(path)
    model_info = {
        "model_type": "Classification",
        "labels": " ".join(labels),
        "mean_values": " ".join([str(MEAN)] * 3),
        "scale_values": " ".join([str(SCALE)] * 3),
        "reverse_input_channels": "True",
        "resize_type": "standard",
        "topk": "1",
    }
    for key, value in model_info.items():
        model.set_rt_info(value, ["model_info", key])
    source = folder / "efficientnet_lite0.xml"
    ov.save_model(model, source, compress_to_fp16=False)
    return source


def _cut(pixels: np.ndarray) -> np.ndarray:
    rows, columns = pixels.shape[:2]
    left = (columns - rows) // 2
    return np.asarray(cv2.resize(pixels[:, left : left + rows], (IMAGE_SIZE, IMAGE_SIZE)), np.uint8)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
