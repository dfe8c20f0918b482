"""Detectors with anchors and no objectness, in the forms of MediaPipe, TensorFlow and Caffe."""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc, no-any-return"

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.detectors.blocks import WIDTH, Form, Pyramid, Trunk
from benchmarks.detectors.weights import Head, boxes, scores

_ANCHORS: Final = 6


class _BlazeFace(Form):
    """MediaPipe's faces: 2 anchors in a cell of stride 8, 6 of stride 16, each a box and 6 points."""

    _VALUES: Final = 16

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.outputs = ("regressors", "classificators")
        self.classes = classes
        self.trunk = Trunk(3)
        widths = self.trunk.widths[:2]
        pairs = list(zip(widths, (2, 6), strict=True))
        self.class_predict = nn.ModuleList(nn.Conv2d(width, count * classes, 1) for width, count in pairs)
        self.box_predict = nn.ModuleList(nn.Conv2d(width, count * self._VALUES, 1) for width, count in pairs)

    def heads(self) -> list[Head]:
        kinds = [scores([layer]) for layer in self.class_predict]
        return [*kinds, *(boxes([layer], deviation=10.0) for layer in self.box_predict)]

    def forward(self, image: Tensor) -> Any:
        maps = self.trunk(image)[:2]
        found = []
        for layers, values in ((self.box_predict, self._VALUES), (self.class_predict, self.classes)):
            pairs = zip(layers, maps, strict=True)
            rows = [layer(each).permute(0, 2, 3, 1).reshape(1, -1, values) for layer, each in pairs]
            found.append(torch.cat(rows, 1))
        return tuple(found)


class _RetinaNetNhwc(Form):
    """RetinaNet of Keras: an image with its channels last, and a tensor of boxes and one of class scores."""

    strides: Final = (8, 16, 32, 64, 128)
    channels_last = True

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.outputs = ("boxes", "scores")
        self.classes = classes
        self.pyramid = Pyramid(3, 2)
        self.class_tower, self.box_tower = self._tower(), self._tower()
        self.class_predict = nn.Conv2d(WIDTH, 9 * classes, 3, padding=1)
        self.box_predict = nn.Conv2d(WIDTH, 9 * 4, 3, padding=1)

    @staticmethod
    def _tower() -> nn.Sequential:
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.ReLU()]
        return nn.Sequential(*layers)

    def heads(self) -> list[Head]:
        return [scores([self.class_predict]), boxes([self.box_predict])]

    def forward(self, image: Tensor) -> Any:
        maps = self.pyramid(image.permute(0, 3, 1, 2))
        kinds = [self.class_predict(self.class_tower(each)).permute(0, 2, 3, 1) for each in maps]
        sides = [self.box_predict(self.box_tower(each)).permute(0, 2, 3, 1) for each in maps]
        kinds = [torch.sigmoid(each.reshape(1, -1, self.classes)) for each in kinds]
        return torch.cat([each.reshape(1, -1, 4) for each in sides], 1), torch.cat(kinds, 1)


class _SsdNhwc(Form):
    """SSD of TensorFlow's object detection: background is class 0, but under a sigmoid as all others."""

    channels_last = True

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.outputs = ("raw_detection_boxes", "raw_detection_scores")
        self.classes = classes
        self.pyramid = Pyramid(3, 1, nn.ReLU6)
        levels = range(4)
        self.class_predict = nn.ModuleList(nn.Conv2d(WIDTH, _ANCHORS * (classes + 1), 1) for _ in levels)
        self.box_predict = nn.ModuleList(nn.Conv2d(WIDTH, _ANCHORS * 4, 1) for _ in levels)

    def heads(self) -> list[Head]:
        background = scores(self.class_predict, mean=1.0, channels=(0, 1), repeats=_ANCHORS)
        return [scores(self.class_predict), background, boxes(self.box_predict)]

    def forward(self, image: Tensor) -> Any:
        maps = self.pyramid(image.permute(0, 3, 1, 2))
        sides, kinds = [], []
        for level, values in enumerate(maps):
            side = self.box_predict[level](values).permute(0, 2, 3, 1)
            sides.append(side.reshape(1, -1, 1, 4))
            kind = self.class_predict[level](values).permute(0, 2, 3, 1)
            kinds.append(kind.reshape(1, -1, self.classes + 1))
        return torch.cat(sides, 1).squeeze(2), torch.sigmoid(torch.cat(kinds, 1))


class _SsdCaffe(Form):
    """What SSD in Caffe's form needs of its network: flattened maps of boxes and of classes, and two maps.

    OpenVINO's ops follow, see `from_opset`.
    """

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.outputs = ("mbox_loc", "mbox_conf", "level_0", "level_1", "level_2")
        self.classes = classes
        self.trunk = Trunk(3)
        self.class_predict = nn.ModuleList(
            nn.Conv2d(width, _ANCHORS * (classes + 1), 3, padding=1) for width in self.trunk.widths
        )
        self.box_predict = nn.ModuleList(
            nn.Conv2d(width, _ANCHORS * 4, 3, padding=1) for width in self.trunk.widths
        )

    def heads(self) -> list[Head]:
        result = []
        for kinds, sides in zip(self.class_predict, self.box_predict, strict=True):
            background = scores([kinds], mean=2.0, channels=(0, 1), repeats=_ANCHORS)
            result += [scores([kinds], deviation=1.5), background, boxes([sides])]
        return result

    def forward(self, image: Tensor) -> Any:
        maps = self.trunk(image)
        joined = []
        for layers in (self.box_predict, self.class_predict):
            flat = [
                layer(each).permute(0, 2, 3, 1).flatten(1) for layer, each in zip(layers, maps, strict=True)
            ]
            joined.append(torch.cat(flat, 1))
        return (*joined, *maps)


FORMS: Final[Mapping[str, Callable[[int, int], Form]]] = MappingProxyType(
    {
        "BlazeFace": _BlazeFace,
        "RetinaNetNhwc": _RetinaNetNhwc,
        "SsdNhwc": _SsdNhwc,
        "SsdCaffe": _SsdCaffe,
    }
)
"""By name; each takes the number of classes and the size of the image."""
