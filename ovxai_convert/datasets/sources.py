"""Which photographs are meant: by files, folders, globs, lists of files and URLs, in an order that stays."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ovxai_convert.datasets.folders import Folder, folders_in
from ovxai_convert.datasets.remote import is_url, last_folder, remote_folders, remote_name
from ovxai_convert.datasets.rows import short_key
from ovxai_convert.errors import ModelReadError, UsageError

_BITMAPS: Final = (".bmp", ".dib", ".jp2", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp", ".avif")
_RARER: Final = (
    ".pbm",
    ".pgm",
    ".ppm",
    ".pnm",
    ".pxm",
    ".pfm",
    ".sr",
    ".ras",
    ".hdr",
    ".pic",
    ".exr",
    ".npy",
)
IMAGE_SUFFIXES: Final = frozenset(_BITMAPS + _RARER)
"""How files end that are taken for photographs where a folder is named, in small letters."""
_MAGIC: Final = frozenset("*?[")
_MOST_SUFFIXES: Final = 4
"""How many kinds of files are named that were passed over."""


@dataclass(frozen=True, slots=True)
class Item:
    """A photograph that is meant.

    Attributes:
        path: its file; of one that is elsewhere no more than its name.
        name: what its pictures are called by: its path without suffix, relative to what was named.
        truth: the folder that it lies in, which may be its class: whether the model has such a one, the
            model has to say.
        url: where it is, if that is no file of this machine.
    """

    path: Path
    name: str
    truth: str | None = None
    url: str | None = None

    @property
    def shown(self) -> str:
        """As it is told to people and in tables."""
        return self.url or str(self.path)


@dataclass
class Photographs:
    """The photographs that arguments mean, looked for anew and in the same order at every iteration.

    An argument is a file; a folder, whose files are meant that end as photographs do (with ``recursive``
    those of the folders below, too); a glob, which no shell has replaced; ``@FILE``, a list of paths, one a
    line or with zero bytes between; ``-``, such a list, given as ``listed``; the URL of a file, a folder or
    a glob. A photograph that is meant twice counts once.

    In folders, what ends otherwise or begins with a dot is passed over, and ``others`` counts how it ends. So
    is the folder ``output``, where pictures will be; None: there will be none.

    Raises:
        ModelReadError: at an iteration: a list or a folder that cannot be read.
        UsageError: likewise: a folder or glob without photographs; photographs whose pictures would have one
            name, or would lie among the photographs.
    """

    arguments: Sequence[str]
    recursive: bool = False
    output: Path | None = None
    listed: bytes = b""
    others: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[Item]:
        self.others.clear()
        several = sum(os.path.isdir(each) for each in self.arguments) > 1
        found = (item for each in self.arguments for item in self._meant_by(each, several=several))
        apart = len(self.arguments) == 1 and not _is_list(self.arguments[0])  # by themselves
        return found if apart else _distinct(found, named=self.output is not None)

    def count(self) -> int:
        """How many there are; errors as of an iteration."""
        return sum(1 for _ in self)

    @property
    def are_looked_for(self) -> bool:
        """Whether any argument means other photographs than the one that it names."""
        several = (_is_list, _is_glob, is_url, os.path.isdir)
        return any(each(argument) for argument in self.arguments for each in several)

    def passed_over(self) -> str | None:
        """What was passed over at the last iteration, in words; None: nothing."""
        total = self.others.total()
        if not total:
            return None
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in self.others.most_common(_MOST_SUFFIXES))
        more = ", ..." if len(self.others) > _MOST_SUFFIXES else ""
        return f"{total} other {'file' if total == 1 else 'files'} passed over: {kinds}{more}"

    def _meant_by(self, argument: str, *, several: bool) -> Iterator[Item]:
        if _is_list(argument):
            return (
                _elsewhere(each) if is_url(each) else _listed(each) for each in _lines(argument, self.listed)
            )
        if is_url(argument):
            return self._remote(argument)
        if os.path.isdir(argument):
            return self._below(argument, os.path.basename(os.path.abspath(argument)) if several else "")
        if _is_glob(argument):
            return self._matching(argument)
        return iter([Item(Path(argument), Path(argument).stem, _folder_of(argument))])

    def _below(self, root: str, prefix: str) -> Iterator[Item]:
        empty, below = True, 0
        for folder in folders_in(root, self.output, recursive=self.recursive):
            inner = os.path.join(prefix, os.path.relpath(folder.path, root))
            self._check_apart(root, inner)
            for item in self._in(folder, inner):
                empty = False
                yield item
            below += folder.below
        if empty:
            passed = self.passed_over()
            beside = f" ({passed})" if passed else ""
            hint = f"; --recursive looks into the {below} below" if below and not self.recursive else ""
            raise UsageError(f"{root}: there is no photograph in this folder{beside}{hint}")

    def _matching(self, pattern: str) -> Iterator[Item]:
        root = _fixed_part(pattern)
        files: dict[str, list[str]] = {}
        for path in sorted(glob.glob(pattern, recursive=True)):
            if os.path.isfile(path):
                files.setdefault(os.path.dirname(path), []).append(os.path.basename(path))
        if not any(_is_image(name) for names in files.values() for name in names):
            raise UsageError(f"{pattern}: there is no photograph of such a name")
        for folder, names in files.items():
            yield from self._in(Folder(folder, names, 0), os.path.relpath(folder or ".", root or "."))

    def _remote(self, url: str) -> Iterator[Item]:
        empty = True
        for folder in remote_folders(url, recursive=self.recursive):
            for file, name in self._photographs(folder.files):
                empty = False
                place = folder.url(file)
                inner = os.path.join(*folder.inner.split("/"), name)
                yield Item(Path(file), inner, last_folder(place), place)
        if empty:
            raise UsageError(f"{url}: there is no photograph")

    def _in(self, folder: Folder, inner: str) -> Iterator[Item]:
        """The photographs of a folder, by the place where it lies in a root."""
        for file, name in self._photographs(folder.files):
            path = os.path.join(folder.path, file)
            yield Item(Path(path), os.path.normpath(os.path.join(inner, name)), _folder_of(path))

    def _photographs(self, files: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Those among the files of a folder, with names: without suffix, unless two are then called alike."""
        images = [file for file in files if _is_image(file)]
        others = (file for file in files if not _is_image(file) and not file.startswith("."))
        self.others.update(os.path.splitext(file)[1].lower() or "without a suffix" for file in others)
        stems = Counter(_stem(file).casefold() for file in images)
        for file in images:
            yield file, file if stems[_stem(file).casefold()] > 1 else _stem(file)

    def _check_apart(self, root: str, inner: str) -> None:
        """Raise a UsageError where pictures come into a root, to be taken for photographs next time."""
        if self.output is None:
            return
        whole, output = os.path.realpath(root), os.path.realpath(self.output)
        passed_over = output != whole and _lies_in(output, whole)
        if not passed_over and _lies_in(os.path.realpath(os.path.join(output, inner)), whole):
            raise UsageError(
                f"{root}: pictures would come among its photographs; choose another folder with -o"
            )


def _lines(argument: str, listed: bytes) -> Iterator[str]:
    """The paths of a list: one a line, or with zero bytes between."""
    content = listed
    if argument != "-":
        try:
            content = Path(argument[1:]).read_bytes()
        except OSError as error:
            raise ModelReadError(f"{argument[1:]}: cannot be read: {error.strerror}") from error
    content = content.removeprefix(b"\xef\xbb\xbf")
    ends = b"\0" if b"\0" in content else b"\n"
    lines = [os.fsdecode(line.removesuffix(b"\r")) for line in content.split(ends)]
    found = [line for line in lines if line.strip()]
    if not found:
        raise UsageError(f"{argument}: there is no path in this list")
    yield from found


def _listed(text: str) -> Item:
    """A photograph of a list: its pictures lie in the folders that are written there."""
    path = Path(text)
    inner = [part for part in path.parts[:-1] if part not in (path.anchor, "..")]
    return Item(path, os.path.join(*inner, path.stem), _folder_of(text))


def _elsewhere(url: str) -> Item:
    path = Path(remote_name(url))
    return Item(Path(path.name), os.fspath(path.with_suffix("")), last_folder(url), url)


def _distinct(items: Iterable[Item], *, named: bool) -> Iterator[Item]:
    """Each photograph once; where ``named``, with a name of its own for its pictures, or a UsageError."""
    owners: dict[int, int] = {}
    seen: set[int] = set()
    for item in items:
        place = short_key(item.shown)
        if place in seen:
            continue
        seen.add(place)
        if named and owners.setdefault(short_key(item.name.casefold()), place) != place:
            whole = item.name + os.path.splitext(item.path.name)[1]
            if item.name == item.path.stem or owners.setdefault(short_key(whole.casefold()), place) != place:
                raise UsageError(
                    f"2 images would be written as {item.name}_*; explain them into folders of their own"
                )
            item = replace(item, name=whole)
        yield item


def _fixed_part(pattern: str) -> str:
    """The folder of a glob in front of its first sign that stands for others."""
    first = min(pattern.index(sign) for sign in _MAGIC & set(pattern))
    return os.path.dirname(pattern[:first])


def _folder_of(path: str) -> str | None:
    """Name of the folder that a file lies in."""
    return os.path.basename(os.path.dirname(os.path.abspath(path))) or None


def _lies_in(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def _is_list(argument: str) -> bool:
    return argument == "-" or (argument.startswith("@") and not os.path.lexists(argument))


def _is_glob(argument: str) -> bool:
    return bool(_MAGIC & set(argument)) and not os.path.lexists(argument)


def _is_image(file: str) -> bool:
    suffix = os.path.splitext(file)[1].lower()
    return suffix in IMAGE_SUFFIXES and not file.startswith(".")


def _stem(file: str) -> str:
    return os.path.splitext(file)[0]
