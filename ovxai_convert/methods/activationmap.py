"""Activation map: the mean of the feature map over its channels; one map for all classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.methods.method import PER_IMAGE, Head, RawMaps, Settings, Site, on_feature_maps
from ovxai_convert.tensors.extents import extent, ints, reshaped


def build(site: Site) -> RawMaps | Refusal:
    """Map ``[N, H, W]``: ``map[n, p] = mean_c F[n, c, p]``, in the model's float type."""
    if not site.selection.everything:
        return Refusal("it has one map for all classes, of which none can be chosen")
    target = site.target
    mean = ops.reduce_mean(site.tap, ints([target.channel_axis]), keep_dims=False).output(0)
    if len(target.position_axes) == 2:
        return RawMaps(mean)
    return RawMaps(reshaped(mean, [extent(mean, 0), *target.grid_extents()]))


def define(head: Head, values: Sequence[NDArray[Any]], cells: Sequence[int], _: Settings) -> NDArray[Any]:
    """The mean of each cell."""
    mean = values[0].astype(np.float64).mean(axis=head.target.channel_axis)
    return np.take(mean.reshape(len(mean), 1, -1), cells, axis=-1)


METHOD = on_feature_maps(
    "activationmap", PER_IMAGE, build, define, cells_checked=None, raw_like=lambda _, target: target.port
)
