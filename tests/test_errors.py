"""Names that are offered for one that was not found."""

from __future__ import annotations

import shlex

import pytest

from ovxai_convert.errors import did_you_mean, quoted


@pytest.mark.parametrize(
    ("wanted", "known", "offered"),
    [
        ("tarjet", ["image", "target"], "; did you mean 'target'?"),
        ("TARGET", ["target"], "; did you mean 'target'?"),
        ("zzz", ["target"], "; look"),
        ("tench", ["tench, Tinca tinca"], "; did you mean 'tench, Tinca tinca'?"),
        ("carpenters kit", ["carpenter's kit, tool kit"], '; did you mean "carpenter\'s kit, tool kit"?'),
        ("its $5", ["it's $5"], """; did you mean 'it'"'"'s $5'?"""),
        ("x" * 201, ["x" * 200], "; look"),
        ("x" * 200, ["x" * 201], "; look"),
        ("x" * 199, ["x" * 200], f"; did you mean '{'x' * 200}'?"),
    ],
)
def test_offer(wanted: str, known: list[str], offered: str) -> None:
    assert did_you_mean(wanted, known, "; look") == offered


@pytest.mark.parametrize(
    "name", ["cat", "tench, Tinca tinca", "carpenter's kit", 'a "b" c', "it's $5", "it's `x`", "a\\b", "l'o!"]
)
def test_what_is_quoted_can_be_typed(name: str) -> None:
    assert shlex.split(quoted(name)) == [name]


def test_of_very_many_the_first_are_compared() -> None:
    known = [f"name{number:06d}" for number in range(25_000)]
    assert "'name000001'" in did_you_mean("name000001x", known)
    assert "'name024999'" not in did_you_mean("name024999", known)
