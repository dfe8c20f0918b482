"""The order of the methods is one visible tuple with one entry per method."""

from __future__ import annotations

from ovxai_convert.branches import BRANCHES
from ovxai_convert.vocabulary import Method


def test_every_method_has_one_branch() -> None:
    assert sorted(branch.method.value for branch in BRANCHES) == sorted(method.value for method in Method)


def test_maps_end_in_rows_and_columns() -> None:
    assert {branch.axes[-2:] for branch in BRANCHES} == {("height", "width")}
    assert {branch.axes[0] for branch in BRANCHES} == {"batch"}
