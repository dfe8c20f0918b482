"""Photographs that are no files of this machine: what URLs mean, and reading them, by fsspec."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from ovxai_convert.errors import ModelReadError, UsageError

_Found = TypeVar("_Found")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]+://")


def is_url(text: str) -> bool:
    """Whether a text is the place of a file elsewhere, as ``s3://bucket/photo.jpg``."""
    return _URL.match(text) is not None


def remote_folders(url: str, *, recursive: bool) -> Iterator[tuple[str, list[str]]]:
    """URLs of folders and the files in each: those of a glob, of a folder, or the one that is meant.

    Raises:
        ModelReadError: it cannot be listed.
        UsageError: fsspec, or what it needs for such URLs, is not installed.
    """
    system, path = _reached(url, lambda: _fsspec().core.url_to_fs(url))
    if any(sign in path for sign in "*?["):
        found = _reached(url, lambda: system.glob(path))
        yield from _by_folder(system, url, sorted(found))
    elif _reached(url, lambda: system.isdir(path)):
        depth = None if recursive else 1
        yield from _by_folder(system, url, sorted(_reached(url, lambda: system.find(path, maxdepth=depth))))
    else:
        yield from _by_folder(system, url, [path])


def read_remote(url: str) -> bytes:
    """The bytes of a file; errors as of :func:`remote_folders`."""

    def read() -> bytes:
        with _fsspec().open(url, "rb") as file:
            content: bytes = file.read()
        return content

    return _reached(url, read)


def _by_folder(system: Any, url: str, paths: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Paths of a file system as URLs; behind ``::`` stands what that one lies in."""
    _, chained, outer = url.partition("::")
    folders: dict[str, list[str]] = {}
    for path in paths:
        folder, _, file = str(system.unstrip_protocol(path)).rpartition("/")
        folders.setdefault(folder, []).append(file + chained + outer)
    yield from folders.items()


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


def path_below(url: str, root: str) -> str:
    """A file's URL relative to the one that was asked for, as a path of this machine."""
    fixed = re.split(r"[*?\[]", root.partition("::")[0])[0]
    fixed = fixed if fixed == root.partition("::")[0] else fixed[: fixed.rfind("/") + 1]
    own = url.partition("::")[0]
    inner = own[len(fixed) :].lstrip("/") if own.startswith(fixed) else own.partition("://")[2]
    return os.path.join(*(inner or own.rpartition("/")[2]).split("/"))
