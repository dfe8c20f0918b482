"""Names of the files of an image's maps: readable, distinct on every file system, none too long for one."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

_LONGEST_NAME: Final = 255
"""Bytes of a file's name that common file systems take; some count UTF-16, which is never more."""
_LONGEST_SUFFIX: Final = 8
"""Kept free whatever the suffix is, so that a map's files are named alike."""
_DEVICES: Final = re.compile(r"(?i:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(?:\.|$)")
"""Beginnings of names that are no files on Windows."""
_KEPT_SIGNS: Final = frozenset("_.+-")


def map_file_names(
    stem: str, labels: Mapping[int | str, str], suffix: str, all_labels: Sequence[str] | None = None
) -> list[str]:
    """File names ``<stem>_<label><suffix>``, one per map.

    Letters of every script stay; what a file system may not take becomes ``_``. A label whose name another
    label has, too, or one that differs in case or in how its letters are composed, gets its index behind it:
    so a class's name does not depend on which others are written. What is too long is cut between letters,
    and ends in ``~`` and eight digits that stand for all of it.

    Args:
        stem: what all names begin with, as a rule an image's own name; nothing if empty. A folder in front
            of it stays as it is.
        labels: of the classes that are written, by index; by a word for a map of all classes.
        suffix: of the files, with its dot.
        all_labels: of all classes of the model, if it has labels.
    """
    folder, name = os.path.split(stem)
    alike = _names_of_several(tuple(all_labels or ()))
    endings = {key: plain_name(label) or str(key) for key, label in labels.items()}
    folded = [_folded(ending) for ending in endings.values()]
    numbered = {key for key, ending in endings.items() if _folded(ending) in alike}
    numbered |= {key for key, ending in endings.items() if folded.count(_folded(ending)) > 1}
    names = [_whole_name(name, endings[key], key if key in numbered else None, suffix) for key in endings]
    if len({_folded(each) for each in names}) < len(names):  # a label ends like another's index
        names = [_whole_name(name, ending, key, suffix) for key, ending in endings.items()]
    return [os.path.join(folder, each) for each in names]


@lru_cache(maxsize=4)
def _names_of_several(labels: tuple[str, ...]) -> frozenset[str]:
    """Names, as file systems compare them, that several labels have; a class without any has its index."""
    seen: set[str] = set()
    several: set[str] = set()
    for index, label in enumerate(labels):
        folded = _folded(plain_name(label) or str(index))
        (several if folded in seen else seen).add(folded)
    return frozenset(several)


def plain_name(label: str) -> str:
    """A label in letters, marks, digits and few signs, composed."""
    composed = unicodedata.normalize("NFC", label)
    kept = (each for each in composed if unicodedata.category(each) != "Cf")  # what nobody sees
    return re.sub(r"\0+", "_", "".join(each if _is_kept(each) else "\0" for each in kept))


def _is_kept(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN" or character in _KEPT_SIGNS


def _folded(name: str) -> str:
    """What file systems that do not tell case, or how letters are composed, take a name for."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _whole_name(stem: str, label: str, number: int | str | None, suffix: str) -> str:
    """A file's name within the bytes that it may have: stem and label give way where they take over half."""
    behind = "" if number is None else f"_{number}"
    between = "_" if stem else ""
    free = _LONGEST_NAME - _bytes(f"_{between}{behind}") - max(_LONGEST_SUFFIX, _bytes(suffix))
    label = _cut(label, max(free - _bytes(stem), free // 2))
    name = _cut(stem, free - _bytes(label)) + between + label + behind + suffix
    return f"_{name}" if _DEVICES.match(name) else name


def _cut(text: str, most: int) -> str:
    """A text of at most so many bytes."""
    if _bytes(text) <= most:
        return text
    mark = f"~{hashlib.sha256(_encoded(text)).hexdigest()[:8]}"
    return _encoded(text)[: most - len(mark)].decode("utf-8", "ignore") + mark


def _bytes(text: str) -> int:
    return len(_encoded(text))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
