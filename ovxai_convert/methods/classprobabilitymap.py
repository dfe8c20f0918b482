"""Class probability map: how likely a detector finds each class at every place of its dense head."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_head import DenseHead, HeadScale, Role, ScoreTensor
from ovxai_convert.anatomy.dense_target import dense_layers, dense_target
from ovxai_convert.anatomy.feature_maps import Candidate
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import Target
from ovxai_convert.errors import Refusal
from ovxai_convert.methods.method import PER_CLASS, Head, RawMaps, Settings, Site, WhiteBoxMethod
from ovxai_convert.tensors.extents import (
    Extent,
    counted,
    extent,
    ints,
    rank_of,
    reshaped,
    scalar,
    shape_vector,
)
from ovxai_convert.tensors.permuting import transposed
from ovxai_convert.vocabulary import Task

_AXES: Final[tuple[Role, ...]] = ("N", "K", "H", "W")


def build(site: Site) -> RawMaps | Refusal:
    """Maps ``[N, K, H, W]`` of the finest grid; ``[N, K', H, W]`` of chosen classes.

    ``map[n, k, y, x] = max_s max_a p_s[n, a, k, y_s, x_s]`` for the scores p of scale s and anchor a, behind
    the activation of the network and times its objectness, where ``y_s = floor((2 y + 1) H_s / (2 H))`` is
    the row of scale s in which the middle of row y lies, and x_s likewise.

    The ancestor's (openvino-xai 1.1.0) normalises over classes, joins anchors and scales of a tensor without
    its activation, and resizes linearly to a fixed size.
    """
    dense = site.target.dense
    if dense is None:
        return Refusal("it explains detectors, by the class scores of all places")
    scored: list[tuple[HeadScale, Output]] = []
    for tensor in dense.tensors:
        apart = tensor.with_anchors_apart()
        scored += _scales(apart, _class_scores(site, dense, tensor))
    scales = [scale for scale, _ in scored]
    size = _most(scales, "H"), _most(scales, "W")
    maps = [_brought_to(dense.finest, scale, scores, size) for scale, scores in scored]
    joined = reduce(lambda one, other: ops.maximum(one, other).output(0), maps)
    if not site.selection.top_k:
        return RawMaps(joined)
    highest = ops.reduce_max(joined, ints([2, 3]), keep_dims=False)
    classes = ops.topk(highest, ints(site.selection.top_k), 1, "max", "value", "i64").output(1)
    return RawMaps(ops.gather(joined, classes, ints(1), 1).output(0), classes)


def _class_scores(site: Site, dense: DenseHead, tensor: ScoreTensor) -> Output:
    """The scores of the classes that get a map, where the tensor's axes are as they were."""
    tap, axis = _numbers(site, tensor), tensor.with_anchors_apart().class_axis
    columns = tensor.columns
    if site.selection.indices is not None:
        columns = tuple(columns[index] for index in site.selection.indices)
    if dense.missing == "softmax" and axis is not None:
        tap = ops.softmax(tap, axis).output(0)
    scores = tap if axis is None else _taken(tap, axis, columns, tensor.width)
    if dense.missing == "sigmoid":
        scores = ops.sigmoid(scores).output(0)
    if tensor.objectness is None:
        return scores
    if isinstance(tensor.objectness, int):
        assert axis is not None, "an index on an axis"
        beside = _taken(tap, axis, (tensor.objectness,), tensor.width)
    else:
        beside = _numbers(site, tensor.objectness)
    if dense.missing == "sigmoid":
        beside = ops.sigmoid(beside).output(0)
    return ops.multiply(scores, beside).output(0)


def _numbers(site: Site, tensor: ScoreTensor) -> Output:
    """What is read instead of a tensor, anchors and classes on axes of their own."""
    tap, shared = site.taps[tensor.port], tensor.shared_axis
    if shared is None:
        return tap
    scale, own = tensor.scales[0], [extent(tap, axis) for axis in range(rank_of(tap))]
    return reshaped(tap, [*own[:shared], *scale.lengths(shared), *own[shared + 1 :]])


def _taken(port: Output, axis: int, indices: Sequence[int], width: int) -> Output:
    """Some indices of an axis, which stays."""
    if tuple(indices) == tuple(range(width)):
        return port
    if tuple(indices) == tuple(range(indices[0], indices[-1] + 1)):
        bounds = [ints([bound]) for bound in (indices[0], indices[-1] + 1, 1, axis)]
        return ops.slice(port, *bounds).output(0)
    return ops.gather(port, ints(list(indices)), ints(axis)).output(0)


def _scales(tensor: ScoreTensor, scores: Output) -> list[tuple[HeadScale, Output]]:
    """Each scale of a tensor, its axes as they were."""
    if tensor.joined is None:
        return [(tensor.scales[0], scores)]
    lengths = shape_vector([scale.length(tensor.joined) for scale in tensor.scales])
    pieces = ops.variadic_split(scores, ints(tensor.joined), lengths).outputs()
    return list(zip(tensor.scales, pieces, strict=True))


def _most(scales: Sequence[HeadScale], role: Role) -> Extent:
    """Rows or columns of the finest scale."""
    sizes = [scale.extent(role) for scale in scales]
    if all(isinstance(size, int) for size in sizes):
        return max(size for size in sizes if isinstance(size, int))
    ports = [ints([size]) if isinstance(size, int) else size for size in sizes]
    return reduce(lambda one, other: ops.maximum(one, other).output(0), ports)


def _brought_to(finest: HeadScale, scale: HeadScale, scores: Output, size: tuple[Extent, Extent]) -> Output:
    """One scale as ``[N, K, H, W]`` of the finest scale: the best anchor's scores, each where it lies."""
    maps = _laid_out(scale, scores)
    places: tuple[Role, Role] = ("H", "W")
    for role, most in zip(places, size, strict=True):
        axis = _AXES.index(role)
        if scale.size(role) is None or scale.size(role) != finest.size(role):
            maps = ops.gather(maps, _cells(extent(maps, axis), most), ints(axis)).output(0)
    return maps


def _cells(few: Extent, many: Extent) -> Output:
    """For each of many cells the one of a few in which its middle lies."""
    middles = ops.add(ops.multiply(counted(many), ints(2)), ints(1))
    return ops.divide(ops.multiply(middles, scalar(few)), ops.multiply(scalar(many), ints(2))).output(0)


def _laid_out(scale: HeadScale, scores: Output) -> Output:
    """``[N, K, H, W]``, the largest over anchors."""
    pattern: list[Extent] = []
    for axis, factors in enumerate(scale.axes):
        whole = len(factors) < 2 and not any(each.role in "HW" for each in factors)
        pattern += [extent(scores, axis)] * len(factors) if whole else scale.lengths(axis)
    maps = reshaped(scores, pattern)
    roles = [factor.role for axis in scale.axes for factor in axis]
    anchors = [index for index, role in enumerate(roles) if role == "A"]
    if anchors:
        maps = ops.reduce_max(maps, ints(anchors), keep_dims=False).output(0)
    left = [role for role in roles if role != "A"]
    maps = transposed(maps, [left.index(role) for role in _AXES if role in left])
    missing = [index for index, role in enumerate(_AXES) if role not in left]
    return ops.unsqueeze(maps, ints(missing)).output(0) if missing else maps


def define(head: Head, values: Sequence[NDArray[Any]], cells: Sequence[int], _: Settings) -> NDArray[Any]:
    """Place by place, index by index, from the values of the score tensors."""
    dense = head.target.dense
    assert dense is not None, "located so"
    known = {port: value for port, value in zip(head.entering, values, strict=True) if port is not None}
    sizes = [_size(scale, known) for _, scale in dense.scales]
    rows, columns = max(size[0] for size in sizes), max(size[1] for size in sizes)
    found: list[NDArray[Any]] = []
    for cell in cells:
        row, column = divmod(cell, columns)
        best: list[NDArray[Any]] = []
        for tensor in dense.tensors:
            start = 0
            for scale in tensor.scales:
                high, wide = _size(scale, known)
                place = (2 * row + 1) * high // (2 * rows), (2 * column + 1) * wide // (2 * columns)
                each = ((*place, *anchor) for anchor in np.ndindex(*scale.anchors))
                best += [_scores_at(dense, tensor, scale, known, start, one) for one in each]
                start += _length(scale, tensor.joined, (high, wide)) if tensor.joined is not None else 0
        found.append(np.max(best, axis=0))
    return np.stack(found, axis=-1)


def _size(scale: HeadScale, known: dict[Output, NDArray[Any]]) -> tuple[int, int]:
    """Rows and columns at the shape at hand."""

    def size(role: Role) -> int:
        if role not in scale.places:
            return scale.size(role) or 1
        port, axis = scale.places[role]
        return int(known[port].shape[axis])

    return size("H"), size("W")


def _length(scale: HeadScale, axis: int, size: tuple[int, int]) -> int:
    counts = {"H": size[0], "W": size[1]}
    return int(np.prod([counts.get(factor.role, factor.extent or 1) for factor in scale.axes[axis]]))


def _scores_at(
    dense: DenseHead,
    tensor: ScoreTensor,
    scale: HeadScale,
    known: dict[Output, NDArray[Any]],
    start: int,
    place: tuple[int, ...],
) -> NDArray[Any]:
    """``[N, K]`` of one place and anchor: row, column and anchors as in ``place``."""
    numbers = _numbers_at(known[tensor.port], tensor, scale, _size(scale, known), start, place)
    if dense.missing == "softmax":
        powers = np.exp(numbers - numbers.max(axis=1, keepdims=True))
        numbers = powers / powers.sum(axis=1, keepdims=True)
    classes, beside = numbers[:, list(tensor.columns)], tensor.objectness
    if beside is None:
        return _finished(dense, classes)
    if isinstance(beside, int):
        objectness = numbers[:, beside : beside + 1]
    else:
        other = beside.scales[tensor.scales.index(scale)]
        objectness = _numbers_at(known[beside.port], beside, other, _size(scale, known), start, place)
    return np.asarray(_finished(dense, classes) * _finished(dense, objectness))


def _finished(dense: DenseHead, numbers: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * numbers)) if dense.missing == "sigmoid" else numbers


def _numbers_at(
    values: NDArray[Any],
    tensor: ScoreTensor,
    scale: HeadScale,
    size: tuple[int, int],
    start: int,
    place: tuple[int, ...],
) -> NDArray[Any]:
    """All numbers ``[N, width]`` of one place and anchor."""
    row, column, *anchors = place
    waiting = iter(anchors)
    wide = values.astype(np.float64)
    taken = list[Any]()
    for axis, factors in enumerate(scale.axes):
        index, open_factor = 0, False
        for factor in factors:
            if factor.role in "NK":
                open_factor = True
                continue
            count = {"H": size[0], "W": size[1]}.get(factor.role, factor.extent or 1)
            at = {"H": row, "W": column}.get(factor.role)
            index = index * count + (next(waiting) if at is None else at)
        if open_factor and len(factors) > 1:  # anchors times classes, of each all classes
            taken.append(slice(index * tensor.width, (index + 1) * tensor.width))
        elif open_factor:
            taken.append(slice(None))
        else:
            taken.append(index + (start if axis == tensor.joined else 0))
    numbers = wide[tuple(taken)]
    kept = [factor.role for factors in scale.axes for factor in factors if factor.role in "NK"]
    if kept == ["K", "N"]:
        numbers = numbers.T
    return np.asarray(numbers.reshape(1 if "N" not in kept else -1, tensor.width))


def candidates(anatomy: Anatomy, scores: Scores) -> list[Candidate]:
    """The score tensors of all scales, the finest first."""
    return dense_layers(scores)


def locate(anatomy: Anatomy, scores: Scores, wanted: str | None, _: Settings) -> Target | Refusal:
    """The dense head that the scores are of; layers that are named are found where that is."""
    return dense_target(scores)


METHOD = WhiteBoxMethod(
    "classprobabilitymap",
    PER_CLASS,
    candidates,
    locate,
    build,
    define,
    raw_like=lambda _, target: target.port,
    task=Task.DETECTION,
)
