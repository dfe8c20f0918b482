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
from ovxai_convert import PreprocessingHints, convert
from ovxai_convert.source.metadata import model_info_of
from tests.program.invocation import Convert, but_unsaid
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
        "{'bird': 2, 'cat': 0, 'dog': 1}",
    ],
    ids=["json", "python", "tuple", "json-map", "python-map", "unordered-map", "inverse-map"],
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
        "{'cat': 0, 'dog': 1, 'bird': 1}",
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


def entries_of(xml: Path) -> dict[str, str]:
    return model_info_of(CORE.read_model(xml), {})


TOLD: Final = PreprocessingHints(
    mean=(127.0,), scale=(128.0,), colour="rgb", resize="letterbox", pad_value=114
)


def test_what_the_user_tells_is_written_for_model_api(tmp_path: Path) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    labels = ("tabby cat", "dog", "a  b")
    report = convert(
        path,
        tmp_path / "out",
        labels=labels,
        preprocessing=TOLD,
        multilabel=True,
        confidence_threshold=0.25,
    )
    assert entries_of(report.xml) == {
        "model_type": "Classification",
        "labels": "tabby_cat dog a_b",
        "mean_values": "127",
        "scale_values": "128",
        "reverse_input_channels": "True",
        "resize_type": "fit_to_window_letterbox",
        "pad_value": "114",
        "multilabel": "True",
        "confidence_threshold": "0.25",
    }
    scores = report.sidecar.scores
    assert (scores.probabilities, scores.multilabel, scores.confidence_threshold) == ("sigmoid", True, 0.25)
    assert report.warnings == ()


def test_nothing_is_written_where_nothing_is_told(tmp_path: Path) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    assert entries_of(convert(path, tmp_path / "out").xml) == {}


def test_entries_of_the_model_stay_as_they_are(tmp_path: Path) -> None:
    own = {**MODEL_INFO, "model_type": "Custom", "topk": "3", "odd key": "kept"}
    path = save_with_model_info(tmp_path, own)
    report = convert(path, tmp_path / "out", labels=["x", "y", "z"], preprocessing=TOLD, multilabel=True)
    assert entries_of(report.xml) == {**own, "multilabel": "True"}
    kept = [warning.split("'")[0].split()[-1] for warning in report.warnings]
    assert kept == ["mean_values", "scale_values", "resize_type", "pad_value", "labels"]
    assert report.sidecar.labels == ("x", "y", "z")
    assert report.sidecar.preprocessing is not None
    assert report.sidecar.preprocessing["mean"] == [127.0]


def test_entries_of_an_onnx_file_go_into_the_ir(tmp_path: Path) -> None:
    metadata = {f"model_info {key}": value for key, value in MODEL_INFO.items()}
    onnx.save(onnx_classifier(metadata={**metadata, "author": "someone"}), tmp_path / "net.onnx")
    report = convert(tmp_path / "net.onnx", tmp_path / "out")
    assert entries_of(report.xml) == MODEL_INFO
    assert report.sidecar.labels == ("cat", "dog", "bird")
    assert report.sidecar.preprocessing is not None
    assert report.sidecar.preprocessing["mean"] == [123.675, 116.28, 103.53]


@pytest.mark.parametrize("key", ["intensity_mode", "confidence_threshold"])
def test_entries_that_make_no_sense_are_said_to_be_left_out(key: str, tmp_path: Path) -> None:
    report = convert(save_with_model_info(tmp_path, {**MODEL_INFO, key: "odd"}), tmp_path / "out")
    (warning,) = but_unsaid(report.warnings) if key == "intensity_mode" else report.warnings
    assert "is left out: model_info says 'odd' of" in warning
    assert entries_of(report.xml)[key] == "odd"


def test_ultralytics(tmp_path: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    metadata = {
        "author": "Ultralytics",
        "task": "classify",
        "imgsz": "[10, 14]",
        "names": "{0: 'cat', 1: 'dog', 2: 'bird'}",
    }
    onnx.save(onnx_classifier(metadata=metadata), tmp_path / "net.onnx")
    sidecar = convert(tmp_path / "net.onnx", tmp_path / "out").sidecar
    assert sidecar.labels == ("cat", "dog", "bird")
    assert sidecar.preprocessing is not None
    keys = ("size", "mean", "scale", "colour", "resize", "assumed")
    told = {key: sidecar.preprocessing[key] for key in keys}
    assert told == {
        "size": [10, 14],
        "mean": [0.0],
        "scale": [255.0],
        "colour": "rgb",
        "resize": "crop",
        "assumed": [],
    }
    outcome = run_explain(tmp_path / "net.onnx", photograph, "-o", out)
    assert (outcome.exit_code, outcome.stderr) == (0, "")


def test_answers_above_the_threshold_are_explained(
    tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    entries = {"model_type": "Classification", "multilabel": "True", "labels": "cat dog bird"}
    shown = {}
    for threshold in ("0.0", "1.0"):
        path = save_with_model_info(tmp_path, {**entries, "confidence_threshold": threshold})
        assert run_explain(path, photograph, "-o", out / threshold, "-q").exit_code == 0
        shown[threshold] = sorted(each.stem for each in (out / threshold).iterdir())
    assert shown["0.0"] == ["photo_bird", "photo_cat", "photo_dog"]
    assert len(shown["1.0"]) == 1, "the best at least"
    converted = convert(path, tmp_path / "out", confidence_threshold=0.0)
    assert converted.sidecar.scores.confidence_threshold == 0.0
    outcome = run_explain(converted.xml, photograph, "-o", out / "artifact", "-q")
    assert outcome.exit_code == 0
    assert len(list((out / "artifact").iterdir())) == 3
    outcome = run_explain(converted.xml, photograph, "-o", out / "one", "-q", "--no-multilabel")
    assert len(list((out / "one").iterdir())) == 1
