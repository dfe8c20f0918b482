"""Regions of tensors, and how an op's output within a region is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from typing import TypeAlias

from openvino import Node, Output

from ovxai_convert.errors import Refusal
from ovxai_convert.graph.open_batch import Extents
from ovxai_convert.graph.rebuild import recreate
from ovxai_convert.mosaic.shapes import Span, sliced

Region: TypeAlias = tuple[Span | None, ...]
"""Per axis the first index and the one behind the last, or None for the whole axis."""

Build: TypeAlias = "Callable[[Sequence[Output | None]], Output | Refusal]"


@dataclass(frozen=True)
class Reading:
    """How one output of an op is computed within a region.

    Attributes:
        computed: the region of the output that is computed; it contains the one that was asked for.
        inputs: the region of every input that is read for it, None where an input is not read.
        build: makes the output from the inputs within their regions.
        instead: tensors that are read instead of the op's own inputs.
    """

    computed: Region
    inputs: tuple[Region | None, ...]
    build: Build
    instead: tuple[Output, ...] | None = None


@dataclass(frozen=True)
class Wanted:
    """A region of an op's output that somebody reads.

    Attributes:
        node: the op.
        index: which output.
        region: the region.
        extents: extents of all tensors of the model.
    """

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

    def _recreate(self, ports: Sequence[Output | None]) -> Output | Refusal:
        read = [port for port in ports if port is not None]
        copy = self.node if read == self.node.input_values() else recreate(self.node, read)
        return copy if isinstance(copy, Refusal) else copy.output(self.index)


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
