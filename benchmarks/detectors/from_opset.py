"""Detectors whose last ops are OpenVINO's own, as IRs: networks of `from_own` with those ops behind."""

# The project's own environment has no torch; there its classes are Any to the type checker.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import openvino as ov
import openvino.opset13 as ops

from benchmarks.detectors.catalogue import Detector
from benchmarks.detectors.from_own import make
from benchmarks.detectors.tracing import write_onnx

_ANCHORS: Final = [10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326]
_MASKS: Final = ([0, 1, 2], [3, 4, 5], [6, 7, 8])


def write(detector: Detector, path: Path) -> None:
    """Write a detector with random weights as an IR."""
    network = _network(detector)
    values = [each.get_node().input_value(0) for each in network.outputs]
    found = _ENDS[detector.settings["end"]](detector, network.inputs[0], values)
    results = [ops.result(value, name=name) for name, value in found.items()]
    for name, result in zip(found, results, strict=True):
        result.output(0).set_names({name})
    model = ov.Model(results, network.get_parameters(), detector.key)
    ov.save_model(model, path, compress_to_fp16=False)


def _network(detector: Detector) -> Any:
    """The network before those ops."""
    form, image = make(detector)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "network.onnx")
        write_onnx(form, image, file, form.outputs, input_name="data")
        return ov.Core().read_model(file).clone()


def _detection_output(detector: Detector, image: Any, values: Sequence[Any]) -> Mapping[str, Any]:
    """SSD of Caffe: softmax between two reshapes, and one op that does all the rest."""
    sides, kinds, *levels = values
    count = detector.classes + 1
    rows = ops.reshape(kinds, np.array([0, -1, count]), special_zero=True, name="mbox_conf_reshape")
    likely = ops.softmax(rows, 2, name="mbox_conf_softmax")
    flat = ops.reshape(likely, np.array([0, -1]), special_zero=True, name="mbox_conf_flatten")
    sizes = [(0.1, 0.25), (0.25, 0.5), (0.5, 0.8)]
    priors = [_priors(level, image, pair, detector.size) for level, pair in zip(levels, sizes, strict=True)]
    joined = ops.concat(priors, 2, name="mbox_priorbox")
    attributes = {
        "background_label_id": 0,
        "top_k": 400,
        "variance_encoded_in_target": False,
        "keep_top_k": [200],
        "code_type": "caffe.PriorBoxParameter.CENTER_SIZE",
        "share_location": True,
        "nms_threshold": 0.45,
        "confidence_threshold": 0.01,
        "clip_after_nms": False,
        "clip_before_nms": False,
        "decrease_label_id": False,
        "normalized": True,
        "input_height": 1,
        "input_width": 1,
        "objectness_score": 0.0,
    }
    return {"detection_out": ops.detection_output(sides, flat, joined, attributes, name="detection_out")}


def _priors(level: Any, image: Any, sizes: tuple[float, float], extent: int) -> Any:
    """Boxes of six shapes in each cell of a level."""
    shapes = [ops.strided_slice(ops.shape_of(each), [2], [4], [1], [0], [0]) for each in (level, image)]
    smallest, largest = (round(size * extent) for size in sizes)
    attributes = {
        "min_size": [float(smallest)],
        "max_size": [float(largest)],
        "aspect_ratio": [2.0, 3.0],
        "flip": True,
        "clip": False,
        "variance": [0.1, 0.1, 0.2, 0.2],
        "offset": 0.5,
        "step": 0.0,
    }
    return ops.unsqueeze(ops.prior_box(*shapes, attributes), [0])


def _multiclass_nms(_: Detector, __: Any, values: Sequence[Any]) -> Mapping[str, Any]:
    """What PaddleDetection ends in: rows of class, score and box, and how many of them."""
    found, kinds = values
    chosen = ops.multiclass_nms(
        found,
        kinds,
        sort_result_type="classid",
        nms_top_k=1000,
        keep_top_k=100,
        iou_threshold=0.6,
        score_threshold=0.05,
        background_class=-1,
    )
    return {"multiclass_nms3_0.tmp_0": chosen.output(0), "multiclass_nms3_0.tmp_2": chosen.output(2)}


def _matrix_nms(_: Detector, __: Any, values: Sequence[Any]) -> Mapping[str, Any]:
    """The same of those of its detectors that lower scores instead of dropping boxes."""
    found, kinds = values
    chosen = ops.matrix_nms(
        found,
        kinds,
        sort_result_type="score",
        nms_top_k=1000,
        keep_top_k=100,
        score_threshold=0.05,
        post_threshold=0.05,
        background_class=-1,
        decay_function="linear",
    )
    return {"matrix_nms_0.tmp_0": chosen.output(0), "matrix_nms_0.tmp_2": chosen.output(2)}


def _region_yolo(detector: Detector, _: Any, values: Sequence[Any]) -> Mapping[str, Any]:
    """YOLOv3 of the Open Model Zoo: one op per level that squashes all but the boxes' extents."""
    return {
        f"conv2d_{number}/Conv2D/YoloRegion": ops.region_yolo(
            value,
            coords=4,
            classes=detector.classes,
            num=9,
            do_softmax=False,
            mask=mask,
            axis=1,
            end_axis=3,
            anchors=[float(each) for each in _ANCHORS],
        )
        for number, value, mask in zip((75, 67, 59), values[::-1], _MASKS[::-1], strict=True)
    }


def _region_yolo_softmax(detector: Detector, _: Any, values: Sequence[Any]) -> Mapping[str, Any]:
    """YOLOv2 of the same: classes under a softmax, the result flattened; of the last level alone."""
    region = ops.region_yolo(
        values[-1],
        coords=4,
        classes=detector.classes,
        num=3,
        do_softmax=True,
        mask=[],
        axis=1,
        end_axis=3,
        anchors=[float(each) for each in _ANCHORS[-6:]],
    )
    return {"region": region}


_ENDS: Final[Mapping[str, Callable[[Detector, Any, Sequence[Any]], Mapping[str, Any]]]] = MappingProxyType(
    {
        "DetectionOutput": _detection_output,
        "MulticlassNms": _multiclass_nms,
        "MatrixNms": _matrix_nms,
        "RegionYolo": _region_yolo,
        "RegionYoloSoftmax": _region_yolo_softmax,
    }
)
