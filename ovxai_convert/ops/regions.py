"""Regions of tensors, how an op's output within a region is computed, and makers of the usual answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import TypeAlias

from openvino import Node, Output
from openvino import opset15 as ops

from ovxai_convert.errors import Refusal
from ovxai_convert.tensors.extents import Extent, Span, extent, ints, sliced
from ovxai_convert.tensors.recreate import recreate
from ovxai_convert.tensors.settled import Extents

Region: TypeAlias = tuple[Span | None, ...]
"""Per axis the first index and the one behind the last, or None for the whole axis."""


@dataclass(frozen=True)
class Reading:
    """How one output of an op is computed within a region, which contains the one that was asked for.

    ``build`` makes the output out of ``inputs`` within their regions (None where an input is not read), or of
    tensors that are read ``instead`` of the op's own inputs.
    """

    computed: Region
    inputs: tuple[Region | None, ...]
    build: Callable[[Sequence[Output | None]], Output | Refusal]
    instead: tuple[Output, ...] | None = None


@dataclass(frozen=True)
class Wanted:
    """A region of one of an op's outputs that somebody reads, and the extents of all tensors of the model."""

    node: Node
    index: int
    region: Region
    extents: Extents

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Extents of the whole output."""
        return self.extents[self.node.output(self.index)]

    def input_shape(self, index: int) -> tuple[int | None, ...]:
        """Extents of a whole input."""
        return self.extents[self.node.input_value(index)]

    def whole_inputs(self) -> list[Region | None]:
        """Every input as a whole."""
        return [whole(self.extents.get(port, ())) for port in self.node.input_values()]

    def recreated(self, computed: Region, inputs: Sequence[Region | None]) -> Reading:
        """The same op on regions of its inputs."""
        return Reading(computed, tuple(inputs), self._recreate)

    def on_data(self, computed: Region, data: Sequence[Span | None]) -> Reading:
        """The same op on a region of its first input; what follows are parameters, as a whole."""
        return self.recreated(computed, [tuple(data), *self.whole_inputs()[1:]])

    def from_data(
        self,
        computed: Region,
        data: Sequence[Span | None],
        build: Callable[[Output], Output | Refusal],
        instead: Output | None = None,
    ) -> Reading:
        """What is made of a region of the first input alone, or of the one tensor that is read instead."""

        def made(ports: Sequence[Output | None]) -> Output | Refusal:
            port = ports[0]
            assert port is not None, "the data are read"
            return build(port)

        if instead is not None:
            return Reading(computed, (tuple(data),), made, (instead,))
        unread = [None] * (self.node.get_input_size() - 1)
        return Reading(computed, (tuple(data), *unread), made)

    def _recreate(self, ports: Sequence[Output | None]) -> Output | Refusal:
        read = [port for port in ports if port is not None]
        copy = self.node if read == self.node.input_values() else recreate(self.node, read)
        return copy if isinstance(copy, Refusal) else copy.output(self.index)


def as_a_whole(wanted: Wanted) -> Reading:
    """Nothing is known of the op: all of it from all of its inputs."""
    return wanted.recreated(whole(wanted.shape), wanted.whole_inputs())


def broadcasting(wanted: Wanted) -> Reading:
    """Element by element, axes aligned to the right."""
    count = wanted.node.get_input_size()
    inputs = [aligned(wanted.region, wanted.input_shape(index)) for index in range(count)]
    return wanted.recreated(wanted.region, inputs)


def unary(wanted: Wanted) -> Reading:
    """One value in, one value out; what follows the first input are parameters."""
    return wanted.on_data(wanted.region, wanted.region)


def along(axes_of: Callable[[Node], Sequence[int] | None]) -> Callable[[Wanted], Reading]:
    """An op that keeps the shape and needs some axes whole."""

    def rule(wanted: Wanted) -> Reading:
        axes, count = axes_of(wanted.node), len(wanted.shape)
        if axes is None:
            return as_a_whole(wanted)
        working = {axis % count for axis in axes}
        computed = tuple(None if axis in working else span for axis, span in enumerate(wanted.region))
        return wanted.on_data(computed, computed)

    return rule


def picked(wanted: Wanted, spans: Mapping[int, Span], dropped: Sequence[int] = ()) -> Reading:
    """The region of the input that an op picks, within which lies the one that is read of it."""
    asked = iter(wanted.region)
    source: list[Span | None] = []
    for axis in range(len(wanted.input_shape(0))):
        within = (0, 1) if axis in dropped else next(asked)
        span = spans.get(axis)
        both = span and within and (span[0] + within[0], span[0] + within[1])
        source.append(both or span or within)

    def build(port: Output) -> Output:
        return ops.squeeze(port, ints(list(dropped))).output(0) if dropped else port

    return wanted.from_data(wanted.region, source, build)


def aligned(region: Region, shape: Sequence[int | None]) -> Region:
    """What is read of an input that broadcasts to the output, axes aligned to the right."""
    pairs = zip(shape, region[len(region) - len(shape) :], strict=True)
    return tuple(None if extent == 1 else span for extent, span in pairs)


def within(port: Output, region: Sequence[Span | None]) -> list[Extent]:
    """Shape of a tensor of the model within a region."""
    return [span[1] - span[0] if span else extent(port, axis) for axis, span in enumerate(region)]


def whole(axes: Sized) -> Region:
    """All of a tensor that has as many axes."""
    return (None,) * len(axes)


def overlap(one: Region, other: Region) -> bool:
    """Whether two regions share an element."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a and b]
    return all(a[0] < b[1] and b[0] < a[1] for a, b in pairs)


def hull(one: Region, other: Region) -> Region:
    """The smallest region that contains both."""
    pairs = zip(one, other, strict=True)
    return tuple((min(a[0], b[0]), max(a[1], b[1])) if a and b else None for a, b in pairs)


def contains(outer: Region, inner: Region) -> bool:
    """Whether a region contains another."""
    pairs = zip(outer, inner, strict=True)
    return all(a is None or (b is not None and a[0] <= b[0] and b[1] <= a[1]) for a, b in pairs)


def cut(port: Output, region: Region, within: Region) -> Output:
    """The part of a tensor that covers ``region``, where the tensor itself covers ``within``."""
    spans = {
        axis: (span[0] - (outer[0] if outer else 0), span[1] - (outer[0] if outer else 0))
        for axis, (span, outer) in enumerate(zip(region, within, strict=True))
        if span is not None and span != outer
    }
    return sliced(port, spans) if spans else port
