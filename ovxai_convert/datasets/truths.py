"""What photographs show, where that is known: by the folders that they lie in, or by a file that says so."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from ovxai_convert.datasets.sources import Item
from ovxai_convert.errors import ModelReadError, UsageError
from ovxai_convert.files import read_text
from ovxai_convert.source.class_names import ClassNames
from ovxai_convert.vocabulary import index_in

_MOST_BYTES: Final = 2**30
_HEADINGS: Final = frozenset({"path", "file", "filename", "image", "photograph", "name"})


class Truth(NamedTuple):
    """The class that a photograph shows, and its label, or the index as text."""

    class_index: int
    text: str


class Truths(Protocol):
    """What is known of photographs."""

    def __call__(self, item: Item) -> Truth | None:
        """What a photograph shows; None where that is not known."""


def no_truth(item: Item) -> Truth | None:
    """Of no photograph is known what it shows."""
    return None


@dataclass(frozen=True)
class FolderTruths:
    """The name of the folder that a photograph lies in, or of one above that, is the class that it shows.

    Only folders that were found in what was named count. Without ``by_index`` a number is no name of a class.
    """

    labels: tuple[str, ...] | None
    class_count: int
    by_index: bool = False
    _known: dict[str, Truth | None] = field(default_factory=dict)

    def __call__(self, item: Item) -> Truth | None:
        """See the class."""
        above = os.path.dirname(item.name).split(os.sep)
        names = [item.truth, *reversed(above)]
        return next((truth for name in names if name and (truth := self.of_folder(name)) is not None), None)

    def of_folder(self, name: str) -> Truth | None:
        """The class that a folder stands for."""
        if name not in self._known:
            self._known[name] = self._looked_up(name)
        return self._known[name]

    def _looked_up(self, name: str) -> Truth | None:
        labelled = self.labels is not None and (name in self.labels or index_in(name) is None)
        if not labelled and not self.by_index:
            return None
        try:
            index = ClassNames(self.labels, self.class_count).index(name)
        except UsageError:
            return None
        return _truth(index, self.labels)


@dataclass(frozen=True)
class ListedTruths:
    """A file says what photographs show: by their paths, or by the names of their files."""

    by_path: Mapping[str, Truth]

    def __call__(self, item: Item) -> Truth | None:
        """See the class."""
        places = (item.url or os.path.abspath(item.path), item.path.name)
        return next((self.by_path[place] for place in places if place in self.by_path), None)


def listed_truths(path: Path, labels: tuple[str, ...] | None, class_count: int) -> ListedTruths:
    """Read a table with commas, of a path and a class in each line; paths are relative to it or to here.

    A first line of headings is passed over. Classes are named by label or index.

    Raises:
        ModelReadError: it cannot be read.
        UsageError: a class that the model does not have.
    """
    names = ClassNames(labels, class_count)
    found: dict[str, Truth] = {}
    for number, (place, name) in _entries(path):
        try:
            truth = _truth(names.index(name), labels)
        except UsageError as error:
            raise UsageError(f"{path}, line {number}: {error}") from None
        found.update(dict.fromkeys(_places(place, path.parent), truth))
    if not found:
        raise ModelReadError(f"{path}: not a table of photographs and classes, as 'photo.jpg,cat'")
    return ListedTruths(found)


def _entries(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """The first two cells of each line, with its number."""
    text = read_text(path, "table of photographs and classes", _MOST_BYTES)
    reader = csv.reader(text.splitlines())
    try:
        for row in reader:
            cells = [cell.strip() for cell in row[:2]]
            if reader.line_num == 1 and cells and cells[0].casefold() in _HEADINGS:
                continue
            if len(cells) == 1:
                raise ModelReadError(
                    f"{path}, line {reader.line_num}: a path, a comma and a class are needed"
                )
            if cells and cells[1]:
                yield reader.line_num, cells
    except csv.Error as error:
        raise ModelReadError(f"{path}: not a table with commas: {error}") from error


def _places(place: str, folder: Path) -> Iterator[str]:
    """How a photograph may be looked for that a file names."""
    if "://" in place:
        yield place
        return
    if os.path.basename(place) == place:
        yield place
    yield from (os.path.abspath(place), os.path.abspath(folder / place))


def _truth(index: int, labels: tuple[str, ...] | None) -> Truth:
    return Truth(index, str(index) if labels is None else labels[index])
