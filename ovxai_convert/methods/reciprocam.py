"""Recipro-CAM: the score of every class when all cells of the feature map but one are set to zero."""

from __future__ import annotations

from openvino import Output

from ovxai_convert.errors import Refusal
from ovxai_convert.methods.class_maps import class_maps
from ovxai_convert.methods.method import Branch, RawMaps, Site
from ovxai_convert.mosaic.rewriting import Rewriting, Rewritten, rewrite_head
from ovxai_convert.ops.kinds import Mask
from ovxai_convert.ops.levels import masked
from ovxai_convert.tensors.extents import extent, product, shape_vector
from ovxai_convert.vocabulary import Method


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

    return class_maps(site, Method.RECIPROCAM, target.grid_extents(), rewrite)


BRANCH = Branch(Method.RECIPROCAM, ("batch", "class", "height", "width"), build)
