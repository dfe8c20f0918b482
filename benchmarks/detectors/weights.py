"""Random weights of detectors: alive in the trunk, and in the heads of a size that makes scores and boxes."""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.random_weights import calibrate, mix, randomise

_DETAIL: Final = (2, 3, 5, 9, 17, 33)
"""Cells along each side of the random fields that a picture is the sum of."""
_RECTANGLES: Final = 4
_SHARED: Final = 64.0
"""How many values' worth of all channels' variance counts beside a channel's own."""
_LEAST_VARIATION: Final = 0.1
"""Of outputs, as a part of their size; what varies less is not magnified further."""


@dataclass(frozen=True)
class Head:
    """Last layers of one meaning, which are given outputs of a certain size.

    Attributes:
        layers: convolutions or linear layers, one per level or one for all.
        mean: of each channel over all places of random pictures, about.
        deviation: the same.
        channels: first and one behind the last of those that are meant, of each repetition; all by default.
        repeats: how often the layers' channels repeat, once for every anchor.
    """

    layers: Sequence[nn.Module]
    mean: float
    deviation: float
    channels: tuple[int, int] | None = None
    repeats: int = 1


def scores(layers: Iterable[nn.Module], **more: Any) -> Head:
    """Layers that end in logits of classes, most of which are to be negative."""
    return Head(list(layers), **{"mean": -2.0, "deviation": 1.0, **more})


def boxes(layers: Iterable[nn.Module], **more: Any) -> Head:
    """Layers that end in offsets of boxes."""
    return Head(list(layers), **{"mean": 0.0, "deviation": 0.4, **more})


def pictures(count: int, size: int) -> Tensor:
    """Random images in 0..1, smooth at large and rough at small, with edges: `(count, 3, size, size)`."""
    result = torch.zeros(count, 3, size, size)
    for cells in _DETAIL:
        field = torch.randn(count, 3, cells, cells) / cells**0.5
        result += nn.functional.interpolate(field, (size, size), mode="bilinear", align_corners=True)
    for image in result:
        image.mul_(0.3 + 1.5 * torch.rand(())).add_(0.7 * torch.randn(()))  # some pale, some dark
        for _ in range(_RECTANGLES):
            top, left = (int(each) for each in torch.randint(size - size // 4, (2,)))
            height, width = (int(each) for each in torch.randint(size // 8, size // 2, (2,)))
            image[:, top : top + height, left : left + width] += torch.randn(3, 1, 1)
    return torch.sigmoid(result * 1.5)


def normalised(images: Tensor) -> Tensor:
    """Images in 0..1 with about the mean and deviation that photographs are given."""
    return (images - 0.45) / 0.225


def enliven(
    module: nn.Module, run: Callable[[], Any], heads: Sequence[Head], *, in_turn: bool = False
) -> None:
    """Randomise a module in place; `run` has it process some pictures.

    Args:
        module: what is randomised.
        run: has it process some pictures.
        heads: what it ends in.
        in_turn: each head depends on what those before it gave.
    """
    module.eval().requires_grad_(requires_grad=False)
    with torch.no_grad():
        randomise(module)
        calibrate(module, run, shared=_SHARED)
        for group in [[each] for each in heads] if in_turn else [heads]:
            _set_sizes(group, run)


def _set_sizes(heads: Sequence[Head], run: Callable[[], Any]) -> None:
    """Scale and shift the layers of heads, channel by channel."""
    found: dict[nn.Module, list[Tensor]] = {layer: [] for head in heads for layer in head.layers}

    def collect(layer: nn.Module, _: Any, output: Tensor) -> None:
        by_channel = output.movedim(1, 0) if output.dim() == 4 else output.movedim(-1, 0)
        found[layer].append(by_channel.flatten(1))

    hooks = [layer.register_forward_hook(collect) for layer in found]
    run()
    for hook in hooks:
        hook.remove()
    for head in heads:
        values = [each for layer in head.layers for each in found[layer]]
        if not values:  # layers that only training runs
            continue
        scale, shift = _change(head, torch.cat(values, 1))
        for layer in head.layers:
            layer.weight.mul_(scale.reshape(-1, *[1] * (layer.weight.dim() - 1)))
            layer.bias.mul_(scale).add_(shift)
            found[layer] = [each * scale[:, None] + shift[:, None] for each in found[layer]]


def _change(head: Head, values: Tensor) -> tuple[Tensor, Tensor]:
    """What the channels, whose values are given, are to be multiplied by and what then is added."""
    least = float(values.square().mean().sqrt()) * _LEAST_VARIATION
    variance, mean = mix(values.var(1, correction=0), values.shape[1], _SHARED), values.mean(1)
    deviation = variance.sqrt().clamp(min=least)
    scale = head.deviation * (0.75 + 0.5 * torch.rand_like(mean)) / deviation
    shift = head.mean + head.deviation * 0.5 * torch.randn_like(mean) - mean * scale
    chosen = torch.zeros(head.repeats, len(mean) // head.repeats, dtype=torch.bool)
    chosen[:, slice(*head.channels or (None,))] = True
    return torch.where(chosen.flatten(), scale, 1.0), torch.where(chosen.flatten(), shift, 0.0)
