"""What photographs show: by their folders' names, or by a file that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovxai_convert.datasets.sources import Item, Photographs
from ovxai_convert.datasets.truths import FolderTruths, Truth, listed_truths
from ovxai_convert.errors import ModelReadError, UsageError

LABELS = ("tabby cat", "golden retriever, goldie", "7", "crane", "crane")


def item(path: str, name: str | None = None) -> Item:
    return Item(Path(path), name or str(Path(path).with_suffix("")), Path(path).parent.name or None)


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("tabby cat/1.jpg", 0),
        ("Tabby_Cat/1.jpg", 0),
        ("goldie/1.jpg", 1),
        ("val/goldie/1.jpg", 1),
        ("goldie/young/1.jpg", 1),
        ("7/1.jpg", 2),
        ("1/1.jpg", None),
        ("crane/1.jpg", None),
        ("wolf/1.jpg", None),
        ("1.jpg", None),
    ],
)
def test_folders_that_are_called_as_labels_are(path: str, index: int | None) -> None:
    found = FolderTruths(LABELS, 5)(item(path))
    assert found == (None if index is None else Truth(index, LABELS[index]))


@pytest.mark.parametrize(("folder", "index"), [("0", 0), ("7", 2), ("4", 4), ("5", None), ("goldie", 1)])
def test_folders_that_are_indices(folder: str, index: int | None) -> None:
    found = FolderTruths(LABELS, 5, by_index=True)(item(f"{folder}/1.jpg"))
    assert found == (None if index is None else Truth(index, LABELS[index]))


def test_model_without_labels() -> None:
    assert FolderTruths(None, 5)(item("3/1.jpg")) is None
    assert FolderTruths(None, 5, by_index=True)(item("3/1.jpg")) == Truth(3, "3")


def test_only_folders_below_what_was_named_count(tmp_path: Path) -> None:
    inner = tmp_path / "goldie" / "photos" / "x"
    inner.mkdir(parents=True)
    (inner / "1.jpg").touch()
    truths = FolderTruths(LABELS, 5)
    assert [truths(each) for each in Photographs([str(inner)])] == [None]
    assert [truths(each) for each in Photographs([str(tmp_path)], recursive=True)] == [Truth(1, LABELS[1])]
    (tmp_path / "goldie" / "2.jpg").touch()
    assert [truths(each) for each in Photographs([str(tmp_path / "goldie")])] == [Truth(1, LABELS[1])]


def table(folder: Path, text: str) -> Path:
    path = folder / "truth.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lists").mkdir()
    text = (
        'path,truth,note\n1.jpg,tabby cat,x\nsub/2.jpg, goldie\n"../a,b.jpg",4\n'
        f"{tmp_path}/abs.jpg,7\ns3://b/3.jpg,0\n\nempty.jpg,\n"
    )
    truths = listed_truths(table(tmp_path / "lists", text), LABELS, 5)
    assert truths(item("anywhere/1.jpg")) == Truth(0, "tabby cat"), "by its name alone"
    assert truths(item("sub/2.jpg")) == Truth(1, LABELS[1]), "from here"
    assert truths(item("lists/sub/2.jpg")) == Truth(1, LABELS[1]), "from the table"
    assert truths(item("other/sub/2.jpg")) is None
    assert truths(item("a,b.jpg")) == Truth(4, "crane")
    assert truths(item("abs.jpg")) == Truth(2, "7")
    assert truths(Item(Path("3.jpg"), "3", url="s3://b/3.jpg")) == Truth(0, "tabby cat")
    assert truths(item("empty.jpg")) is None


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("1.jpg,wolf\n", UsageError, "line 1: no class labelled 'wolf'"),
        (
            "path,truth\n1.jpg,tabby cat\n2.jpg,crane\n",
            UsageError,
            "line 3: several classes are called 'crane'",
        ),
        ("1.jpg\n", ModelReadError, "line 1: a path, a comma and a class are needed"),
        ("", ModelReadError, "not a table of photographs and classes"),
        ("path,truth\n", ModelReadError, "not a table of photographs and classes"),
    ],
)
def test_file_that_makes_no_sense(text: str, kind: type[Exception], said: str, tmp_path: Path) -> None:
    with pytest.raises(kind, match=said):
        listed_truths(table(tmp_path, text), LABELS, 5)


def test_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelReadError, match="cannot be read"):
        listed_truths(tmp_path / "missing.csv", LABELS, 5)
