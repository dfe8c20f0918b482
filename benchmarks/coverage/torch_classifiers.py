"""Architectures as torch modules with randomised weights; run in `.venv-coverage` only."""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc, no-any-return"

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.coverage.catalogue import CLASSES, Architecture, Package
from benchmarks.random_weights import calibrate, randomise
from benchmarks.torchvision_ops import provide

_SEED: Final = 1
_IMAGES: Final = 8
_LEAST_REACTION: Final = 2e-4
"""How much scores must differ between two images, as a part of their magnitude."""


class UnfitError(Exception):
    """A network whose random weights make no sensible scores."""


class _Scores(nn.Module):
    """A classifier of transformers as a function from an image tensor to a score tensor."""

    def __init__(self, classifier: Any, input_name: str) -> None:
        super().__init__()
        self.classifier = classifier
        self.input_name = input_name

    def forward(self, image: Tensor) -> Tensor:
        result = self.classifier(**{self.input_name: image})
        return result.logits if "logits" in result else result.last_hidden_state  # PP-LCNet calls them so


def make(architecture: Architecture) -> tuple[nn.Module, Tensor]:
    """A classifier in evaluation mode and an image ``(1, 3, size, size)`` for it.

    Raises:
        UnfitError: its scores are not finite, or hardly differ between images.
    """
    provide()  # timm and transformers import torchvision, too
    torch.manual_seed(_SEED)
    torch.set_num_threads(1)  # sums are split among threads, and with them the last bits of statistics
    torch.backends.mha.set_fastpath_enabled(value=False)  # one op that only torch knows
    module, size = _MAKERS[architecture.package](architecture)
    module.eval().requires_grad_(requires_grad=False)
    images = torch.randn(_IMAGES, 3, *size)
    with torch.no_grad():
        randomise(module)
        calibrate(module, lambda: module(images))
        scores = module(images)
    _require_reaction(scores)
    return module, images[:1].clone()


def _from_transformers(architecture: Architecture) -> tuple[nn.Module, tuple[int, int]]:
    import transformers

    name = architecture.name.partition("/")[0]
    kind = getattr(transformers, name)
    config = kind.config_class(num_labels=CLASSES, **architecture.settings)
    network = kind(config)
    if name.startswith("EfficientNet"):
        # There the pooling window is as wide as the layer has channels, which no runtime but torch takes.
        network.efficientnet.pooler = nn.AdaptiveAvgPool2d(1)
    if name.startswith("Dinov2WithRegisters"):
        # It resizes its positions, to the size that they have, by an op that torch.onnx does not know.
        embeddings = network.dinov2_with_registers.embeddings
        embeddings.interpolate_pos_encoding = lambda *_: embeddings.position_embeddings
    input_name = "inputs" if "Perceiver" in name else "pixel_values"
    return _Scores(network, input_name), (architecture.size, architecture.size)


def _from_timm(architecture: Architecture) -> tuple[nn.Module, tuple[int, int]]:
    import timm

    settings: dict[str, Any] = dict(architecture.settings)
    wanted = timm.get_pretrained_cfg(architecture.name, allow_unregistered=True)
    size = architecture.size or (wanted.input_size[-1] if wanted else 224)
    if architecture.size and wanted and wanted.fixed_input_size and wanted.input_size[-1] != size:
        settings["img_size"] = size
    return timm.create_model(
        architecture.name, pretrained=False, num_classes=CLASSES, exportable=True, **settings
    ), (size, size)


def _from_torchvision(architecture: Architecture) -> tuple[nn.Module, tuple[int, int]]:
    import torchvision

    network = torchvision.models.get_model(architecture.name, weights=None, num_classes=CLASSES)
    return network, (architecture.size, architecture.size)


_MAKERS: Final[Mapping[Package, Callable[[Architecture], tuple[nn.Module, tuple[int, int]]]]] = (
    MappingProxyType(
        {
            Package.TRANSFORMERS: _from_transformers,
            Package.TIMM: _from_timm,
            Package.TORCHVISION: _from_torchvision,
        }
    )
)


def _require_reaction(scores: Any) -> None:
    if not isinstance(scores, Tensor) or scores.dim() != 2 or scores.shape[1] != CLASSES:
        raise UnfitError(f"it gives no scores of {CLASSES} classes")
    magnitude, change = float(scores.abs().max()), float(scores.std(0).max())
    if not bool(torch.isfinite(scores).all()) or not change > _LEAST_REACTION * magnitude:
        raise UnfitError(f"its scores do not react to images: they change by {change:.2g} of {magnitude:.2g}")
