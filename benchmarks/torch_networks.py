"""Networks that transformers lacks, as torch modules of their papers' shapes with random weights.

Run in `.venv-export` only.
"""

# The project's own environment has no torch, so there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 1000


class DenseNet121(nn.Module):
    """G. Huang et al., "Densely Connected Convolutional Networks", CVPR 2017."""

    def __init__(self) -> None:
        super().__init__()
        growth, channels = 32, 64
        stem = nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False)
        layers: list[nn.Module] = [stem, nn.BatchNorm2d(channels), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)]
        for number, blocks in enumerate((6, 12, 24, 16)):
            if number:
                narrow = nn.Conv2d(channels, channels // 2, 1, bias=False)
                layers += [nn.BatchNorm2d(channels), nn.ReLU(), narrow, nn.AvgPool2d(2)]
                channels //= 2
            for _ in range(blocks):
                layers.append(_DenseLayer(channels, growth))
                channels += growth
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU())
        self.classifier = nn.Linear(channels, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """Scores (N, 1000) of images (N, 3, 224, 224)."""
        pooled = functional.adaptive_avg_pool2d(self.features(image), 1)
        return self.classifier(torch.flatten(pooled, 1))


class _DenseLayer(nn.Module):
    """Adds `growth` channels made by a 1x1 and a 3x3 convolution to those that come in."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, 4 * growth, 1, bias=False)),
            *(nn.BatchNorm2d(4 * growth), nn.ReLU()),
            nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.layers(x)], 1)


class _Bneck(NamedTuple):
    kernel: int
    hidden: int
    channels: int
    excites: bool
    hard_swish: bool
    stride: int


_BNECKS = (
    _Bneck(3, 16, 16, False, False, 1),
    _Bneck(3, 64, 24, False, False, 2),
    _Bneck(3, 72, 24, False, False, 1),
    _Bneck(5, 72, 40, True, False, 2),
    _Bneck(5, 120, 40, True, False, 1),
    _Bneck(5, 120, 40, True, False, 1),
    _Bneck(3, 240, 80, False, True, 2),
    _Bneck(3, 200, 80, False, True, 1),
    _Bneck(3, 184, 80, False, True, 1),
    _Bneck(3, 184, 80, False, True, 1),
    _Bneck(3, 480, 112, True, True, 1),
    _Bneck(3, 672, 112, True, True, 1),
    _Bneck(5, 672, 160, True, True, 2),
    _Bneck(5, 960, 160, True, True, 1),
    _Bneck(5, 960, 160, True, True, 1),
)


class MobileNetV3Large(nn.Module):
    """A. Howard et al., "Searching for MobileNetV3", ICCV 2019, table 1."""

    def __init__(self) -> None:
        super().__init__()
        channels = 16
        layers: list[nn.Module] = [_convolution(3, channels, 3, stride=2), nn.Hardswish()]
        for row in _BNECKS:
            layers.append(_InvertedResidual(channels, row))
            channels = row.channels
        self.features = nn.Sequential(*layers, _convolution(channels, 960, 1), nn.Hardswish())
        self.classifier = nn.Sequential(nn.Linear(960, 1280), nn.Hardswish(), nn.Linear(1280, CLASSES))

    def forward(self, image: Tensor) -> Tensor:
        """Scores (N, 1000) of images (N, 3, 224, 224)."""
        pooled = functional.adaptive_avg_pool2d(self.features(image), 1)
        return self.classifier(torch.flatten(pooled, 1))


class _InvertedResidual(nn.Module):
    def __init__(self, channels: int, row: _Bneck) -> None:
        super().__init__()
        activation = nn.Hardswish if row.hard_swish else nn.ReLU
        layers: list[nn.Module] = []
        if row.hidden != channels:
            layers += [_convolution(channels, row.hidden, 1), activation()]
        depthwise = _convolution(row.hidden, row.hidden, row.kernel, row.stride, groups=row.hidden)
        layers += [depthwise, activation()]
        if row.excites:
            layers.append(_SqueezeExcitation(row.hidden))
        self.layers = nn.Sequential(*layers, _convolution(row.hidden, row.channels, 1))
        self.is_residual = row.stride == 1 and channels == row.channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.is_residual else self.layers(x)


class _SqueezeExcitation(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(8, (channels // 4 + 4) // 8 * 8)
        self.layers = nn.Sequential(
            *(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, narrow, 1), nn.ReLU()),
            *(nn.Conv2d(narrow, channels, 1), nn.Hardsigmoid()),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.layers(x)


def _convolution(channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(out))


class VGG16(nn.Module):
    """K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks", ICLR 2015, configuration D."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(depth):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2))
        # Of 7x7 to 7x7, as the published torch models have it for the sake of other image sizes.
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(7))
        self.classifier = nn.Sequential(
            *(nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU()),
            nn.Linear(4096, CLASSES),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Scores (N, 1000) of images (N, 3, 224, 224)."""
        return self.classifier(torch.flatten(self.features(image), 1))


class ViTB16(nn.Module):
    """A. Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021; ViT-Base, patches of 16 pixels.

    Not taken from transformers, which adds the residual second: the ancestor wants it first.
    """

    def __init__(self, size: int = 224, width: int = 768, depth: int = 12, heads: int = 12) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, stride=16)
        self.class_token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, (size // 16) ** 2 + 1, width) * 0.02)
        self.blocks = nn.Sequential(*(_TransformerBlock(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """Scores (N, 1000) of images (N, 3, size, size)."""
        tokens = self.patches(image).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(image.shape[0], -1, -1), tokens], 1) + self.positions
        return self.head(self.norm(self.blocks(tokens))[:, 0])


class _TransformerBlock(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attention = _Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        samples, tokens, width = x.shape
        parts = self.qkv(x).reshape(samples, tokens, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query * (width // self.heads) ** -0.5) @ key.transpose(-2, -1)
        mixed = weights.softmax(-1) @ value
        return self.projection(mixed.transpose(1, 2).reshape(samples, tokens, width))
