"""Files that a user names: every path has an answer, and no more is read than can be meant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovxai_convert.errors import ModelReadError
from ovxai_convert.files import exists, is_file, is_folder, read_text


@pytest.mark.parametrize("name", ["x" * 300, "x/" * 3000, "a\0b", "\udcff"])
def test_path_of_no_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    assert (exists(path), is_file(path), is_folder(path)) == (False, False, False)


def test_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    found = [
        (exists(path), is_file(path), is_folder(path)) for path in (tmp_path, *sorted(tmp_path.iterdir()))
    ]
    assert found == [(True, False, True), (True, True, False), (True, False, False)]


def test_text(tmp_path: Path) -> None:
    path = tmp_path / "text"
    for content in (b"B\xc3\xa4r", b"\xef\xbb\xbfB\xc3\xa4r"):
        path.write_bytes(content)
        assert read_text(path, "letter", 100) == "Bär"
    assert read_text(path, "letter", len(path.read_bytes())) == "Bär"
    with pytest.raises(ModelReadError, match="text: not a letter: it holds more than 3 bytes"):
        read_text(path, "letter", 3)
    path.write_bytes(b"\xff")
    with pytest.raises(ModelReadError, match="text: not a letter: no text in UTF-8"):
        read_text(path, "letter", 3)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelReadError, match="pipe: cannot be read: not a regular file"):
        read_text(tmp_path / "pipe", "letter", 3)
