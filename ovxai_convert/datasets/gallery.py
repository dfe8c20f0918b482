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
from ovxai_convert.datasets.shown import ShownRow, shown_photographs
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
    """Write the report of many photographs; the files, of which the first is the one that was asked for.

    Of rows no more are in memory than a page takes, however many there are. Where they are more than that,
    further pages stand beside the first one: ``<stem>-2.html`` and so on.

    Args:
        path: of the (first) page. It and its further pages take the place of older ones.
        rows: of the table, those of one photograph one after another.
        facts: what holds for all of them.
        pictures: the folder from which on the rows name their pictures; the page's own if None.
        when: the time that the page tells, with its time zone; None: now.

    Raises:
        WriteError: a page cannot be written, or its pictures have no address from where it is.
    """
    places = Places(path, path.parent if pictures is None else pictures)
    places.check()
    tally = Tally()
    with _Store() as store:
        parts = list(_packed(rows, tally, places, store))
        pages = GalleryPages(places, facts, when or datetime.now(UTC), tally, parts)
        files = [pages.file(number) for number in range(len(parts))]
        for number in reversed(range(len(parts))):  # the first page is there when all others are
            data = store.between(parts[number].start, parts[number].end).decode()
            write_file(files[number], pages.text(number, data).encode())
    _remove_older(pages)
    return files


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
            self._file = tempfile.TemporaryFile(prefix="ovxai-")  # noqa: SIM115 - __exit__ closes it
        self.position = 0

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """The file is gone."""
        with suppress(OSError):  # it could not be written, which has been said
            self._file.close()

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

    @staticmethod
    @contextmanager
    def _writing() -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WriteError(f"{tempfile.gettempdir()}: cannot be written: {error.strerror}") from error


def _packed(rows: Iterable[ShownRow], tally: Tally, places: Places, store: _Store) -> Iterator[_StoredPart]:
    """Count all photographs and pack them into the store, page by page; an empty page if there are none."""
    photographs = shown_photographs(rows)
    upcoming = next(photographs, None)
    while True:
        part, packer = _StoredPart(tally.listed, start=store.position), Packer(tally)
        store.add(b'"photographs":[')
        while upcoming is not None and part.has_room(store.position):
            tally.add(upcoming)
            store.add((b",\n" if part.photographs else b"\n") + packer.packed(upcoming))
            part.add(upcoming)
            upcoming = next(photographs, None)
        store.add(b"],\n" + json_in_page(packer.tables(places))[1:-1])
        part.end = store.position
        yield part
        if upcoming is None:
            return


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
