"""EfficientDet of the package effdet: what its heads say per level, and with its own selection of boxes."""

# The project's own environment has neither torch nor effdet; there they are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.detectors.catalogue import Detector
from benchmarks.detectors.tracing import write_onnx
from benchmarks.detectors.weights import boxes, enliven, normalised, pictures, scores


class _Maps(nn.Module):
    """All levels' maps of scores, then all of boxes."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        kinds, sides = self.network(image)
        return (*kinds, *sides)


def write(detector: Detector, path: Path) -> None:
    """Write a detector with random weights in the form that the catalogue says."""
    effdet = _traceable()
    config = effdet.get_efficientdet_config(detector.settings["config"])
    config.image_size = (detector.size, detector.size)
    config.num_classes = detector.classes
    network = effdet.EfficientDet(config, pretrained_backbone=False)
    images = normalised(pictures(2, detector.size))
    heads = [scores([network.class_net.predict.conv_pw]), boxes([network.box_net.predict.conv_pw])]
    enliven(network, lambda: network(images), heads)
    if detector.settings["form"] == "whole":
        write_onnx(effdet.DetBenchPredict(network).eval(), images[:1], path, ["detections"])
        return
    levels = range(config.num_levels)
    names = [f"{meaning}_out_{level}" for meaning in ("class", "box") for level in levels]
    write_onnx(_Maps(network).eval(), images[:1], path, names)


def _traceable() -> Any:
    """The package, imported so that its selection of boxes is traced; scripted, it cannot be exported."""
    torch.jit._state.disable()
    try:
        return importlib.import_module("effdet")
    finally:
        torch.jit._state.enable()
