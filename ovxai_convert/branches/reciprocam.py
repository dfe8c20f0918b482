"""Recipro-CAM: the score of every class when all cells of the feature map but one are set to zero."""

from __future__ import annotations

from openvino import Output

from ovxai_convert.branches.branch import Branch, RawMaps, Site
from ovxai_convert.branches.class_maps import class_maps
from ovxai_convert.errors import Refusal
from ovxai_convert.mosaic.copies import Copies, masked_map
from ovxai_convert.mosaic.kinds import Dense
from ovxai_convert.mosaic.rewrite import rewrite_head
from ovxai_convert.mosaic.shapes import extent
from ovxai_convert.vocabulary import Method


def build(site: Site) -> RawMaps | Refusal:
    """Maps ``[N, K, H, W]`` of raw scores, in the model's float type; ``[N, K', H, W]`` of chosen classes.

    ``map[n, k, p] = score_k(head(F[n] * onehot(p)))`` for the feature map F (arXiv 2209.14074).
    Departure from the paper: the scores are taken before the final activation.
    """
    copies = Copies.of_cells(site.target.port, site.target.position_axes)

    def rewritten(sink: Output) -> Dense | Refusal:
        masked = masked_map(site.tap, site.target.position_axes)
        return rewrite_head(site.flow, {site.target.port: masked}, sink, copies, site.max_bytes)

    return class_maps(site, Method.RECIPROCAM, copies, _grid(site), rewritten)


def _grid(site: Site) -> tuple[int | Output, int | Output]:
    rows, columns = site.target.grid
    axes = site.target.position_axes
    if rows is not None and columns is not None:
        return rows, columns
    return extent(site.target.port, axes[0]), extent(site.target.port, axes[-1])


BRANCH = Branch(Method.RECIPROCAM, ("batch", "class", "height", "width"), build)
