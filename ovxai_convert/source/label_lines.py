"""Labels in lines of text: alone, with an index, behind ImageNet's synsets, or in a table."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Final

from ovxai_convert.source.label_values import (
    INDEX_NAMES,
    INDEX_NAMES_TOO,
    LABEL_NAMES,
    LABEL_NAMES_TOO,
    FoundLabels,
    IndicesError,
    NoLabelsError,
    as_index,
    check_all_or_no_indices,
    common_field,
    labels_in,
    ordered,
    without_synsets,
)

_BEFORE: Final = re.compile(
    r"""["']?(?P<index>[0-9]{1,18})["']?(?:\s*(?P<sign>[:;,=|)\t])\s*|\s*(?P<dot>[.-])\s+|\s+)(?P<label>\S.*)"""
)
_BEHIND: Final = re.compile(
    r"""(?P<label>.*?\S)(?:\s*(?P<sign>[:;,=|\t])\s*|\s+(?P<dot>-)\s+|\s+)["']?(?P<index>[0-9]{1,18})["']?,?"""
)
_QUOTED: Final = re.compile(r"""(["'])(.*)\1,?""")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LONGEST_LINE: Final = 4000
_DISTINCT: Final = 0.9
"""Of names that are left when a number is taken away: were they alike, it belongs to them (``grade 0``)."""
_MOST: Final = 0.8
"""Of lines that have an index: so many, and the others should have one."""
_OWN_NUMBERS: Final = "if the numbers belong to the labels, give these as a JSON list"


def labels_in_lines(text: str, suffix: str = "") -> FoundLabels:
    """The labels in a text, one per line, or with what such lines are known to hold besides.

    Lines are an index and a label only if all are and the indices are 0 to K-1, each once; a blank line is a
    label without characters where nothing numbers them.

    Args:
        text: without its marks of encoding.
        suffix: of its file, in lower case: what ``.csv`` and ``.tsv`` hold is a table.

    Raises:
        NoLabelsError: lines that are numbered otherwise, or are no labels.
    """
    every = [line.strip() for line in re.split(r"\r\n|\r|\n", text.rstrip())]
    lines = [line for line in every if line]
    if not lines:
        return FoundLabels(())
    if max(map(len, every)) > _LONGEST_LINE:
        return FoundLabels(tuple(every))
    found = _objects(lines) or _table(text, suffix) or _synsets(lines) or _numbered(lines) or _row(lines)
    if found is not None:
        return found
    if all(_is_numbers(line) for line in lines):
        raise NoLabelsError("a table of numbers")
    if suffix in (".csv", ".tsv") and len(lines) > 1:
        return _column(text, lines)
    if all(_QUOTED.fullmatch(line) for line in lines):
        return FoundLabels(tuple(map(_unquoted, every)), "lines in quotation marks")
    return FoundLabels(tuple(every))


def _objects(lines: Sequence[str]) -> FoundLabels | None:
    """Labels of lines that are a JSON object each."""
    if not all(line.startswith("{") for line in lines):
        return None
    values: list[object] = []
    wrong: list[str] = []
    for line in lines:
        try:
            values.append(json.loads(line))
        except (ValueError, RecursionError):
            wrong.append(line)
    if values and wrong:
        raise NoLabelsError(f"lines of JSON, except for '{wrong[0][:40]}'")
    return labels_in(values) if values else None


def _numbered(lines: Sequence[str]) -> FoundLabels | None:
    """Labels of lines that all have an index, behind which a synset may stand; None where that is not so."""
    rows = lines[1:] if len(lines) > 1 and _is_heading(lines[0]) else lines
    for pattern in (_BEFORE, _BEHIND):
        matches = [match for match in map(pattern.fullmatch, rows) if match is not None]
        if len(matches) < _MOST * len(rows):
            continue
        separated = all(match["sign"] or match["dot"] for match in matches)
        pairs = [(int(match["index"]), _unquoted(match["label"])) for match in matches]
        if len(pairs) < len(rows):
            _check_no_index_is_missing(rows, pattern, pairs)
        elif _are_indices(pairs, separated=separated, before=pattern is _BEFORE):
            labels = ordered(pairs)
            names = without_synsets(labels)
            form = "lines of index and label" if names is None else "lines of index, synset and label"
            return FoundLabels(labels if names is None else tuple(map(_unquoted, names)), form)
    return None


def _check_no_index_is_missing(
    rows: Sequence[str], pattern: re.Pattern[str], pairs: Sequence[tuple[int, str]]
) -> None:
    """Raise a NoLabelsError if the lines that have an index count the classes, so that the others should."""
    indices = {index for index, _ in pairs}
    counted = len(indices) == len(pairs) > 2 and max(indices) <= len(rows)
    if counted and len({name for _, name in pairs}) >= _DISTINCT * len(pairs):
        wrong = next(row for row in rows if not pattern.fullmatch(row))
        raise NoLabelsError(f"lines of index and label, except for '{wrong[:40]}'; {_OWN_NUMBERS}")


def _are_indices(pairs: Sequence[tuple[int, str]], *, separated: bool, before: bool) -> bool:
    """Whether the numbers of all lines count the classes; an IndicesError if they do, and not from 0 on.

    A number and a name with a space between them may be one label, as ``5 euro`` or ``grade 0`` are.
    """
    indices, names = [index for index, _ in pairs], [name for _, name in pairs]
    distinct = len(set(names)) / len(names)
    ascending = indices == sorted(indices)
    if not separated and (len(pairs) == 1 or distinct < _DISTINCT) and (ascending or distinct <= 0.5):
        return False
    if sorted(indices) == list(range(len(indices))):
        return True
    from_one = sorted(indices) == list(range(1, len(indices) + 1))
    plain_names = before and not any(name[0].isdigit() for name in names)
    if (separated and plain_names and len(pairs) > 1) or (from_one and len(pairs) > 1):
        try:
            ordered(pairs)
        except IndicesError as error:
            raise IndicesError(f"lines of index and label: {error}; {_OWN_NUMBERS}") from None
    return False


def _synsets(lines: Sequence[str]) -> FoundLabels | None:
    """Labels behind synsets, between which an index may stand."""
    names = without_synsets(lines)
    if names is None:
        return None
    if all(as_index(name) is not None for name in names):  # the synsets are what is labelled
        return None
    return _numbered(names) or FoundLabels(tuple(map(_unquoted, names)), "lines of synset and label")


def _row(lines: Sequence[str]) -> FoundLabels | None:
    """Labels of a single line, between commas or the like."""
    delimiter = next((sign for sign in ",;\t" if sign in lines[0]), None)
    if len(lines) > 1 or delimiter is None or _is_numbers(lines[0]):
        return None
    (fields,) = _rows(lines[0], delimiter) or [[]]
    labels = tuple(field.strip() for field in fields)
    return FoundLabels(labels, "a single line") if len(labels) > 1 and all(labels) else None


def _table(text: str, suffix: str) -> FoundLabels | None:
    """Labels of a column that has a name which is common for them, by a column of indices if there is one."""
    signs = "\t" if suffix == ".tsv" else ",;\t"
    rows = next((rows for sign in signs if sign in text and (rows := _rows(text, sign))), [])
    heading, *data = rows or [[]]
    if not data or len(heading) < 2:
        return None
    columns = {name: [row[place].strip() for row in data] for place, name in enumerate(heading)}
    indexed, named = _known_columns(heading, columns)
    if not named:
        return None
    values = columns[named[0]]
    if indexed:
        pairs = (
            (as_index(text) or 0, value) for text, value in zip(columns[indexed[0]], values, strict=True)
        )
        order = f"'{indexed[0]}'" if indexed[0].strip() else "the column without a name"
        return FoundLabels(ordered(pairs), f"column '{named[0]}' of a table, by {order}")
    if len(set(values)) < _DISTINCT * len(values):
        raise NoLabelsError(
            f"a table whose column '{named[0]}' names classes again and again, and no column has indices"
        )
    return FoundLabels(tuple(values), f"column '{named[0]}' of a table, row by row")


def _known_columns(heading: Sequence[str], columns: dict[str, list[str]]) -> tuple[list[str], list[str]]:
    """Columns of indices and of labels by what they are called and hold, the likelier first."""
    whole = [name for name, values in columns.items() if all(as_index(text) is not None for text in values)]
    index_names, label_names = (*INDEX_NAMES, *INDEX_NAMES_TOO), (*LABEL_NAMES, *LABEL_NAMES_TOO)
    indexed = common_field(whole, index_names)
    for name in () if indexed else common_field(heading, INDEX_NAMES):
        check_all_or_no_indices(name, columns[name])
    named = [name for name in common_field(heading, label_names) if name not in indexed]
    numbers = [name for name in named if name in whole]
    if not indexed and numbers and len(named) > len(numbers):  # a label that is a number beside its name
        indexed, named = numbers[:1], [name for name in named if name not in numbers]
    if indexed and not named and len(heading) == 2:
        named = [name for name in heading if name not in indexed]
    return indexed, named


def _column(text: str, lines: Sequence[str]) -> FoundLabels:
    """Labels of a table that does not say which column they are: the only one that is filled."""
    rows = next((rows for sign in ",;\t" if sign in text and (rows := _rows(text, sign))), [])
    filled = [column for column in zip(*rows, strict=True) if any(map(str.strip, column))]
    if len(filled) > 1:
        raise NoLabelsError(f"a table of {len(filled)} columns, none of which is called index, name or label")
    labels = [cell.strip() for cell in filled[0]] if filled else list(map(_unquoted, lines))
    if _is_heading(labels[0]):
        return FoundLabels(tuple(labels[1:]), f"a table of the column '{labels[0]}'")
    return FoundLabels(tuple(labels), "a table of one column" if labels != list(lines) else "")


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Rows of a table, all of one length; none if it is no such table."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        rows = [row for row in reader if row]
    except csv.Error:
        return []
    return rows if rows and len({len(row) for row in rows}) == 1 else []


def _is_heading(line: str) -> bool:
    """Whether a line holds nothing but what columns of indices and labels are called."""
    known = {*INDEX_NAMES, *INDEX_NAMES_TOO, *LABEL_NAMES, *LABEL_NAMES_TOO}
    return all(_unquoted(word).lower() in known for word in re.split(r"[\s,;:|]+", line))


def _is_numbers(line: str) -> bool:
    words = [word for word in re.split(r"[\s,;]+", line) if word]
    return len(words) > 1 and all(map(_NUMBER.fullmatch, words))


def _unquoted(label: str) -> str:
    """A label without the quotation marks around it, and the comma behind these."""
    match = _QUOTED.fullmatch(label)
    if match is None:
        return label
    return match[2].replace('""', '"') if match[1] == '"' else match[2]
