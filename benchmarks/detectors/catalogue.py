"""The detectors that are made: plain data, read by the environment with torch and by the one without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from benchmarks.catalogue import ROOT

FOLDER: Final = ROOT / ".cache" / "detectors"


class Kind(StrEnum):
    """What a detector gives a vector of scores for."""

    DENSE = "dense"  # each place of a feature map
    TWO_STAGE = "two-stage"  # regions that were cut out of a feature map
    QUERY = "query"  # each query of a decoder


class Source(StrEnum):
    """What a detector is made by; of each there is a module `from_...`."""

    ULTRALYTICS = "ultralytics"
    TORCHVISION = "torchvision"
    EFFDET = "effdet"
    TRANSFORMERS = "transformers"
    OWN = "own"  # written in torch here, in the form of another project's exports
    OPSET = "opset"  # the same with OpenVINO's own ops behind


@dataclass(frozen=True)
class Detector:
    """One detector in one form.

    Attributes:
        key: its name on the command line and in file names.
        family: what architecture it is of.
        kind: what it gives scores for.
        source: what makes it.
        classes: how many it tells apart, background not among them.
        size: rows and columns of the image.
        settings: what its maker is told beside that.
    """

    key: str
    family: str
    kind: Kind
    source: Source
    classes: int = 80
    size: int = 320
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where it lies in the cache."""
        is_ir = self.source is Source.OPSET or self.settings.get("format") == "openvino"
        return FOLDER / "models" / f"{self.key}.{'xml' if is_ir else 'onnx'}"

    @property
    def largest(self) -> float:
        """What white is in its image, which else goes from 0 to 1; of most it does not matter."""
        return float(self.settings.get("largest", 1.0))


def _yolo(key: str, description: str, *, classes: int = 80, **options: Any) -> Detector:
    """One that Ultralytics describes, and what its exporter is told."""
    output = {"format": options.pop("format", "onnx"), "all_scores": options.pop("all_scores", False)}
    is_detr = description.startswith("rtdetr")
    settings = {"description": description, "options": options, **output}
    return Detector(
        key,
        "RT-DETR" if is_detr else "YOLO",
        Kind.QUERY if is_detr else Kind.DENSE,
        Source.ULTRALYTICS,
        classes,
        settings=settings,
    )


# An exporter's nms=False means its head that needs none, nms=True ops behind the other head.
_ULTRALYTICS: Final = (
    _yolo("yolov3u_tiny", "yolov3-tiny"),
    _yolo("yolov3u", "yolov3"),
    _yolo("yolov5nu", "yolov5n"),
    _yolo("yolov6n", "yolov6n"),
    _yolo("yolov8n", "yolov8n"),
    _yolo("yolov8n_dynamic", "yolov8n", dynamic=True),
    _yolo("yolov8n_nms", "yolov8n", nms=True),
    _yolo("yolov8n_one_class", "yolov8n", classes=1),
    _yolo("yolov8n_openvino", "yolov8n", format="openvino"),
    _yolo("yolov8n_p2", "yolov8n-p2"),
    _yolo("yolov8n_pose", "yolov8n-pose", classes=1),
    _yolo("yolov8n_seg", "yolov8n-seg"),
    _yolo("yolov8n_seg_nms", "yolov8n-seg", nms=True),
    _yolo("yolov8n_slim", "yolov8n", simplify=True),
    _yolo("yolov9t", "yolov9t"),
    _yolo("yolov10n", "yolov10n"),
    _yolo("yolov10n_end2end", "yolov10n", nms=False),
    _yolo("yolo11n", "yolo11n"),
    _yolo("yolo12n", "yolo12n"),
    _yolo("yolo26n_end2end", "yolo26n", nms=False),
    _yolo("rtdetr_l", "rtdetr-l"),
    _yolo("rtdetr_l_all_scores", "rtdetr-l", all_scores=True),  # as older releases exported it
)

_RESULTS: Final = ("boxes", "scores", "labels")


def _torchvision(
    key: str,
    function: str,
    form: str = "whole",
    outputs: Sequence[str] = _RESULTS,
    *,
    family: str,
    classes: int = 90,
    size: int = 320,
    **arguments: Any,
) -> Detector:
    """One of torchvision: whole, or what its heads say, or the maps of each level that they say it in."""
    kind = Kind.TWO_STAGE if "rcnn" in function else Kind.DENSE
    levels = arguments.pop("levels", None)
    names = outputs if levels is None else [f"{name}_{level}" for name in outputs for level in range(levels)]
    background = int(family in ("SSD", "Faster R-CNN"))
    settings = {
        "function": function,
        "form": form,
        "outputs": tuple(names),
        "arguments": {**arguments, "num_classes": classes + background},
    }
    return Detector(key, family, kind, Source.TORCHVISION, classes, size, settings)


_SSD: Final[Mapping[str, Any]] = {"family": "SSD", "classes": 20, "size": 300}
_SSDLITE: Final[Mapping[str, Any]] = {"family": "SSD"}
_SMALL: Final[Mapping[str, Any]] = {"min_size": 320, "max_size": 512}
_RETINANET: Final[Mapping[str, Any]] = {"family": "RetinaNet", "classes": 91, **_SMALL}
_FCOS: Final[Mapping[str, Any]] = {"family": "FCOS", "classes": 91, **_SMALL}
_RCNN: Final[Mapping[str, Any]] = {"family": "Faster R-CNN", "rpn_post_nms_top_n_test": 200}
_SSD_HEADS: Final = ("bbox_regression", "cls_logits")
_RETINANET_HEADS: Final = ("cls_logits", "bbox_regression")
_FCOS_HEADS: Final = ("cls_logits", "bbox_regression", "bbox_ctrness")
_SSDLITE320: Final = "ssdlite320_mobilenet_v3_large"
_RCNN320: Final = "fasterrcnn_mobilenet_v3_large_320_fpn"
_R50: Final = "resnet50_fpn"
_TORCHVISION: Final = (
    _torchvision("ssd300_vgg16", "ssd300_vgg16", **_SSD),
    _torchvision("ssd300_vgg16_heads", "ssd300_vgg16", "heads", _SSD_HEADS, **_SSD),
    _torchvision("ssd300_vgg16_maps", "ssd300_vgg16", "maps", ("cls_logits", "bbox_reg"), levels=6, **_SSD),
    _torchvision(_SSDLITE320, _SSDLITE320, **_SSDLITE),
    _torchvision("ssdlite320_heads", _SSDLITE320, "heads", _SSD_HEADS, **_SSDLITE),
    _torchvision(f"retinanet_{_R50}", f"retinanet_{_R50}", **_RETINANET),
    _torchvision(f"retinanet_{_R50}_heads", f"retinanet_{_R50}", "heads", _RETINANET_HEADS, **_RETINANET),
    _torchvision(
        f"retinanet_{_R50}_maps", f"retinanet_{_R50}", "maps", _RETINANET_HEADS, levels=5, **_RETINANET
    ),
    _torchvision(f"retinanet_{_R50}_v2", f"retinanet_{_R50}_v2", **_RETINANET),
    _torchvision(f"fcos_{_R50}", f"fcos_{_R50}", **_FCOS),
    _torchvision(f"fcos_{_R50}_heads", f"fcos_{_R50}", "heads", _FCOS_HEADS, **_FCOS),
    _torchvision(f"fcos_{_R50}_maps", f"fcos_{_R50}", "maps", _FCOS_HEADS, levels=5, **_FCOS),
    _torchvision(_RCNN320, _RCNN320, **_RCNN),
    _torchvision(f"fasterrcnn_{_R50}", f"fasterrcnn_{_R50}", **_RCNN, **_SMALL),
)


def _effdet(key: str, config: str, form: str, size: int, classes: int = 90) -> Detector:
    """EfficientDet, whole or its heads' maps alone."""
    settings = {"config": config, "form": form}
    return Detector(key, "EfficientDet", Kind.DENSE, Source.EFFDET, classes, size, settings)


_EFFDET: Final = (
    _effdet("efficientdet_d0", "tf_efficientdet_d0", "whole", 384),
    _effdet("efficientdet_d0_maps", "tf_efficientdet_d0", "maps", 512),
    _effdet("efficientdet_lite0_maps", "tf_efficientdet_lite0", "maps", 320),
    _effdet("efficientdet_lite0_one_class_maps", "tf_efficientdet_lite0", "maps", 320, classes=1),
)


def _queries(key: str, family: str, name: str, **config: Any) -> Detector:
    """A class of transformers and its configuration."""
    settings = {"class": name, "config": config}
    return Detector(key, family, Kind.QUERY, Source.TRANSFORMERS, settings=settings)


_DETR: Final[Mapping[str, Any]] = {
    "num_queries": 50,
    "d_model": 64,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 128,
    "decoder_ffn_dim": 128,
}
_RESNET: Final[Mapping[str, Any]] = {
    "embedding_size": 32,
    "hidden_sizes": [32, 64, 128, 256],
    "depths": [2, 2, 2, 2],
    "layer_type": "basic",
}
_STAGES: Final = ["stage2", "stage3", "stage4"]
_LAST_MAP: Final = ("ResNetConfig", {**_RESNET, "out_features": _STAGES[-1:]})
_THREE_MAPS: Final = ("ResNetConfig", {**_RESNET, "out_features": _STAGES})
_RTDETR: Final[Mapping[str, Any]] = {
    "backbone": ("RTDetrResNetConfig", {**_RESNET, "out_features": _STAGES}),
    "encoder_hidden_dim": 64,
    "encoder_in_channels": [64, 128, 256],
    "feat_strides": [8, 16, 32],
    "encoder_ffn_dim": 128,
    "encoder_attention_heads": 4,
    "d_model": 64,
    "num_queries": 100,
    "decoder_in_channels": [64, 64, 64],
    "decoder_ffn_dim": 128,
    "decoder_layers": 3,
    "decoder_attention_heads": 4,
    "hidden_expansion": 1.0,
}
_YOLOS: Final[Mapping[str, Any]] = {
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "image_size": [320, 320],
    "patch_size": 16,
    "num_detection_tokens": 50,
}
_DEFORMABLE: Final[Mapping[str, Any]] = {"backbone": _THREE_MAPS, "num_feature_levels": 4, **_DETR}
_TRANSFORMERS: Final = (
    _queries("detr", "DETR", "DetrForObjectDetection", backbone=_LAST_MAP, **_DETR),
    _queries("conditional_detr", "DETR", "ConditionalDetrForObjectDetection", backbone=_LAST_MAP, **_DETR),
    _queries("deformable_detr", "DETR", "DeformableDetrForObjectDetection", **_DEFORMABLE),
    _queries("yolos", "YOLOS", "YolosForObjectDetection", **_YOLOS),
    _queries("rtdetr", "RT-DETR", "RTDetrForObjectDetection", **_RTDETR),
    _queries("rtdetr_v2", "RT-DETR", "RTDetrV2ForObjectDetection", **_RTDETR),
)


def _own(
    key: str, family: str, form: str, *, classes: int = 80, size: int = 320, **settings: Any
) -> Detector:
    """A form that is written here, and perhaps the ops that are behind it."""
    source = Source.OPSET if "end" in settings else Source.OWN
    return Detector(key, family, Kind.DENSE, source, classes, size, {"form": form, **settings})


_OWN: Final = (
    _own("yolov3_darknet", "YOLO", "AnchorMaps"),
    _own("yolov4_boxes_confs", "YOLO", "YoloV4Boxes"),
    _own("yolov5_anchors", "YOLO", "YoloV5", size=640),
    _own("yolov5_anchors_one_class", "YOLO", "YoloV5", classes=1),
    _own("yolov5_anchors_raw", "YOLO", "YoloV5Raw", size=640),
    _own("yolov6", "YOLO", "YoloV6"),
    _own("yolov7_nms", "YOLO", "YoloV7EndToEnd"),
    _own("yolox", "YOLOX", "YoloX", largest=255.0),
    _own("yolox_decoded", "YOLOX", "YoloXDecoded", largest=255.0),
    _own("nanodet", "NanoDet", "NanoDet"),
    _own("nanodet_one_class", "NanoDet", "NanoDet", classes=1),
    _own("nanodet_plus", "NanoDet", "NanoDetPlus"),
    _own("picodet", "PicoDet", "PicoDet"),
    _own("picodet_decoded", "PicoDet", "PicoDetDecoded"),
    _own("gfl", "GFL", "Gfl"),
    _own("atss", "ATSS", "Atss"),
    _own("fcos_mmdet", "FCOS", "FcosMmdet"),
    _own("fcos_mmdet_nms", "FCOS", "FcosMmdetEndToEnd"),
    _own("centernet", "CenterNet", "CenterNet"),
    _own("centernet_peaks", "CenterNet", "CenterNetPeaks"),
    _own("centernet_raw", "CenterNet", "CenterNetRaw"),
    _own("blazeface", "BlazeFace", "BlazeFace", classes=1, size=128),
    _own("retinanet_nhwc", "RetinaNet", "RetinaNetNhwc"),
    _own("retinanet_nhwc_one_class", "RetinaNet", "RetinaNetNhwc", classes=1),
    _own("ssd_nhwc", "SSD", "SsdNhwc", classes=90),
    _own("ssd_caffe", "SSD", "SsdCaffe", classes=20, size=300, end="DetectionOutput"),
    _own("ssd_caffe_one_class", "SSD", "SsdCaffe", classes=1, size=300, end="DetectionOutput"),
    _own("paddle_matrix_nms", "PicoDet", "PicoDetDecoded", end="MatrixNms"),
    _own("paddle_multiclass_nms", "PicoDet", "PicoDetDecoded", end="MulticlassNms"),
    _own("yolov2_region", "YOLO", "AnchorMaps", classes=20, end="RegionYoloSoftmax"),
    _own("yolov3_region", "YOLO", "AnchorMaps", end="RegionYolo"),
)

_ALL: Final = (*_ULTRALYTICS, *_TORCHVISION, *_EFFDET, *_TRANSFORMERS, *_OWN)
DETECTORS: Final[Mapping[str, Detector]] = MappingProxyType({each.key: each for each in _ALL})
"""All that are made, by key."""
