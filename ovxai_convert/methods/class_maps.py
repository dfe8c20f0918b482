"""From scores of all copies to one map per class: of every class, of chosen ones, or of the best."""

from __future__ import annotations

from collections.abc import Callable

from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.methods.linear_tail import find_linear_tail, take_out_divisor
from ovxai_convert.methods.method import RawMaps, Site
from ovxai_convert.mosaic.rewriting import Rewritten
from ovxai_convert.tensors.extents import Extent, extent, ints, rank_of, reshaped
from ovxai_convert.tensors.permuting import transposed


def class_maps(
    site: Site, grid: tuple[Extent, Extent], rewrite: Callable[[Output], Rewritten | Refusal]
) -> RawMaps | Refusal:
    """Maps ``[N, K, H, W]``, or ``[N, K', H, W]`` of chosen classes, from the scores of all copies.

    Args:
        site: where the branch is built.
        grid: rows and columns.
        rewrite: makes a tensor of the head for as many copies as the grid has cells.
    """
    indices = None if site.selection.everything else _selected_indices(site)
    sink, per_class = _all_classes(site) if indices is None else _chosen_classes(site, indices)
    rewritten = rewrite(sink)
    if isinstance(rewritten, Refusal):
        return rewritten
    flat = per_class(rewritten.port)
    maps = reshaped(flat, [extent(flat, 0), site.selection.count(site.scores.class_count), *grid])
    return RawMaps(maps, indices if site.selection.top_k else None, rewritten.written_out)


def _selected_indices(site: Site) -> Output:
    """Indices of the classes that get a map: ``[K']`` as chosen, or ``[N, K']`` by the scores."""
    selection, scores = site.selection, site.scores
    if selection.indices is not None:
        return ints(list(selection.indices))
    most = ints(selection.top_k or scores.class_count)
    return ops.topk(_flat(scores.port, 2), most, 1, "max", "value", "i64").output(1)


def _flat(scores: Output, count: int) -> Output:
    """The first axes alone, of ``[N, K, 1, 1]`` or ``[P, N, K, 1, 1]``."""
    single = list(range(count, rank_of(scores)))
    return ops.squeeze(scores, ints(single)).output(0) if single else scores


_PerClass = Callable[[Output], Output]
"""``[P, N, ...]`` to ``[N, K, P]``."""


def _all_classes(site: Site) -> tuple[Output, _PerClass]:
    """The scores of every copy."""
    return site.scores.port, lambda copies: transposed(_flat(copies, 3), [1, 2, 0])


def _chosen_classes(site: Site, indices: Output) -> tuple[Output, _PerClass]:
    """On a linear last layer only the weights of the chosen classes are multiplied."""
    tail = find_linear_tail(site.flow, site.scores.port)
    if tail is None or not site.flow.between(site.target.port, tail.features):
        sink, every = _all_classes(site)
        samples = int(rank_of(indices) == 2)  # of ``[N, K']``
        return sink, lambda copies: ops.gather(every(copies), indices, ints(1), samples).output(0)

    def products(copies: Output) -> Output:
        divisor, rows = take_out_divisor(site.flow, copies), tail.rows(indices)
        if divisor is not None:
            rows = ops.divide(rows, divisor).output(0)
        return tail.finish(_products(rows, copies), indices)

    return tail.features, products


def _products(rows: Output, copies: Output) -> Output:
    """``[K', C]`` or ``[N, K', C]`` times ``[P, N, C]``, to ``[N, K', P]``.

    The runtime packs constant weights once if they stand on the right; rows that are gathered anew in every
    inference it would pack every time, and on the left they save the permutation.
    """
    if rank_of(rows) == 3:
        return ops.matmul(rows, transposed(copies, [1, 0, 2]), False, True).output(0)
    return transposed(ops.matmul(copies, rows, False, True).output(0), [1, 2, 0])
