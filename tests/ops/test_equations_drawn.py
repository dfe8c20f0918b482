"""Heads drawn at random: the maps with and without equations are those of the definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from openvino import Node
from openvino import opset15 as ops

from fixtures.networks import Tensor, extent_of, reshaped, transposed
from tests.ops.equation_cases import BATCHES, TO_NCHW, TO_NHWC, biased, flat, gated, mean, skipped, squashed
from tests.ops.equation_cases_pooling import pooled
from tests.ops.heads import Start, head_model, whole
from tests.ops.inserting import insert_watched, insert_with, none_at_all
from tests.oracle import assert_maps_equal
from tests.running import definition, random_inputs, run

Step = Callable[[Start, Tensor], Tensor]
STARTS: Final[Mapping[str, Callable[[Start], Tensor]]] = {
    "biased": biased,
    "squashed": squashed,
    "gated": gated,
    "skipped": skipped,
}
GRIDS: Final = ((3, 5), (4, 6), (1, 4), (6, 2))


def _normalised(s: Start, x: Tensor) -> Node:
    """LayerNorm over the channels, written out."""
    centred = ops.subtract(x, ops.reduce_mean(x, [1], True))
    variance = ops.reduce_mean(ops.power(centred, np.float32(2)), [1], True)
    return ops.divide(centred, ops.sqrt(ops.add(variance, np.float32(0.1))))


def _channel_last(s: Start, x: Tensor) -> Node:
    return transposed(ops.tanh(s.draw.linear(transposed(x, TO_NHWC), 5)), TO_NCHW)


def _placed(s: Start, x: Tensor) -> Node:
    """Plus a constant for every cell."""
    return ops.add(x, s.draw.numbers(1, extent_of(x, 1), extent_of(x, 2), extent_of(x, 3), scale=0.5))


def _tiles(kind: str) -> Step:
    """Two by two, or as much of it as the map allows."""

    def step(s: Start, x: Tensor) -> Tensor:
        rows, columns = (2 - extent_of(x, axis) % 2 for axis in (2, 3))
        return pooled(x, kind, rows, columns)

    return step


STEPS: Final[Mapping[str, Step]] = {
    "tanh": lambda s, x: ops.tanh(x),
    "exp": lambda s, x: ops.exp(ops.tanh(x)),
    "hard sigmoid": lambda s, x: ops.hsigmoid(x),
    "batch norm": lambda s, x: s.draw.batch_norm(x),
    "1x1": lambda s, x: s.draw.convolution(x, 6, kernel=1),
    "3x3": lambda s, x: s.draw.convolution(x, 3, kernel=3),
    "own gate": lambda s, x: ops.multiply(x, ops.sigmoid(s.draw.convolution(x, extent_of(x, 1), kernel=1))),
    "slope": lambda s, x: ops.prelu(x, s.draw.numbers(extent_of(x, 1), scale=0.3)),
    "softmax": lambda s, x: ops.softmax(x, 1),
    "MVN": lambda s, x: ops.mvn(x, whole(1), True, 0.1, "inside_sqrt"),
    "L2 norm": lambda s, x: ops.normalize_l2(x, whole(1), 0.1, "add"),
    "layer norm": _normalised,
    "channel last": _channel_last,
    "embedding": _placed,
    "largest of tiles": _tiles("max"),
    "mean of tiles": _tiles("average"),
    "turned": lambda s, x: transposed(x, [0, 1, 3, 2]),
}


def _whole_map(s: Start, x: Tensor) -> Node:
    weights = s.draw.numbers(5, *(extent_of(x, axis) for axis in (1, 2, 3)), scale=0.3)
    return ops.convolution(x, weights, [1, 1], [0, 0], [0, 0], [1, 1])


def _tokens(s: Start, x: Tensor) -> Node:
    merged = reshaped(transposed(x, TO_NHWC), [0, -1, extent_of(x, 1)])
    return mean(ops.tanh(s.draw.linear(merged, 5)), 1)


ENDS: Final[Mapping[str, Step]] = {
    "mean": lambda s, x: mean(x),
    "mean keeps axes": lambda s, x: ops.reduce_mean(x, [-1, -2], True),
    "mean channel last": lambda s, x: mean(transposed(x, TO_NHWC), 1, 2),
    "sum": lambda s, x: ops.tanh(ops.reduce_sum(x, [2, 3], False)),
    "largest": lambda s, x: ops.reduce_max(x, [2, 3], False),
    "smallest": lambda s, x: ops.reduce_min(x, [2, 3], True),
    "pooling": lambda s, x: ops.avg_pool(
        x, [1, 1], [0, 0], [0, 0], [extent_of(x, 2), extent_of(x, 3)], False
    ),
    "flatten": lambda s, x: ops.tanh(s.draw.linear(flat(x), 5)),
    "flatten and activation": lambda s, x: ops.tanh(s.draw.linear(ops.exp(ops.tanh(flat(x))), 5)),
    "whole map": _whole_map,
    "tokens": _tokens,
}


@dataclass(frozen=True)
class Drawn:
    """A head by the names of its parts."""

    start: str
    steps: tuple[str, ...]
    end: str
    seed: int
    batch: int | None
    channels: int
    grid: tuple[int, int]

    def build(self, s: Start) -> Tensor:
        """From the feature map to the features."""
        x = STARTS[self.start](s)
        for name in self.steps:
            x = STEPS[name](s, x)
        return ENDS[self.end](s, x)


DRAWN: Final = st.builds(
    Drawn,
    start=st.sampled_from(sorted(STARTS)),
    steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=5).map(tuple),
    end=st.sampled_from(sorted(ENDS)),
    seed=st.integers(0, 2**16),
    batch=st.sampled_from(BATCHES),
    channels=st.integers(2, 5),
    grid=st.sampled_from(GRIDS),
)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(drawn=DRAWN)
def test_maps_are_the_definition(drawn: Drawn) -> None:
    model = head_model(drawn.build, drawn.batch, drawn.channels, drawn.grid, drawn.seed)
    inputs = random_inputs(model, drawn.seed)
    insertion, answers = insert_watched(model)
    expected = definition(model, insertion, inputs)
    assume(
        np.ptp(expected, axis=(-2, -1)).min() > 0.01 * abs(expected).max()
    )  # float32 tells the cells apart
    assert answers
    compact = run(insertion.model, inputs)[-1]
    assert_maps_equal(compact, expected)
    written_out = run(insert_with(model, none_at_all).model, inputs)[-1]
    assert_maps_equal(written_out, expected)
    assert_maps_equal(compact, written_out)
