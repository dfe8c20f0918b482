"""Detectors without anchors or with one square per place: NanoDet, PicoDet, GFL, ATSS, FCOS and CenterNet."""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc, no-any-return"

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.detectors.blocks import WIDTH, Form, Pyramid, Trunk, centers, conv, corners, tower
from benchmarks.detectors.weights import Head, boxes, scores
from benchmarks.detectors.yolo_forms import suppress

_STRIDES: Final = (8, 16, 32)
_WITH_64: Final = (8, 16, 32, 64)
_BINS: Final = 8
"""Distances between which NanoDet and PicoDet decide, in strides."""


class _NanoDet(Form):
    """NanoDet: for every level, sigmoid of classes and logits of distances, a row per cell."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.classes = classes
        self.pyramid = Pyramid(activation=lambda: nn.LeakyReLU(0.1))
        self.towers = nn.ModuleList(self._tower() for _ in _STRIDES)
        self.predict = nn.ModuleList(nn.Conv2d(WIDTH, classes + 4 * _BINS, 1) for _ in _STRIDES)
        kinds = (f"cls_pred_stride_{stride}" for stride in _STRIDES)
        self.outputs = (*kinds, *(f"dis_pred_stride_{stride}" for stride in _STRIDES))

    @staticmethod
    def _tower() -> nn.Sequential:
        apart = conv(WIDTH, WIDTH, groups=WIDTH, activation=lambda: nn.LeakyReLU(0.1))
        return nn.Sequential(apart, conv(WIDTH, WIDTH, 1, activation=lambda: nn.LeakyReLU(0.1)))

    def heads(self) -> list[Head]:
        total = self.classes + 4 * _BINS
        return [
            scores(self.predict, channels=(0, self.classes)),
            boxes(self.predict, channels=(self.classes, total), deviation=1.5),
        ]

    def pairs(self, image: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Maps of class logits and of distances' logits, level by level."""
        result = []
        for layers, predict, values in zip(self.towers, self.predict, self.pyramid(image), strict=True):
            kind, distance = predict(layers(values)).split([self.classes, 4 * _BINS], dim=1)
            result.append((kind, distance))
        return result

    def forward(self, image: Tensor) -> Any:
        pairs = self.pairs(image)
        kinds = [kind.sigmoid().reshape(1, self.classes, -1).permute(0, 2, 1) for kind, _ in pairs]
        distances = [distance.reshape(1, 4 * _BINS, -1).permute(0, 2, 1) for _, distance in pairs]
        return (*kinds, *distances)


class _NanoDetPlus(_NanoDet):
    """NanoDet-Plus: all of it in one tensor, a row per cell."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__(classes, size)
        self.outputs = ("output",)

    def forward(self, image: Tensor) -> Any:
        joined = [torch.cat((kind.sigmoid(), distance), 1) for kind, distance in self.pairs(image)]
        return torch.cat([each.flatten(start_dim=2) for each in joined], dim=2).permute(0, 2, 1)


class _PicoDet(Form):
    """PicoDet without its postprocessing: rows per cell of four levels, classes after the sigmoid."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.classes = classes
        self.pyramid = Pyramid(3, 1, nn.Hardswish)
        self.towers = nn.ModuleList(tower(2, nn.Hardswish) for _ in _WITH_64)
        self.class_predict = nn.ModuleList(nn.Conv2d(WIDTH, classes, 1) for _ in _WITH_64)
        self.box_predict = nn.ModuleList(nn.Conv2d(WIDTH, 4 * _BINS, 1) for _ in _WITH_64)
        kinds = (f"transpose_{2 * level}.tmp_0" for level in range(4))
        self.outputs = (*kinds, *(f"transpose_{2 * level + 1}.tmp_0" for level in range(4)))

    def heads(self) -> list[Head]:
        return [scores(self.class_predict), boxes(self.box_predict, deviation=1.5)]

    def forward(self, image: Tensor) -> Any:
        kinds, distances = [], []
        for level, values in enumerate(self.pyramid(image)):
            features = self.towers[level](values)
            kind = torch.sigmoid(self.class_predict[level](features))
            kinds.append(kind.reshape(1, self.classes, -1).transpose(1, 2))
            distance = self.box_predict[level](features)
            distances.append(distance.reshape(1, 4 * _BINS, -1).transpose(1, 2))
        return (*kinds, *distances)


class _PicoDetDecoded(_PicoDet):
    """PicoDet with its postprocessing except the suppression: boxes by cell, and scores by class."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__(classes, size)
        self.outputs = ("boxes", "scores")
        places, strides = centers(size, _WITH_64)
        self.register_buffer("places", places)
        self.register_buffer("strides", strides)
        self.register_buffer("bins", torch.arange(_BINS).float())

    def forward(self, image: Tensor) -> Any:
        found = super().forward(image)
        kind, distance = torch.cat(found[:4], 1), torch.cat(found[4:], 1)
        likely = distance.reshape(-1, _BINS).softmax(1)
        sides = torch.matmul(likely, self.bins).reshape(1, -1, 4) * self.strides
        return corners(self.places, sides), kind.transpose(1, 2)


class _Shared(Form):
    """One head for five levels, as in mmdetection, with what differs between its detectors left open."""

    strides = (8, 16, 32, 64, 128)
    box_channels = 4
    outputs = ("boxes", "scores")

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.classes = classes
        self.pyramid = Pyramid(3, 2)
        self.class_tower, self.box_tower = (self._tower() for _ in range(2))
        self.class_predict = nn.Conv2d(WIDTH, classes, 3, padding=1)
        self.box_predict = nn.Conv2d(WIDTH, self.box_channels, 3, padding=1)
        self.centerness = nn.Conv2d(WIDTH, 1, 3, padding=1)
        self.scales = nn.Parameter(torch.ones(len(self.strides)))
        extents = [-(-size // stride) for stride in self.strides]
        self.places = [
            centers(extent * stride, [stride])[0]
            for extent, stride in zip(extents, self.strides, strict=True)
        ]

    @staticmethod
    def _tower() -> nn.Sequential:
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False), nn.GroupNorm(8, WIDTH), nn.ReLU()]
        return nn.Sequential(*layers)

    def heads(self) -> list[Head]:
        middle = scores([self.centerness], mean=0.0)
        return [scores([self.class_predict]), boxes([self.box_predict], mean=0.7), middle]

    def levels(self, image: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Maps of classes, boxes and centerness, level by level."""
        result = []
        for level, values in enumerate(self.pyramid(image)):
            sides = self.box_tower(values)
            kind = self.class_predict(self.class_tower(values))
            result.append((kind, self.box_predict(sides) * self.scales[level], self.centerness(sides)))
        return result


def _rows(values: Tensor, count: int) -> Tensor:
    """A map as a row of so many values per cell, in mmdetection's way."""
    return values.permute(0, 2, 3, 1).reshape(1, -1, count)


class _Gfl(_Shared):
    """Generalised focal loss: quality of classes after a sigmoid, boxes as expected distances."""

    box_channels = 4 * 17

    def heads(self) -> list[Head]:
        return [scores([self.class_predict]), boxes([self.box_predict], deviation=1.5)]

    def forward(self, image: Tensor) -> Any:
        kinds, found = [], []
        for level, (kind, distance, _) in enumerate(self.levels(image)):
            kinds.append(_rows(kind, self.classes).sigmoid())
            likely = distance.permute(0, 2, 3, 1).reshape(-1, 17).softmax(1)
            sides = nn.functional.linear(likely, torch.arange(17.0)[None]).reshape(1, -1, 4)
            found.append(corners(self.places[level], sides * self.strides[level]))
        return torch.cat(found, 1), torch.cat(kinds, 1)


class _Atss(_Shared):
    """ATSS: sigmoid of classes times sigmoid of centerness, all levels behind each other."""

    def forward(self, image: Tensor) -> Any:
        kinds, middles, found = [], [], []
        for level, (kind, offsets, middle) in enumerate(self.levels(image)):
            kinds.append(_rows(kind, self.classes).sigmoid())
            middles.append(_rows(middle, 1).sigmoid())
            offsets = _rows(offsets, 4)
            side = 8.0 * self.strides[level]
            place = self.places[level] + offsets[..., :2] * 0.1 * side
            half = torch.exp(offsets[..., 2:] * 0.2) * side / 2
            found.append(torch.cat((place - half, place + half), -1))
        return torch.cat(found, 1), torch.cat(kinds, 1) * torch.cat(middles, 1)


class _FcosMmdet(_Shared):
    """FCOS as mmdetection exports it: the best cells of each level are chosen before all are put together."""

    _BEST: Final = 100

    def forward(self, image: Tensor) -> Any:
        kinds, middles, found = [], [], []
        for level, (kind, sides, middle) in enumerate(self.levels(image)):
            kind, middle = _rows(kind, self.classes).sigmoid(), _rows(middle, 1).sigmoid()
            sides = _rows(nn.functional.relu(sides) * self.strides[level], 4)
            places = self.places[level].expand(1, -1, 2)
            if kind.shape[1] > self._BEST:
                best = (kind * middle).max(-1).values.topk(self._BEST).indices[..., None]
                kind = kind.gather(1, best.expand(-1, -1, self.classes))
                sides, places = (
                    sides.gather(1, best.expand(-1, -1, 4)),
                    places.gather(1, best.expand(-1, -1, 2)),
                )
                middle = middle.gather(1, best)
            kinds.append(kind)
            middles.append(middle)
            found.append(corners(places, sides))
        return torch.cat(found, 1), torch.cat(kinds, 1) * torch.cat(middles, 1)


class _FcosMmdetEndToEnd(_FcosMmdet):
    """The same with ONNX's suppression and the best that it keeps: boxes with scores, and labels."""

    outputs = ("dets", "labels")

    def forward(self, image: Tensor) -> Any:
        found, kinds = super().forward(image)
        chosen = suppress(found, kinds.permute(0, 2, 1), 100, 0.6, 0.05)
        kind, place = chosen[:, 1], chosen[:, 2]
        score = kinds[0, place, kind]
        order = score.topk(score.shape[0]).indices[: self._BEST]
        dets = torch.cat((found[0, place[order]], score[order][:, None]), 1)
        return dets[None], kind[order][None]


class _CenterNetRaw(Form):
    """CenterNet's maps of one stride: logits of the heat map, extents, and offsets of middles."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.outputs = ("hm", "wh", "reg")
        self.classes, self.size = classes, size
        self.trunk = Trunk(4)
        widths = self.trunk.widths
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(coarse, fine, 4, 2, 1)
            for coarse, fine in zip(widths[1:], widths, strict=False)
        )
        self.merge = nn.ModuleList(conv(width, width) for width in widths[:-1])
        self.ends = nn.ModuleDict(
            {
                name: nn.Sequential(
                    nn.Conv2d(widths[0], WIDTH, 3, padding=1), nn.ReLU(), nn.Conv2d(WIDTH, values, 1)
                )
                for name, values in (("hm", classes), ("wh", 2), ("reg", 2))
            }
        )

    def heads(self) -> list[Head]:
        extents = boxes([self.ends["wh"][-1]], mean=10.0, deviation=2.0)
        return [
            scores([self.ends["hm"][-1]]),
            extents,
            boxes([self.ends["reg"][-1]], mean=0.5, deviation=0.2),
        ]

    def maps(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The maps that it gives."""
        maps = self.trunk(image)
        values = maps[-1]
        for level in range(len(maps) - 2, -1, -1):
            values = self.merge[level](self.up[level](values) + maps[level])
        return self.ends["hm"](values), self.ends["wh"](values), self.ends["reg"](values)

    def forward(self, image: Tensor) -> Any:
        return self.maps(image)


class _CenterNetPeaks(_CenterNetRaw):
    """The same with all of the heat map but its peaks set to zero."""

    def heat(self, logits: Tensor) -> Tensor:
        """Probabilities at the peaks, zero elsewhere."""
        heat = logits.sigmoid()
        keep = (nn.functional.max_pool2d(heat, 3, stride=1, padding=1) == heat).float()
        return heat * keep

    def forward(self, image: Tensor) -> Any:
        logits, extents, offsets = self.maps(image)
        return self.heat(logits), extents, offsets


class _CenterNet(_CenterNetPeaks):
    """The same with the best peaks chosen, first of each class, then of all: box, score and class of each."""

    _BEST: Final = 50

    def __init__(self, classes: int, size: int) -> None:
        super().__init__(classes, size)
        self.outputs = ("bboxes", "scores", "clses")

    def forward(self, image: Tensor) -> Any:
        logits, extents, offsets = self.maps(image)
        batch, classes, rows, columns = logits.shape
        heat = self.heat(logits).view(batch, classes, -1)
        by_class, places = torch.topk(heat, self._BEST)
        places = places % (rows * columns)
        best, chosen = torch.topk(by_class.view(batch, -1), self._BEST)
        kinds = (chosen / self._BEST).int()
        place = places.view(batch, -1).gather(1, chosen)
        down, across = torch.div(place, columns, rounding_mode="floor").float(), (place % columns).float()
        extent, offset = (
            each.permute(0, 2, 3, 1).reshape(batch, -1, 2).gather(1, place[..., None].expand(-1, -1, 2))
            for each in (extents, offsets)
        )
        middle = torch.stack((across, down), 2) + offset
        return (
            torch.cat((middle - extent / 2, middle + extent / 2), 2),
            best[..., None],
            kinds[..., None].float(),
        )


FORMS: Final[Mapping[str, Callable[[int, int], Form]]] = MappingProxyType(
    {
        "NanoDet": _NanoDet,
        "NanoDetPlus": _NanoDetPlus,
        "PicoDet": _PicoDet,
        "PicoDetDecoded": _PicoDetDecoded,
        "Gfl": _Gfl,
        "Atss": _Atss,
        "FcosMmdet": _FcosMmdet,
        "FcosMmdetEndToEnd": _FcosMmdetEndToEnd,
        "CenterNetRaw": _CenterNetRaw,
        "CenterNetPeaks": _CenterNetPeaks,
        "CenterNet": _CenterNet,
    }
)
"""By name; each takes the number of classes and the size of the image."""
