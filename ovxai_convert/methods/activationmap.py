"""Activation map: the mean of the feature map over its channels; one map for all classes."""

from __future__ import annotations

from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.methods.method import Branch, RawMaps, Site
from ovxai_convert.tensors.extents import extent, ints, reshaped
from ovxai_convert.vocabulary import Method


def build(site: Site) -> RawMaps | Refusal:
    """Map ``[N, H, W]``: ``map[n, p] = mean_c F[n, c, p]``, in the model's float type."""
    if not site.selection.everything:
        return Refusal(Method.ACTIVATIONMAP.value, "has one map for all classes, of which none can be chosen")
    target = site.target
    mean = ops.reduce_mean(site.tap, ints([target.channel_axis]), keep_dims=False).output(0)
    if len(target.position_axes) == 2:
        return RawMaps(mean)
    return RawMaps(reshaped(mean, [extent(mean, 0), *target.grid_extents()]))


BRANCH = Branch(Method.ACTIVATIONMAP, ("batch", "height", "width"), build)
