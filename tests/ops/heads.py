"""Heads: what they are built from, the model that they stand in, and a head around one op under test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

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
class Start:
    """What a head may be built from.

    Attributes:
        target: the feature map ``[N, C, H, W]``; the background of its copies is zero.
        skip: a tensor of the same shape that does not depend on the target, and differs per sample.
        batch: N, None where dynamic.
        channels: C.
        rows: H.
        columns: W.
        draw: random constants.
    """

    target: Node
    skip: Node
    batch: int | None
    channels: int
    rows: int
    columns: int
    draw: Draw

    @property
    def cells(self) -> int:
        """P."""
        return self.rows * self.columns

    @property
    def batch_entry(self) -> int:
        """N as an entry of a Reshape pattern."""
        return self.batch or -1


Build = Callable[[Start], Tensor]


@dataclass(frozen=True)
class OpCase:
    """A head: the op type under test, how it is built, and what is special about it."""

    op: str
    build: Build = field(repr=False)
    variant: str = ""
    runs_dynamic: bool = True  # False: the runtime itself cannot run the op at a dynamic batch
    one_sample: bool = False  # True: the op names the only sample, so that there can be no other

    def __str__(self) -> str:
        return f"{self.op}-{self.variant}" if self.variant else self.op


def head_model(
    build: Build, batch: int | None, channels: int, grid: tuple[int, int], seed: int = 47
) -> Model:
    """``image -> stem -> target -> build -> linear layer``, for features ``[N, D]`` or ``[N, D, 1, 1]``."""
    draw = Draw(seed)
    image = image_parameter(CnnSpec(batch=batch, height=grid[0], width=grid[1]))
    skip = ops.tanh(draw.convolution(image, channels))
    target = named(ops.tanh(draw.convolution(skip, channels)), "target")
    features = port_of(build(Start(target, skip, batch, channels, *grid, draw)))
    if len(features.get_partial_shape()) == 4:
        features = ops.squeeze(features, whole(2, 3)).output(0)
    return classifier(named(draw.linear(features, 3), "scores"), [image])


def op_model(build: Build, batch: int | None, kernel: int = 3) -> Model:
    """``... -> target -> convolution -> build -> weighted mean -> linear layer``.

    The copies of a 3x3 convolution differ in nine cells, so that the op under test is met by real copies;
    those of a 1x1 convolution differ in one cell from a background that its bias makes different from zero.
    The weights of the mean differ from cell to cell, so that cells cannot trade places unseen.
    """

    def features(start: Start) -> Tensor:
        x = start.draw.convolution(start.target, CHANNELS, kernel)
        y = port_of(build(replace(start, target=x)))
        if y.get_element_type().get_type_name() != "f32":
            y = ops.convert(y, "f32").output(0)
        count = len(y.get_partial_shape())
        weights = start.draw.numbers(1, *(extent_of(y, axis) for axis in range(1, count)))
        weighted = ops.multiply(y, weights)
        return ops.reduce_mean(weighted, list(range(2, count)), False) if count > 2 else weighted

    return head_model(features, batch, CHANNELS, (ROWS, COLUMNS), seed=31)


def whole(*values: int) -> Node:
    """A vector of i64."""
    return ops.constant(np.array(values, np.int64))


def on_x(function: Callable[..., Node], *arguments: object) -> Build:
    """The op on the target alone."""
    return lambda s: function(s.target, *arguments)


def on_pair(function: Callable[[Tensor, Tensor], Node]) -> Build:
    """The op on the target and a tensor of each sample's own."""
    return lambda s: function(s.target, s.skip)


def positive(x: Tensor, least: float = 0.1) -> Node:
    """Numbers from ``least`` up."""
    return ops.add(ops.abs(x), np.float32(least))


def inside(x: Tensor) -> Node:
    """Numbers between -0.9 and 0.9."""
    return ops.multiply(ops.tanh(x), np.float32(0.9))


def above(x: Tensor, limit: float = 0.0) -> Node:
    """Truth values."""
    return ops.greater(x, np.float32(limit))
