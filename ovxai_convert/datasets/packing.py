"""Photographs as compact JSON inside a page of the report, from which its script lists them."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from ovxai_convert.datasets.shown import ShownMap, ShownPhotograph
from ovxai_convert.datasets.tally import ShownClass, Tally
from ovxai_convert.errors import WriteError

_NONE: Final = -1
_DIGITS: Final = 5
"""Significant ones, of scores and seconds."""


@dataclass(frozen=True)
class Places:
    """Where a page lies, and the folder of pictures: from one to the other lead the page's addresses."""

    page: Path
    pictures: Path

    def check(self) -> None:
        """Raise a WriteError if no address leads to the pictures: on Windows, from one drive to another."""
        try:
            self.folder_url(str(self.pictures))
        except ValueError as error:
            raise WriteError(
                f"{self.page}: cannot show the pictures in {self.pictures}: they are on another drive"
            ) from error

    def page_url(self, page: Path) -> str:
        """The address of another page beside this one."""
        return _quoted(page.name)

    def picture_url(self, picture: str) -> str:
        """The address of a picture, given its path from the folder of pictures on."""
        folder, name = os.path.split(picture)
        return f"{self.folder_url(os.path.join(self.pictures, folder))}{_quoted(name)}"

    def folder_url(self, folder: str) -> str:
        """The address of a folder from the page's own on, with a slash behind it; "" for the same one."""
        way = os.path.relpath(os.path.abspath(folder), os.path.abspath(self.page.parent))
        return "" if way == os.curdir else f"{'/'.join(map(_quoted, way.split(os.sep)))}/"

    def photograph_url(self, folder: str) -> str | None:
        """That of a folder of photographs; None where a browser cannot look."""
        if "://" in folder:
            return None
        try:
            return self.folder_url(folder)
        except ValueError:
            return None


def _quoted(name: str) -> str:
    """One part of a path as one of an address; bytes that are no UTF-8 stay what they are."""
    return quote(os.fsencode(name), safe="!*'()")


@dataclass
class Packer:
    """Packs the photographs of one page, one by one; of what many have in common there are tables.

    Attributes:
        folders: of photographs.
        picture_folders: of pictures, from the folder of all pictures on.
        reasons: why photographs could not be explained.
    """

    tally: Tally
    folders: dict[str, int] = field(default_factory=dict)
    picture_folders: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)

    def packed(self, photograph: ShownPhotograph) -> bytes:
        """One photograph: ``[folder, name, truth, reason]``, or, if it was explained, what follows.

        ``[folder, name, truth, correct, seconds, width, height, map, ...]``, of each map six values: class,
        score, rank, folder of the picture, how many letters the picture's name has in common with the
        photograph's, and the rest of it. -1 stands for what there is not.
        """
        folder, name = os.path.split(photograph.path)
        truth = _NONE if photograph.truth is None else self.tally.number_of_truth(photograph.truth)
        values: list[Any] = [_number_in(self.folders, folder), name, truth]
        if photograph.reason is not None:
            return json_in_page([*values, _number_in(self.reasons, photograph.reason)])
        correct = _NONE if photograph.correct is None else int(photograph.correct)
        seconds = _NONE if photograph.seconds is None else _short(photograph.seconds)
        values += [correct, seconds, *(photograph.size or (_NONE, _NONE))]
        for each in photograph.maps:
            values += self._map(each, name)
        return json_in_page(values)

    def _map(self, shown: ShownMap, name: str) -> list[Any]:
        number = self.tally.number_of_class(ShownClass(shown.class_index, shown.label))
        if shown.picture is None:
            return [number, _short(shown.score), shown.rank, _NONE, 0, ""]
        folder, picture = os.path.split(shown.picture)
        prefix = _beginning(name, picture)
        # The script counts in units of UTF-16.
        units = len(prefix.encode("utf-16-le", "surrogatepass")) // 2
        place = _number_in(self.picture_folders, folder)
        return [number, _short(shown.score), shown.rank, place, units, picture[len(prefix) :]]

    def tables(self, places: Places) -> dict[str, object]:
        """What the page's own numbers mean, by the names that the script uses."""
        pictures = (os.path.join(places.pictures, folder) for folder in self.picture_folders)
        return {
            "folders": [[folder, places.photograph_url(folder)] for folder in self.folders],
            "pictures": [places.folder_url(folder) for folder in pictures],
            "reasons": list(self.reasons),
        }


def tables_of_all(tally: Tally) -> dict[str, object]:
    """What numbers mean on all pages, once all photographs have been counted."""
    return {
        "classes": tally.class_names(),
        "indices": [each.class_index for each in tally.classes],
        "truths": list(tally.truths),
        "shares": tally.are_shares,
        "judged": tally.judged > 0,
        "things": listed_things(tally),
    }


_PHOTOGRAPHS: Final = ("photograph", "photographs")


def listed_things(tally: Tally) -> tuple[str, str]:
    """What one and what several of the listed are called."""
    return _PHOTOGRAPHS if tally.listed == tally.photographs else ("answer", "answers")


def how_many(number: int, things: tuple[str, str] = _PHOTOGRAPHS) -> str:
    """A number of things, in words."""
    return f"{number:,} {things[number != 1]}"


def _beginning(one: str, other: str) -> str:
    """What two names have in common from their beginning on."""
    length = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return other[:length]


def _number_in(table: dict[str, int], text: str) -> int:
    return table.setdefault(text, len(table))


def _short(number: float) -> float | str:
    """A number in few digits; what is none, as a word."""
    if not math.isfinite(number):
        return str(number)
    short = float(f"{number:.{_DIGITS}g}")
    return int(short) if short.is_integer() else short


def json_in_page(value: object) -> bytes:
    """JSON that ends no element of HTML, in UTF-8; lone surrogates are written as escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode("utf-8", "backslashreplace")
