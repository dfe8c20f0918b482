"""The order of the methods is one visible tuple with one entry per method."""

from __future__ import annotations

from ovxai_convert.methods import BRANCHES
from ovxai_convert.vocabulary import Method


def test_every_white_box_method_has_one_branch() -> None:
    expected = sorted(method.value for method in Method if not method.is_black_box)
    assert sorted(branch.method.value for branch in BRANCHES) == expected


def test_maps_end_in_rows_and_columns() -> None:
    assert {branch.axes[-2:] for branch in BRANCHES} == {("height", "width")}
    assert {branch.axes[0] for branch in BRANCHES} == {"batch"}
