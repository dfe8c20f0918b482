"""Finding a class by what a user calls it, and classes by a text that names several."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from ovxai_convert.errors import UsageError
from ovxai_convert.source.labels import checked_labels, find_class, find_classes, resolve_targets

LABELS: Final = ("cat", "dog", "bird")


def test_one_label_per_class() -> None:
    assert checked_labels(list(LABELS), 3) == LABELS
    for count in (2, 4):
        with pytest.raises(UsageError, match=f"3 labels do not name {count} classes"):
            checked_labels(LABELS, count)
    with pytest.raises(UsageError, match=r"4 labels \(2 of them empty\) do not name 3 classes"):
        checked_labels(["a", "", " ", "b"], 3)
    with pytest.raises(UsageError, match="labels are a list"):
        checked_labels("abc", 3)


@pytest.mark.parametrize(
    ("wanted", "index"), [("cat", 0), ("bird", 2), (1, 1), ("1", 1), (0, 0), ("002", 2)], ids=repr
)
def test_class_by_label_or_index(wanted: int | str, index: int) -> None:
    assert find_class(wanted, LABELS, 3) == index


def test_label_wins_over_index() -> None:
    assert find_class("0", ("1", "0"), 2) == 1
    assert find_class(0, ("1", "0"), 2) == 0


@pytest.mark.parametrize(
    ("wanted", "labels", "text"),
    [
        (3, LABELS, "no class 3: the model has 3, 0 to 2"),
        (-1, LABELS, "no class -1: the model has 3, 0 to 2"),
        ("3", None, "no class 3: the model has 3, 0 to 2"),
        ("cta", LABELS, "no class labelled 'cta'; did you mean 'cat'"),
        ("", LABELS, "no class labelled ''"),
        ("_", ("a", "b", ""), "no class labelled '_'"),
        ("zzz", LABELS, "no class labelled 'zzz'"),
        ("cat", None, "no class 'cat': the model has no labels; name classes by index"),
        ("x", ("x", "x", "y"), "several classes are called 'x': 0 (x), 1 (x); name its index"),
        ("CAT", ("Cat", "cat", "y"), "several classes are called 'CAT': 0 (Cat), 1 (cat); name its index"),
        ("hen", ("a, hen", "Hen, b", "y"), "several classes are called 'hen': 0 (a, hen), 1 (Hen, b); name"),
        ("7", ("cat", "7_", "y"), "no class 7: the model has 3, 0 to 2"),
    ],
    ids=str,
)
def test_class_that_cannot_be_meant(wanted: int | str, labels: tuple[str, ...] | None, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_class(wanted, labels, 3)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("wanted", ["9" * 19, "9" * 5000, "top" + "9" * 5000, "\u00b2", "-5"])
def test_numbers_that_are_no_index(wanted: str) -> None:
    with pytest.raises(UsageError, match="no class"):
        resolve_targets(wanted, None, np.zeros(3, np.float32))
    with pytest.raises(UsageError, match="no class labelled"):
        resolve_targets(wanted, LABELS, np.zeros(3, np.float32))


IMAGENET: Final = (
    "tench, Tinca tinca",
    "goldfish, Carassius auratus",
    "maillot",
    "maillot, tank suit",
    "carpenter's kit, tool kit",
    'the "big" cat',
    "Straße_am Fluß",
    "crane",
    "crane",
    "crane, bird",
    "12",
)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ("tench, Tinca tinca", 0),
        ("TENCH,tinca  TINCA", 0),
        ("tench", 0),
        ("Tinca tinca", 0),
        ("tinca_TINCA", 0),
        ("maillot", 2),
        ("Maillot", 2),
        ("tank suit", 3),
        ("STRASSE AM FLUSS", 6),
        ("crane, bird", 9),
        ("bird", 9),
        ("12", 10),
        ("10", 10),
    ],
)
def test_class_by_what_comes_near_its_label(wanted: str, index: int) -> None:
    assert find_class(wanted, IMAGENET, len(IMAGENET)) == index


def test_letters_may_be_composed_in_either_way() -> None:
    assert find_class("cafe\u0301", ("x", "caf\u00e9"), 2) == 1
    assert find_class("CAF\u00c9", ("x", "cafe\u0301"), 2) == 1


def test_what_was_meant_is_offered_as_it_can_be_typed() -> None:
    with pytest.raises(UsageError, match="no class labelled 'tanch'; did you mean 'tench'"):
        find_class("tanch", IMAGENET, len(IMAGENET))
    with pytest.raises(UsageError) as caught:
        find_class("carpenters kit, toolkit", IMAGENET, len(IMAGENET))
    assert '"carpenter\'s kit, tool kit"' in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tench, Tinca tinca", [0]),
        ("tench, Tinca tinca,goldfish", [0, 1]),
        ("goldfish,tench, Tinca tinca", [1, 0]),
        ("goldfish, Carassius auratus, tench, Tinca tinca", [1, 0]),
        ('"tench, Tinca tinca",goldfish', [0, 1]),
        ("'tench, Tinca tinca' , goldfish", [0, 1]),
        ('"maillot, tank suit","goldfish, Carassius auratus"', [3, 1]),
        ("maillot, tank suit", [3]),
        ("maillot,goldfish", [2, 1]),
        ("carpenter's kit, tool kit,tench", [4, 0]),
        ("carpenter's kit,tench", [4, 0]),
        ('the "big" cat,0', [5, 0]),
        ('"the ""big"" cat",0', [5, 0]),
        ("2,1,0", [2, 1, 0]),
        ("1,1", [1, 1]),
        ("crane, bird,0", [9, 0]),
        ("TENCH,TINCA TINCA,GOLDFISH", [0, 1]),
    ],
)
def test_classes_in_one_text(text: str, expected: list[int]) -> None:
    assert find_classes(text, IMAGENET, len(IMAGENET)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tench, Tinca tinc", "no class labelled 'Tinca tinc'; did you mean 'Tinca tinca'"),
        ("maillot, tank suit,tench", "'maillot, tank suit' can be read in several ways"),
        ("maillot, tank suit,tench", 'put each label in quotation marks, as in "maillot","tank suit"'),
        ("crane,tench", "several classes are called 'crane': 7 (crane), 8 (crane), name"),
        ('"tench, Tinca tinca', "no class labelled '\"tench'"),
        ('"tench" x,goldfish', "no class labelled '\"tench\" x'"),
        ("tench,,goldfish", "no class labelled ''"),
        ("tench,99", "no class 99: the model has 11"),
        ('"tench, goldfish"', "no class labelled 'tench, goldfish'"),
    ],
)
def test_texts_that_name_no_classes(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_classes(text, IMAGENET, len(IMAGENET))
    assert message.replace(", name", "; name") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_label_as_a_whole_wins_and_parts_of_several_are_refused() -> None:
    labels = ("a", "b", "a, b", "c", "b, c")
    assert find_classes("a, b", labels, 5) == [2]
    for text in ("a, b,c", "a,b, c"):
        with pytest.raises(UsageError, match="can be read in several ways"):
            find_classes(text, labels, 5)
    assert find_classes('"a, b",c', labels, 5) == [2, 3]
    assert find_classes('"a","b",c', labels, 5) == [0, 1, 3]
    assert find_classes('a,"b, c"', labels, 5) == [0, 4]
    assert find_classes("a, b, c", ("a", "b, c", "d"), 3) == [0, 1]
    assert find_classes("a, b, c", ("a, b", "b, c", "a", "d, c"), 4) == [2, 1], (
        "the only way to read all of it"
    )


def test_of_a_list_each_name_is_one_class() -> None:
    assert find_classes(["tench, Tinca tinca", "goldfish", 3], IMAGENET, len(IMAGENET)) == [0, 1, 3]
    with pytest.raises(UsageError, match="no class labelled 'tench,goldfish'"):
        find_classes(["tench,goldfish"], IMAGENET, len(IMAGENET))
    with pytest.raises(UsageError, match=r"and not by 1\.5"):
        find_classes([1.5], IMAGENET, len(IMAGENET))  # type: ignore[list-item]
    assert find_classes(2, IMAGENET, len(IMAGENET)) == [2]


def test_very_many_classes_in_one_text() -> None:
    labels = tuple(f"name {index}, n{index}" for index in range(5000))
    text = ",".join(labels)
    assert find_classes(text, labels, 5000) == list(range(5000))
    assert find_classes(",".join(map(str, range(5000))), labels, 5000) == list(range(5000))
