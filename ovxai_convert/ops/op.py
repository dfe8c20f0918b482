"""The row of an op: all that is known of it, one field per question.

A field is a small function of the op. Every field is asked for, and one without an answer says so, so that a
hole is written down and not forgotten. The table of all rows is ``ovxai_convert.ops.TABLE``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from openvino import Node

from ovxai_convert.errors import Refusal
from ovxai_convert.ops.in_onnx.call import Emission
from ovxai_convert.ops.kinds import Call, Carried, Copied, Masked, NotHere
from ovxai_convert.ops.regions import Reading, Wanted, as_a_whole
from ovxai_convert.tensors.axes import Axes, Meanings

Meaning: TypeAlias = "Callable[[Node, Meanings], Iterable[Axes | None]]"
"""What the axes of an op's outputs hold, None where that is not understood."""
CopiedForm: TypeAlias = "Callable[[Call], list[Copied] | Refusal]"
"""The op on all copies written out, ``[P, *shape]``; inputs are Copied or Shared, at least one is Copied."""
Narrowed: TypeAlias = "Callable[[Wanted], Reading]"
"""Which regions of the inputs a region of an output is computed from."""
Macs: TypeAlias = "Callable[[Node], int]"
"""Multiply-accumulates of one inference, open extents counted as 1."""


@dataclass(frozen=True)
class Equation:
    """A compact form of an op: its outputs out of compact inputs, or why it does not hold there."""

    name: str
    apply: Callable[[Call], Sequence[Carried] | NotHere]


def on_data(name: str, apply: Callable[[Call, Masked], Sequence[Carried] | NotHere]) -> Equation:
    """An equation on a compact first input, which is alone compact (see :meth:`Call.data`)."""

    def applied(call: Call) -> Sequence[Carried] | NotHere:
        data = call.data()
        return data if isinstance(data, NotHere) else apply(call, data)

    return Equation(name, applied)


def on_masked(
    name: str, apply: Callable[[Call, list[tuple[int, Masked]]], Sequence[Carried] | NotHere]
) -> Equation:
    """An equation on compact inputs of one mask, all others being shared (see :meth:`Call.masked`)."""

    def applied(call: Call) -> Sequence[Carried] | NotHere:
        masked = call.masked()
        return masked if isinstance(masked, NotHere) else apply(call, masked)

    return Equation(name, applied)


class Trait(Enum):
    """What an op is, for those who look for ops of a kind and not for one by name."""

    ELEMENTWISE = auto()
    """Values in, one value out, at every place alike; axes aligned to the right."""
    NORMALISATION = auto()
    CONVOLUTION = auto()
    """Data ``[N, C, spatial...]`` first, then weights."""
    GROUPED = auto()
    """A convolution within groups of channels."""
    POOLING = auto()
    """Data ``[N, C, spatial...]``."""
    PRODUCT = auto()
    """Sums of products of two tensors."""
    ATTENTION = auto()
    """Queries, keys and values in one op."""
    MOVE = auto()
    """The same numbers under other axes."""
    KEEPS_AXES = auto()
    """Every axis of the output is that axis of the first input."""
    COPY = auto()
    """The same numbers, perhaps in another element type."""
    ROUNDING = auto()
    """Quantises what it reads and is no step of its own."""
    BEST_OF = auto()
    """Picks the largest along an axis, and tells where they stand."""
    SOFTMAX = auto()
    LOG_SOFTMAX = auto()
    SIGMOID = auto()
    ADD = auto()
    MULTIPLY = auto()
    DIVIDE = auto()
    POWER = auto()
    ROOT = auto()
    SUM = auto()
    LENGTH = auto()
    """The Euclidean length along axes."""
    UNIT_LENGTH = auto()
    """Divides by the Euclidean length."""
    SOURCE = auto()
    """Its values come from outside the graph."""
    SLICE = auto()
    """Cuts indices out along axes, by their bounds."""
    PIECES = auto()
    """Cuts a tensor into pieces along an axis."""
    NV12 = auto()
    """Makes colours of a camera's NV12: one input, or one per plane."""
    I420 = auto()
    SHAPE = auto()
    """Reads a shape and no numbers."""
    DETECTION = auto()
    """Picks boxes among candidates."""
    REGIONS = auto()
    """Proposes regions of an image, or cuts them out of a map."""
    TAKING = auto()
    """Some numbers of the first input, at places that another input tells."""
    LARGEST = auto()
    """The largest along axes, and nothing else."""
    JOIN = auto()
    """Several tensors one after another along an axis."""
    WRITTEN_INTO = auto()
    """The first input with other numbers at some places."""
    NOT_NEGATIVE = auto()
    """Its values are never below zero."""


@dataclass(frozen=True)
class Op:
    """All that is known of some op types that behave alike; equations are tried in order."""

    types: frozenset[str]
    traits: frozenset[Trait]
    meaning: Meaning
    copied: CopiedForm
    equations: tuple[Equation, ...]
    narrowed: Narrowed
    macs: Macs
    onnx: Emission


def types(*names: str) -> frozenset[str]:
    """Names of op types, as words of one or several strings."""
    return frozenset(word for name in names for word in name.split())


def traits(*those: Trait) -> frozenset[Trait]:
    """Some traits, or none."""
    return frozenset(those)


def no_products(node: Node) -> int:
    """An op without multiply-accumulates worth counting."""
    return 0


def always_written_out(names: str, meaning: Meaning, copied: CopiedForm, *those: Trait, onnx: Emission) -> Op:
    """The row of ops without a compact form, which are computed as a whole and multiply nothing."""
    return Op(types(names), traits(*those), meaning, copied, (), as_a_whole, no_products, onnx)
