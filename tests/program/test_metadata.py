"""Labels and preprocessing: found in every form that exporters use, kept on disk, never made up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import onnx
import pytest

from fixtures.broken_files import onnx_classifier, save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import convert
from tests.running import CORE

MODEL_INFO: Final[Mapping[str, str]] = {
    "model_type": "Classification",
    "labels": "cat dog bird",
    "layout": "NCHW",
    "mean_values": "123.675 116.28 103.53",
    "scale_values": "58.395 57.12 57.375",
    "resize_type": "crop",
    "reverse_input_channels": "True",
    "pad_value": "0",
    "orig_height": "10",
    "orig_width": "14",
    "confidence_threshold": "0.5",
}


def labels_from_onnx(folder: Path, metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    path = folder / "net.onnx"
    onnx.save(onnx_classifier(metadata=metadata), path)
    return convert(path, folder / "out").sidecar.labels


@pytest.mark.parametrize("key", ["labels", "names", "classes", "class_names"])
@pytest.mark.parametrize(
    "text",
    [
        '["cat", "dog", "bird"]',
        "['cat', 'dog', 'bird']",
        "('cat', 'dog', 'bird')",
        '{"0": "cat", "1": "dog", "2": "bird"}',
        "{0: 'cat', 1: 'dog', 2: 'bird'}",
        "{2: 'bird', 0: 'cat', 1: 'dog'}",
    ],
    ids=["json", "python", "tuple", "json-map", "python-map", "unordered-map"],
)
def test_onnx_labels(key: str, text: str, tmp_path: Path) -> None:
    assert labels_from_onnx(tmp_path, {key: text}) == ("cat", "dog", "bird")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cat, dog, bird",
        '["cat", "dog"]',
        '["cat", "dog", "bird", "fish"]',
        '"cat"',
        "3",
        "{1: 'cat', 2: 'dog', 3: 'bird'}",
        "{'cat': 0, 'dog': 1, 'bird': 2}",
        "{0: 'cat', 1: 'dog', 5: 'bird'}",
        "['cat', None, 'bird']",
        "__import__('os').getcwd()",
        "[" * 5000,
    ],
    ids=lambda text: text[:16],
)
def test_what_names_no_class_for_each_index_gives_no_labels(text: str, tmp_path: Path) -> None:
    assert labels_from_onnx(tmp_path, {"names": text}) is None


def test_first_list_of_the_right_length_wins(tmp_path: Path) -> None:
    metadata = {"labels": "['only one']", "classes": "['a', 'b', 'c']", "author": "x"}
    assert labels_from_onnx(tmp_path, metadata) == ("a", "b", "c")


def test_labels_may_hold_any_text(tmp_path: Path) -> None:
    labels = ("Bär, braun", "猫 \U0001f408", 'a "b"\n')
    assert labels_from_onnx(tmp_path, {"names": json.dumps(labels)}) == labels


def save_with_model_info(folder: Path, info: Mapping[str, str]) -> Path:
    model = cnn(CnnSpec())
    for key, value in info.items():
        model.set_rt_info(value, ["model_info", key])
    return save_ir(model, folder / "net.xml")


def test_model_info_is_described(tmp_path: Path) -> None:
    sidecar = convert(save_with_model_info(tmp_path, MODEL_INFO), tmp_path / "out").sidecar
    assert sidecar.labels == ("cat", "dog", "bird")
    assert sidecar.preprocessing is not None
    found = {
        key: sidecar.preprocessing[key] for key in ("size", "resize", "colour", "mean", "scale", "assumed")
    }
    assert found == {
        "size": [10, 14],
        "resize": "crop",
        "colour": "rgb",
        "mean": [123.675, 116.28, 103.53],
        "scale": [58.395, 57.12, 57.375],
        "assumed": [],
    }


def test_model_info_survives_on_disk(tmp_path: Path) -> None:
    report = convert(save_with_model_info(tmp_path, MODEL_INFO), tmp_path / "out")
    converted = CORE.read_model(report.xml)
    for key, value in MODEL_INFO.items():
        assert converted.get_rt_info(["model_info", key]).astype(str) == value


@pytest.mark.parametrize("labels", ["cat", "", "cat dog bird fish"])
def test_model_info_with_another_number_of_labels(labels: str, tmp_path: Path) -> None:
    path = save_with_model_info(tmp_path, {"labels": labels, "model_type": "Classification"})
    assert convert(path, tmp_path / "out").sidecar.labels is None


def test_a_class_more_than_labels_is_called_other(tmp_path: Path) -> None:
    """So Model API does, too."""
    path = save_with_model_info(tmp_path, {"labels": "cat dog", "model_type": "Classification"})
    assert convert(path, tmp_path / "out").sidecar.labels == ("other", "cat", "dog")
