"""The report of many photographs: pages beside a folder of pictures, which filter, sort and count them.

A page asks for nothing but these pictures and the photographs themselves, and its Content-Security-Policy
forbids that it does. Without JavaScript it shows all figures and its first photographs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final, Self

from ovxai_convert.datasets.gallery_page import GENERATOR, GalleryPages, GalleryPart
from ovxai_convert.datasets.packing import Packer, Places, json_in_page
from ovxai_convert.datasets.shown import Gathering, ShownPhotograph, ShownRow
from ovxai_convert.datasets.tally import Tally
from ovxai_convert.errors import WriteError
from ovxai_convert.explain.page import ReportFacts
from ovxai_convert.photographs.image_files import write_file

MOST_PHOTOGRAPHS: Final = 50_000
MOST_BYTES: Final = 12_000_000
"""What a page holds of photographs; those that are more stand on further pages."""
_HEAD: Final = 4096
"""Bytes within which a page says what it is."""


def write_gallery(
    path: Path,
    rows: Iterable[ShownRow],
    facts: ReportFacts,
    *,
    pictures: Path | None = None,
    when: datetime | None = None,
) -> list[Path]:
    """Write the report of rows that are there already; all else is as :class:`Gallery` has it."""
    with Gallery(path, pictures) as gallery:
        for row in rows:
            gallery.add(row)
        return gallery.write(facts, when)


class Gallery:
    """A report of many photographs in the making: rows are added as they come, at last pages are written.

    A context manager. No more of the photographs is in memory than a page takes, however many there are.
    Where they are more than that, further pages stand beside the first one: ``<stem>-2.html`` and so on.

    Args:
        path: of the (first) page.
        pictures: the folder from which on the rows name their pictures; the page's own if None.

    Raises:
        WriteError: no address leads from the page to the pictures; or there can be no temporary file.
    """

    def __init__(self, path: Path, pictures: Path | None = None) -> None:
        self._places = Places(path, path.parent if pictures is None else pictures)
        self._places.check()
        self._tally, self._gathering, self._store = Tally(), Gathering(), _Store()
        self._parts: list[_StoredPart] = []
        self._begin()

    def __enter__(self) -> Self:
        """The gallery itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """What has not been written is forgotten."""
        self._store.close()

    def add(self, row: ShownRow) -> None:
        """One more row, those of one photograph one after another; a WriteError if there is no room."""
        finished = self._gathering.add(row)
        if finished is not None:
            self._pack(finished)

    def write(self, facts: ReportFacts, when: datetime | None = None) -> list[Path]:
        """Write the pages in place of older ones; to be called once.

        Args:
            facts: what holds for all photographs.
            when: the time that the pages tell, with its time zone; None: now.

        Returns:
            The pages' files, that which was asked for first.

        Raises:
            WriteError: one cannot be written.
        """
        last = self._gathering.rest()
        if last is not None:
            self._pack(last)
        self._end()
        pages = GalleryPages(self._places, facts, when or datetime.now(UTC), self._tally, self._parts)
        files = [pages.file(number) for number in range(len(self._parts))]
        for number in reversed(range(len(files))):  # the first page is there when all others are
            part = self._parts[number]
            data = self._store.between(part.start, part.end).decode()
            write_file(files[number], pages.text(number, data).encode())
        _remove_older(pages)
        return files

    def _pack(self, photograph: ShownPhotograph) -> None:
        """Count a photograph, and keep it for the page that has room for it."""
        if not self._parts[-1].has_room(self._store.position):
            self._end()
            self._begin()
        part = self._parts[-1]
        self._tally.add(photograph)
        self._store.add((b",\n" if part.photographs else b"\n") + self._packer.packed(photograph))
        part.add(photograph)

    def _begin(self) -> None:
        """Another page."""
        self._parts.append(_StoredPart(self._tally.listed, start=self._store.position))
        self._packer = Packer(self._tally)
        self._store.add(b'"photographs":[')

    def _end(self) -> None:
        """That page is full."""
        self._store.add(b"],\n" + json_in_page(self._packer.tables(self._places))[1:-1])
        self._parts[-1].end = self._store.position


@dataclass
class _StoredPart(GalleryPart):
    """Photographs of one page, and between which bytes of the store they are."""

    start: int = 0
    end: int = 0

    def has_room(self, position: int) -> bool:
        """Whether one more may be written at a position of the store."""
        return self.photographs < MOST_PHOTOGRAPHS and position - self.start < MOST_BYTES


class _Store:
    """A file without a name, for what is too much for the memory; a WriteError where it cannot be written."""

    def __init__(self) -> None:
        with self._writing():
            self._file = tempfile.TemporaryFile(prefix="ovxai-")  # noqa: SIM115 - closed by its owner
        self.position = 0

    def add(self, content: bytes) -> None:
        """Put something at the end."""
        with self._writing():
            self._file.write(content)
        self.position += len(content)

    def between(self, start: int, end: int) -> bytes:
        """What was put there."""
        with self._writing():
            self._file.seek(start)
            return self._file.read(end - start)

    def close(self) -> None:
        """Give its room back."""
        with suppress(OSError):  # it could not be written, which has been said
            self._file.close()

    @staticmethod
    @contextmanager
    def _writing() -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WriteError(f"{tempfile.gettempdir()}: cannot be written: {error.strerror}") from error


def _remove_older(pages: GalleryPages) -> None:
    """Remove what an older report had of further pages: they would show its photographs as this one's."""
    for number in count(len(pages.parts)):
        page = pages.file(number)
        try:
            with page.open("rb") as file:
                ours = GENERATOR.encode() in file.read(_HEAD)
        except OSError:
            return
        if not ours:
            return
        with suppress(OSError):
            page.unlink()
