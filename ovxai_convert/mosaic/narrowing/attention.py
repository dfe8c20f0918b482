"""Attention that is one op, written out as the products and the softmax that it stands for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.mosaic.narrowing.regions import Reading, Region, Wanted, whole
from ovxai_convert.mosaic.shapes import extent, rank_of


def attention(wanted: Wanted) -> Reading:
    """``softmax(scale Q K^T + mask) V``; the rows that are read of it need these queries, and all keys.

    Axes before the last two are broadcast; of them nothing is left out.
    """
    if wanted.node.get_attributes()["causal"]:
        return wanted.recreated(whole(wanted.shape), wanted.whole_inputs())
    rows = wanted.region[-2]
    computed: Region = (*whole(wanted.shape[:-2]), rows, None)
    inputs = wanted.whole_inputs()
    inputs[0] = (*whole(wanted.input_shape(0)[:-2]), rows, None)
    if len(inputs) > 3 and len(mask := wanted.input_shape(3)) > 1:
        inputs[3] = (*whole(mask[:-2]), None if mask[-2] == 1 else rows, None)
    return Reading(computed, tuple(inputs), _written_out)


def _written_out(ports: Sequence[Output | None]) -> Output:
    query, keys, values, *others = (port for port in ports if port is not None)
    scale = others[1] if len(others) > 1 else _default_scale(query)
    scores = ops.matmul(ops.multiply(query, scale), keys, False, True).output(0)
    if others and rank_of(others[0]) > 0:  # a scalar stands for no mask
        scores = _masked(scores, others[0])
    weights = ops.softmax(scores, rank_of(scores) - 1)
    return ops.matmul(weights, values, False, False).output(0)


def _masked(scores: Output, mask: Output) -> Output:
    """A mask is added, or tells by truth values which keys take part."""
    if mask.get_element_type().is_real():
        return ops.add(scores, mask).output(0)
    never = ops.constant(np.array(-np.inf, scores.get_element_type().to_dtype()))
    return ops.select(mask, scores, never).output(0)


def _default_scale(query: Output) -> Output:
    """One over the root of the number of channels of a head."""
    channels = extent(query, rank_of(query) - 1)
    dtype = query.get_element_type()
    if isinstance(channels, int):
        return ops.constant(np.array(channels**-0.5, dtype.to_dtype())).output(0)
    return ops.power(ops.convert(channels, dtype), ops.constant(np.array(-0.5, dtype.to_dtype()))).output(0)
