"""Extents that an open batch hides are found, and nothing is made up."""

from __future__ import annotations

import numpy as np
from openvino import Model
from openvino import opset15 as ops

from ovxai_convert.anatomy.anatomy import Anatomy


def heads(rest: int) -> tuple[Model, list[ops.Constant]]:
    """``[N, 6, 8] -> [N, 6, rest, 4] -> [N * 6, rest * 4]`` with N read from a shape."""
    data = ops.parameter([-1, 6, 8], np.float32)
    samples = ops.gather(ops.shape_of(data), ops.constant([0], np.int64), ops.constant(0, np.int64))
    pattern = ops.concat([samples, ops.constant([6, rest, 4], np.int64)], 0)
    apart = ops.reshape(data, pattern, False)
    rows = ops.reshape(apart, ops.constant([-1, 8], np.int64), False)
    return Model([ops.result(rows)], [data]), [apart, rows]


def test_extent_behind_an_inferred_entry() -> None:
    model, (apart, rows) = heads(-1)
    assert apart.get_output_partial_shape(0)[2].is_dynamic, "else there is nothing to find"
    found = Anatomy(model).extents
    assert found[apart.output(0)] == (None, 6, 2, 4)
    assert found[rows.output(0)] == (None, 8)
    assert apart.get_output_partial_shape(0)[2].is_dynamic, "the model is not changed"


def test_nothing_is_looked_for_where_all_is_known() -> None:
    model, (apart, _) = heads(2)
    assert Anatomy(model).extents[apart.output(0)] == (None, 6, 2, 4)


def test_rows_and_columns_stay_open() -> None:
    data = ops.parameter([-1, 3, -1, -1], np.float32)
    flat = ops.reshape(data, ops.constant([0, 3, -1], np.int64), True)
    model = Model([ops.result(flat)], [data])
    assert Anatomy(model).extents[flat.output(0)] == (None, 3, None)


def test_a_batch_that_is_open_in_name_only() -> None:
    """A model that takes one sample whatever its input says is left as it was inferred."""
    data = ops.parameter([-1, 4, 2], np.float32)
    baked = ops.reshape(data, ops.constant([1, -1, 2], np.int64), False)
    fixed = ops.reshape(baked, ops.constant([4, 2], np.int64), False)
    model = Model([ops.result(fixed)], [data])
    assert Anatomy(model).extents[fixed.output(0)] == (4, 2)
