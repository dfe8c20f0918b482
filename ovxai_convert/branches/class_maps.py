"""From scores of all copies to one map per class: of every class, of chosen ones, or of the best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.branches.branch import RawMaps, Site
from ovxai_convert.branches.class_selection import pick_classes, selected_indices
from ovxai_convert.errors import Refusal
from ovxai_convert.graph.linear_tail import find_linear_tail, take_out_divisor
from ovxai_convert.graph.ports import rank
from ovxai_convert.mosaic.copies import Copies
from ovxai_convert.mosaic.kinds import Dense
from ovxai_convert.mosaic.shapes import extent, ints, reshaped
from ovxai_convert.vocabulary import Method

Rewritten = Callable[[Output], Dense | Refusal]
"""A tensor of the head for all copies."""


def class_maps(
    site: Site, method: Method, copies: Copies, grid: tuple[int | Output, int | Output], rewritten: Rewritten
) -> RawMaps | Refusal:
    """Maps ``[N, K, H, W]``, or ``[N, K', H, W]`` of chosen classes, from the scores of all copies.

    Args:
        site: where the branch is built.
        method: whose maps they are.
        copies: as many as the grid has cells.
        grid: rows and columns.
        rewritten: makes a tensor of the head for all copies.
    """
    if site.selection.everything:
        per_class = _all_classes(site, copies, rewritten)
        indices = None
    else:
        indices = selected_indices(site.selection, site.scores.port, copies.samples, site.scores.class_count)
        per_class = _chosen_classes(site, copies, indices, rewritten)
    if isinstance(per_class, Refusal):
        return replace(per_class, method=method.value)
    count = site.selection.count(site.scores.class_count)
    maps = reshaped(per_class, [copies.samples, count, *grid])
    return RawMaps(maps, indices if site.selection.top_k else None)


def _all_classes(site: Site, copies: Copies, rewritten: Rewritten) -> Output | Refusal:
    """``[N, K, P]``: the scores of every copy."""
    scores = _leading(rewritten, site.scores.port)
    if isinstance(scores, Refusal):
        return scores
    per_copy = reshaped(scores, [copies.samples, copies.count, site.scores.class_count])
    return ops.transpose(per_copy, ints([0, 2, 1])).output(0)


def _chosen_classes(site: Site, copies: Copies, indices: Output, rewritten: Rewritten) -> Output | Refusal:
    """``[N, K', P]``; on a linear last layer only the weights of the chosen classes are multiplied."""
    tail = find_linear_tail(site.flow, site.scores.port)
    if tail is None or not site.flow.between(site.target.port, tail.features):
        everything = _all_classes(site, copies, rewritten)
        return everything if isinstance(everything, Refusal) else pick_classes(everything, indices)
    features = _leading(rewritten, tail.features)
    if isinstance(features, Refusal):
        return features
    channels = extent(tail.features, 1)
    per_copy = reshaped(features, [copies.samples, copies.count, channels])
    rows, divisor = tail.rows(indices), take_out_divisor(site.flow, per_copy)
    if divisor is not None:
        rows = ops.divide(rows, divisor).output(0)
    return tail.finish(_products(rows, per_copy), indices)


def _products(rows: Output, per_copy: Output) -> Output:
    """``[K', C]`` or ``[N, K', C]`` times ``[N, P, C]``, to ``[N, K', P]``.

    The runtime packs constant weights once if they stand on the right; rows that are gathered anew in every
    inference it would pack every time, and on the left they save the Transpose.
    """
    if rank(rows) == 3:
        return ops.matmul(rows, per_copy, False, True).output(0)
    return ops.transpose(ops.matmul(per_copy, rows, False, True), ints([0, 2, 1])).output(0)


def _leading(rewritten: Rewritten, sink: Output) -> Output | Refusal:
    """A tensor of the head for all copies, samples and copies along its first axis."""
    result = rewritten(sink)
    if isinstance(result, Refusal):
        return result
    if result.batch_axis != 0 or result.inner != 1:
        reason = "the samples do not lie along the first axis of the scores"
        return Refusal("mosaic", reason, sink.get_node().get_friendly_name())
    return result.port
