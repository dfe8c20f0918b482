"""Detectors of torchvision: whole, with what it does to images and boxes, and what their heads say alone."""

# The project's own environment has neither torch nor torchvision; there they are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.detectors.catalogue import Detector
from benchmarks.detectors.tracing import write_onnx
from benchmarks.detectors.weights import Head, boxes, enliven, pictures, scores


class _Whole(nn.Module):
    """A detector as a function from a batch of one image to the boxes found in it."""

    def __init__(self, detector: Any, outputs: Sequence[str]) -> None:
        super().__init__()
        self.detector = detector
        self.outputs = outputs

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        result = self.detector(image)[0]
        return tuple(result[name] for name in self.outputs)


class _Heads(nn.Module):
    """What a detector's heads say of an image, all levels behind each other."""

    def __init__(self, detector: Any, outputs: Sequence[str]) -> None:
        super().__init__()
        self.detector = detector
        self.outputs = outputs
        self.register_buffer("mean", torch.tensor(detector.transform.image_mean)[:, None, None])
        self.register_buffer("deviation", torch.tensor(detector.transform.image_std)[:, None, None])

    def levels(self, image: Tensor) -> list[Tensor]:
        """The maps that the heads read."""
        return list(self.detector.backbone((image - self.mean) / self.deviation).values())

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        result = self.detector.head(self.levels(image))
        return tuple(result[name] for name in self.outputs)


class _Maps(_Heads):
    """The same before anything is put in another order: a map of scores per level, then one of boxes."""

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        levels, head = self.levels(image), self.detector.head
        kinds, sides = head.classification_head, head.regression_head
        if hasattr(kinds, "module_list"):
            layers = [*kinds.module_list, *sides.module_list]
            return tuple(layer(level) for layer, level in zip(layers, levels * 2, strict=True))
        found = [kinds.cls_logits(kinds.conv(level)) for level in levels]
        for name in ("bbox_reg", "bbox_ctrness"):
            if layer := getattr(sides, name, None):
                found += [layer(sides.conv(level)) for level in levels]
        return tuple(found)


_FORMS: Final[Mapping[str, Callable[[Any, Sequence[str]], nn.Module]]] = {
    "whole": _Whole,
    "heads": _Heads,
    "maps": _Maps,
}


def write(detector: Detector, path: Path) -> None:
    """Write a detector with random weights in the form that the catalogue says."""
    from torchvision.models import detection

    settings = detector.settings
    make = getattr(detection, settings["function"])
    network = make(weights=None, weights_backbone=None, **settings["arguments"]).eval()
    if hasattr(network, "roi_heads"):
        images = pictures(2, detector.size)
        enliven(network, lambda: network(images), _heads_of_two_stages(network), in_turn=True)
    else:
        images = pictures(4, detector.size)
        run = _Heads(network, ())
        enliven(network, lambda: run(images), _heads(network.head))
    module = _FORMS[settings["form"]](network, settings["outputs"]).eval()
    write_onnx(module, images[:1], path, settings["outputs"])


def _heads_of_two_stages(network: Any) -> list[Head]:
    proposing, deciding = network.rpn.head, network.roi_heads.box_predictor
    first = [scores([proposing.cls_logits]), boxes([proposing.bbox_pred], deviation=0.3)]
    return [*first, *_with_background([deciding.cls_score], 1), boxes([deciding.bbox_pred])]


def _heads(head: Any) -> list[Head]:
    kinds, sides = head.classification_head, head.regression_head
    if hasattr(kinds, "module_list"):
        result = []
        for layers in zip(kinds.module_list, sides.module_list, strict=True):
            kind, side = (each[-1] if isinstance(each, nn.Sequential) else each for each in layers)
            result += [*_with_background([kind], side.out_channels // 4), boxes([side])]
        return result
    if hasattr(sides, "bbox_ctrness"):  # distances from a place to the sides of a box, in strides
        ends = [boxes([sides.bbox_reg], mean=2.0, deviation=1.0), scores([sides.bbox_ctrness], mean=0.0)]
    else:
        ends = [boxes([sides.bbox_reg])]
    return [scores([kinds.cls_logits]), *ends]


def _with_background(layers: Sequence[nn.Module], anchors: int) -> list[Head]:
    """Logits under a softmax, background first, which is likely but not everywhere."""
    return [scores(layers, deviation=1.5), scores(layers, mean=2.0, channels=(0, 1), repeats=anchors)]
