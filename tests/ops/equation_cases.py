"""What a case of the equations is: a head around one op, behind a background that is not zero."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import (
    Tensor,
    named,
    port_of,
    reshaped,
    transposed,
)
from tests.ops.heads import Build, Start, head_model

OP, TARGET = "op", "target"
TO_NHWC, TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)
CLASSES, WIDEST = 3, 5
"""Scores, and the widest vector behind the feature map."""


BATCHES: tuple[int | None, ...] = (1, 2, 3, None)


@dataclass(frozen=True)
class Case:
    """A head, and what the equations are to do in it.

    Attributes:
        equation: name of the equation that is tested.
        about: what is special, unique among the equation's cases.
        build: from the feature map to features ``[N, D]`` or ``[N, D, 1, 1]``; the op that the equation is
            to rewrite is named ``op``.
        fires: False: the equation does not hold here, and has to leave the op to others.
        compact: whether the branch never writes the mosaic out.
        grid: rows and columns of the feature map.
        channels: its channels.
        batches: the batches that the case is about.
    """

    equation: str
    about: str
    build: Build = field(repr=False)
    fires: bool = True
    compact: bool = True
    grid: tuple[int, int] = (3, 5)
    channels: int = 4
    batches: tuple[int | None, ...] = BATCHES

    def __str__(self) -> str:
        return f"{self.equation}-{self.about}".replace(" ", "_")


def left_alone(
    equation: str, about: str, build: Build, grid: tuple[int, int] = (3, 5), channels: int = 4
) -> Case:
    """A case where the equation does not hold: the mosaic is written out, and the map is still right."""
    return Case(equation, about, build, fires=False, compact=False, grid=grid, channels=channels)


def case_model(case: Case, batch: int | None) -> Model:
    """``image -> stem -> target -> head -> linear layer``."""
    return head_model(case.build, batch, case.channels, case.grid)


def op(node: Node) -> Node:
    """The op that the case is about."""
    return named(node, OP)


def biased(s: Start, channels: int | None = None, offset: float = 0.0) -> Node:
    """Background: the bias of a 1x1 convolution, around ``offset``."""
    return s.draw.convolution(s.target, channels or s.channels, kernel=1, offset=offset)


def shifted(s: Start) -> Node:
    """Background: the shift of a BatchNorm."""
    return s.draw.batch_norm(s.target)


def squashed(s: Start) -> Node:
    """Background: 0.4, which HardSigmoid makes of zero."""
    return ops.hard_sigmoid(s.target, np.float32(0.3), np.float32(0.4))


def embedded(s: Start) -> Node:
    """Background: different in every cell, a position embedding."""
    return ops.add(s.target, s.draw.numbers(1, s.channels, s.rows, s.columns))


def skipped(s: Start) -> Node:
    """Background: different in every cell of every sample, a skip path."""
    return ops.add(biased(s), s.skip)


def gated(s: Start) -> Node:
    """Background: the same in every cell, different in every sample."""
    return ops.add(biased(s), ops.reduce_mean(s.skip, [2, 3], True))


def tokens(s: Start, x: Tensor) -> Node:
    """``[N, C, H, W] -> [N, HW, C]``, channels as they are in ``x``."""
    rows = transposed(x, TO_NHWC)
    return reshaped(rows, [0, s.cells, int(port_of(rows).get_partial_shape()[3].get_length())])


def mean(x: Tensor, *axes: int) -> Node:
    """Mean over the positions of a channel-first map, or over other axes."""
    return ops.reduce_mean(x, list(axes or (2, 3)), False)


def flat(x: Tensor) -> Node:
    """``[N, D1, D2, ...] -> [N, D1 * D2 * ...]``."""
    shape = port_of(x).get_partial_shape()
    return reshaped(x, [0, int(np.prod([shape[axis].get_length() for axis in range(1, len(shape))]))])


def layer(s: Start, x: Tensor, width: int = WIDEST) -> Node:
    """A fully connected layer with bias behind a Flatten."""
    return ops.tanh(s.draw.linear(flat(x), width))
