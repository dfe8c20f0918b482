"""Mutations of an IR's XML by its elements and attributes."""

from __future__ import annotations

import random
from xml.etree import ElementTree as Xml

from tests.fuzz.words import WHOLE, word


def mutated(rng: random.Random, content: bytes, others: list[bytes]) -> bytes:
    """An IR with one to some of its elements or attributes spoiled."""
    root, donor = Xml.fromstring(content), Xml.fromstring(rng.choice(others))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        if rng.random() < 0.6:
            _change_attribute(rng, root)
        else:
            _change_element(rng, root, donor)
    return _xml(root)


def _xml(root: Xml.Element) -> bytes:
    text = Xml.tostring(root, encoding="unicode")
    return b'<?xml version="1.0"?>\n' + text.encode("utf-8", "surrogatepass")


def _change_attribute(rng: random.Random, root: Xml.Element) -> None:
    bearers = [each for each in root.iter() if each.attrib]
    element = rng.choice(bearers)
    key = rng.choice(sorted(element.attrib))
    way = rng.choice(("set", "set", "set", "nudge", "drop", "rename", "swap"))
    if way == "drop":
        del element.attrib[key]
    elif way == "rename":
        element.set(rng.choice(("x", "name", "id", "type", "value", key.upper())), element.attrib.pop(key))
    elif way == "swap":
        other = rng.choice(bearers)
        theirs = rng.choice(sorted(other.attrib))
        element.attrib[key], other.attrib[theirs] = other.attrib[theirs], element.attrib[key]
    elif way == "nudge":
        element.set(key, _nudged(rng, element.attrib[key]))
    else:
        values = [value for each in bearers for value in each.attrib.values()]
        number = str(rng.choice(WHOLE))
        element.set(key, rng.choice((number, number, word(rng, values), f"{number},{number}")))


def _nudged(rng: random.Random, text: str) -> str:
    """A text of numbers with one of them changed."""
    parts = text.split(",")
    index = rng.randrange(len(parts))
    parts[index] = str(rng.choice(WHOLE))
    if rng.random() < 0.3:
        parts += [parts[index]] * rng.choice((1, 2, 30))
    return ",".join(parts)


def _change_element(rng: random.Random, root: Xml.Element, donor: Xml.Element) -> None:
    parents = [each for each in root.iter() if len(each)]
    parent = rng.choice(parents)
    index = rng.randrange(len(parent))
    way = rng.choice(("drop", "repeat", "swap", "text", "text", "splice", "rename", "move"))
    if way == "drop":
        del parent[index]
    elif way == "repeat":
        parent.insert(rng.randrange(len(parent) + 1), parent[index])
    elif way == "swap":
        other = rng.randrange(len(parent))
        parent[index], parent[other] = parent[other], parent[index]
    elif way == "text":
        texts = [each for each in root.iter() if each.text and each.text.strip()] or [parent]
        rng.choice(texts).text = str(rng.choice(WHOLE)) if rng.random() < 0.8 else _clean(word(rng))
    elif way == "splice":
        parent.insert(index, rng.choice(list(donor.iter())))
    elif way == "rename":
        parent[index].tag = rng.choice(("layer", "port", "dim", "edge", "output", "input", "data", "x"))
    else:
        target = rng.choice(parents)
        element = parent[index]
        if target not in list(element.iter()):
            parent.remove(element)
            target.append(element)


def _clean(text: str) -> str:
    return text.replace("\x00", "")
