"""The sidecar: canonical text, and a schema that refuses every wrong one."""

from __future__ import annotations

import copy
import json
from dataclasses import fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

import jsonschema
import onnx
import pytest

from fixtures.broken_files import onnx_classifier
from ovxai_convert import ModelReadError, PreprocessingHints, Sidecar, convert, read_sidecar
from ovxai_convert.artifact.parsing import read_sidecar_file

Data = dict[str, Any]
SCHEMA: Final[Data] = json.loads(
    resources.files("ovxai_convert.schemas").joinpath("sidecar-v1.schema.json").read_text("utf-8")
)
WRONG_VALUES: Final[tuple[tuple[str, Any], ...]] = (
    ("schema_version", 1.0),
    ("schema_version", None),
    ("generator.name", "another program"),
    ("source.sha256", "0" * 63),
    ("source.sha256", "G" * 64),
    ("source.format", "caffe"),
    ("model.xml", "model.bin"),
    ("model.bin_sha256", None),
    ("mode", "greybox"),
    ("method", "Grad-CAM"),
    ("task", "segmentation"),
    ("detection", {"scales": [], "activation": "none", "objectness": "none", "background": None}),
    ("inputs", []),
    ("inputs", {}),
    ("inputs.0.shape", [1, -2]),
    ("inputs.0.shape", [1.5]),
    ("inputs.0.shape", "1,3"),
    ("inputs.0.layout", 4),
    ("outputs", []),
    ("outputs.0.index", -1),
    ("outputs.0.index", "0"),
    ("target_layer", []),
    ("target_layer.layout", "HWCN"),
    ("target_layer.selected_by", "chance"),
    ("target_layer.port", True),
    ("scores", None),
    ("scores.class_count", 0),
    ("scores.activation", "relu"),
    ("saliency_map.output", ""),
    ("saliency_map.index", 0),
    ("saliency_map.axes", ["batch", "class", "width", "height"]),
    ("saliency_map.scaling", "max"),
    ("saliency_map.value_range", [0, 1]),
    ("saliency_map.classes", "some"),
    ("saliency_map.classes", {"indices": []}),
    ("saliency_map.classes", {"top_k": 0, "indices_output": "saliency_classes"}),
    ("labels", "cat dog"),
    ("labels", [1, 2, 3]),
    ("preprocessing", []),
    ("preprocessing", {"mean_values": "1 2 3"}),
    ("preprocessing.size", [0, 5]),
    ("preprocessing.size", [5]),
    ("preprocessing.size", [10.0, 14.0]),
    ("preprocessing.size", [10, 10**9]),
    ("preprocessing.resize", "zoom"),
    ("preprocessing.interpolation", "lanczos"),
    ("preprocessing.pad", {"value": 256, "where": "around"}),
    ("preprocessing.colour", "yuv"),
    ("preprocessing.channels", 2),
    ("preprocessing.clip", [1]),
    ("preprocessing.mean", [1, 2]),
    ("preprocessing.scale", "1"),
    ("preprocessing.layout", "CHWN"),
    ("preprocessing.order", ["mean", "resize"]),
    ("scores.probabilities", "odds"),
    ("scores.groups", [[1]]),
    ("scores.confidence_threshold", 1.5),
    ("source.file", "../zoo.onnx"),
    ("source.files", []),
    ("model.xml", "../zoo_xai.xml"),
    ("model.bin", "/tmp/zoo_xai.bin"),
    ("model.bin", "..\\zoo_xai.bin"),
    ("saliency_map.index", 1.0),
    ("feature_vector", {"name": "feature_vector"}),
    ("verification", None),
    ("verification.inputs", 0),
    ("verification.outputs", []),
    ("verification.outputs.0.bit_exact", 1),
    ("verification.outputs.0.max_abs_diff", -1.0),
    ("verification.saliency_map", None),
    ("verification.saliency_map.positions_checked", -1),
    ("refusals", None),
    ("refusals", [{"method": "reciprocam", "reason": "no node"}]),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sidecar of a real conversion."""
    folder = tmp_path_factory.mktemp("sidecar")
    onnx.save(onnx_classifier(metadata={"labels": '["Bär", "猫", "dog"]'}), folder / "zoo.onnx")
    hints = PreprocessingHints(mean=(90.0,), resize="letterbox", clip=(0.0, 200.0))
    return convert(folder / "zoo.onnx", folder, preprocessing=hints).sidecar_path


@pytest.fixture
def data(written: Path) -> Data:
    """Its content, to be spoiled."""
    content: Data = json.loads(written.read_text(encoding="utf-8"))
    return content


def place_of(data: Data, path: str) -> tuple[Any, Any]:
    """The container that a dotted path leads to, and the last key."""
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    container: Any = data
    for step in steps:
        container = container[step]
    return container, last


SINCE_1_1: Final = ("reshapes", "saliency_classes", "feature_vector")
"""Keys that sidecars of version 1.0 lack."""
MAY_BE_MISSING: Final = frozenset({"more_heads", "meaning", "onnx", "detection"})
"""Keys that the first sidecars of version 1.1 lack, or all of them."""


def objects(data: Any, path: str = "") -> list[str]:
    """Dotted paths of all objects in a sidecar."""
    if isinstance(data, list):
        return [found for index, each in enumerate(data) for found in objects(each, f"{path}{index}.")]
    if not isinstance(data, dict):
        return []
    return [path, *(found for key, each in data.items() for found in objects(each, f"{path}{key}."))]


def assert_refused(data: object, folder: Path, text: str) -> None:
    path = folder / "spoiled.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    with pytest.raises(ModelReadError) as caught:
        read_sidecar(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_schema_check_can_fail() -> None:
    spoiled = copy.deepcopy(SCHEMA)
    spoiled["type"] = "thing"
    with pytest.raises(jsonschema.SchemaError):
        jsonschema.Draft202012Validator.check_schema(spoiled)


def test_schema_and_dataclass_have_the_same_keys() -> None:
    required = [*SCHEMA["required"], *SINCE_1_1, *(MAY_BE_MISSING & set(SCHEMA["properties"]))]
    keys = [each.name for each in fields(Sidecar) if each.name != "unknown"]
    assert sorted(required) == sorted(SCHEMA["properties"]) == sorted(keys)


def silent_keys(schema: Any, path: str = "$") -> list[str]:
    """Paths of all properties of a schema that do not say what they are."""
    if isinstance(schema, list):
        return [found for each in schema for found in silent_keys(each, path)]
    if not isinstance(schema, dict):
        return []
    silent = [
        f"{path}.{key}"
        for key, each in schema.get("properties", {}).items()
        if "description" not in each and "$ref" not in each
    ]
    kinds = (key for key in schema if key not in ("if", "then", "else"))
    return silent + [found for key in kinds for found in silent_keys(schema[key], f"{path}.{key}")]


def test_every_key_says_what_it_is() -> None:
    assert silent_keys(SCHEMA) == []


def as_1_0(data: Data) -> Data:
    """The same as the first version wrote it."""
    older = copy.deepcopy(data)
    older["schema_version"] = "1.0"
    for key in SINCE_1_1:
        del older[key]
    for key in ("probabilities", "groups", "multilabel", "confidence_threshold"):
        del older["scores"][key]
    del older["source"]["files"], older["saliency_map"]["upsampling"]
    older["preprocessing"] = {"mean_values": "1 2 3", "resize_type": "crop"}
    return older


def test_a_sidecar_of_version_1_0_is_read(data: Data, tmp_path: Path) -> None:
    path = tmp_path / "older.json"
    path.write_text(json.dumps(as_1_0(data)), encoding="utf-8")
    sidecar = read_sidecar_file(path)
    assert sidecar.reshapes == ()
    assert sidecar.scores.probabilities == "as_is"
    assert sidecar.preprocessing == {"mean_values": "1 2 3", "resize_type": "crop"}


@pytest.mark.parametrize("version", ["1.3", "1.17"])
def test_a_sidecar_of_a_later_version_is_read_and_kept(version: str, data: Data, tmp_path: Path) -> None:
    data.update(schema_version=version, brand_new={"a": [1]})
    data["scores"]["shade"] = "blue"
    data["inputs"][0]["range"] = [0, 1]
    path = tmp_path / "later.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    sidecar = read_sidecar_file(path)
    assert json.loads(sidecar.to_json()) == data
    changed = json.loads(replace(sidecar, labels=("a", "b", "c")).to_json())
    assert changed == {**data, "labels": ["a", "b", "c"]}


def test_text_is_canonical(written: Path) -> None:
    raw = written.read_bytes()
    text = raw.decode("utf-8")
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    assert b"\r" not in raw
    assert "Bär" in text
    assert "猫" in text


def test_reading_gives_what_was_written(written: Path) -> None:
    sidecar = read_sidecar_file(written)
    assert sidecar.to_json() == written.read_text(encoding="utf-8")
    assert sidecar.labels == ("Bär", "猫", "dog")
    assert read_sidecar(str(written)) == sidecar


def test_every_key_is_needed(data: Data, tmp_path: Path) -> None:
    data["refusals"] = [{"method": "reciprocam", "reason": "because", "node": None}]
    data["saliency_map"]["classes"] = {"indices": [1]}
    read_back = tmp_path / "whole.json"
    read_back.write_text(json.dumps(data), encoding="utf-8")
    read_sidecar(read_back)
    tried = 0
    for prefix in objects(data):
        for key in list(place_of(data, f"{prefix}x")[0].keys() - MAY_BE_MISSING):
            spoiled = copy.deepcopy(data)
            del place_of(spoiled, f"{prefix}x")[0][key]
            assert_refused(spoiled, tmp_path, "not a valid sidecar")
            tried += 1
    assert tried > 90


@pytest.mark.parametrize(("path", "value"), WRONG_VALUES, ids=str)
def test_wrong_value_is_refused(path: str, value: Any, data: Data, tmp_path: Path) -> None:
    container, key = place_of(data, path)
    assert repr(container[key]) != repr(value)
    container[key] = value
    assert_refused(data, tmp_path, "not a valid sidecar: $")


@pytest.mark.parametrize("levels", [[1], [1, 2, 3], ["0", "255"], None, 4095, {}], ids=str)
def test_wrong_levels_are_refused(levels: Any, data: Data, tmp_path: Path) -> None:
    """A key that stands only where somebody has told of it."""
    assert "levels" not in data["preprocessing"]
    data["preprocessing"]["levels"] = levels
    assert_refused(data, tmp_path, "not a valid sidecar: $.preprocessing")


@pytest.mark.parametrize("version", ["2.0", "2", "10.0", "0.9", ""])
def test_another_major_version_is_told(version: str, data: Data, tmp_path: Path) -> None:
    data["schema_version"] = version
    assert_refused(data, tmp_path, f"sidecar version {version} is not known here (known: 1.3)")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("hello", "no JSON"),
        ("{", "no JSON"),
        ("[]", "not a valid sidecar"),
        ("null", "not a valid sidecar"),
        ("3", "not a valid sidecar"),
        ("{}", "not a valid sidecar"),
        ("[" * 100_000, "no JSON"),
    ],
    ids=lambda value: str(value)[:10],
)
def test_no_sidecar_at_all(text: str, reason: str, tmp_path: Path) -> None:
    assert_refused(text, tmp_path, reason)


def test_sidecar_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "noise.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(ModelReadError, match="not a sidecar"):
        read_sidecar(tmp_path / "noise.json")


def test_missing_sidecar(tmp_path: Path) -> None:
    with pytest.raises(ModelReadError, match=r"nowhere\.json: cannot be read: No such file"):
        read_sidecar(tmp_path / "nowhere.json")
    with pytest.raises(ModelReadError, match="cannot be read: Is a directory"):
        read_sidecar(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"task": "segmentation"}, {"labels": (1, 2, 3)}, {"inputs": ()}],
    ids=lambda change: next(iter(change)),
)
def test_wrong_sidecar_is_not_written_either(change: Data, written: Path) -> None:
    sidecar = replace(read_sidecar_file(written), **change)
    with pytest.raises(jsonschema.ValidationError):
        sidecar.to_json()


def test_black_box_sidecar_has_no_target_and_no_map(data: Data, tmp_path: Path) -> None:
    data.update(mode="blackbox", method="rise", target_layer=None, saliency_map=None)
    data["verification"]["saliency_map"] = None
    path = tmp_path / "blackbox.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    sidecar = read_sidecar_file(path)
    assert sidecar.target_layer is None
    assert sidecar.saliency_map is None
    assert json.loads(sidecar.to_json()) == data
