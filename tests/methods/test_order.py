"""The order of the methods is one visible tuple with one entry per method."""

from __future__ import annotations

from ovxai_convert.methods import WHITE_BOX_METHODS, Method


def test_every_white_box_method_is_tried_once() -> None:
    expected = sorted(method.value for method in Method if not method.is_black_box)
    assert sorted(method.name for method in WHITE_BOX_METHODS) == expected


def test_maps_end_in_rows_and_columns() -> None:
    assert {method.axes[-2:] for method in WHITE_BOX_METHODS} == {("height", "width")}
    assert {method.axes[0] for method in WHITE_BOX_METHODS} == {"batch"}
