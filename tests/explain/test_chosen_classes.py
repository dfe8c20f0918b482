"""Which classes are explained: every way a user may name them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from ovxai_convert.errors import UsageError
from ovxai_convert.source.labels import resolve_targets

SCORES: Final = np.array([0.1, 0.4, 0.2, 0.4, 0.0, 0.3], np.float32)
LABELS: Final = ("cat", "dog", "bird", "fish", "ant", "bee")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, [1]),
        (-1, None),
        ("-1", None),
        ([-1], None),
        (np.int64(-1), None),
        ("all", None),
        (["all"], None),
        ("top1", [1]),
        ("top5", [1, 3, 5, 2, 0]),
        (["top2"], [1, 3]),
        ("top6", [1, 3, 5, 2, 0, 4]),
        (3, [3]),
        ("3", [3]),
        (np.int32(3), [3]),
        ([4, 0], [4, 0]),
        ((4, 0), [4, 0]),
        (np.array([4, 0], np.uint8), [4, 0]),
        ([np.int64(5), "2", "dog"], [5, 2, 1]),
        ("bee", [5]),
        ("BEE", [5]),
        (" bee ", [5]),
        (" all ", None),
        ("bee,cat", [5, 0]),
        ("bee, 1, bee", [5, 1]),
        (["bee", "cat"], [5, 0]),
        ([2, 2, "bird", 0, 2], [2, 0]),
    ],
    ids=repr,
)
def test_wanted_classes(wanted: Any, expected: list[int] | None) -> None:
    found = resolve_targets(wanted, LABELS, SCORES)
    assert found == expected
    assert all(type(index) is int for index in found or ())


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (6, "no class 6: the model has 6, 0 to 5"),
        ("6", "no class 6: the model has 6, 0 to 5"),
        (-2, "no class -2"),
        ([0, -1], "no class -1"),
        ("-2", "no class labelled '-2'"),
        ("cta", "no class labelled 'cta'; did you mean 'cat'"),
        ("cat,", "no class labelled ''"),
        ("cat,zebra", "no class labelled 'zebra'"),
        (["cat,dog"], "no class labelled 'cat,dog'"),
        ("zebra", "no class labelled 'zebra'"),
        ("", "no class labelled ''"),
        ([], "no class is named"),
        (np.array([], np.int64), "no class is named"),
        ("top0", "there are no 0 best classes: the model has 6"),
        ("top7", "there are no 7 best classes: the model has 6"),
        (["top2", "top3"], "no class labelled 'top2'"),
        ("topx", "no class labelled 'topx'"),
        ([1.0], "not by 1.0"),
        ([None], "not by None"),
        ([True], "not by True"),
        (True, "not by True"),
        (1.5, "not by 1.5"),
        ({0, 1}, "not by {0, 1}"),
    ],
    ids=repr,
)
def test_classes_that_do_not_exist(wanted: Any, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_targets(wanted, LABELS, SCORES)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_labels_win_over_words_and_numbers() -> None:
    labels = ("all", "top2", "7", "0", "x", "x")
    assert resolve_targets("all", labels, SCORES) == [0]
    assert resolve_targets("top2", labels, SCORES) == [1]
    assert resolve_targets("top3", labels, SCORES) == [1, 3, 5]
    assert resolve_targets("7", labels, SCORES) == [2]
    assert resolve_targets("0", labels, SCORES) == [3]
    assert resolve_targets(0, labels, SCORES) == [0]
    with pytest.raises(UsageError, match=r"several classes are called 'x': 4 \(x\), 5 \(x\); name"):
        resolve_targets("x", labels, SCORES)


def test_without_labels() -> None:
    assert resolve_targets(["1", 2], None, SCORES) == [1, 2]
    with pytest.raises(UsageError, match="no class 'cat': the model has no labels"):
        resolve_targets("cat", None, SCORES)
