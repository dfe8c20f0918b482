"""Preprocessing under Model API's names: what entries say, what they leave open, and which are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.model_api import (
    hints_from_model_info,
    hints_from_ultralytics,
    to_model_info,
)
from ovxai_convert.photographs.model_input import ImageInput, preprocessing_for
from ovxai_convert.source.metadata import model_info_of
from tests.running import CORE

FULL: Final = PreprocessingHints(
    mean=(123.675, 116.28, 103.53),
    scale=(58.395, 57.12, 57.375),
    colour="rgb",
    resize="letterbox",
    layout="NHWC",
    pad_value=114,
    interpolation="cubic",
    pad_where="right_and_below",
)
DEFAULTS: Final = PreprocessingHints(
    mean=(0.0,), scale=(1.0,), colour="bgr", resize="stretch", interpolation="linear", pad_value=0
)


@pytest.mark.parametrize(
    "hints",
    [
        NO_HINTS,
        FULL,
        PreprocessingHints(mean=(127.0,), scale=(128.0,), colour="bgr", layout="NCHW"),
        PreprocessingHints(resize="stretch", interpolation="nearest"),
        PreprocessingHints(mean=(0.0,), scale=(1 / 255,), resize="stretch", interpolation="linear"),
        PreprocessingHints(mean=(123.6751234, -1e-7, 1e6 + 1)),
    ],
    ids=["nothing", "full", "one", "nearest", "fractions", "extremes"],
)
def test_model_info_holds_all(hints: PreprocessingHints, tmp_path: Path) -> None:
    entries = to_model_info(hints)
    assert all(isinstance(text, str) for text in entries.values())
    assert hints_from_model_info(entries) == hints
    model = cnn(CnnSpec())
    for key, text in entries.items():
        model.set_rt_info(text, ["model_info", key])
    read = model_info_of(CORE.read_model(save_ir(model, tmp_path / "net.xml")), {})
    assert hints_from_model_info(read) == hints


def test_words_of_model_info() -> None:
    assert to_model_info(FULL) == {
        "mean_values": "123.675 116.28 103.53",
        "scale_values": "58.395 57.12 57.375",
        "reverse_input_channels": "True",
        "resize_type": "fit_to_window",
        "interpolation_mode": "CUBIC",
        "layout": "NHWC",
        "pad_value": "114",
    }
    assert to_model_info(PreprocessingHints(colour="bgr", resize="stretch")) == {
        "reverse_input_channels": "False",
        "resize_type": "standard",
    }
    assert to_model_info(PreprocessingHints(resize="crop", interpolation="area")) == {"resize_type": "crop"}
    assert to_model_info(PreprocessingHints(resize="crop", interpolation="cubic")) == {"resize_type": "crop"}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({}, NO_HINTS),
        (
            {"embedded_processing": "True", "mean_values": "1 2 3"},
            PreprocessingHints(mean=(0.0,), scale=(1.0,), colour="bgr", resize="none"),
        ),
        (
            {"embedded_processing": "True", "resize_type": "crop", "orig_height": "8", "orig_width": "9"},
            PreprocessingHints(
                mean=(0.0,),
                scale=(1.0,),
                colour="bgr",
                resize="none",
                embedded=PreprocessingHints(size=(8, 9), resize="crop", interpolation="linear"),
            ),
        ),
        ({"embedded_processing": "False", "mean_values": "1"}, PreprocessingHints(mean=(1,))),
        ({"mean_values": "[1, 2.5, 3]"}, PreprocessingHints(mean=(1, 2.5, 3))),
        ({"mean_values": "", "scale_values": "[]", "pad_value": "None"}, NO_HINTS),
        ({"reverse_input_channels": "YES"}, PreprocessingHints(colour="rgb")),
        ({"reverse_input_channels": True}, PreprocessingHints(colour="rgb")),
        ({"reverse_input_channels": "0"}, PreprocessingHints(colour="bgr")),
        ({"reverse_input_channels": "true"}, PreprocessingHints(colour="bgr")),
        ({"reverse_input_channels": "1"}, PreprocessingHints(colour="bgr")),
        (
            {"resize_type": "crop", "interpolation_mode": "NEAREST"},
            PreprocessingHints(resize="crop", interpolation="linear"),
        ),
        ({"intensity_repeat_channels": "True"}, PreprocessingHints(colour="grey")),
        ({"layout": "image:NHWC"}, PreprocessingHints(layout="NHWC")),
        ({"layout": "[N,C,H,W]"}, PreprocessingHints(layout="NCHW")),
        ({"layout": "NC"}, NO_HINTS),
        ({"orig_height": "10"}, NO_HINTS),
        ({"orig_height": 10, "orig_width": "14"}, PreprocessingHints((10, 14))),
        ({"pad_value": "114"}, PreprocessingHints(pad_value=114)),
        ({"labels": "cat dog", "model_type": "Classification"}, DEFAULTS),
        (
            {"model_type": "Classification", "resize_type": "crop"},
            PreprocessingHints(resize="crop").or_else(DEFAULTS),
        ),
        (
            {"model_type": "YOLO", "scale_values": "255.0", "reverse_input_channels": "YES"},
            PreprocessingHints(
                mean=(0.0,), scale=(255.0,), colour="rgb", resize="crop", interpolation="area"
            ),
        ),
    ],
    ids=str,
)
def test_model_info_of_others(entries: dict[str, Any], expected: PreprocessingHints) -> None:
    assert hints_from_model_info(entries) == expected


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ({"mean_values": "dark"}, "model_info says 'dark' of mean_values, which is no number"),
        ({"scale_values": "0"}, "a scale of 0 divides by zero"),
        ({"orig_height": "x", "orig_width": "1"}, "'x' of orig_height"),
        ({"orig_height": "0", "orig_width": "1"}, "an input of 0x1 holds nothing"),
        ({"mean_values": "nan"}, "the mean is one number, or one per channel: nan is not"),
        ({"resize_type": "zoom"}, "model_info says 'zoom' of resize_type; known are crop, standard"),
        ({"interpolation_mode": "AREA"}, "'AREA' of interpolation_mode; known are LINEAR"),
        ({"input_dtype": "f16"}, "'f16' of input_dtype"),
        ({"input_dtype": "u16", "resize_type": "crop"}, "'u16' of input_dtype and 'crop' of resize_type"),
        ({"pad_value": "-1"}, "'-1' of pad_value, which is no level of 0 to 65535"),
        ({"pad_value": "256", "resize_type": "fit_to_window"}, "'256' of pad_value, which is no level of"),
        ({"pad_value": "1.5"}, "'1.5' of pad_value, which is no whole number"),
        ({"intensity_mode": "log"}, "'log' of intensity_mode; known are none"),
        ({"intensity_mode": "percentile"}, "'percentile' of intensity_mode, which Model API passes over"),
        ({"intensity_mode": "window"}, "of intensity_mode without intensity_window_center"),
        ({"intensity_mode": "range_scale"}, "of intensity_mode without intensity_max_value"),
        (
            {"intensity_mode": "window", "intensity_window_center": "1", "intensity_window_width": "0"},
            "no range of levels",
        ),
    ],
    ids=str,
)
def test_model_info_that_is_refused(entries: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        hints_from_model_info(entries)
    assert text in str(caught.value)


@pytest.mark.parametrize("key", ["pad_value", "orig_height"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e20", "1e400"])
def test_numbers_that_are_not_whole(key: str, value: str) -> None:
    entries = {"resize_type": "fit_to_window", "orig_height": "8", "orig_width": "8", key: value}
    with pytest.raises(UsageError, match=f"'{value}' of {key}, which is no whole number"):
        hints_from_model_info(entries)
    metadata = {"task": "classify", "author": "Ultralytics", "imgsz": f"[{value}, 8]"}
    with pytest.raises(UsageError, match="of imgsz, which is no whole number"):
        hints_from_ultralytics(metadata)


def test_entries_are_not_looked_at_where_the_user_says_it() -> None:
    entries = {"mean_values": "dark", "resize_type": "zoom", "intensity_mode": "percentile", "layout": "NHWC"}
    told = PreprocessingHints(mean=(1.0,), scale=(2.0,), resize="crop")
    assert hints_from_model_info(entries, told) == PreprocessingHints(layout="NHWC")


def levels_after(entries: dict[str, str]) -> np.ndarray:
    """What becomes of the levels 0 to 255 in an input of one column."""
    image = ImageInput((1, 256, 1, 3), np.dtype(np.float32), "NHWC")
    photograph = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(256, 1, 3)
    preprocessing, _ = preprocessing_for(
        image, hints_from_model_info({"model_type": "Classification", **entries})
    )
    return preprocessing(photograph)[0, :, 0].astype(np.float64)


@pytest.mark.parametrize("mean", ["", "0.2", "0.1 0.2 0.3"])
@pytest.mark.parametrize("scale", ["", "0.5", "0.2 0.4 0.8"])
@pytest.mark.parametrize("mode", ["scale_to_unit", "scale_to_unit of 16 bits", "window", "range_scale"])
def test_intensities_are_done_before_mean_and_scale(mode: str, mean: str, scale: str) -> None:
    levels = np.arange(256.0)[:, np.newaxis]
    entries = {
        "scale_to_unit": {},
        "scale_to_unit of 16 bits": {"input_dtype": "u16"},
        "window": {"intensity_window_center": "100", "intensity_window_width": "80"},
        "range_scale": {
            "intensity_scale_factor": "0.5",
            "intensity_min_value": "10",
            "intensity_max_value": "90",
        },
    }[mode]
    unit = {
        "scale_to_unit": levels / 255,
        "scale_to_unit of 16 bits": levels / 65535,
        "window": np.clip((levels - 60) / 80, 0, 1),
        "range_scale": (np.clip(levels * 0.5, 10, 90) - 10) / 80,
    }[mode]
    numbers = [
        np.array([float(word) for word in text.split()] or [default])
        for text, default in ((mean, 0), (scale, 1))
    ]
    found = levels_after(
        {"intensity_mode": mode.split()[0], "mean_values": mean, "scale_values": scale, **entries}
    )
    np.testing.assert_allclose(found, np.broadcast_to((unit - numbers[0]) / numbers[1], (256, 3)), atol=2e-6)


@pytest.mark.parametrize("kind", ["detect", "segment", "pose"])
def test_ultralytics_other_than_classifiers_say_nothing(kind: str) -> None:
    assert hints_from_ultralytics({"author": "Ultralytics", "task": kind, "imgsz": "[640, 640]"}) == NO_HINTS


def test_ultralytics() -> None:
    metadata = {"author": "Ultralytics", "task": "classify", "imgsz": "[224, 192]", "names": "{0: 'cat'}"}
    assert hints_from_ultralytics(metadata) == PreprocessingHints(
        (224, 192), (0.0,), (255.0,), "rgb", "crop", interpolation="area"
    )
    assert hints_from_ultralytics({**metadata, "author": "someone"}) == NO_HINTS
