"""Detectors of Ultralytics, from its descriptions of them and through its own exporter."""

# The project's own environment has neither torch nor ultralytics; there they are Any to the type checker.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from benchmarks.detectors.catalogue import FOLDER, Detector
from benchmarks.detectors.weights import Head, boxes, enliven, pictures, scores

_ALONE: Final = {
    "YOLO_AUTOINSTALL": "false",
    "YOLO_OFFLINE": "true",
    "YOLO_CONFIG_DIR": str(FOLDER / "ultralytics"),
}
"""What keeps the package from installing things, asking the network and writing into the home directory."""

_PLAIN: Final = {"onnx": {"simplify": False}, "openvino": {}}
"""What the exporter is told by form; else it has another package rewrite ONNX graphs."""


def write(detector: Detector, path: Path) -> None:
    """Write a detector with random weights as that package exports it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    os.environ.update(_ALONE)
    network = _network(detector)
    module = network.model.eval()
    last = module.model[-1]
    is_decoder = hasattr(last, "dec_score_head")
    images = pictures(4, detector.size)
    enliven(module, lambda: module(images), _heads(last), in_turn=is_decoder)
    _shorten(last)
    if detector.settings["all_scores"]:
        last.postprocess = lambda boxes, scores: torch.cat((boxes, scores), -1)
    form = detector.settings["format"]
    options = {**_PLAIN[form], "imgsz": detector.size, **detector.settings["options"]}
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, contextlib.chdir(folder):
        written = Path(network.export(format=form, **options)).resolve()
        if written.is_dir():
            written = next(written.glob("*.xml"))
            written.with_suffix(".bin").replace(path.with_suffix(".bin"))
        written.replace(path)


def _network(detector: Detector) -> Any:
    import ultralytics

    description = detector.settings["description"]
    kind = ultralytics.RTDETR if description.startswith("rtdetr") else ultralytics.YOLO
    network = kind(f"{description}.yaml")
    if network.model.yaml["nc"] != detector.classes:
        module = type(network.model)(network.cfg, nc=detector.classes, verbose=False)
        module.args, module.task = network.model.args, network.task
        network.model = module
    return network


def _heads(last: Any) -> list[Head]:
    """What its last module ends in."""
    if hasattr(last, "dec_score_head"):
        ends = [boxes([mlp.layers[-1]]) for mlp in (last.enc_bbox_head, *last.dec_bbox_head)]
        return [scores([last.enc_score_head]), *ends, *(scores([each]) for each in last.dec_score_head)]
    result = []
    for prefix in ("", "one2one_"):
        sides, kinds = (getattr(last, prefix + name, None) for name in ("cv2", "cv3"))
        if sides is not None and kinds is not None:
            result.append(boxes((branch[-1] for branch in sides), deviation=1.5))
            result.append(scores(branch[-1] for branch in kinds))
    return result


def _shorten(last: nn.Module) -> None:
    """Make small distances from a place to the sides of its box likely, as they are in trained networks."""
    for name in ("cv2", "one2one_cv2"):
        for branch in getattr(last, name, None) or []:
            branch[-1].bias.view(4, -1).sub_(0.4 * torch.arange(last.reg_max))
