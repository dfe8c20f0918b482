"""The table of formats: told apart by their suffixes, and known to the sidecar's schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ovxai_convert.errors import ModelReadError
from ovxai_convert.source.formats import FORMATS, OTHER, format_of

SCHEMA = Path(__file__).resolve().parents[2] / "schemas" / "sidecar-v1.schema.json"


def test_the_schema_knows_every_format() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert schema["properties"]["source"]["properties"]["format"]["enum"] == [each.name for each in FORMATS]


def test_a_suffix_belongs_to_one_format(tmp_path: Path) -> None:
    suffixes = [suffix for each in FORMATS for suffix in each.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    for each in FORMATS:
        assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in each.suffixes)


@pytest.mark.parametrize(
    ("name", "expected"), [("net.ONNX", "onnx"), ("net.pb", "tensorflow"), ("net", "other")]
)
def test_a_format_is_known_by_the_suffix(name: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"something")
    assert format_of(tmp_path / name).name == expected


def test_a_folder_is_a_saved_model(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"something")
    assert format_of(tmp_path).name == "tensorflow"
    assert OTHER.suffixes == ()


def test_a_file_for_which_there_is_another(tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_bytes(b"PK")
    with pytest.raises(ModelReadError, match=r"does not read a PyTorch file: export the model"):
        format_of(tmp_path / "net.pt")
