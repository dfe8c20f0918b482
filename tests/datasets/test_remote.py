"""Photographs that are no files of this machine, read by fsspec."""

from __future__ import annotations

import importlib
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ovxai_convert.datasets.remote import is_url, read_remote
from ovxai_convert.datasets.sources import Item, Photographs
from ovxai_convert.errors import ModelReadError, UsageError

fsspec = importlib.import_module("fsspec")  # which `make test` installs


@pytest.fixture
def store() -> Iterator[Any]:
    """Files in this process's memory."""
    system = fsspec.filesystem("memory")
    names = ("set/cat/1.jpg", "set/cat/1.png", "set/dog/2.jpg", "set/3.jpg", "set/notes.txt", "set/.x.jpg")
    for name in names:
        system.pipe(f"/{name}", name.encode())
    yield system
    system.rm("/set", recursive=True)


def found(url: str, *, recursive: bool = False) -> list[Item]:
    return list(Photographs([url], recursive))


@pytest.mark.usefixtures("store")
def test_folder() -> None:
    photographs = Photographs(["memory://set"])
    (item,) = photographs
    assert (item.name, item.url, item.truth, item.shown) == ("3", "memory:///set/3.jpg", "set", item.url)
    assert photographs.passed_over() == "1 other file passed over: 1 .txt"
    items = found("memory://set", recursive=True)
    assert [item.name for item in items] == ["3", "cat/1.jpg", "cat/1.png", "dog/2"]
    assert [item.truth for item in items] == ["set", "cat", "cat", "dog"]
    assert [read_remote(item.shown).decode() for item in items][1] == "set/cat/1.jpg"


@pytest.mark.usefixtures("store")
def test_glob_and_file() -> None:
    items = found("memory://set/*/*.jpg")
    assert [item.name for item in items] == ["cat/1", "dog/2"]
    (item,) = found("memory://set/dog/2.jpg")
    assert (item.name, item.truth, item.path.name) == ("2", "dog", "2.jpg")
    assert read_remote(item.shown) == b"set/dog/2.jpg"


def test_list() -> None:
    items = list(Photographs(["-"], listed=b"s3://bucket/cat/1.jpg\nlocal/2.jpg\n"))
    assert [(item.name, item.url) for item in items] == [
        ("bucket/cat/1", "s3://bucket/cat/1.jpg"),
        ("local/2", None),
    ]


def test_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("cat/1.jpg", b"meow")
    (item,) = found(f"zip://cat/*.jpg::file://{tmp_path}/set.zip")
    assert item.name == "1"
    assert read_remote(item.shown) == b"meow"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("url", "kind", "text"),
    [
        ("memory://set/missing/*.jpg", UsageError, "there is no photograph"),
        ("nonsense://x/1.jpg", UsageError, "nonsense://x/1.jpg: .*[Pp]rotocol"),
    ],
)
def test_nothing_there(url: str, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        found(url)


@pytest.mark.usefixtures("store")
def test_file_that_is_missing_is_one_of_many() -> None:
    (item,) = found("memory://set/missing.jpg")
    with pytest.raises(ModelReadError, match=r"memory:///set/missing\.jpg: no such image"):
        read_remote(item.shown)


def test_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match=r"s3://b/x: it needs fsspec: pip install 'ovxai-convert\[remote\]'"):
        found("s3://b/x")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("s3://b/x", True),
        ("gs://b", True),
        ("zip://a::file://b", True),
        ("C:/x.jpg", False),
        ("a/b.jpg", False),
    ],
)
def test_what_is_a_url(text: str, is_one: bool) -> None:
    assert is_url(text) is is_one
