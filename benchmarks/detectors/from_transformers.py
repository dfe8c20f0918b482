"""Query detectors of transformers, narrow and shallow, as their exports give logits and boxes."""

# The project's own environment has neither torch nor transformers; there they are Any to the type checker.
# mypy: disable-error-code="import-not-found, misc"

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from torch import Tensor, nn

from benchmarks.detectors.catalogue import Detector
from benchmarks.detectors.tracing import write_onnx
from benchmarks.detectors.weights import Head, boxes, enliven, normalised, pictures, scores

_OUTPUTS: Final = ("logits", "pred_boxes")
_TOKENS: Final = ("embeddings.weight", "tokens", "position_embeddings", "level_embed")
"""What is in the names of parameters that are added to tokens or are some."""


class _Results(nn.Module):
    """A detector as a function from an image tensor to logits and boxes of queries."""

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        result = self.detector(pixel_values=image)
        return tuple(result[name] for name in _OUTPUTS)


def write(detector: Detector, path: Path) -> None:
    """Write a detector with random weights."""
    import transformers

    settings = dict(detector.settings["config"])
    if "backbone" in settings:
        config, values = settings.pop("backbone")
        settings["backbone_config"] = getattr(transformers, config)(**values)
    kind = getattr(transformers, detector.settings["class"])
    network = kind(kind.config_class(num_labels=detector.classes, **settings))
    _spread_tokens(network)
    module = _Results(network)
    images = normalised(pictures(6, detector.size))
    enliven(module, lambda: module(images), _heads(network, detector.classes), in_turn=True)
    write_onnx(module, images[:1], path, _OUTPUTS, input_name="pixel_values")


def _heads(network: nn.Module, classes: int) -> list[Head]:
    """Every layer that ends in as many values as there are classes, and every one that ends in four."""
    result = []
    for module in network.modules():
        if not isinstance(module, nn.Linear):
            continue
        if module.out_features == classes:
            result.append(scores([module]))
        elif module.out_features == classes + 1:  # no object, which is the last one
            nothing = scores([module], mean=2.0, channels=(classes, classes + 1))
            result += [scores([module], deviation=1.5), nothing]
        elif module.out_features == 4:
            result.append(boxes([module], mean=-0.5, deviation=0.7))
    return result


def _spread_tokens(network: nn.Module) -> None:
    """Make queries and positions differ as much as what they are added to does."""
    for name, tensor in network.named_parameters():
        if any(part in name for part in _TOKENS):
            nn.init.normal_(tensor, std=0.7)
