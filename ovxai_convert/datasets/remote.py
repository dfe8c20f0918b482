"""Photographs that are no files of this machine: what URLs mean, and reading them, by fsspec."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeVar

from ovxai_convert.errors import ModelReadError, UsageError

_Found = TypeVar("_Found")
_MAGIC: Final = re.compile(r"[*?\[]")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]+://")


def is_url(text: str) -> bool:
    """Whether a text is the place of a file elsewhere, as ``s3://bucket/photo.jpg``."""
    return _URL.match(text) is not None


class RemoteFolder(NamedTuple):
    """A folder elsewhere: where it lies in what was asked for, its files, and what their URLs are made of."""

    inner: str
    files: list[str]
    start: str
    ending: str

    def url(self, file: str) -> str:
        """Where a file is."""
        return f"{self.start}/{file}{self.ending}"


def remote_folders(url: str, *, recursive: bool) -> Iterator[RemoteFolder]:
    """The folders of files that a URL means: those of a glob, of a folder, or the one file.

    Raises:
        ModelReadError: it cannot be listed.
        UsageError: fsspec, or what it needs for such URLs, is not installed.
    """
    system, path = _reached(url, lambda: _fsspec().core.url_to_fs(url))
    root, depth = path, None if recursive else 1
    if sign := _MAGIC.search(path):
        root, found = _folder(path[: sign.start()]), _reached(url, lambda: system.glob(path))
    elif _reached(url, lambda: system.isdir(path)):
        found = _reached(url, lambda: system.find(path, maxdepth=depth))
    else:
        root, found = _folder(path), [path]
    files: dict[str, list[str]] = {}
    for each in sorted(found):
        files.setdefault(_folder(each), []).append(each.rpartition("/")[2])
    _, chained, outer = url.partition("::")
    for folder, names in files.items():
        inner = folder.removeprefix(root.rstrip("/")).strip("/")
        yield RemoteFolder(inner, names, str(system.unstrip_protocol(folder)).rstrip("/"), chained + outer)


def last_folder(url: str) -> str | None:
    """Name of the folder that a file elsewhere lies in."""
    return _folder(url.partition("::")[0].partition("://")[2]).rpartition("/")[2] or None


def remote_name(url: str) -> str:
    """A path, from nowhere, that a file elsewhere may be called by."""
    return os.path.join(*filter(None, url.partition("::")[0].partition("://")[2].split("/")))


def read_remote(url: str) -> bytes:
    """The bytes of a file; errors as of :func:`remote_folders`."""

    def read() -> bytes:
        with _fsspec().open(url, "rb") as file:
            content: bytes = file.read()
        return content

    return _reached(url, read)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _fsspec() -> Any:
    try:
        return importlib.import_module("fsspec")
    except ImportError:
        raise UsageError("it needs fsspec: pip install 'ovxai-convert[remote]'") from None


def _reached(url: str, do: Callable[[], _Found]) -> _Found:
    """What is found; whatever the many file systems raise becomes one line."""
    try:
        return do()
    except UsageError as error:
        raise UsageError(f"{url}: {error}") from None
    except (ImportError, ValueError) as error:  # no such protocol, or what it needs is not there
        raise UsageError(f"{url}: {' '.join(str(error).split())}") from error
    except FileNotFoundError as error:
        raise ModelReadError(f"{url}: no such image") from error
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split()) or type(error).__name__
        raise ModelReadError(f"{url}: cannot be read: {reason}") from error
    except RuntimeError as error:
        raise ModelReadError(f"{url}: cannot be read: {' '.join(str(error).split())}") from error
