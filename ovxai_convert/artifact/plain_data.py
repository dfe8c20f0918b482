"""Dataclasses as plain data, ready for JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_type_hints


def to_plain(value: Any) -> Any:
    """Dataclasses as objects, tuples as lists, all else as it is."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: to_plain(getattr(value, each.name)) for each in fields(value)}
    return [to_plain(item) for item in value] if isinstance(value, tuple) else value


def with_unknown(known: Any, read: Any) -> Any:
    """What is known, and in objects of the same place what was read beside it."""
    if isinstance(known, dict) and isinstance(read, Mapping):
        merged = {key: with_unknown(value, read.get(key)) for key, value in known.items()}
        return {**{key: value for key, value in read.items() if key not in known}, **merged}
    if isinstance(known, list) and isinstance(read, list) and len(known) == len(read):
        return [with_unknown(*pair) for pair in zip(known, read, strict=True)]
    return known


def from_plain(kind: Any, data: Any) -> Any:
    """Plain data as a type hint has them: objects are dataclasses, lists are tuples."""
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]  # `X | None`; of other unions no member is built here
    if isinstance(data, list):
        kinds = get_args(kind)
        rest = kinds[:1] * len(data) if len(kinds) < 2 or kinds[1] is Ellipsis else kinds
        return tuple(from_plain(*pair) for pair in zip(rest, data, strict=True))
    if isinstance(data, dict) and is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{name: from_plain(hints[name], value) for name, value in data.items() if name in hints})
    return data
