"""Through which ops a region of the output becomes regions of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from openvino import Output
from openvino import opset15 as ops

from ovxai_convert.graph.axes import Atom, deal_atoms, reduced_axes
from ovxai_convert.graph.op_types import AXIS_REDUCING, BROADCASTING, UNARY
from ovxai_convert.graph.ports import constant_ints
from ovxai_convert.graph.slices import slice_bounds
from ovxai_convert.mosaic.narrowing.attention import attention
from ovxai_convert.mosaic.narrowing.merged_rows import kept_apart
from ovxai_convert.mosaic.narrowing.regions import Reading, Region, Wanted, whole
from ovxai_convert.mosaic.shapes import Span, ints, reshaped

_TO_THE_END: Final = 2**31 - 1


def reading_of(wanted: Wanted) -> Reading:
    """How an op's output is computed within a region: as a whole, unless the op is known below."""
    rule = _RULES.get(wanted.node.get_type_name(), _as_a_whole)
    return rule(wanted)


def _as_a_whole(wanted: Wanted) -> Reading:
    return wanted.recreated(whole(wanted.shape), wanted.whole_inputs())


def _broadcasting(wanted: Wanted) -> Reading:
    """Element by element, axes aligned to the right."""
    count = wanted.node.get_input_size()
    inputs = [_aligned(wanted.region, wanted.input_shape(index)) for index in range(count)]
    return wanted.recreated(wanted.region, inputs)


def _unary(wanted: Wanted) -> Reading:
    """One value in, one value out; what follows the first input are parameters."""
    return wanted.recreated(wanted.region, [wanted.region, *wanted.whole_inputs()[1:]])


def _matmul(wanted: Wanted) -> Reading:
    """Rows are the left matrix's, columns the right one's; axes before them are broadcast."""
    attributes = wanted.node.get_attributes()
    shapes = [wanted.input_shape(index) for index in (0, 1)]
    if min(map(len, shapes)) < 2:
        return _as_a_whole(wanted)
    rows, columns = wanted.region[-2:]
    matrices: list[tuple[Span | None, Span | None]] = [
        (None, rows) if attributes["transpose_a"] else (rows, None),
        (columns, None) if attributes["transpose_b"] else (None, columns),
    ]
    inputs: list[Region | None] = []
    for shape, matrix in zip(shapes, matrices, strict=True):
        inputs.append((*_aligned(wanted.region[:-2], shape[:-2]), *matrix))
    return wanted.recreated(wanted.region, inputs)


def _along(axes_of: Callable[[Wanted], Sequence[int] | None]) -> Callable[[Wanted], Reading]:
    """An op that keeps the shape and needs some axes whole."""

    def rule(wanted: Wanted) -> Reading:
        axes, count = axes_of(wanted), len(wanted.shape)
        if axes is None:
            return _as_a_whole(wanted)
        working = {axis % count for axis in axes}
        computed = tuple(None if axis in working else span for axis, span in enumerate(wanted.region))
        return wanted.recreated(computed, [computed, *wanted.whole_inputs()[1:]])

    return rule


def _attribute_axis(wanted: Wanted) -> list[int]:
    return [int(wanted.node.get_attributes()["axis"])]


def _input_axes(wanted: Wanted) -> list[int] | None:
    return constant_ints(wanted.node.input_value(1)) if wanted.node.get_input_size() > 1 else None


def _reduction(wanted: Wanted) -> Reading:
    """Reduced axes are read whole."""
    gone = reduced_axes(wanted.node)
    if gone is None:
        return _as_a_whole(wanted)
    kept = bool(wanted.node.get_attributes().get("keep_dims", False))
    spans = iter(wanted.region)
    source: list[Span | None] = []
    for axis in range(len(wanted.input_shape(0))):
        if axis in gone:
            source.append(None)
            if kept:
                next(spans)
        else:
            source.append(next(spans))
    computed = tuple(None if kept and axis in gone else each for axis, each in enumerate(wanted.region))
    return wanted.recreated(computed, [tuple(source), *wanted.whole_inputs()[1:]])


def _transpose(wanted: Wanted) -> Reading:
    order = constant_ints(wanted.node.input_value(1))
    if order is None:
        return _as_a_whole(wanted)
    order = order or list(range(len(wanted.shape)))[::-1]
    source = tuple(wanted.region[order.index(axis)] for axis in range(len(order)))
    return wanted.recreated(wanted.region, [source, *wanted.whole_inputs()[1:]])


def _reshape(wanted: Wanted) -> Reading:
    """An axis that is one axis of the input, or the outermost factor of one; others are read whole."""
    apart = kept_apart(wanted)
    if apart is not None:
        return apart
    before, after = wanted.input_shape(0), wanted.shape
    dealt = deal_atoms([Atom(str(axis), extent) for axis, extent in enumerate(before)], after)
    computed: list[Span | None] = [None] * len(after)
    source: list[Span | None] = [None] * len(before)
    seen: set[str] = set()
    for axis, (atoms, span) in enumerate(zip(dealt or (), wanted.region, strict=bool(dealt))):
        origin = atoms[0].role
        outermost = len(atoms) == 1 and origin != "?" and origin not in seen
        seen |= {atom.role for atom in atoms}
        extent, full = after[axis], before[int(origin)] if outermost else None
        if span is not None and extent is not None and full is not None:
            computed[axis] = span
            source[int(origin)] = (span[0] * (full // extent), span[1] * (full // extent))
    shape = [span[1] - span[0] if span else extent for span, extent in zip(computed, after, strict=True)]
    if shape.count(None) > 1:
        return _as_a_whole(wanted)
    entries = [-1 if extent is None else extent for extent in shape]
    pattern = [None] * (wanted.node.get_input_size() - 1)
    return Reading(tuple(computed), (tuple(source), *pattern), lambda ports: reshaped(_only(ports), entries))


def _concat(wanted: Wanted) -> Reading:
    """Along another axis, or those pieces of the joined one that are read."""
    joined = int(wanted.node.get_attributes()["axis"]) % len(wanted.shape)
    pieces = [wanted.input_shape(index)[joined] for index in range(wanted.node.get_input_size())]
    span = wanted.region[joined]
    if span is None or None in pieces:
        computed = (*wanted.region[:joined], None, *wanted.region[joined + 1 :])
        return wanted.recreated(computed, [computed] * len(pieces))
    inputs: list[Region | None] = []
    start = 0
    for length in pieces:
        assert length is not None, "checked above"
        part = max(span[0] - start, 0), min(span[1] - start, length)
        inputs.append(
            (*wanted.region[:joined], part, *wanted.region[joined + 1 :]) if part[0] < part[1] else None
        )
        start += length

    def build(ports: Sequence[Output | None]) -> Output:
        read = [port for port in ports if port is not None]
        return read[0] if len(read) == 1 else ops.concat(read, joined).output(0)

    return Reading(wanted.region, tuple(inputs), build)


def _gather(wanted: Wanted) -> Reading:
    """Picking neighbouring indices along one axis."""
    indices, axes = (constant_ints(wanted.node.input_value(index)) for index in (1, 2))
    index_rank = len(wanted.input_shape(1))
    if not indices or not axes or index_rank > 1 or wanted.node.get_attributes().get("batch_dims", 0):
        return _as_a_whole(wanted)
    axis = axes[0] % len(wanted.input_shape(0))
    extent = wanted.input_shape(0)[axis]
    first = indices[0] if indices[0] >= 0 or extent is None else indices[0] + extent
    neighbours = [each - indices[0] for each in indices] == list(range(len(indices)))
    if first < 0 or not neighbours:
        return _as_a_whole(wanted)
    span = (first, first + len(indices))
    return _picked(wanted, {axis: span}, dropped=(axis,) if index_rank == 0 else ())


def _slice(wanted: Wanted) -> Reading:
    """A slice of step one along static axes."""
    bounds = slice_bounds(wanted.node)
    if not bounds:
        return _as_a_whole(wanted)
    spans = {}
    for axis, (start, stop) in bounds.items():
        extent = wanted.input_shape(0)[axis]
        if extent is None:
            if start != 0 or stop < _TO_THE_END:
                return _as_a_whole(wanted)
            continue
        ends = (min(max(each + extent if each < 0 else each, 0), extent) for each in (start, stop))
        spans[axis] = (next(ends), next(ends))
    return _picked(wanted, spans, ())


def _split(wanted: Wanted) -> Reading:
    """One of the pieces of an axis."""
    axes = constant_ints(wanted.node.input_value(1))
    lengths = (
        None
        if axes is None
        else [wanted.extents[port][axes[0] % len(wanted.shape)] for port in wanted.node.outputs()]
    )
    if axes is None or lengths is None or None in lengths:
        return _as_a_whole(wanted)
    start = sum(length or 0 for length in lengths[: wanted.index])
    return _picked(wanted, {axes[0] % len(wanted.shape): (start, start + (lengths[wanted.index] or 0))}, ())


def _picked(wanted: Wanted, spans: Mapping[int, Span], dropped: Sequence[int]) -> Reading:
    """The region of the input that an op picks, within which lies the one that is read of it."""
    asked = iter(wanted.region)
    source: list[Span | None] = []
    for axis in range(len(wanted.input_shape(0))):
        within = (0, 1) if axis in dropped else next(asked)
        span = spans.get(axis)
        if span is None or within is None:
            source.append(span or within)
        else:
            source.append((span[0] + within[0], span[0] + within[1]))
    unread = [None] * (wanted.node.get_input_size() - 1)

    def build(ports: Sequence[Output | None]) -> Output:
        port = _only(ports)
        return ops.squeeze(port, ints(list(dropped))).output(0) if dropped else port

    return Reading(wanted.region, (tuple(source), *unread), build)


def _only(ports: Sequence[Output | None]) -> Output:
    port = ports[0]
    assert port is not None, "the data are read"
    return port


def _aligned(region: Region, shape: Sequence[int | None]) -> Region:
    """What is read of an input that broadcasts to the output, axes aligned to the right."""
    pairs = zip(shape, region[len(region) - len(shape) :], strict=True)
    return tuple(None if extent == 1 else span for extent, span in pairs)


_RULES: Final[Mapping[str, Callable[[Wanted], Reading]]] = {
    **dict.fromkeys(BROADCASTING, _broadcasting),
    **dict.fromkeys(UNARY, _unary),
    **dict.fromkeys(AXIS_REDUCING, _reduction),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _along(_attribute_axis)),
    **dict.fromkeys(("MVN", "NormalizeL2", "RMS"), _along(_input_axes)),
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze"), _reshape),
    **dict.fromkeys(("Slice", "StridedSlice"), _slice),
    **dict.fromkeys(("Split", "VariadicSplit"), _split),
    "MatMul": _matmul,
    "Transpose": _transpose,
    "Concat": _concat,
    "Gather": _gather,
    "ScaledDotProductAttention": attention,
}
