"""Recipro-CAM: the score of every class when all cells of the feature map but one are set to zero."""

from __future__ import annotations

from dataclasses import replace

from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.branches.branch import Branch, Site
from ovxai_convert.errors import Refusal
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.rewrite import rewrite_head
from ovxai_convert.mosaic.shapes import extent, ints, reshaped
from ovxai_convert.vocabulary import Method


def build(site: Site) -> Output | Refusal:
    """Map ``[N, K, H, W]`` of raw scores, in the model's float type.

    ``map[n, k, p] = score_k(head(F[n] * onehot(p)))`` for the feature map F (arXiv 2209.14074).
    Departure from the paper: the scores are taken before the final activation.
    """
    target = site.target
    copies = Copies(target.port, target.position_axes)
    masked = copies.masked_target(site.tap)
    scores = rewrite_head(site.flow, masked, site.scores.port, copies, site.max_bytes)
    if isinstance(scores, Refusal):
        return replace(scores, method=Method.RECIPROCAM.value)
    if scores.batch_axis != 0 or scores.inner != 1:
        reason = "the samples do not lie along the first axis of the scores"
        return Refusal(Method.RECIPROCAM.value, reason, site.scores.port.get_node().get_friendly_name())
    per_copy = reshaped(scores.port, [copies.samples, copies.count, site.scores.class_count])
    per_class = ops.transpose(per_copy, ints([0, 2, 1])).output(0)
    rows, columns = _grid(site)
    return reshaped(per_class, [copies.samples, site.scores.class_count, rows, columns])


def _grid(site: Site) -> tuple[int | Output, int | Output]:
    rows, columns = site.target.grid
    axes = site.target.position_axes
    if rows is not None and columns is not None:
        return rows, columns
    return extent(site.target.port, axes[0]), extent(site.target.port, axes[-1])


BRANCH = Branch(Method.RECIPROCAM, ("batch", "class", "height", "width"), build)
