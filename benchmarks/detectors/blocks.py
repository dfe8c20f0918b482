"""What the detectors that are written here are made of: a small trunk, a pyramid of maps, towers of heads."""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc, no-any-return"

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from benchmarks.detectors.weights import Head

Activation = Callable[[], nn.Module]
_WIDTHS: Final = (24, 32, 48, 64, 96)
"""Channels of the maps of strides 2, 4, 8, 16 and 32."""
WIDTH: Final = 48
"""Channels of a pyramid's maps."""


class Form(nn.Module):
    """A detector in the form of some project's exports.

    Attributes:
        outputs: names of what it gives.
        channels_last: whether its image has them there.
    """

    outputs: tuple[str, ...]
    channels_last = False

    def heads(self) -> list[Head]:
        """What it ends in."""
        raise NotImplementedError


def conv(
    inputs: int,
    outputs: int,
    kernel: int = 3,
    stride: int = 1,
    activation: Activation = nn.ReLU,
    groups: int = 1,
) -> nn.Sequential:
    """A convolution with its batch norm and activation."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), activation())


class Residual(nn.Module):
    """A bottleneck beside the identity."""

    def __init__(self, width: int, activation: Activation) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            conv(width, width // 2, 1, activation=activation), conv(width // 2, width, activation=activation)
        )

    def forward(self, image: Tensor) -> Tensor:
        """A map of the same size."""
        return image + self.branch(image)


class Trunk(nn.Module):
    """Maps of the strides 2 to 32, of which the last few are given."""

    def __init__(self, given: int = 3, activation: Activation = nn.ReLU) -> None:
        super().__init__()
        stages, width = [], 3
        for outputs in _WIDTHS:
            down = conv(width, outputs, stride=2, activation=activation)
            stages.append(nn.Sequential(down, Residual(outputs, activation)))
            width = outputs
        self.stages = nn.ModuleList(stages)
        self.given = given
        self.widths = _WIDTHS[-given:]

    def forward(self, image: Tensor) -> list[Tensor]:
        """The maps, finest first."""
        found = []
        for stage in self.stages:
            image = stage(image)
            found.append(image)
        return found[-self.given :]


class Pyramid(nn.Module):
    """Maps of equal width: the trunk's with what is coarser added, and further ones of doubled stride."""

    def __init__(self, given: int = 3, further: int = 0, activation: Activation = nn.ReLU) -> None:
        super().__init__()
        self.trunk = Trunk(given, activation)
        self.lateral = nn.ModuleList(nn.Conv2d(width, WIDTH, 1) for width in self.trunk.widths)
        self.smooth = nn.ModuleList(conv(WIDTH, WIDTH, activation=activation) for _ in range(given))
        self.further = nn.ModuleList(
            conv(WIDTH, WIDTH, stride=2, activation=activation) for _ in range(further)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """The maps, finest first."""
        maps = [layer(each) for layer, each in zip(self.lateral, self.trunk(image), strict=True)]
        for fine in range(len(maps) - 2, -1, -1):
            maps[fine] = maps[fine] + nn.functional.interpolate(maps[fine + 1], scale_factor=2.0)
        maps = [layer(each) for layer, each in zip(self.smooth, maps, strict=True)]
        for layer in self.further:
            maps.append(layer(maps[-1]))
        return maps


def tower(depth: int = 2, activation: Activation = nn.ReLU) -> nn.Sequential:
    """Convolutions before a head's last one."""
    return nn.Sequential(*(conv(WIDTH, WIDTH, activation=activation) for _ in range(depth)))


def grid(rows: int, columns: int, offset: float = 0.5) -> Tensor:
    """Columns and rows of all cells, in the order in which a flattened map has them: `(cells, 2)`."""
    down, across = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.stack((across, down), -1).reshape(-1, 2) + offset


def centers(size: int, strides: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Middles of the cells of all levels, in pixels, and their strides: `(cells, 2)` and `(cells, 1)`."""
    extents = [-(-size // stride) for stride in strides]
    pairs = list(zip(extents, strides, strict=True))
    places = torch.cat([grid(extent, extent) * stride for extent, stride in pairs])
    return places, torch.cat([torch.full((extent * extent, 1), float(stride)) for extent, stride in pairs])


def corners(places: Tensor, sides: Tensor) -> Tensor:
    """Boxes by their corners, from distances of their left, upper, right and lower sides."""
    return torch.cat((places - sides[..., :2], places + sides[..., 2:]), -1)
