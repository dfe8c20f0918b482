"""Names of classes: read from a file, and found by what a user calls them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ovxai_convert.errors import ModelReadError, UsageError
from ovxai_convert.suggestions import did_you_mean


def find_class(wanted: int | str, labels: Sequence[str] | None, count: int) -> int:
    """Index of a class that is called by its label or its index; a label wins.

    Raises:
        UsageError: no such class, several of that label, or a label where the classes have none.
    """
    if labels is not None and wanted in labels:
        if list(labels).count(str(wanted)) > 1:
            raise UsageError(f"several classes are labelled '{wanted}'; name its index")
        return list(labels).index(str(wanted))
    if not isinstance(wanted, str) or wanted.isdecimal():
        if not 0 <= int(wanted) < count:
            raise UsageError(f"no class {wanted}: the model has {count}, 0 to {count - 1}")
        return int(wanted)
    if labels is None:
        raise UsageError(f"no class '{wanted}': the model has no labels; name classes by index")
    raise UsageError(f"no class labelled '{wanted}'{did_you_mean(wanted, labels)}")


def checked_labels(labels: Sequence[str], count: int) -> tuple[str, ...]:
    """The labels, if there is one per class.

    Raises:
        UsageError: there are fewer or more.
    """
    if len(labels) != count:
        raise UsageError(f"{len(labels)} labels do not name {count} classes")
    return tuple(labels)


def read_labels(path: Path) -> tuple[str, ...]:
    """Labels from a text file, one per line, or from a JSON list; the first is that of class 0.

    Raises:
        ModelReadError: the file is missing or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ModelReadError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelReadError(f"{path}: not a list of labels: no text in UTF-8") from error
    if path.suffix.lower() != ".json":
        return tuple(line.strip() for line in text.rstrip().splitlines())
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelReadError(f"{path}: not a list of labels: no JSON ({error})") from error
    if not isinstance(labels, list) or not all(isinstance(each, str) for each in labels):
        raise ModelReadError(f"{path}: not a list of labels: a JSON list of texts is one")
    return tuple(labels)
