"""Files of labels, read by what they hold: lines, JSON, Python, YAML, tables; their suffix is a hint."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeAlias

from ovxai_convert.errors import ModelReadError, UsageError, quoted
from ovxai_convert.files import read_text
from ovxai_convert.source.label_lines import labels_in_lines
from ovxai_convert.source.label_values import FoundLabels, NoLabelsError, labels_in
from ovxai_convert.source.label_yaml import holds_yaml, yaml_value

Labels: TypeAlias = Sequence[str] | Mapping[int, str] | str | PathLike[str] | None
"""Labels as a user gives them: one per class, by index, or a file's path, which a text is."""

_MOST_LABELS, _LONGEST_LABEL, _MOST_BYTES = 1_000_000, 1000, 256 * 2**20
_MOST_PYTHON: Final = 2**24
_ASSIGNED: Final = re.compile(r"\s*[A-Za-z_]\w*\s*(?::[^=\n]+)?=\s*(?=[\[{])")
_FOREIGN: Final = (
    (re.compile(r"<(?:!doctype\s+)?html", re.IGNORECASE), "a page of HTML; get the file itself"),
    (re.compile(r"<\?xml|<net\b", re.IGNORECASE), "XML"),
    (re.compile(r"item\s*\{"), "a label map of TensorFlow's object detection, numbered from 1"),
    (re.compile(r"version https://git-lfs"), "a pointer of Git LFS; get the file itself"),
)
"""Beginnings of what is given in place of labels."""


def read_labels(path: Path) -> tuple[str, ...]:
    """The labels of a file, from class 0 on; see :func:`read_label_file`."""
    return read_label_file(path).labels


def read_label_file(path: Path) -> FoundLabels:
    """Labels from class 0 on, and in which form they stood there.

    A form is recognised by its content: one label per line, with index or synset or without; a table with a
    column of labels; JSON, Python or YAML, with a list, a mapping from or to indices, or an object that holds
    one, as ``config.json`` of Hugging Face does under ``id2label``.

    Raises:
        ModelReadError: the file cannot be read or holds something else, which is named; its indices are not
            0 to K-1, each once; it holds more than a million labels, or one of over 1000 characters.
    """
    text = read_text(path, "list of labels", _MOST_BYTES)
    try:
        found = _found(text, path.suffix.lower())
    except NoLabelsError as error:
        raise ModelReadError(f"{path}: not a list of labels: {error}") from error
    labels = found.labels
    if len(labels) > _MOST_LABELS or max(map(len, labels), default=0) > _LONGEST_LABEL:
        most = f"{_MOST_LABELS} labels of {_LONGEST_LABEL} characters"
        raise ModelReadError(f"{path}: not a list of labels: more, or longer ones, than {most}")
    if any("\ud800" <= character <= "\udfff" for label in labels for character in label):
        raise ModelReadError(f"{path}: not a list of labels: one is no text (it holds half a character)")
    return found


def given_labels(labels: Labels) -> tuple[str, ...] | None:
    """Labels that a user gives in one of the ways that there are.

    Raises:
        ModelReadError: a file, as :func:`read_label_file`.
        UsageError: labels that are no texts, or whose indices are not 0 to K-1.
    """
    if labels is None:
        return None
    if isinstance(labels, str | PathLike):
        return read_labels(Path(labels))
    if isinstance(labels, Mapping):
        try:
            return labels_in(labels).labels
        except NoLabelsError as error:
            raise UsageError(f"labels: {error}") from error
    wrong = next((label for label in labels if not isinstance(label, str)), None)
    if wrong is not None:
        raise UsageError(f"labels are texts, and {wrong!r} is none")
    return tuple(labels)


def _found(text: str, suffix: str) -> FoundLabels:
    begin = text.lstrip()[:200]
    if "\0" in text:
        raise NoLabelsError("it holds bytes that no text does")
    for sign, what in _FOREIGN:
        if sign.match(begin):
            raise NoLabelsError(what)
    if suffix == ".json" or _is_data(text):
        return labels_in(_data(text, suffix))
    if text.count("\n") > 2 * _MOST_LABELS:
        raise NoLabelsError(f"it has more than {2 * _MOST_LABELS} lines")
    assigned = _ASSIGNED.match(text)
    if assigned is not None:
        return labels_in(_python(text[assigned.end() :]))
    if suffix in (".yaml", ".yml") or holds_yaml(text):
        return labels_in(_yaml(text))
    return labels_in_lines(text, suffix)


def _is_data(text: str) -> bool:
    """Whether a text as a whole is a list or a mapping in brackets, and its lines are nothing alone."""
    first, _, rest = text.strip().partition("\n")
    if first[:1] not in ("{", "["):
        return False
    closed = all(first.count(opened) <= first.count(closer) for opened, closer in ("[]", "{}"))
    return not (closed and rest)


def _data(text: str, suffix: str) -> object:
    """The value of JSON, or of a list or mapping as Python prints it."""
    try:
        return json.loads(text, object_pairs_hook=_without_twins)
    except NoLabelsError:
        raise
    except (ValueError, RecursionError) as error:
        reason = f"no JSON ({error})"
    try:
        return _python(text)
    except NoLabelsError as error:
        if error.__cause__ is None or suffix != ".json":
            raise
        raise NoLabelsError(reason) from error


def _without_twins(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    twin, times = Counter(key for key, _ in entries).most_common(1)[0] if entries else ("", 0)
    if times > 1:
        raise NoLabelsError(f"an object that has {quoted(twin[:40])} twice")
    return dict(entries)


def _python(text: str) -> object:
    """The value of a literal."""
    if len(text) > _MOST_PYTHON:
        raise NoLabelsError(f"Python of more than {_MOST_PYTHON} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        value = ast.literal_eval(tree)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError) as error:
        raise NoLabelsError("brackets that hold neither JSON nor a value of Python") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            _without_twins([(repr(ast.literal_eval(key)), None) for key in node.keys if key is not None])
    return value


def _yaml(text: str) -> object:
    value = yaml_value(text)
    count = value.get("nc") if isinstance(value, dict) else None
    names = value.get("names") if isinstance(value, dict) else None
    if (
        isinstance(names, list | dict)
        and isinstance(count, str)
        and count.isdecimal()
        and len(names) != int(count)
    ):
        raise NoLabelsError(f"YAML with {len(names)} names where it says nc: {count}")
    return value
