"""What the classes of a model may be called, and the classes that a text names between commas."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from ovxai_convert.errors import UsageError, did_you_mean, quoted
from ovxai_convert.vocabulary import index_in

_PIECE: Final = re.compile(r"""\s*(?:"((?:[^"]|"")*)"|'([^']*)')\s*(,|$)|([^,]*)(,|$)""")
"""What stands before a comma or the end: in quotation marks, which may hold commas, or without."""
_SHOWN: Final = 5


class _Piece(NamedTuple):
    text: str
    quoted: bool
    begin: int
    end: int


class ClassNames:
    """What the classes of a model may be called.

    In this order, of which the first that names any class decides: the label as it is; the index; the label
    without regard to case, to spaces and ``_``; one of the names that a label lists between commas, likewise.

    Args:
        labels: one per class, or None.
        count: how many classes there are.
    """

    def __init__(self, labels: Sequence[str] | None, count: int) -> None:
        self._labels, self._count = labels, count

    def index(self, wanted: int | str) -> int:
        """The class of this name; a UsageError if not exactly one has it."""
        if isinstance(wanted, str):
            found = self._called(wanted)
        else:
            found = [wanted] if 0 <= wanted < self._count else []
        if len(found) > 1:
            some = ", ".join(self._shown(index) for index in found[:_SHOWN])
            more = ", ..." if len(found) > _SHOWN else ""
            raise UsageError(
                f"several classes are called {quoted(str(wanted))}: {some}{more}; name its index"
            )
        if found:
            return found[0]
        number = index_in(wanted) if isinstance(wanted, str) else wanted
        if number is not None:
            raise UsageError(f"no class {wanted}: the model has {self._count}, 0 to {self._count - 1}")
        if self._labels is None:
            raise UsageError(
                f"no class {quoted(str(wanted))}: the model has no labels; name classes by index"
            )
        near = did_you_mean(str(wanted), [*self._labels, *self._typed_names])
        raise UsageError(f"no class labelled {quoted(str(wanted))}{near}")

    def indices(self, text: str) -> list[int]:
        """The classes that a text names, between commas.

        A text that is a label as a whole names that class. Else a label with commas may stand in quotation
        marks, ``'"tench, Tinca tinca",goldfish'``, or without, where what is meant is clear.

        Raises:
            UsageError: a class that does not exist, or a text that can be read in two ways.
        """
        for whole in (text, text.strip()):
            if whole in self._exact:
                return [self.index(whole)]
        pieces = list(_pieces(text))
        found: list[int] = []
        at = 0
        for begin, end, spans in _clusters(self._joined(text, pieces)):
            found += [self.index(piece.text) for piece in pieces[at:begin]]
            found += self._read(text, pieces[begin:end], {(i - begin, j - begin): c for i, j, c in spans})
            at = end
        return found + [self.index(piece.text) for piece in pieces[at:]]

    def _called(self, name: str) -> list[int]:
        """The classes that have a name, by the first way of naming that finds any."""
        if name in self._exact:
            return self._exact[name]
        number = index_in(name)
        if number is not None:
            return [number] if number < self._count else []
        loose = _loosened(name)
        return (self._loose.get(loose) or self._synonyms.get(loose) or []) if loose else []

    def _labelled(self, name: str) -> list[int]:
        """The classes of this label as a whole, and be it in another case."""
        return self._exact.get(name) or self._loose.get(_loosened(name)) or []

    def _shown(self, index: int) -> str:
        return str(index) if self._labels is None else f"{index} ({self._labels[index][:40]})"

    def _joined(self, text: str, pieces: Sequence[_Piece]) -> Iterator[tuple[int, int, int]]:
        """Neighbouring pieces, from one to before another, that are the label of a class together."""
        longest = max((label.count(",") + 1 for label in self._labels or ()), default=1)
        for begin, first in enumerate(pieces):
            for end in range(begin + 1, min(begin + longest, len(pieces))):
                if first.quoted or pieces[end].quoted:
                    break
                found = self._labelled(text[first.begin : pieces[end].end].strip())
                if len(found) == 1:
                    yield begin, end + 1, found[0]

    def _read(
        self, text: str, pieces: Sequence[_Piece], spans: Mapping[tuple[int, int], int]
    ) -> tuple[int, ...]:
        """The one way to read pieces, some of which are labels together (``spans``)."""
        ways: list[set[tuple[int, ...]]] = [set() for _ in pieces] + [{()}]
        for begin in range(len(pieces) - 1, -1, -1):
            alone = self._called(pieces[begin].text)
            steps = [(begin + 1, alone[0])] if len(alone) == 1 else []
            steps += [(end, found) for (i, end), found in spans.items() if i == begin]
            every = {(found, *rest) for end, found in steps for rest in ways[end]}
            distinct = {frozenset(way): way for way in sorted(every, key=lambda way: (-len(way), way))}
            ways[begin] = set(list(distinct.values())[:2])
        if len(ways[0]) == 1:
            return ways[0].pop()
        if not ways[0]:  # at least one piece has no name of its own
            wrong = next((piece for piece in pieces if len(self._called(piece.text)) != 1), pieces[0])
            return (self.index(wrong.text),)
        part = text[pieces[0].begin : pieces[-1].end].strip()
        apart = ",".join(f'"{piece.text}"' for piece in pieces)
        raise UsageError(
            f"{quoted(part)} can be read in several ways; put each label in quotation marks, as in {apart}"
        )

    @cached_property
    def _exact(self) -> dict[str, list[int]]:
        return _places((label, index) for index, label in enumerate(self._labels or ()))

    @cached_property
    def _loose(self) -> dict[str, list[int]]:
        return _places((_loosened(label), index) for index, label in enumerate(self._labels or ()))

    @cached_property
    def _synonyms(self) -> dict[str, list[int]]:
        return _places(
            (_loosened(name), index)
            for index, label in enumerate(self._labels or ())
            if "," in label
            for name in set(label.split(","))
        )

    @property
    def _typed_names(self) -> list[str]:
        """Names between commas that call one class."""
        names = (part.strip() for label in self._labels or () if "," in label for part in label.split(","))
        return [name for name in names if len(self._called(name)) == 1]


def _loosened(name: str) -> str:
    """A name without what makes no difference: case, ways to write a letter, spaces and ``_``."""
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return re.sub(r" ?, ?", ",", " ".join(plain.replace("_", " ").split()))


def _places(names: Iterator[tuple[str, int]]) -> dict[str, list[int]]:
    """The classes that each name stands at."""
    places: dict[str, list[int]] = {}
    for name, index in names:
        known = places.setdefault(name, [])
        if index not in known[-1:]:
            known.append(index)
    return places


def _pieces(text: str) -> Iterator[_Piece]:
    """What stands between the commas of a text, without spaces around it."""
    at, more = 0, True
    while more:
        match = _PIECE.match(text, at)
        assert match is not None, "anything up to a comma or the end is a piece"
        double, single, _, plain, _ = match.groups()
        more = "," in (match.group(3), match.group(5))
        inner = double.replace('""', '"') if double is not None else single
        yield _Piece(plain.strip() if inner is None else inner, inner is not None, at, match.end() - more)
        at = match.end()


_Span: TypeAlias = tuple[int, int, int]


def _clusters(spans: Iterator[_Span]) -> Iterator[tuple[int, int, list[_Span]]]:
    """Spans that overlap, together: from where, to before where, and which."""
    cluster: list[_Span] = []
    begin = end = 0
    for span in spans:
        if cluster and span[0] >= end:
            yield begin, end, cluster
            cluster = []
        begin, end = (span[0], span[1]) if not cluster else (begin, max(end, span[1]))
        cluster.append(span)
    if cluster:
        yield begin, end, cluster
