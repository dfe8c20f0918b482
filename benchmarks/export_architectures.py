"""Exports networks to ONNX with random weights: `.venv-export/bin/python -m benchmarks.export_architectures`.

Random weights serve where only structure and time matter; but as torch initialises them, batch norms and
layer scales are the identity and biases zero, which a runtime may fold away. So these are randomised too.
"""

# The project's own environment has neither torch nor transformers; there they are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch
import transformers
from torch import Tensor, nn

from benchmarks.catalogue import CACHE, NETWORKS, Network, Origin
from benchmarks.torch_networks import CLASSES, VGG16, DenseNet121, MobileNetV3Large, ViTB16

_SEED: Final = 1
_OPSET: Final = 17
_IMAGE_SIZE: Final = 224


class _Scores(nn.Module):
    """A classifier of transformers as a function from an image tensor to a score tensor."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, image: Tensor) -> Tensor:
        return self.classifier(pixel_values=image).logits


def _from_transformers(family: str, **settings: Any) -> nn.Module:
    config = getattr(transformers, f"{family}Config")(num_labels=CLASSES, **settings)
    return _Scores(getattr(transformers, f"{family}ForImageClassification")(config))


def _efficientnet_b0() -> nn.Module:
    size = {"image_size": _IMAGE_SIZE, "hidden_dim": 1280}
    network = _from_transformers("EfficientNet", width_coefficient=1.0, depth_coefficient=1.0, **size)
    # There the pooling window is as wide as the layer has channels, which no runtime but torch takes.
    network.classifier.efficientnet.pooler = nn.AdaptiveAvgPool2d(1)
    return network


MAKERS: Final[Mapping[str, Callable[[], nn.Module]]] = MappingProxyType(
    {
        "resnet50": lambda: _from_transformers("ResNet"),
        "densenet121": DenseNet121,
        "mobilenetv2": lambda: _from_transformers("MobileNetV2"),
        "mobilenetv3_large": MobileNetV3Large,
        "efficientnet_b0": _efficientnet_b0,
        "convnext_tiny": lambda: _from_transformers("ConvNext"),
        "regnety_4gf": lambda: _from_transformers("RegNet"),
        "vgg16": VGG16,
        "swin_tiny": lambda: _from_transformers("Swin"),
        "vit_b16": ViTB16,
        "vit_b16_448": lambda: ViTB16(448),
    }
)
"""One maker per exported network of the catalogue, whose titles name the defaults of transformers."""


def export(network: Network) -> None:
    """Write a network's file, and that of its twin with an open batch dimension if it has one."""
    torch.manual_seed(_SEED)
    module = MAKERS[network.key]().eval()
    image = torch.randn(1, 3, network.image_size, network.image_size)
    with torch.no_grad():
        _randomise(module)
        scores = module(image)
    if not bool(torch.isfinite(scores).all()) or not float(scores.std()) > 0:
        sys.exit(f"Error: {network.key}: its random weights make no sensible scores")
    _write(module, image, network.file, {})
    if network.has_dynamic_twin:
        _write(module, image, network.ancestor_file, {"input": {0: "batch"}, "logits": {0: "batch"}})


def _randomise(module: nn.Module) -> None:
    for name, tensor in [*module.named_buffers(), *module.named_parameters()]:
        last = name.rpartition(".")[2]
        if last == "running_mean":
            tensor.copy_(torch.randn_like(tensor) * 0.1)
        elif last == "running_var":
            tensor.copy_(torch.rand_like(tensor) + 0.5)
        elif last == "bias":
            tensor.add_(torch.randn_like(tensor) * 0.05)
        elif "layer_scale" in name or last in ("gamma", "lambda"):
            tensor.copy_(torch.rand_like(tensor) * 0.5 + 0.5)


def _write(module: nn.Module, image: Tensor, path: Path, open_axes: Mapping[str, Mapping[int, str]]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        torch.onnx.export(
            module,
            (image,),
            str(temporary),
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes=open_axes,
            opset_version=_OPSET,
            dynamo=False,  # the tracing exporter, which most deployed ONNX files come from
        )
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def main() -> None:
    """Export the networks that are named, or all."""
    known = {network.key: network for network in NETWORKS if network.origin is Origin.EXPORT}
    parser = argparse.ArgumentParser(description="Export networks with random weights to ONNX.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; default: all")
    names = parser.parse_args().names or list(known)
    if unknown := set(names) - known.keys():
        parser.error(f"no network {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    warnings.simplefilter("ignore")  # the tracer's: shapes that are constant here are meant to be
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in names:
        export(known[name])
        print(known[name].file)


if __name__ == "__main__":
    main()
