"""Folders of this machine: the files in one, and in those below it, in an order that stays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ovxai_convert.errors import ModelReadError


class Folder(NamedTuple):
    """A folder, the names of its files, and how many folders are in it."""

    path: str
    files: list[str]
    below: int


def folders_in(root: str, output: Path | None, *, recursive: bool) -> Iterator[Folder]:
    """A folder and, if wanted, those below it, but for hidden ones and that of the output.

    Raises:
        ModelReadError: one cannot be read.
    """
    passed_over = None if output is None else os.path.realpath(output)
    left: list[tuple[str, frozenset[str]]] = [(root, frozenset())]
    while left:
        folder, above = left.pop()
        place = os.path.realpath(folder)
        if place in above or (place == passed_over and folder != root):  # a link that leads back
            continue
        files, folders = [], []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not entry.is_dir():
                        files.append(entry.name)
                    elif not entry.name.startswith("."):
                        folders.append(entry.name)
        except OSError as error:
            raise ModelReadError(f"{folder}: cannot be read: {error.strerror}") from error
        yield Folder(folder, sorted(files), len(folders))
        if recursive:
            inner = (os.path.join(folder, each) for each in sorted(folders, reverse=True))
            left += [(each, above | {place}) for each in inner]
