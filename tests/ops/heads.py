"""Heads around one op under test: what it is built from, and the model that it stands in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import (
    CnnSpec,
    Draw,
    Tensor,
    classifier,
    extent_of,
    image_parameter,
    named,
    port_of,
)

CHANNELS, ROWS, COLUMNS = 4, 4, 6


@dataclass(frozen=True)
class Site:
    """What the op under test may be built from.

    Attributes:
        x: a tensor ``[N, 4, 4, 6]`` that depends on the target.
        shared: another that does not, and is of each sample alone.
        batch: N, None where dynamic.
        draw: random constants.
    """

    x: Node
    shared: Node
    batch: int | None
    draw: Draw

    @property
    def batch_entry(self) -> int:
        """N as an entry of a Reshape pattern."""
        return self.batch or -1


Build = Callable[[Site], Tensor]


@dataclass(frozen=True)
class Case:
    """A head: the op type under test, how it is built, and what is special about it."""

    op: str
    build: Build = field(repr=False)
    variant: str = ""
    runs_dynamic: bool = True  # False: the runtime itself cannot run the op at a dynamic batch
    one_sample: bool = False  # True: the op names the only sample, so that there can be no other

    def __str__(self) -> str:
        return f"{self.op}-{self.variant}" if self.variant else self.op


def head_model(build: Build, batch: int | None, kernel: int = 3) -> Model:
    """``image -> stem -> target -> convolution -> build -> weighted mean -> layer``.

    The copies of a 3x3 convolution differ in nine cells, so that the op under test is met by real copies;
    those of a 1x1 convolution differ in one cell from a background that its bias makes different from zero.
    The weights of the mean differ from cell to cell, so that cells cannot trade places unseen.
    """
    draw = Draw(31)
    image = image_parameter(CnnSpec(batch=batch, height=ROWS, width=COLUMNS))
    stem = ops.tanh(draw.convolution(image, CHANNELS))
    target = named(ops.tanh(draw.convolution(stem, CHANNELS)), "target")
    y = port_of(build(Site(draw.convolution(target, CHANNELS, kernel), stem, batch, draw)))
    if y.get_element_type().get_type_name() != "f32":
        y = ops.convert(y, "f32").output(0)
    count = len(y.get_partial_shape())
    weights = draw.numbers(1, *(extent_of(y, axis) for axis in range(1, count)))
    weighted = ops.multiply(y, weights)
    pooled = ops.reduce_mean(weighted, list(range(2, count)), False) if count > 2 else weighted
    return classifier(named(draw.linear(pooled, 3), "scores"), [image])


def whole(*values: int) -> Node:
    """A vector of i64."""
    return ops.constant(np.array(values, np.int64))


def on_x(function: Callable[..., Node], *arguments: object) -> Build:
    """The op on ``x`` alone."""
    return lambda s: function(s.x, *arguments)


def on_pair(function: Callable[[Tensor, Tensor], Node]) -> Build:
    """The op on ``x`` and a tensor of each sample's own."""
    return lambda s: function(s.x, s.shared)


def positive(x: Tensor, least: float = 0.1) -> Node:
    """Numbers from ``least`` up."""
    return ops.add(ops.abs(x), np.float32(least))


def inside(x: Tensor) -> Node:
    """Numbers between -0.9 and 0.9."""
    return ops.multiply(ops.tanh(x), np.float32(0.9))


def above(x: Tensor, limit: float = 0.0) -> Node:
    """Truth values."""
    return ops.greater(x, np.float32(limit))
