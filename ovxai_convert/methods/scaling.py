"""Embedded scaling: every map to grey levels, inside the graph."""

from __future__ import annotations

from typing import Final

import numpy as np
from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.tensors.extents import ints

RESOLUTION: Final = 255 * float(np.finfo(np.float32).eps)
"""Smallest range, as a part of the largest magnitude, whose 255 grey steps float32 can tell apart."""


def scale_to_grey_levels(raw: Output) -> Output:
    """Min-max scaling of each ``H x W`` map to u8, 0 to 255, rounded half to even.

        grey = round(255 * (x - min) / (max - min))

    A constant map is all 0. So is a map whose range is below float32's resolution (``RESOLUTION`` times its
    largest magnitude): its grey levels would show rounding errors, not scores.
    """
    rank = len(raw.get_partial_shape())
    axes = ints([rank - 2, rank - 1])
    values = ops.convert(raw, "f32")
    low, high = ops.reduce_min(values, axes, keep_dims=True), ops.reduce_max(values, axes, keep_dims=True)
    magnitude = ops.maximum(ops.absolute(low), ops.absolute(high))
    spread = ops.subtract(high, low)
    shown = ops.greater(spread, ops.multiply(magnitude, _number(RESOLUTION)))
    gain = ops.select(shown, ops.divide(_number(255), spread), _number(0))
    levels = ops.multiply(ops.subtract(values, low), gain)
    return ops.convert(ops.round(levels, "half_to_even"), "u8").output(0)


def _number(value: float) -> Output:
    return ops.constant(np.float32(value)).output(0)
