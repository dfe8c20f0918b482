"""Looking at files that a user names: an answer for every path, and no more read than can be meant."""

from __future__ import annotations

import os
from pathlib import Path

from ovxai_convert.errors import ModelReadError


def exists(path: Path) -> bool:
    """Whether something is there; not, where the system takes the path for none, as one that is too long."""
    return os.path.exists(path)


def is_file(path: Path) -> bool:
    """Whether a regular file is there, likewise."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Whether a folder is there, likewise."""
    return os.path.isdir(path)


def read_text(path: Path, what: str, most_bytes: int) -> str:
    """The text of a regular file in UTF-8, with or without a mark that says so.

    A ModelReadError, which says ``what`` the file should be, for one that cannot be read, holds more than
    ``most_bytes`` or is no text.
    """
    if exists(path) and not is_file(path) and not is_folder(path):  # a pipe would never end
        raise ModelReadError(f"{path}: cannot be read: not a regular file")
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise ModelReadError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > most_bytes:
        raise ModelReadError(f"{path}: not a {what}: it holds more than {most_bytes} bytes")
    try:
        return content.decode("utf-8-sig")
    except ValueError as error:
        raise ModelReadError(f"{path}: not a {what}: no text in UTF-8") from error
