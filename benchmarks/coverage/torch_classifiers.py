"""Architectures as torch modules with randomised weights; run in `.venv-coverage` only.

What packages initialise to one value (batch statistics, gains, layer scales, biases, the gain of a residual
branch at zero) hides structure: a runtime folds it away, and a branch that scales by 1e-6 says nothing. So
batch norms are given the statistics of random images, and then all of it is disturbed.
"""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc, no-any-return"

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.coverage.catalogue import CLASSES, Architecture, Package

_SEED: Final = 1
_IMAGES: Final = 8
_LEAST_GAIN: Final = 0.5
"""How much a layer must at least pass on: standard deviation of a weight times the root of what it sums."""
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
    _declare_detection_ops()
    torch.manual_seed(_SEED)
    torch.set_num_threads(1)  # sums are split among threads, and with them the last bits of statistics
    torch.backends.mha.set_fastpath_enabled(value=False)  # one op that only torch knows
    module, size = _MAKERS[architecture.package](architecture)
    module.eval().requires_grad_(requires_grad=False)
    images = torch.randn(_IMAGES, 3, *size)
    with torch.no_grad():
        _randomise(module)
        _calibrate(module, images)
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


def _declare_detection_ops() -> None:
    """Name the ops that torchvision asks for when it is imported, which timm and transformers do too.

    Its compiled part does not load beside a torch that was built for another device, which matters to
    detectors only; but its Python part will not be imported where these names are unknown.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        pass
    else:
        return
    for name in ("nms", "qnms"):
        signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        torch.library.define(f"torchvision::{name}", signature)


def _randomise(module: nn.Module) -> None:
    """Disturb every parameter that was set to one value, and every bias."""
    for name, tensor in module.named_parameters():
        last = name.rpartition(".")[2]
        is_small_gain = tensor.dim() == 1 and last == "weight" and float(tensor.abs().max()) < _LEAST_GAIN
        if is_small_gain or (tensor.numel() > 1 and bool((tensor == tensor.flatten()[0]).all())):
            _disturb(name, tensor)
        elif tensor.dim() >= 2 and 0 < (gain := float(tensor.std()) * tensor[0].numel() ** 0.5) < _LEAST_GAIN:
            tensor.mul_(_LEAST_GAIN / gain)  # the last layer of some, which is to start from almost nothing
        elif "bias" in last:
            tensor.add_(torch.randn_like(tensor) * 0.05)


def _disturb(name: str, tensor: Tensor) -> None:
    first, last = float(tensor.flatten()[0]), name.rpartition(".")[2]
    is_gain = first != 0 or last in ("weight", "gain", "gamma")
    if tensor.dim() >= 2 and not (is_gain and tensor.numel() == max(tensor.shape)):
        fan_in = tensor[0].numel()
        tensor.copy_(torch.randn_like(tensor) * max(fan_in, 16) ** -0.5)
    elif is_gain:
        tensor.copy_(torch.rand_like(tensor) * 0.5 + 0.5)
    else:
        tensor.copy_(torch.randn_like(tensor) * 0.05)


def _calibrate(module: nn.Module, images: Tensor) -> None:
    """Give each batch norm statistics near those of what reaches it, one after the other in one run."""
    norms = [each for each in module.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)]
    hooks = [each.register_forward_pre_hook(_set_statistics) for each in norms]
    module(images)
    for hook in hooks:
        hook.remove()


def _set_statistics(norm: nn.modules.batchnorm._BatchNorm, inputs: tuple[Tensor, ...]) -> None:
    others = [axis for axis in range(inputs[0].dim()) if axis != 1]
    mean, variance = inputs[0].mean(others), inputs[0].var(others, correction=0).clamp(min=1e-5)
    norm.running_mean.copy_(mean + torch.randn_like(mean) * 0.1 * variance.sqrt())
    norm.running_var.copy_(variance * (torch.rand_like(variance) * 0.6 + 0.7))


def _require_reaction(scores: Any) -> None:
    if not isinstance(scores, Tensor) or scores.dim() != 2 or scores.shape[1] != CLASSES:
        raise UnfitError(f"it gives no scores of {CLASSES} classes")
    magnitude, change = float(scores.abs().max()), float(scores.std(0).max())
    if not bool(torch.isfinite(scores).all()) or not change > _LEAST_REACTION * magnitude:
        raise UnfitError(f"its scores do not react to images: they change by {change:.2g} of {magnitude:.2g}")
