"""Recipro-CAM: the score of every class when all cells of the feature map but one are set to zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openvino import Output

from ovxai_convert.errors import Refusal
from ovxai_convert.methods.class_maps import class_maps
from ovxai_convert.methods.method import PER_CLASS, Head, RawMaps, Settings, Site, on_feature_maps
from ovxai_convert.mosaic.rewriting import Rewriting, Rewritten, rewrite_head
from ovxai_convert.ops.kinds import Mask
from ovxai_convert.ops.levels import masked
from ovxai_convert.tensors.extents import extent, product, shape_vector


def build(site: Site) -> RawMaps | Refusal:
    """Maps ``[N, K, H, W]`` of raw scores, in the model's float type; ``[N, K', H, W]`` of chosen classes.

    ``map[n, k, p] = score_k(head(F[n] * onehot(p)))`` for the feature map F (arXiv 2209.14074).
    Departure from the paper: the scores are taken before the final activation.
    """
    target = site.target
    count = shape_vector([product([extent(target.port, axis) for axis in target.position_axes])])
    sources = {target.port: masked(site.tap, target.position_axes, Mask(), target.sample_axis)}

    def rewrite(sink: Output) -> Rewritten | Refusal:
        return rewrite_head(site.flow, sources, sink, Rewriting(count, site.max_bytes))

    return class_maps(site, target.grid_extents(), rewrite)


def define(head: Head, values: Sequence[NDArray[Any]], cells: Sequence[int], _: Settings) -> NDArray[Any]:
    """The head's scores on feature maps of which one cell is kept."""
    features, *others = values
    axes = head.target.position_axes
    cells_first = np.moveaxis(features, axes, range(len(axes)))
    scores = []
    for cell in cells:
        kept = np.unravel_index(cell, cells_first.shape[: len(axes)])
        single = np.zeros_like(features)
        np.moveaxis(single, axes, range(len(axes)))[kept] = cells_first[kept]
        scores.append(head.scores([single, *others]))
    return np.stack(scores, axis=-1)


METHOD = on_feature_maps("reciprocam", PER_CLASS, build, define)
