"""Models that cannot be measured, and what is known of those that can."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.networks import CnnSpec
from ovxai_convert import RefusedError
from ovxai_convert.evaluation.evaluated_models import evaluated_model
from tests.evaluation.cases import evaluated
from tests.photographs.test_packed import SINGLE


def test_names_of_classes(tmp_path: Path) -> None:
    model = evaluated(tmp_path, labels=("tench, Tinca tinca", "cat", "7"))
    assert [model.class_called(name) for name in ("CAT", "tinca tinca", "7", "2", "lynx")] == [
        1,
        0,
        2,
        2,
        None,
    ]
    assert model.label_of(2) == "7"
    unnamed = evaluated(tmp_path, labels=None, spec=CnnSpec(classes=2), name="b.xml")
    assert [unnamed.class_called(name) for name in ("1", "2", "cat")] == [1, None, None]
    assert unnamed.label_of(1) == "1"


def test_parts_of_a_camera_format_cannot_be_covered(tmp_path: Path) -> None:
    image = ops.parameter([1, 3, 30, 28], np.float32)
    scores = ops.reduce_mean(ops.relu(image), np.array([2, 3]), False)
    steps = ov.preprocess.PrePostProcessor(ov.Model([ops.result(scores)], [image]))
    steps.input().tensor().set_element_type(ov.Type.u8).set_color_format(SINGLE["nv12"])
    steps.input().preprocess().convert_color(ov.preprocess.ColorFormat.RGB)
    steps.input().preprocess().convert_element_type(ov.Type.f32)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    ov.save_model(steps.build(), tmp_path / "camera.xml", compress_to_fp16=False)
    with pytest.raises(RefusedError, match="takes NV12, whose rows are not the picture's"):
        evaluated_model(tmp_path / "camera.xml", ["auto"])


def test_what_is_no_classifier(tmp_path: Path) -> None:
    image = ops.parameter([1, 3, 8, 8], np.float32)
    ov.save_model(ov.Model([ops.result(ops.relu(image))], [image]), tmp_path / "filter.xml")
    with pytest.raises(RefusedError):
        evaluated_model(tmp_path / "filter.xml", ["auto"])
