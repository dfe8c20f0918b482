"""Labels in values that were parsed: lists, mappings of indices, and objects that hold one of these."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from ovxai_convert.errors import quoted
from ovxai_convert.vocabulary import index_in


class NoLabelsError(ValueError):
    """What was read holds no labels, or not one for each class; the text says what it is."""


class IndicesError(NoLabelsError):
    """Labels with indices that are not 0 to K-1, each once."""


@dataclass(frozen=True)
class FoundLabels:
    """Labels from class 0 on; ``form`` says how they stood there, and is empty for a plain list of them."""

    labels: tuple[str, ...]
    form: str = ""


INDEX_NAMES: Final = ("id", "index", "idx", "class_id", "class_index", "class_idx", "label_id", "label_index")
INDEX_NAMES_TOO: Final = ("label_idx", "category_id", "target", "number", "")
"""What a field or column of indices is called; pandas gives none to its own."""
LABEL_NAMES: Final = (
    "name",
    "label",
    "class",
    "class_name",
    "label_name",
    "display_name",
    "category",
    "title",
)
LABEL_NAMES_TOO: Final = ("category_name", "names", "labels", "classes", "description", "text")
"""What a field or column of labels is called, the likelier first."""
_HOLDER: Final = re.compile(
    r"(id|idx|index)(2|to)(label|name|class)|(label|name|class)(2|to)(id|idx|index)|class(index|indices)|"
    r"(class|label|category)?(names|labels|classes|categories|list|map)"
)
"""Keys under which labels stand, without what separates their words."""
_DEEPEST: Final = 2
_SYNSET: Final = re.compile(r"n[0-9]{1,8}")
_NAMED_SYNSET: Final = re.compile(r"""(["']?)n[0-9]{8}\1(?:\s*[:,;=\t]\s*|\s+)(\S.*)""", re.DOTALL)
_SHOWN: Final = 3
_LONGEST: Final = 40
"""Characters of what is shown."""


def labels_in(value: object) -> FoundLabels:
    """The labels in a value of JSON, Python or YAML.

    It is a list of labels, of objects that have a label and perhaps an index, or of pairs; a mapping from
    index to label, also to ImageNet's pair of synset and label; one from label to index; or an object that
    holds one of these under a key that is common for it.

    Raises:
        NoLabelsError: it is none of these, its indices are not those from 0 on, or two places disagree.
    """
    return _labels_in(value, _DEEPEST)


def _labels_in(value: object, depth: int) -> FoundLabels:
    if isinstance(value, list | tuple):
        return _of_list(value)
    if isinstance(value, Mapping):
        return _of_mapping(value, depth)
    raise NoLabelsError(f"neither a list nor a mapping, but {_kind(value)}")


def without_synsets(labels: Sequence[str]) -> tuple[str, ...] | None:
    """The names behind ImageNet's synsets, as in ``n01440764 tench``; None unless all labels are such."""
    matches = [_NAMED_SYNSET.fullmatch(label) for label in labels]
    names = [match[2] for match in matches if match is not None]
    return tuple(names) if labels and len(names) == len(labels) else None


def is_synset(text: object) -> bool:
    """Whether this is one of WordNet's numbers as ImageNet has them."""
    return isinstance(text, str) and _SYNSET.fullmatch(text) is not None


def holds_labels(key: object) -> bool:
    """Whether labels commonly stand under a key."""
    return _HOLDER.fullmatch(re.sub(r"[\s_-]", "", str(key).lower())) is not None


def as_index(value: object) -> int | None:
    """The index that a number or a text is, if it is one."""
    if isinstance(value, str):
        return index_in(value.strip())
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return int(value)
    return None


def ordered(pairs: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """Labels in the order of their indices; an IndicesError unless these are 0 to K-1, each once."""
    labels: dict[int, str] = {}
    for index, label in pairs:
        if index in labels:
            both = f"{quoted(labels[index][:_LONGEST])} and {quoted(label[:_LONGEST])}"
            raise IndicesError(f"index {index} has two labels, {both}")
        labels[index] = label
    if not labels:
        raise NoLabelsError("it is empty")
    first, last = min(labels), max(labels)
    if first == 0 and last == len(labels) - 1:
        return tuple(labels[index] for index in range(len(labels)))
    if first == 1 and last == len(labels):
        advice = "if 1 is the model's first class, list the labels alone, one per line"
        raise IndicesError(f"its indices are 1 to {last}, and classes are numbered from 0; {advice}")
    if first < 0:
        raise IndicesError(f"{first} is no index of a class: they are numbered from 0")
    missing = list(islice((index for index in range(last) if index not in labels), _SHOWN + 1))
    some = ", ".join(map(str, missing[:_SHOWN])) + (", ..." if len(missing) > _SHOWN else "")
    raise IndicesError(f"its indices go from {first} to {last} without {some}; every class has a label")


def check_all_or_no_indices(name: str, values: Sequence[object]) -> None:
    """Raise an IndicesError for a field of indices that some classes have, and others not."""
    wrong = [value for value in values if as_index(value) is None]
    if 0 < len(wrong) < len(values):
        raise IndicesError(f"'{name}' holds {str(wrong[0])[:_LONGEST]!r} where others have an index")


def common_field(names: Iterable[str], common: Sequence[str]) -> list[str]:
    """Those of some names that are common for a thing, the likelier first."""
    plain = {re.sub(r"[\s-]+", "_", name.strip().lower()): name for name in reversed(list(names))}
    return [plain[name] for name in common if name in plain]


def _of_list(items: Sequence[object]) -> FoundLabels:
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) == len(items):
        names = without_synsets(texts)
        return FoundLabels(tuple(texts)) if names is None else FoundLabels(names, "synsets with their names")
    if all(isinstance(item, Mapping) for item in items):
        return _of_records(items)  # type: ignore[arg-type]
    if all(isinstance(item, list | tuple) and len(item) == 2 for item in items):
        pairs: list[tuple[Any, Any]] = [tuple(item) for item in items]  # type: ignore[arg-type, misc]
        if all(is_synset(synset) and isinstance(name, str) for synset, name in pairs):
            return FoundLabels(tuple(name for _, name in pairs), "pairs of synset and name")
        return _of_pairs(pairs)
    kinds = [kind for kind, _ in Counter(map(_kind, items)).most_common(2)]
    raise NoLabelsError(f"a list that holds {' and '.join(kinds)}; labels are texts")


def _of_pairs(pairs: Sequence[tuple[Any, Any]]) -> FoundLabels:
    """Pairs of an index and a label, or the other way round."""
    for first, second in (0, 1), (1, 0):
        if all(as_index(pair[first]) is not None and isinstance(pair[second], str) for pair in pairs):
            labels = ordered((as_index(pair[first]) or 0, pair[second]) for pair in pairs)
            return FoundLabels(labels, "pairs of index and label")
    raise NoLabelsError("a list of pairs, which are not of an index and a label")


def _of_records(records: Sequence[Mapping[Any, Any]]) -> FoundLabels:
    """Objects with a label each; where they have indices, too, these tell the order."""
    shared = set.intersection(*({key for key in each if isinstance(key, str)} for each in records))
    in_order = [key for key in records[0] if key in shared]

    def having(common: Sequence[str], test: Callable[[Any], bool]) -> list[str]:
        return [key for key in common_field(in_order, common) if all(test(each[key]) for each in records)]

    indexed = having((*INDEX_NAMES, *INDEX_NAMES_TOO), lambda value: as_index(value) is not None)
    named = having((*LABEL_NAMES, *LABEL_NAMES_TOO), lambda value: isinstance(value, str))
    named = [key for key in named if key not in indexed]
    for key in () if indexed else INDEX_NAMES:
        check_all_or_no_indices(key, [each.get(key, "") for each in records])
    if not named:
        keys = _some(map(str, records[0]))
        raise NoLabelsError(f"a list of objects that have no label each (the first has {keys})")
    labels = [each[named[0]] for each in records]
    if not indexed:
        return FoundLabels(tuple(labels), f"'{named[0]}' of objects, in their order")
    pairs = ((as_index(each[indexed[0]]) or 0, label) for each, label in zip(records, labels, strict=True))
    return FoundLabels(ordered(pairs), f"'{named[0]}' of objects, by '{indexed[0]}'")


def _of_mapping(mapping: Mapping[Any, Any], depth: int) -> FoundLabels:
    if not mapping:
        raise NoLabelsError("an object without entries")
    indices = [as_index(key) for key in mapping]
    texts = all(isinstance(key, str) for key in mapping)
    if texts and all(
        not isinstance(label, str) and as_index(label) is not None for label in mapping.values()
    ):
        pairs = ((as_index(index) or 0, label) for label, index in mapping.items())
        return FoundLabels(ordered(pairs), "a mapping from label to index")
    if None not in indices:
        labels = _labels_of_indices(list(mapping.values()))
        return FoundLabels(
            ordered(zip((index or 0 for index in indices), labels.labels, strict=True)),
            f"a mapping from index to {labels.form or 'label'}",
        )
    if all(map(is_synset, mapping)) and all(isinstance(name, str) for name in mapping.values()):
        if list(mapping) != sorted(mapping):
            raise NoLabelsError("a mapping from synset to name, which are not in the order of the synsets")
        return FoundLabels(tuple(mapping.values()), "a mapping from synset to name")
    if texts and all(isinstance(index, str) and index_in(index) is not None for index in mapping.values()):
        pairs = ((int(index), label) for label, index in mapping.items())
        return FoundLabels(ordered(pairs), "a mapping from label to index")
    return _held(mapping, depth)


def _labels_of_indices(values: Sequence[object]) -> FoundLabels:
    """Labels that a mapping has by index, in its order."""
    if all(isinstance(value, str) for value in values):
        names = without_synsets([str(value) for value in values])
        return (
            FoundLabels(tuple(map(str, values))) if names is None else FoundLabels(names, "synset and name")
        )
    if all(isinstance(value, Mapping) for value in values):
        found = _of_records([{**value, "id": place} for place, value in enumerate(values)])  # type: ignore[dict-item]
        return replace(found, form="object with a label")
    lists = [value for value in values if isinstance(value, list | tuple)]
    if len(lists) == len(values) and all(
        len(each) == 2 and is_synset(each[0]) and isinstance(each[1], str) for each in lists
    ):
        return FoundLabels(tuple(each[1] for each in lists), "synset and name")
    wrong = next(value for value in values if not isinstance(value, str))
    raise NoLabelsError(f"a mapping from index to {_kind(wrong)}; labels are texts")


def _held(mapping: Mapping[Any, Any], depth: int) -> FoundLabels:
    """Labels under a key that is common for them, here or in an object that is held."""
    found: dict[str, FoundLabels] = {}
    reasons: list[NoLabelsError] = []
    for key, value in _holders(mapping, depth, ""):
        try:
            inner = _labels_in(value, 0)
            found[key] = replace(inner, form=f"{inner.form or 'a list'} under '{key}'")
        except IndicesError as error:
            raise IndicesError(f"under '{key}', {error}") from None
        except NoLabelsError as error:
            reasons.append(NoLabelsError(f"under '{key}' is {error}"))
    if not found:
        if reasons:
            raise reasons[0]
        raise NoLabelsError(
            f"an object that has no labels under a key that is known (it has {_some(mapping)})"
        )
    (first, labels), *others = found.items()
    for key, other in others:
        if other.labels != labels.labels:
            raise NoLabelsError(f"its '{first}' and '{key}' do not agree")
    return labels


def _holders(mapping: Mapping[Any, Any], depth: int, above: str) -> list[tuple[str, object]]:
    """Values that may hold labels, with the way to them; of inner objects where the outer one has none."""
    here: list[tuple[str, object]] = [
        (f"{above}{str(key)[:_LONGEST]}", value)
        for key, value in mapping.items()
        if holds_labels(key) and isinstance(value, list | tuple | Mapping)
    ]
    if here or depth == 0:
        return here
    inner = [
        (f"{above}{str(key)[:_LONGEST]}.", value)
        for key, value in mapping.items()
        if isinstance(value, Mapping)
    ]
    return [each for key, value in inner for each in _holders(value, depth - 1, key)]


def _some(keys: Iterable[object]) -> str:
    shown = [str(key)[:_LONGEST] for key in islice(keys, _SHOWN + 2)]
    return ", ".join(shown[: _SHOWN + 1]) + (", ..." if len(shown) > _SHOWN + 1 else "")


def _kind(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "null or true and false"
    if isinstance(value, int | float):
        return "numbers"
    kinds = {"texts": str, "lists": list | tuple, "objects": Mapping}
    return next((kind for kind, types in kinds.items() if isinstance(value, types)), "something else")
