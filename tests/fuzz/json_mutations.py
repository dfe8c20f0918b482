"""Mutations of JSON by its places, and of its text."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from tests.fuzz.words import FLOATS, WHOLE, word

_OTHERS: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    -1,
    0,
    3,
    0.5,
    10**40,
    "",
    "x",
    [],
    [0],
    [[]],
    {},
    {"a": 1},
)


def mutated(rng: random.Random, content: bytes) -> bytes:
    """JSON with one to some of its places spoiled, or its nesting, keys and escapes."""
    data = json.loads(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        data = _changed(rng, data)
    text = json.dumps(data)
    if rng.random() < 0.1:
        text = _respelled(rng, text)
    return text.encode("utf-8", "surrogatepass")


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in JSON, as the keys that lead there."""
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


def at(data: Any, path: tuple[Any, ...]) -> Any:
    """What stands at a place."""
    for key in path:
        data = data[key]
    return data


def _changed(rng: random.Random, data: Any) -> Any:
    found = list(places(data))
    if not found:
        return deepcopy(rng.choice(_OTHERS))
    *front, last = rng.choice(found)
    holder = at(data, tuple(front))
    way = rng.choice(("drop", "set", "set", "set", "number", "word", "copy", "repeat", "swap"))
    if way == "drop":
        del holder[last]
    elif way == "number":
        holder[last] = rng.choice((*WHOLE, *FLOATS))
    elif way == "word":
        holder[last] = word(rng)
    elif way == "copy":
        holder[last] = json.loads(json.dumps(at(data, rng.choice(found))))
    elif way == "repeat" and isinstance(holder, list):
        holder.extend(deepcopy(holder[0]) for _ in range(rng.choice((1, 3, 1000))))
    elif way == "swap":
        *other, key = rng.choice(found)
        theirs = at(data, tuple(other))
        if theirs is holder:
            holder[last], holder[key] = holder[key], holder[last]
    else:
        holder[last] = deepcopy(rng.choice(_OTHERS))
    return data


def _respelled(rng: random.Random, text: str) -> str:
    """Text that JSON's own writer does not write."""
    deep = rng.choice((100, 2_000, 100_000))
    ways = (
        "[" * deep + text + "]" * deep,
        '{"a":' * deep + text + "}" * deep,
        text.replace("{", '{"schema_version": 3, ', 1),
        text.replace('"', '"\\ud800', 1),
        text.replace(": ", ": NaN, ", 1),
        text.replace("1", "1e99999", 1),
        text.replace("1", "9" * 5000, 1),
        "\ufeff" + text,
        text + text,
    )
    return rng.choice(ways)
