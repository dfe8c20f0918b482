"""Labels in YAML: the list or mapping under a key, or alone, as training programs write them, and no more."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from ovxai_convert.source.label_values import NoLabelsError, holds_labels

_KEY: Final = re.compile(r"""(["']?)([A-Za-z_][\w -]*)\1\s*:(?:\s+(.*))?""")
_ENTRY: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'][^:]*?)\s*:\s+(\S.*)""")
_ITEM: Final = re.compile(r"-\s+(\S.*)")
_TOKEN: Final = re.compile(
    r"""\s*(?:\#[^\n]*\n\s*)*                         # comments
    ("(?:[^"\\]|\\.)*" | '(?:[^']|'')*' | [\[\]{},] | :(?=[\s"'\[{])
    | (?:[^\s,\[\]{}:] | :(?!\s) | [ ](?!\#))+)""",
    re.VERBOSE,
)
_BEYOND: Final = "&*!|>%@`"
"""Signs that begin what is not read here: references, types, texts of several lines."""


def holds_yaml(text: str) -> bool:
    """Whether a text is YAML with labels, as its lines tell: a list, or a key of a list or mapping."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return False
    if all(line.startswith("- ") for line in lines):
        return True
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        match = _KEY.fullmatch(line.rstrip())
        if match and holds_labels(match[2]):
            rest = _without_comment(match[3] or "")
            if rest[:1] in ("[", "{") if rest else re.match(r"\s+\S|- ", after):
                return True
    return False


def yaml_value(text: str) -> object:
    """What a text holds: a list, or a mapping by the keys that stand at the margin, with lists and mappings.

    Scalars are texts, whatever YAML takes them for; what is deeper than labels are is None.

    Raises:
        NoLabelsError: more of YAML than this.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip() not in ("---", "...")]
    if any("\t" in line[: len(line) - len(line.lstrip())] for line in lines):
        raise NoLabelsError("YAML is not indented by tabs")
    filled = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if filled and not _KEY.fullmatch(filled[0]):
        return _block(filled)
    value: dict[str, object] = {}
    for key, rest, inner in _sections(filled):
        if key in value:
            raise NoLabelsError(f"YAML with the key '{key}' twice")
        if rest[:1] in ("[", "{"):
            value[key] = _Flow("\n".join([rest, *inner])).value()
        elif rest:
            value[key] = rest
        else:
            value[key] = _block(inner) if holds_labels(key) else None
    return value


def _sections(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Keys at the margin, what stands behind each, and the lines below it."""
    begins = [place for place, line in enumerate(lines) if _KEY.fullmatch(line)]
    for begin, end in zip(begins, [*begins, len(lines)][1:], strict=True):
        match = _KEY.fullmatch(lines[begin])
        assert match is not None, "it was found by that"
        yield match[2], _without_comment(match[3] or ""), lines[begin + 1 : end]


def _block(lines: list[str]) -> object:
    """The list or mapping that lines hold, one entry each; None for what is deeper."""
    depths = {len(line) - len(line.lstrip()) for line in lines}
    if len(depths) != 1:
        return None
    texts = [line.strip() for line in lines]
    items = [match for match in map(_ITEM.fullmatch, texts) if match is not None]
    if len(items) == len(texts):
        return [_scalar(match[1]) for match in items]
    entries = [match for match in map(_ENTRY.fullmatch, texts) if match is not None]
    if len(entries) < len(texts):
        wrong = next(text for text in texts if not _ENTRY.fullmatch(text))
        raise NoLabelsError(f"YAML whose line '{wrong[:40]}' is no entry of a list or mapping")
    return _mapping([(_scalar(match[1]), _scalar(match[2])) for match in entries])


def _mapping(entries: list[tuple[str, object]]) -> dict[str, object]:
    twin, times = Counter(key for key, _ in entries).most_common(1)[0] if entries else ("", 0)
    if times > 1:
        raise NoLabelsError(f"YAML with the key '{twin[:40]}' twice")
    return dict(entries)


def _scalar(text: str) -> str:
    """The text that a scalar stands for."""
    if text.startswith('"') and (match := re.fullmatch(r'("(?:[^"\\]|\\.)*")\s*(?:#.*)?', text)):
        try:
            return str(json.loads(match[1]))
        except ValueError as error:
            raise NoLabelsError(f"YAML with {text[:40]}, which is not read here") from error
    if text.startswith("'") and (match := re.fullmatch(r"'((?:[^']|'')*)'\s*(?:#.*)?", text)):
        return match[1].replace("''", "'")
    if text[0] in _BEYOND or text[0] in "\"'[{":
        raise NoLabelsError(f"YAML with {text[:40]}, which is not read here")
    return _without_comment(text)


def _without_comment(text: str) -> str:
    return re.sub(r"(?:^|\s+)#.*$", "", text).strip() if not text.startswith(("[", "{")) else text


class _Flow:
    """A list or mapping in brackets, over one line or several."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def value(self) -> object:
        value = self._next_value(self._token(), 0)
        if re.sub(r"\s*#[^\n]*", "", self._text[self._at :]).strip():
            raise NoLabelsError("YAML with more behind a bracket that is closed")
        return value

    def _token(self) -> str:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise NoLabelsError("YAML with a bracket that is not closed")
        self._at = match.end()
        return match[1].strip() or self._token()

    def _next_value(self, token: str, depth: int) -> object:
        if depth > 3 or token in ("]", "}", ",", ":"):
            raise NoLabelsError("YAML with brackets that hold something else than labels")
        if token == "[":
            return self._list(depth)
        return self._map(depth) if token == "{" else _scalar(token)

    def _list(self, depth: int) -> list[object]:
        items: list[object] = []
        while (token := self._token()) != "]":
            items.append(self._next_value(token, depth + 1))
            if (behind := self._token()) == "]":
                break
            if behind != ",":
                raise NoLabelsError(f"YAML with '{behind[:40]}' in a list, where a comma should be")
        return items

    def _map(self, depth: int) -> dict[str, object]:
        entries: list[tuple[str, object]] = []
        while (token := self._token()) != "}":
            key, colon = str(self._next_value(token, 3)), self._token()
            if colon != ":":
                raise NoLabelsError(f"YAML with '{colon[:40]}' in a mapping, where a colon should be")
            entries.append((key, self._next_value(self._token(), depth + 1)))
            if (behind := self._token()) == "}":
                break
            if behind != ",":
                raise NoLabelsError(f"YAML with '{behind[:40]}' in a mapping, where a comma should be")
        return _mapping(entries)
