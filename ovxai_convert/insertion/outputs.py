"""The one change we make to a model: another output at the end of its list, mostly a map in grey levels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Final

import numpy as np
from openvino import Model, Node, Output
from openvino import opset15 as ops

from ovxai_convert.anatomy.target import Target
from ovxai_convert.tensors.extents import ints, rank_of

_RESOLUTION: Final = 255 * float(np.finfo(np.float32).eps)
"""Smallest range, as a part of the largest magnitude, whose 255 grey steps float32 can tell apart."""


def scale_to_grey_levels(raw: Output) -> Output:
    """Min-max scaling of each ``H x W`` map to u8, 0 to 255, rounded half to even.

        grey = round(255 * (x - min) / (max - min))

    A constant map is all 0. So is a map whose range is below float32's resolution (``_RESOLUTION`` times its
    largest magnitude): its grey levels would show rounding errors, not scores.
    """
    axes = ints([rank_of(raw) - 2, rank_of(raw) - 1])
    values = ops.convert(raw, "f32")
    low, high = ops.reduce_min(values, axes, keep_dims=True), ops.reduce_max(values, axes, keep_dims=True)
    magnitude = ops.maximum(ops.absolute(low), ops.absolute(high))
    spread = ops.subtract(high, low)
    shown = ops.greater(spread, ops.multiply(magnitude, np.float32(_RESOLUTION)))
    gain = ops.select(shown, ops.divide(np.float32(255), spread), np.float32(0))
    levels = ops.multiply(ops.subtract(values, low), gain)
    return ops.convert(ops.round(levels, "half_to_even"), "u8").output(0)


def mean_of_cells(tap: Output, target: Target) -> Output:
    """The feature vector ``[N, C]``, f32: the mean over all cells of what equals the target.

    Of tokens those that are patches are cells.
    """
    values = ops.convert(tap, "f32")
    axis = target.feature_axes[0]
    if (patches := target.patches) is not None:
        first, count = patches
        bounds = [ints([bound]) for bound in (first, first + count, 1, axis)]
        values = ops.slice(values, *bounds)
    return ops.reduce_mean(values, ints(target.feature_axes), keep_dims=False).output(0)


def add_output(model: Model, port: Output, name: str) -> None:
    """Append ``port`` as the model's last output, with ``name`` as its tensor name and friendly name.

    Everything that was an output keeps its index, names, type and shape.
    """
    port.get_tensor().set_names({name})
    port.get_node().set_friendly_name(name)
    # add_outputs would also name outputs that have no name
    model.add_results([ops.result(port, name=f"{name}/result")])


def name_added_nodes(model: Model, before: Sequence[Node], prefix: str) -> list[Node]:
    """Give every node that is not one of those ``before`` a name that is the same in every run; all of these.

    They are called ``prefix/Type_3``. OpenVINO names new nodes by a counter of the process, which would make
    equal conversions differ.
    """
    old, taken = set(before), {node.get_friendly_name() for node in before}
    numbers: defaultdict[str, count[int]] = defaultdict(count)
    added = [node for node in model.get_ordered_ops() if node not in old]
    for node in added:
        if not node.get_friendly_name().startswith(prefix):
            kind = node.get_type_name()
            name = f"{prefix}/{kind}_{next(numbers[kind])}"
            node.set_friendly_name(name if name not in taken else f"{name}_added")
    return added
