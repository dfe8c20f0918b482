"""Labels: files that hold them, files that do not, and finding a class by what a user calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from ovxai_convert.errors import ModelReadError, UsageError
from ovxai_convert.source.labels import checked_labels, find_class, read_labels, resolve_targets

LABELS: Final = ("cat", "dog", "bird")


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("cat\ndog\nbird", LABELS),
        ("cat\r\ndog\r\nbird\r\n\r\n", LABELS),
        ("\ufeffcat\ndog\nbird\n", LABELS),
        ("  cat\ndog\t\nbird", LABELS),
        ("cat\n\nbird\n", ("cat", "", "bird")),
        ("tench, Tinca tinca\nBär\n猫 \U0001f408\n", ("tench, Tinca tinca", "Bär", "猫 \U0001f408")),
        ('["cat", "dog"]\n', ('["cat", "dog"]',)),
        ("", ()),
        ("\n\n", ()),
    ],
    ids=ascii,
)
def test_text_file(text: str, labels: tuple[str, ...], tmp_path: Path) -> None:
    assert read_labels(written(tmp_path, "labels.txt", text.encode())) == labels


@pytest.mark.parametrize("labels", [(), LABELS, ("a\nb", "", " c ", "猫")], ids=str)
@pytest.mark.parametrize("name", ["labels.json", "LABELS.JSON"])
def test_json_file(labels: tuple[str, ...], name: str, tmp_path: Path) -> None:
    path = written(tmp_path, name, json.dumps(labels, ensure_ascii=False).encode())
    assert read_labels(path) == labels


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("labels.json", b"cat\ndog", "no JSON"),
        ("labels.json", b"", "no JSON"),
        ("labels.json", b"[" * 100_000, "no JSON"),
        ("labels.json", b'{"0": "cat"}', "a JSON list of texts is one"),
        ("labels.json", b'["cat", 1]', "a JSON list of texts is one"),
        ("labels.json", b'"cat"', "a JSON list of texts is one"),
        ("labels.json", b"\xff\xfe", "no text in UTF-8"),
        ("labels.txt", b"\x89PNG\r\n\x1a\n\xff", "no text in UTF-8"),
    ],
)
def test_file_that_holds_something_else(name: str, content: bytes, text: str, tmp_path: Path) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(ModelReadError) as caught:
        read_labels(path)
    assert str(caught.value).startswith(f"{path}: not a list of labels: ")
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelReadError, match=r"no\.txt: cannot be read: No such file"):
        read_labels(tmp_path / "no.txt")
    with pytest.raises(ModelReadError, match="cannot be read: Is a directory"):
        read_labels(tmp_path)


def test_one_label_per_class() -> None:
    assert checked_labels(list(LABELS), 3) == LABELS
    for count in (2, 4):
        with pytest.raises(UsageError, match=f"3 labels do not name {count} classes"):
            checked_labels(LABELS, count)


@pytest.mark.parametrize(
    ("wanted", "index"), [("cat", 0), ("bird", 2), (1, 1), ("1", 1), (0, 0), ("002", 2)], ids=repr
)
def test_class_by_label_or_index(wanted: int | str, index: int) -> None:
    assert find_class(wanted, LABELS, 3) == index


def test_label_wins_over_index() -> None:
    assert find_class("0", ("1", "0"), 2) == 1
    assert find_class(0, ("1", "0"), 2) == 0


@pytest.mark.parametrize(
    ("wanted", "labels", "text"),
    [
        (3, LABELS, "no class 3: the model has 3, 0 to 2"),
        (-1, LABELS, "no class -1: the model has 3, 0 to 2"),
        ("3", None, "no class 3: the model has 3, 0 to 2"),
        ("CAT", LABELS, "no class labelled 'CAT'; did you mean 'cat'"),
        ("zzz", LABELS, "no class labelled 'zzz'"),
        ("cat", None, "no class 'cat': the model has no labels; name classes by index"),
        ("x", ("x", "x", "y"), "several classes are labelled 'x'; name its index"),
    ],
    ids=str,
)
def test_class_that_cannot_be_meant(wanted: int | str, labels: tuple[str, ...] | None, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_class(wanted, labels, 3)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("wanted", ["9" * 19, "9" * 5000, "top" + "9" * 5000, "\u00b2", "-5"])
def test_numbers_that_are_no_index(wanted: str) -> None:
    with pytest.raises(UsageError, match="no class"):
        resolve_targets(wanted, None, np.zeros(3, np.float32))
    with pytest.raises(UsageError, match="no class labelled"):
        resolve_targets(wanted, LABELS, np.zeros(3, np.float32))
