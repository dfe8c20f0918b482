"""YOLO in the forms that its projects export: anchors of Darknet and version 5, and what came after them."""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc, no-any-return"

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.detectors.blocks import WIDTH, Form, Pyramid, centers, conv, grid, tower
from benchmarks.detectors.weights import Head, boxes, scores

_STRIDES: Final = (8, 16, 32)
_ANCHORS: Final = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)


class _AnchorMaps(Form):
    """One map per level with place, objectness and classes of three anchors, as Darknet and ports give it."""

    def __init__(self, classes: int, size: int, activation: Any = nn.SiLU) -> None:
        super().__init__()
        self.classes, self.size = classes, size
        self.values = classes + 5
        self.pyramid = Pyramid(activation=activation)
        self.towers = nn.ModuleList(tower(1, activation) for _ in _STRIDES)
        self.predict = nn.ModuleList(nn.Conv2d(WIDTH, 3 * self.values, 1) for _ in _STRIDES)
        self.outputs = tuple(f"feature_map_{level + 1}" for level in range(len(_STRIDES)))

    def heads(self) -> list[Head]:
        return [
            boxes(self.predict, channels=(0, 4), repeats=3, deviation=0.6),
            scores(self.predict, channels=(4, 5), repeats=3, mean=-1.0, deviation=1.5),
            scores(self.predict, channels=(5, self.values), repeats=3, mean=-1.0),
        ]

    def maps(self, image: Tensor) -> list[Tensor]:
        """What the last convolutions give."""
        levels = zip(self.towers, self.predict, self.pyramid(image), strict=True)
        return [predict(layers(level)) for layers, predict, level in levels]

    def forward(self, image: Tensor) -> Any:
        return tuple(self.maps(image))


class _YoloV4Boxes(_AnchorMaps):
    """Version 4 in its best known port to torch: boxes and confidences, classes times objectness."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__(classes, size, nn.Mish)
        self.outputs = ("boxes", "confs")

    def forward(self, image: Tensor) -> Any:
        levels = zip(_ANCHORS, self.maps(image), strict=True)
        pairs = [self._decode(values, torch.tensor(anchors)) for anchors, values in levels]
        found, confidences = zip(*pairs, strict=True)
        return torch.cat(found, 1), torch.cat(confidences, 1)

    def _decode(self, values: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes and confidences of a level; channels are cut anchor by anchor and put together by meaning."""
        cells = values.shape[-1]
        ends = (0, 2, 4, 5, self.values)
        parts = [
            [
                values[:, first * self.values + ends[part] : first * self.values + ends[part + 1]]
                for first in range(3)
            ]
            for part in range(4)
        ]
        middle, extent, objects, kinds = (torch.cat(each, 1) for each in parts)
        objects = torch.sigmoid(objects.view(1, 3 * cells * cells, 1))
        kinds = kinds.view(1, 3, self.classes, cells * cells).permute(0, 1, 3, 2)
        kinds = torch.sigmoid(kinds.reshape(1, 3 * cells * cells, self.classes))
        middle = torch.sigmoid(middle).view(1, 3, 2, cells * cells).permute(0, 1, 3, 2)
        extent = torch.exp(extent).view(1, 3, 2, cells * cells).permute(0, 1, 3, 2)
        middle = (middle + grid(cells, cells, 0.0)) / cells
        extent = extent * anchors[:, None] / self.size
        first = (middle - extent * 0.5).reshape(1, 3 * cells * cells, 1, 2)
        second = first + extent.reshape(1, 3 * cells * cells, 1, 2)
        return torch.cat((first, second), 3), kinds * objects


class _YoloV5(_AnchorMaps):
    """Version 5 with anchors: cells of three levels behind each other, decoded."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__(classes, size)
        self.outputs = ("output0",)
        for level, (stride, anchors) in enumerate(zip(_STRIDES, _ANCHORS, strict=True)):
            cells = size // stride
            self.register_buffer(f"grid_{level}", (grid(cells, cells) - 1.0).view(1, 1, cells, cells, 2))
            self.register_buffer(f"anchors_{level}", torch.tensor(anchors).float().view(1, 3, 1, 1, 2))

    def cells(self, image: Tensor) -> list[Tensor]:
        """Values of every anchor in every cell, undecoded: `(1, 3, rows, columns, values)` per level."""
        found = []
        for each in self.maps(image):
            batch, _, rows, columns = each.shape
            by_anchor = each.view(batch, 3, self.values, rows, columns)
            found.append(by_anchor.permute(0, 1, 3, 4, 2).contiguous())
        return found

    def forward(self, image: Tensor) -> Any:
        decoded = []
        for level, (stride, values) in enumerate(zip(_STRIDES, self.cells(image), strict=True)):
            batch, anchors, rows, columns, _ = values.shape
            middle, extent, rest = values.sigmoid().split((2, 2, self.classes + 1), 4)
            middle = (middle * 2 + getattr(self, f"grid_{level}")) * stride
            extent = (extent * 2) ** 2 * getattr(self, f"anchors_{level}")
            joined = torch.cat((middle, extent, rest), 4)
            decoded.append(joined.view(batch, anchors * rows * columns, self.values))
        return torch.cat(decoded, 1)


class _YoloV5Raw(_YoloV5):
    """The same, exported as for training: three tensors of anchors, rows, columns and values."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__(classes, size)
        self.outputs = ("output0", "output1", "output2")

    def forward(self, image: Tensor) -> Any:
        return tuple(self.cells(image))


class _Suppression(torch.autograd.Function):
    """ONNX's op; in torch, any boxes."""

    @staticmethod
    def forward(ctx: Any, found: Tensor, confidences: Tensor, most: Tensor, *_: Tensor) -> Tensor:
        count = min(20, found.shape[1])
        chosen = torch.randperm(found.shape[1])[:count].sort().values
        zeros = torch.zeros(count, dtype=torch.int64)
        return torch.stack((zeros, zeros, chosen), 1)

    @staticmethod
    def symbolic(g: Any, *inputs: Any) -> Any:
        return g.op("NonMaxSuppression", *inputs)


def suppress(found: Tensor, confidences: Tensor, most: int, overlap: float, least: float) -> Tensor:
    """Indices of batch, class and box that non-maximum suppression keeps."""
    limits = (torch.tensor([most]), torch.tensor([overlap]), torch.tensor([least]))
    return _Suppression.apply(found, confidences, *limits)


class _YoloV7EndToEnd(_YoloV5):
    """Version 7 with ONNX's non-maximum suppression: a row of batch, box, class and score per box left."""

    _FARTHEST: Final = 640

    def __init__(self, classes: int, size: int) -> None:
        super().__init__(classes, size)
        self.outputs = ("output",)
        matrix = [[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]]
        self.register_buffer("convert", torch.tensor(matrix))

    def forward(self, image: Tensor) -> Any:
        values = super().forward(image)
        found, objectness, kinds = values[:, :, :4], values[:, :, 4:5], values[:, :, 5:]
        kinds = kinds * objectness
        found = found @ self.convert
        best, kind = kinds.max(2, keepdim=True)
        apart = found + kind.float() * self._FARTHEST
        chosen = suppress(apart, best.transpose(1, 2).contiguous(), 100, 0.45, 0.25)
        batch, place = chosen[:, 0], chosen[:, 2]
        rest = found[batch, place, :], kind[batch, place, :].float(), best[batch, place, :]
        return torch.cat((batch.unsqueeze(1).float(), *rest), 1)


class _YoloV6(Form):
    """Version 6: no anchors, and ones where objectness would be."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.outputs = ("outputs",)
        self.classes = classes
        self.pyramid = Pyramid(activation=nn.ReLU)
        self.stems = nn.ModuleList(conv(WIDTH, WIDTH, 1, activation=nn.SiLU) for _ in _STRIDES)
        self.class_towers = nn.ModuleList(tower(1, nn.SiLU) for _ in _STRIDES)
        self.box_towers = nn.ModuleList(tower(1, nn.SiLU) for _ in _STRIDES)
        self.class_predict = nn.ModuleList(nn.Conv2d(WIDTH, classes, 1) for _ in _STRIDES)
        self.box_predict = nn.ModuleList(nn.Conv2d(WIDTH, 4, 1) for _ in _STRIDES)
        places, strides = centers(size, _STRIDES)
        self.register_buffer("places", places / strides)
        self.register_buffer("strides", strides)

    def heads(self) -> list[Head]:
        return [scores(self.class_predict), boxes(self.box_predict, mean=2.0)]

    def forward(self, image: Tensor) -> Any:
        kinds, sides = [], []
        for level, values in enumerate(self.pyramid(image)):
            batch, _, rows, columns = values.shape
            stem = self.stems[level](values)
            kind = torch.sigmoid(self.class_predict[level](self.class_towers[level](stem)))
            side = self.box_predict[level](self.box_towers[level](stem))
            kinds.append(kind.reshape([batch, self.classes, rows * columns]))
            sides.append(side.reshape([batch, 4, rows * columns]))
        kind, side = (torch.cat(each, -1).permute(0, 2, 1) for each in (kinds, sides))
        first, second = torch.split(side, 2, -1)
        first, second = self.places - first, self.places + second
        found = torch.cat(((first + second) / 2, second - first), -1) * self.strides
        ones = torch.ones((found.shape[0], found.shape[1], 1), dtype=found.dtype)
        return torch.cat((found, ones, kind), -1)


class _YoloX(Form):
    """YOLOX as its exporter gives it: box, objectness and classes of every cell, boxes not decoded."""

    decoded = False

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.outputs = ("output",)
        self.pyramid = Pyramid(activation=nn.SiLU)
        self.stems = nn.ModuleList(conv(WIDTH, WIDTH, 1, activation=nn.SiLU) for _ in _STRIDES)
        self.class_towers = nn.ModuleList(tower(2, nn.SiLU) for _ in _STRIDES)
        self.box_towers = nn.ModuleList(tower(2, nn.SiLU) for _ in _STRIDES)
        self.class_predict = nn.ModuleList(nn.Conv2d(WIDTH, classes, 1) for _ in _STRIDES)
        self.box_predict = nn.ModuleList(nn.Conv2d(WIDTH, 4, 1) for _ in _STRIDES)
        self.object_predict = nn.ModuleList(nn.Conv2d(WIDTH, 1, 1) for _ in _STRIDES)
        places, strides = centers(size, _STRIDES)
        self.register_buffer("places", (places / strides - 0.5)[None])
        self.register_buffer("strides", strides[None])

    def heads(self) -> list[Head]:
        objects = scores(self.object_predict, mean=-1.0, deviation=1.5)
        return [scores(self.class_predict, mean=-1.0), boxes(self.box_predict, mean=0.5), objects]

    def forward(self, image: Tensor) -> Any:
        found = []
        for level, values in enumerate(self.pyramid(image)):
            stem = self.stems[level](values)
            kind = self.class_predict[level](self.class_towers[level](stem))
            features = self.box_towers[level](stem)
            box, one = self.box_predict[level](features), self.object_predict[level](features)
            found.append(torch.cat((box, one.sigmoid(), kind.sigmoid()), 1))
        joined = torch.cat([each.flatten(start_dim=2) for each in found], dim=2).permute(0, 2, 1)
        if self.decoded:
            joined[..., :2] = (joined[..., :2] + self.places) * self.strides
            joined[..., 2:4] = torch.exp(joined[..., 2:4]) * self.strides
        return joined


class _YoloXDecoded(_YoloX):
    """The same with its boxes decoded in place, which tracing turns into scattered writes."""

    decoded = True


FORMS: Final[Mapping[str, Callable[[int, int], Form]]] = MappingProxyType(
    {
        "AnchorMaps": _AnchorMaps,
        "YoloV4Boxes": _YoloV4Boxes,
        "YoloV5": _YoloV5,
        "YoloV5Raw": _YoloV5Raw,
        "YoloV7EndToEnd": _YoloV7EndToEnd,
        "YoloV6": _YoloV6,
        "YoloX": _YoloX,
        "YoloXDecoded": _YoloXDecoded,
    }
)
"""By name; each takes the number of classes and the size of the image."""
