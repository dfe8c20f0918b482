"""The architectures that are tried: plain data, read by the environment with torch and by the one without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from benchmarks.catalogue import ROOT

FOLDER: Final = ROOT / ".cache" / "coverage"
CLASSES: Final = 40
"""Classes of every network; not 1000, so that random heads stay small."""


class Package(StrEnum):
    """Where an architecture is taken from."""

    TRANSFORMERS = "transformers"
    TIMM = "timm"
    TORCHVISION = "torchvision"


class Exporter(StrEnum):
    """How a network gets from torch to a file."""

    TRACED = "torch.onnx"
    TRACED_OPEN_BATCH = "torch.onnx, open batch"
    DYNAMO = "torch.onnx, dynamo"
    OPENVINO = "openvino.convert_model"


_SUFFIXES: Final = {
    Exporter.TRACED: "",
    Exporter.TRACED_OPEN_BATCH: "+batch",
    Exporter.DYNAMO: "+dynamo",
    Exporter.OPENVINO: "+openvino",
}


@dataclass(frozen=True)
class Architecture:
    """One architecture of one package, and how it is exported.

    Attributes:
        package: where it is taken from.
        name: a model name of timm or torchvision, or a class of transformers.
        size: rows and columns of the image.
        settings: what the package is told beside the number of classes.
        exporter: how it is exported.
    """

    package: Package
    name: str
    size: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    exporter: Exporter = Exporter.TRACED

    @property
    def key(self) -> str:
        """Its name on the command line and in file names."""
        return f"{self.package}-{self.name.replace('/', '-')}{_SUFFIXES[self.exporter]}"

    @property
    def file(self) -> Path:
        """Where its export lies in the cache."""
        suffix = "xml" if self.exporter is Exporter.OPENVINO else "onnx"
        return FOLDER / "models" / f"{self.key}.{suffix}"


def _tokens(layers: int = 3, **more: Any) -> dict[str, Any]:
    """A narrow and shallow transformer of constant width."""
    return {"hidden_size": 64, "num_hidden_layers": layers, "num_attention_heads": 4, **more}


def _vit(layers: int = 3, **more: Any) -> dict[str, Any]:
    return _tokens(layers, intermediate_size=128, image_size=96, patch_size=16, **more)


def _perceiver() -> dict[str, Any]:
    """A short Perceiver that reads its input with one head, which fits every way to prepare an image."""
    heads = {"num_cross_attention_heads": 1, "num_self_attention_heads": 4}
    return {"num_latents": 32, "d_latents": 64, "num_self_attends_per_block": 2, "num_blocks": 2, **heads}


_TRANSFORMERS: Final[Mapping[str, tuple[int, Mapping[str, Any]]]] = MappingProxyType(
    {
        "BeitForImageClassification": (96, _vit(use_shared_relative_position_bias=True)),
        "BeitForImageClassification/cls": (
            96,
            _vit(use_relative_position_bias=True, use_mean_pooling=False, layer_scale_init_value=0.5),
        ),
        "BitForImageClassification": (
            128,
            {"embedding_size": 64, "hidden_sizes": [128, 256, 512, 1024], "depths": [1, 2, 2, 1]},
        ),
        "CLIPForImageClassification": (96, {"vision_config": _vit()}),
        "ConvNextForImageClassification": (128, {"depths": [2, 2, 4, 2], "hidden_sizes": [32, 64, 128, 256]}),
        "ConvNextV2ForImageClassification": (
            128,
            {"depths": [2, 2, 4, 2], "hidden_sizes": [32, 64, 128, 256]},
        ),
        "CvtForImageClassification": (
            128,
            {"embed_dim": [32, 64, 128], "depth": [1, 2, 3], "num_heads": [1, 2, 4]},
        ),
        "Data2VecVisionForImageClassification": (96, _vit(use_relative_position_bias=True)),
        "DeiTForImageClassification": (96, _vit()),
        "DeiTForImageClassificationWithTeacher": (96, _vit()),
        "Dinov2ForImageClassification": (84, _tokens(image_size=84, patch_size=14)),
        "Dinov2WithRegistersForImageClassification": (84, _tokens(image_size=84, patch_size=14)),
        "DonutSwinForImageClassification": (
            112,
            {"image_size": 112, "embed_dim": 24, "depths": [2, 2, 2], "num_heads": [2, 4, 8]},
        ),
        "EfficientNetForImageClassification": (
            128,
            {"width_coefficient": 1.0, "depth_coefficient": 1.0, "image_size": 128, "hidden_dim": 1280},
        ),
        "FocalNetForImageClassification": (
            96,
            {"image_size": 96, "embed_dim": 32, "depths": [2, 2, 3], "hidden_sizes": [32, 64, 128]},
        ),
        "FocalNetForImageClassification/layerscale": (
            96,
            {
                "image_size": 96,
                "embed_dim": 32,
                "depths": [1, 2, 2],
                "hidden_sizes": [32, 64, 128],
                "use_layerscale": True,
                "use_conv_embed": True,
                "focal_levels": [3, 3, 3],
                "focal_windows": [3, 3, 3],
            },
        ),
        "HGNetV2ForImageClassification": (128, {}),
        "HieraForImageClassification": (
            224,
            {"embed_dim": 32, "depths": [1, 2, 4, 1], "image_size": [224, 224]},
        ),
        "IJepaForImageClassification": (96, _vit()),
        "LevitForImageClassification": (128, {"image_size": 128}),
        "LevitForImageClassificationWithTeacher": (128, {"image_size": 128}),
        "MetaClip2ForImageClassification": (96, {"vision_config": _vit()}),
        "MobileNetV1ForImageClassification": (128, {"image_size": 128}),
        "MobileNetV2ForImageClassification": (128, {"image_size": 128}),
        "MobileViTForImageClassification": (128, {"image_size": 128}),
        "MobileViTV2ForImageClassification": (128, {"image_size": 128, "width_multiplier": 0.5}),
        "PerceiverForImageClassificationConvProcessing": (224, _perceiver()),
        "PerceiverForImageClassificationFourier": (224, _perceiver()),
        "PerceiverForImageClassificationLearned": (56, _perceiver()),
        "PoolFormerForImageClassification": (128, {"hidden_sizes": [32, 64, 128, 256]}),
        "PPLCNetForImageClassification": (128, {}),
        "PvtForImageClassification": (
            128,
            {"image_size": 128, "hidden_sizes": [32, 64, 160, 256], "depths": [1, 1, 2, 2]},
        ),
        "PvtV2ForImageClassification": (128, {"image_size": 128, "depths": [1, 1, 2, 2]}),
        "PvtV2ForImageClassification/linear": (
            224,
            {"image_size": 224, "depths": [1, 1, 2, 2], "linear_attention": True},
        ),
        "RegNetForImageClassification": (
            128,
            {
                "embedding_size": 16,
                "hidden_sizes": [32, 64, 160, 384],
                "depths": [1, 1, 4, 4],
                "groups_width": 16,
            },
        ),
        "RegNetForImageClassification/x": (
            128,
            {
                "embedding_size": 16,
                "hidden_sizes": [32, 64, 160, 384],
                "depths": [1, 1, 4, 4],
                "groups_width": 16,
                "layer_type": "x",
            },
        ),
        "ResNetForImageClassification": (
            128,
            {"embedding_size": 32, "hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2]},
        ),
        "ResNetForImageClassification/basic": (
            128,
            {"hidden_sizes": [32, 64, 128, 256], "depths": [2, 2, 2, 2], "layer_type": "basic"},
        ),
        "SegformerForImageClassification": (128, {}),
        "SegformerForImageClassification/channels_last": (128, {"reshape_last_stage": False}),
        "SiglipForImageClassification": (96, {"vision_config": _vit()}),
        "SwiftFormerForImageClassification": (
            128,
            {"embed_dims": [32, 48, 96, 128], "depths": [2, 2, 3, 2]},
        ),
        "SwinForImageClassification": (
            112,
            {"image_size": 112, "embed_dim": 24, "depths": [2, 2, 2], "num_heads": [2, 4, 8]},
        ),
        "Swinv2ForImageClassification": (
            128,
            {
                "image_size": 128,
                "embed_dim": 24,
                "depths": [2, 2, 2],
                "num_heads": [2, 4, 8],
                "window_size": 8,
            },
        ),
        "TextNetForImageClassification": (128, {}),
        "ViTForImageClassification": (96, _vit()),
        "ViTMSNForImageClassification": (96, _vit()),
    }
)
"""Image size and configuration, by class and, behind a slash, what is particular about the configuration.

Left out of the classes for image classification that transformers has: Dinat (its attention needs a package
of its own), ImageGPT and ShieldGemma 2 (language models, which read no image tensor), Siglip 2 (reads patches
that were cut before), TimmWrapper (what timm has stands below).
"""

_TIMM: Final[Mapping[str, int]] = MappingProxyType(
    {
        "bat_resnext26ts": 256,
        "beit_base_patch16_224": 0,
        "botnet26t_256": 0,
        "caformer_s18": 128,
        "cait_xxs24_224": 0,
        "coat_lite_tiny": 0,
        "coat_tiny": 0,
        "coatnet_pico_rw_224": 0,
        "convformer_s18": 128,
        "convit_tiny": 0,
        "convmixer_768_32": 112,
        "convnext_atto": 128,
        "convnextv2_atto": 128,
        "cpubone_nano": 128,
        "crossvit_9_240": 0,
        "cs3darknet_focus_s": 128,
        "cspresnet50": 128,
        "cspnext_tiny": 128,
        "csatv2": 0,
        "darknet17": 128,
        "davit_tiny": 224,
        "deit3_small_patch16_224": 0,
        "deit_tiny_distilled_patch16_224": 0,
        "deit_tiny_patch16_224": 0,
        "densenet121": 128,
        "dla34": 128,
        "dpn48b": 128,
        "eca_halonext26ts": 256,
        "eca_nfnet_l0": 128,
        "edgenext_xx_small": 128,
        "efficientformer_l1": 224,
        "efficientformerv2_s0": 224,
        "efficientnet_b0": 128,
        "efficientnet_b0_gn": 128,
        "efficientnet_cc_b0_4e": 128,
        "efficientnetv2_rw_t": 128,
        "efficientvim_m1": 224,
        "efficientvit_b0": 128,
        "efficientvit_m0": 224,
        "ese_vovnet19b_slim": 128,
        "eva02_tiny_patch14_224": 0,
        "fasternet_t0": 128,
        "fastvit_t8": 128,
        "fbnetv3_b": 128,
        "flexivit_small": 0,
        "focalnet_tiny_srf": 224,
        "gcresnet33ts": 128,
        "gcvit_xxtiny": 224,
        "gernet_s": 128,
        "ghostnet_100": 128,
        "ghostnetv2_100": 128,
        "ghostnetv3_050": 128,
        "gmixer_12_224": 0,
        "gmlp_ti16_224": 0,
        "hardcorenas_a": 128,
        "hgnetv2_b0": 128,
        "hiera_tiny_224": 0,
        "hrnet_w18_small": 128,
        "iformer_t": 224,
        "inception_next_atto": 128,
        "inception_v3": 160,
        "inception_v4": 160,
        "lambda_resnet26t": 256,
        "lcnet_050": 128,
        "legacy_seresnet18": 128,
        "legacy_xception": 160,
        "levit_128s": 0,
        "levit_conv_128s": 0,
        "lowformer_b0": 128,
        "mambaout_femto": 128,
        "maxvit_pico_rw_256": 0,
        "maxvit_rmlp_pico_rw_256": 0,
        "mixer_s32_224": 0,
        "mixnet_s": 128,
        "mnasnet_small": 128,
        "mobilenetv3_small_100": 128,
        "mobilenetv4_conv_small": 128,
        "mobilenetv4_hybrid_medium": 192,
        "mobileone_s0": 128,
        "mobilevit_xxs": 128,
        "mobilevitv2_050": 128,
        "mvitv2_tiny": 0,
        "mvitv2_small_cls": 0,
        "naflexvit_base_patch16_gap": 224,
        "nest_tiny": 0,
        "nextvit_small": 128,
        "nf_regnet_b0": 128,
        "nf_resnet26": 128,
        "pit_ti_224": 0,
        "pit_ti_distilled_224": 0,
        "poolformer_s12": 128,
        "poolformerv2_s12": 128,
        "pvt_v2_b0": 128,
        "rdnet_tiny": 128,
        "regnetv_040": 128,
        "regnetx_002": 128,
        "regnety_002": 128,
        "regnetz_005": 128,
        "repghostnet_050": 128,
        "repvgg_a0": 128,
        "repvit_m0_9": 128,
        "res2net50_48w_2s": 128,
        "resmlp_12_224": 0,
        "resnest14d": 128,
        "resnet18": 128,
        "resnet50_clip": 224,
        "resnet50_clip_gap": 128,
        "resnetaa34d": 128,
        "resnetblur18": 128,
        "resnetv2_50": 128,
        "resnext26ts": 128,
        "rexnet_100": 128,
        "samvit_base_patch16_224": 0,
        "sebotnet33ts_256": 0,
        "selecsls42": 128,
        "semnasnet_100": 128,
        "sequencer2d_s": 0,
        "seresnext26d_32x4d": 128,
        "shvit_s1": 128,
        "skresnet18": 128,
        "spnasnet_100": 128,
        "starnet_s1": 128,
        "swiftformer_xs": 224,
        "swin_s3_tiny_224": 0,
        "swin_tiny_patch4_window7_224": 0,
        "swinv2_cr_tiny_224": 0,
        "swinv2_tiny_window8_256": 0,
        "tiny_vit_5m_224": 0,
        "tinynet_e": 128,
        "tnt_s_patch16_224": 0,
        "tresnet_m": 128,
        "twins_pcpvt_small": 224,
        "twins_svt_small": 224,
        "vgg11_bn": 224,
        "visformer_tiny": 0,
        "vit_base_mci_224": 0,
        "vit_base_patch16_siglip_gap_224": 0,
        "vit_relpos_small_patch16_224": 0,
        "vit_small_patch14_dinov2": 112,
        "vit_small_patch14_reg4_dinov2": 112,
        "vit_small_patch16_dinov3": 0,
        "vit_small_r26_s32_224": 0,
        "vit_srelpos_small_patch16_224": 0,
        "vit_tiny_patch16_224": 0,
        "vitamin_small_224": 0,
        "volo_d1_224": 0,
        "vovnet39a": 128,
        "xception41": 128,
        "xcit_nano_12_p16_224": 0,
    }
)
"""Image size by model name; 0 is the size that timm's entry says."""

_NARROW: Final = (
    "beit_base_patch16_224",
    "deit3_small_patch16_224",
    "flexivit_small",
    "naflexvit_base_patch16_gap",
    "samvit_base_patch16_224",
    "vit_base_patch16_siglip_gap_224",
    "vit_relpos_small_patch16_224",
    "vit_small_patch14_dinov2",
    "vit_small_patch14_reg4_dinov2",
    "vit_small_patch16_dinov3",
    "vit_small_r26_s32_224",
    "vit_srelpos_small_patch16_224",
)
_TIMM_SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        **{name: {"embed_dim": 192, "depth": 4, "num_heads": 3} for name in _NARROW},
        "vit_base_mci_224": {"depth": 4},
        "vgg11_bn": {"mlp_ratio": 1 / 16},
    }
)
"""What makes the large ones among them small, by model name."""

_TORCHVISION: Final[Mapping[str, int]] = MappingProxyType(
    {
        "alexnet": 224,
        "convnext_tiny": 128,
        "densenet121": 128,
        "efficientnet_b0": 128,
        "efficientnet_v2_s": 128,
        "googlenet": 128,
        "inception_v3": 160,
        "maxvit_t": 224,
        "mnasnet0_5": 128,
        "mobilenet_v2": 128,
        "mobilenet_v3_small": 128,
        "regnet_x_400mf": 128,
        "regnet_y_400mf": 128,
        "resnet18": 128,
        "resnext50_32x4d": 128,
        "shufflenet_v2_x0_5": 128,
        "squeezenet1_1": 128,
        "swin_t": 224,
        "swin_v2_t": 256,
        "vgg11": 224,
        "vit_b_32": 224,
    }
)
"""Image size by model name."""

_UNKNOWN_TO_TORCH_ONNX: Final = (
    "MobileViTV2ForImageClassification",
    "csatv2",
    "eca_halonext26ts",
    "naflexvit_base_patch16_gap",
    "volo_d1_224",
)
"""Those with an op that the tracing exporter cannot write."""


def _exporter(name: str) -> Exporter:
    return Exporter.OPENVINO if name in _UNKNOWN_TO_TORCH_ONNX else Exporter.TRACED


_ONCE: Final = (
    *(
        Architecture(Package.TRANSFORMERS, name, *rest, _exporter(name))
        for name, rest in _TRANSFORMERS.items()
    ),
    *(
        Architecture(Package.TIMM, name, size, _TIMM_SETTINGS.get(name, {}), _exporter(name))
        for name, size in _TIMM.items()
    ),
    *(Architecture(Package.TORCHVISION, name, size) for name, size in _TORCHVISION.items()),
)
_IN_OTHER_FORMS: Final[Mapping[Exporter, tuple[str, ...]]] = MappingProxyType(
    {
        Exporter.TRACED_OPEN_BATCH: (
            "transformers-ConvNextForImageClassification",
            "transformers-SwinForImageClassification",
            "transformers-ViTForImageClassification",
            "transformers-MobileViTForImageClassification",
            "timm-deit3_small_patch16_224",
            "timm-gcvit_xxtiny",
            "timm-resnet18",
            "torchvision-efficientnet_b0",
            "torchvision-shufflenet_v2_x0_5",
            "torchvision-alexnet",
        ),
        Exporter.DYNAMO: (
            "transformers-BeitForImageClassification",
            "transformers-ConvNextForImageClassification",
            "transformers-DeiTForImageClassificationWithTeacher",
            "transformers-Dinov2WithRegistersForImageClassification",
            "transformers-MobileNetV2ForImageClassification",
            "transformers-PoolFormerForImageClassification",
            "transformers-RegNetForImageClassification",
            "transformers-ResNetForImageClassification",
            "transformers-SwinForImageClassification",
            "transformers-ViTForImageClassification",
            "timm-cait_xxs24_224",
            "timm-caformer_s18",
            "timm-efficientnet_b0",
            "timm-fastvit_t8",
            "timm-mixer_s32_224",
            "timm-xcit_nano_12_p16_224",
            "torchvision-densenet121",
            "torchvision-mobilenet_v3_small",
            "torchvision-squeezenet1_1",
            "torchvision-alexnet",
        ),
        Exporter.OPENVINO: (
            "transformers-BeitForImageClassification",
            "transformers-ConvNextForImageClassification",
            "transformers-DeiTForImageClassificationWithTeacher",
            "transformers-Dinov2WithRegistersForImageClassification",
            "transformers-EfficientNetForImageClassification",
            "transformers-FocalNetForImageClassification",
            "transformers-LevitForImageClassification",
            "transformers-MobileNetV2ForImageClassification",
            "transformers-MobileViTForImageClassification",
            "transformers-ResNetForImageClassification",
            "transformers-SwinForImageClassification",
            "transformers-ViTForImageClassification",
            "timm-cait_xxs24_224",
            "timm-coatnet_pico_rw_224",
            "timm-mixer_s32_224",
            "timm-xcit_nano_12_p16_224",
            "torchvision-densenet121",
            "torchvision-shufflenet_v2_x0_5",
            "torchvision-squeezenet1_1",
            "torchvision-alexnet",
        ),
    }
)
"""Which of the above are exported in other ways too, by key."""


def _all() -> dict[str, Architecture]:
    known = {each.key: each for each in _ONCE}
    others = [
        replace(known[key], exporter=exporter) for exporter, keys in _IN_OTHER_FORMS.items() for key in keys
    ]
    return {each.key: each for each in (*_ONCE, *others)}


ARCHITECTURES: Final[Mapping[str, Architecture]] = MappingProxyType(_all())
"""All that are tried, by key, in the order of the report."""
