"""What the rows of the table of ops are asked about: more cases, regions of outputs, products by hand."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from openvino import Model, Node, Output
from openvino import opset15 as ops
from openvino.utils.node_factory import NodeFactory

from fixtures.networks import Tensor, port_of, reshaped
from ovxai_convert.ops import TABLE
from ovxai_convert.ops.copying import UNKNOWN
from ovxai_convert.ops.regions import Region, whole
from ovxai_convert.tensors.extents import Span
from tests.ops.axis_cases import AXIS_CASES
from tests.ops.elementwise_cases import ELEMENTWISE_CASES
from tests.ops.heads import CHANNELS, COLUMNS, ROWS, OpCase, Start, on_x, op_model
from tests.ops.heads import whole as vector

SAMPLES: Final = 2
NOT_IN_OPSET: Final = frozenset({"RMS"})
"""Made only by transformations inside the runtime; no source file can hold it."""
ASKED: Final = frozenset(kind for kind, row in TABLE.items() if row.copied is not UNKNOWN) - NOT_IN_OPSET
"""Op types that can stand in a head, for all of which there are cases."""


@dataclass(frozen=True)
class Record:
    """The model of a case, and in it the nodes that the case itself has made, inputs before users."""

    model: Model
    made: list[Node]
    op: str

    @property
    def under_test(self) -> list[Node]:
        """The nodes of the op type that the case is for."""
        return [node for node in self.made if node.get_type_name() == self.op]


def record(case: OpCase, batch: int | None = SAMPLES) -> Record:
    """A case built into its head; one that names its only sample is built for that."""
    seen: list[set[Node]] = []

    def build(site: Start) -> Tensor:
        before = _upstream(port_of(site.target), port_of(site.skip))
        result = case.build(site)
        seen.append(_upstream(port_of(result)) - before)
        return result

    model = op_model(build, 1 if case.one_sample else batch)
    (made,) = seen
    return Record(model, [node for node in model.get_ordered_ops() if node in made], case.op)


def _upstream(*ports: Output) -> set[Node]:
    """Every node that tensors are computed from."""
    found: set[Node] = set()
    left = [port.get_node() for port in ports]
    while left:
        node = left.pop()
        if node not in found:
            found.add(node)
            left += [port.get_node() for port in node.input_values()]
    return found


def regions_of(shape: tuple[int | None, ...]) -> list[Region]:
    """The whole (also as spans), the first and last index of each axis, both ends of all, and the middle."""
    full, first, last, middle = (tuple(map(span, shape)) for span in (_all, _first, _last, _middle))
    ends = [
        (*whole(shape[:axis]), each[axis], *whole(shape[axis + 1 :]))
        for axis in range(len(shape))
        for each in (first, last)
    ]
    return list(dict.fromkeys([whole(shape), full, *ends, first, last, middle]))


def _all(extent: int | None) -> Span | None:
    return None if extent is None else (0, extent)


def _first(extent: int | None) -> Span | None:
    return None if extent is None else (0, 1)


def _last(extent: int | None) -> Span | None:
    return None if extent is None else (extent - 1, extent)


def _middle(extent: int | None) -> Span | None:
    return _all(extent) if extent is None or extent < 3 else (1, extent - 1)


def _rows_kept_apart(s: Start) -> Node:
    """A linear layer between two Reshapes: ``[N, 4, 4, 6] -> [N * 4, 24] -> [N * 4, 5] -> [N, 4, 5]``."""
    rows = s.draw.linear(reshaped(s.target, [-1, ROWS * COLUMNS]), 5)
    return reshaped(rows, [s.batch_entry, CHANNELS, 5])


def _rows_dealt_anew(s: Start) -> Node:
    """The same layer, but what it gives is no longer one row for each that was merged."""
    rows = s.draw.linear(reshaped(s.target, [-1, ROWS * COLUMNS]), 5)
    return reshaped(rows, [s.batch_entry, 2, 10])


def _slice_of_step_one(s: Start) -> Node:
    return ops.slice(s.target, vector(1, -5), vector(9, -1), vector(1, 1), vector(2, 3))


def _strided_by_one(s: Start) -> Node:
    bounds = (vector(0, 1, -3), vector(0, -1, 9), vector(1, 1, 1))
    return ops.strided_slice(s.target, *bounds, begin_mask=[1, 0], end_mask=[1, 0])


def _shrinking(s: Start) -> Node:
    """One channel, whose axis goes."""
    bounds = (vector(0, 1), vector(0, 2), vector(1, 1))
    return ops.strided_slice(s.target, *bounds, begin_mask=[1, 0], end_mask=[1, 0], shrink_axis_mask=[0, 1])


def _attention(s: Start, mask: Node, scale: float | None = None) -> Node:
    more = [] if scale is None else [ops.constant(np.float32(scale))]
    return ops.scaled_dot_product_attention(s.target, s.skip, ops.tanh(s.skip), mask, *more)


def _causal(s: Start) -> Node:
    return ops.scaled_dot_product_attention(s.target, s.skip, s.skip, causal=True)


def _one_head_of_keys(s: Start) -> Node:
    """Queries of every channel ask the keys of the first one."""
    first = ops.slice(s.skip, *map(vector, (0, 1, 1, 1)))
    return ops.scaled_dot_product_attention(s.target, first, first)


def _every_other_key(*shape: int) -> Node:
    """Truth values, of which the first along the last axis is true."""
    return ops.constant(np.arange(prod(shape)).reshape(shape) % 3 == 0)


def _mvn_of_version_0(s: Start, across: bool) -> Node:
    attributes = {"across_channels": across, "normalize_variance": True, "eps": 1e-3}
    return NodeFactory("opset2").create("MVN", [s.target.output(0)], attributes)


def _reversed(s: Start) -> Node:
    lengths = ops.constant(np.full(s.batch or SAMPLES, 3, np.int64))
    return ops.reverse_sequence(s.target, lengths, np.int64(0), np.int64(3))


def _beside_samples(s: Start) -> Node:
    """``[2, N, C]``, in which the samples are not the only axis of two."""
    return ops.add(s.draw.numbers(SAMPLES, 1, 1), ops.reduce_mean(s.target, vector(2, 3), False))


def _per_channel_levels(s: Start) -> Node:
    scale, shift = (s.draw.numbers(1, CHANNELS, 1, 1, scale=0.1, offset=each) for each in (4, 0))
    return ops.fake_convert(s.target, scale, shift)


_MORE: Final = (
    OpCase("Reshape", _rows_kept_apart, "layer_between"),
    OpCase("Reshape", _rows_dealt_anew, "layer_between_other_rows"),
    OpCase("Reshape", lambda s: reshaped(s.target, [0, 2, 2, ROWS, 3, 2]), "factors"),
    OpCase("Gather", lambda s: ops.gather(s.target, vector(1, 2), np.int64(3)), "neighbours"),
    OpCase("Gather", lambda s: ops.gather(s.target, vector(-3, -2), np.int64(2)), "neighbours_from_the_end"),
    OpCase("Gather", lambda s: ops.gather(s.target, vector(-1, 0), np.int64(3)), "last_and_first"),
    OpCase("Gather", lambda s: ops.gather(s.target, np.int64(-1), np.int64(1)), "last_channel"),
    OpCase("Slice", _slice_of_step_one, "step_one"),
    OpCase("Slice", lambda s: ops.slice(s.target, vector(0, 1), vector(9, 3), vector(1, 1)), "leading_axes"),
    OpCase("StridedSlice", _strided_by_one, "step_one"),
    OpCase("StridedSlice", _shrinking, "shrinking"),
    OpCase(
        "VariadicSplit",
        lambda s: ops.variadic_split(s.target, np.int64(-1), vector(1, 3, 2)).output(1),
        "three",
    ),
    OpCase("MatMul", lambda s: ops.matmul(s.target, s.draw.numbers(5, ROWS), True, True), "both_turned"),
    OpCase("MatMul", lambda s: ops.matmul(s.target, s.draw.numbers(COLUMNS), False, False), "vector"),
    OpCase(
        "MatMul", lambda s: ops.matmul(s.draw.numbers(CHANNELS, 1, COLUMNS), s.target, False, True), "one_row"
    ),
    OpCase("ScaledDotProductAttention", _causal, "causal"),
    OpCase("ScaledDotProductAttention", _one_head_of_keys, "one_head_of_keys"),
    OpCase(
        "ScaledDotProductAttention",
        lambda s: _attention(s, s.draw.numbers(1, ROWS), 0.7),
        "row_of_mask_scaled",
    ),
    OpCase(
        "ScaledDotProductAttention", lambda s: _attention(s, _every_other_key(ROWS, ROWS)), "truth_values"
    ),
    OpCase("ScaledDotProductAttention", lambda s: _attention(s, ops.constant(np.float32(0)), 0.7), "scaled"),
    OpCase(
        "Einsum", lambda s: ops.einsum([s.target, s.draw.numbers(1, COLUMNS)], "nchw,cw->nhwc"), "one_for_all"
    ),
    OpCase("Einsum", lambda s: ops.einsum([s.target], "nccw->nwc"), "diagonal"),
    OpCase("Einsum", lambda s: ops.einsum([s.target, s.draw.numbers(COLUMNS, 3)], "...w,wd->...d"), "dots"),
    OpCase("Add", lambda s: ops.add(s.target, s.draw.numbers(CHANNELS, 1, COLUMNS)), "fewer_axes"),
    OpCase("Add", _beside_samples, "more_axes", runs_dynamic=False),
    OpCase("Select", lambda s: ops.select(_every_other_key(COLUMNS), s.target, s.skip), "vector_of_truth"),
    OpCase(
        "Subtract", lambda s: ops.subtract(s.target, ops.reduce_mean(s.target, vector(2), True)), "one_row"
    ),
    OpCase("FakeConvert", _per_channel_levels, "per_channel"),
    OpCase("MVN", lambda s: _mvn_of_version_0(s, True), "version_0_across"),
    OpCase("MVN", lambda s: _mvn_of_version_0(s, False), "version_0"),
    OpCase("Softmax", on_x(ops.softmax, -2), "from_the_end"),
    OpCase(
        "Squeeze",
        lambda s: ops.squeeze(ops.reduce_sum(s.target, vector(2), True)),
        "of_itself",
        runs_dynamic=False,
    ),
    OpCase("ReverseSequence", _reversed, runs_dynamic=False),
)
"""Forms of an op in which its output depends on its inputs in another way than in the other cases."""

CASES: Final = (*ELEMENTWISE_CASES, *AXIS_CASES, *_MORE)


def shape_of(port: Output) -> list[int]:
    """Extents of a tensor, an open one counted as 1."""
    return [each.get_length() if each.is_static else 1 for each in port.get_partial_shape()]


_WINDOWS: Final = {
    "Convolution": (1, 1),
    "BinaryConvolution": (1, 1),
    "DeformableConvolution": (2, 1),  # offsets come before the weights
    "GroupConvolution": (1, 2),
    "ConvolutionBackpropData": (1, 1),
    "GroupConvolutionBackpropData": (1, 2),
}
"""Which input are the weights, and which of their axes is the first whose extent counts for one number."""


def products_in(node: Node) -> int:
    """Multiply-accumulates of an op by its definition, 0 of ops that weigh nothing."""
    kind, shapes = node.get_type_name(), [shape_of(port) for port in node.input_values()]
    if kind in _WINDOWS:
        place, first = _WINDOWS[kind]
        met = shapes[0] if kind.endswith("BackpropData") else shape_of(node.output(0))
        return prod(met) * prod(shapes[place][first:])
    if kind == "MatMul":
        turned = (node.get_attributes()[name] for name in ("transpose_a", "transpose_b"))
        swapped = [
            s[:-2] + s[:-3:-1] if turn and len(s) > 1 else s for s, turn in zip(shapes, turned, strict=True)
        ]
        left = swapped[0] if len(swapped[0]) > 1 else [1, *swapped[0]]
        right = swapped[1] if len(swapped[1]) > 1 else [*swapped[1], 1]
        return prod(np.broadcast_shapes(left[:-2], right[:-2])) * left[-2] * left[-1] * right[-1]
    if kind == "Einsum":
        return prod(_letters(node, shapes).values())
    if kind == "ScaledDotProductAttention":
        query, keys, values = shapes[:3]
        batch = prod(np.broadcast_shapes(query[:-2], keys[:-2], values[:-2]))
        return batch * query[-2] * keys[-2] * (query[-1] + values[-1])
    return 0


def _letters(node: Node, shapes: list[list[int]]) -> dict[str, int]:
    """The extent of every letter; axes behind dots have a number for theirs, counted from the right."""
    sizes: dict[str, int] = {}
    operands = str(node.get_attributes()["equation"]).partition("->")[0].split(",")
    for operand, shape in zip(operands, shapes, strict=True):
        before, dots, after = operand.strip().partition("...")
        hidden = len(shape) - len(before) - len(after) if dots else 0
        names = [*before, *map(str, range(hidden, 0, -1)), *after]
        for name, each in zip(names, shape, strict=True):
            sizes[name] = max(sizes.get(name, 1), each)
    return sizes


def _of(
    function: Callable[..., Node], *shapes: tuple[int, ...], then: Sequence[object] = ()
) -> Callable[[], Node]:
    """An op on numbers of some shapes, with what else it is told."""
    return lambda: function(*(ops.parameter(list(shape), np.float32) for shape in shapes), *then)


def _einsum(equation: str, *shapes: tuple[int, ...]) -> Callable[[], Node]:
    return _of(lambda *operands: ops.einsum(list(operands), equation), *shapes)


_X: Final = (2, 4, 4, 6)
_PADDED: Final = ([1, 2], [1, 0], [0, 1], [1, 1])
"""Two rows of a kernel give ``4 + 1 - 2 + 1 = 4``, three columns give ``(6 + 1 - 3) / 2 + 1 = 3``."""
_SAME: Final = ([1, 1], [1, 1], [1, 1], [1, 1])
_INSIDE: Final = ([1, 1], [0, 0], [0, 0], [1, 1])

COUNTED_BY_HAND: Final[dict[str, tuple[Callable[[], Node], int]]] = {
    "Convolution": (_of(ops.convolution, _X, (5, 4, 2, 3), then=_PADDED), (2 * 5 * 4 * 3) * (4 * 2 * 3)),
    "Convolution-open": (
        _of(ops.convolution, (-1, 4, 4, 6), (5, 4, 2, 3), then=_PADDED),
        (1 * 5 * 4 * 3) * (4 * 2 * 3),
    ),
    "GroupConvolution": (
        _of(ops.group_convolution, _X, (2, 3, 2, 3, 3), then=_SAME),
        (2 * 6 * 4 * 6) * (2 * 3 * 3),
    ),
    "DeformableConvolution": (
        _of(ops.deformable_convolution, _X, (2, 8, 3, 5), (3, 4, 2, 2), then=_INSIDE),
        (2 * 3 * 3 * 5) * (4 * 2 * 2),
    ),
    "ConvolutionBackpropData": (
        _of(ops.convolution_backprop_data, _X, (4, 3, 2, 2), then=[[2, 2]]),
        (2 * 4 * 4 * 6) * (3 * 2 * 2),
    ),
    "GroupConvolutionBackpropData": (
        _of(ops.group_convolution_backprop_data, _X, (2, 2, 5, 2, 2), then=[[2, 2]]),
        (2 * 4 * 4 * 6) * (5 * 2 * 2),
    ),
    "MatMul": (_of(ops.matmul, _X, (6, 5), then=[False, False]), (2 * 4) * (4 * 6 * 5)),
    "MatMul-turned": (_of(ops.matmul, _X, (5, 4), then=[True, True]), (2 * 4) * (6 * 4 * 5)),
    "MatMul-left": (_of(ops.matmul, (3, 4), _X, then=[False, False]), (2 * 4) * (3 * 4 * 6)),
    "MatMul-repeated": (_of(ops.matmul, (2, 1, 3, 5), (4, 5, 7), then=[False, False]), (2 * 4) * (3 * 5 * 7)),
    "MatMul-vector": (_of(ops.matmul, _X, (6,), then=[False, False]), (2 * 4) * (4 * 6)),
    "MatMul-vector_left": (_of(ops.matmul, (4,), _X, then=[True, False]), (2 * 4) * (4 * 6)),
    "Einsum": (_einsum("nchw,kwd->nckhd", _X, (2, 6, 3)), (2 * 4 * 4 * 6) * (2 * 3)),
    "Einsum-one_for_all": (_einsum("ab,ac->bc", (3, 4), (1, 5)), 3 * 4 * 5),
    "Einsum-dots": (_einsum("...w,wd->...d", _X, (6, 3)), (2 * 4 * 4) * (6 * 3)),
    "Einsum-diagonal_summed": (_einsum("nccw->nw", _X), 2 * 4 * 6),
    "Einsum-without_an_arrow": (_einsum("ab,bc", (3, 4), (4, 5)), 3 * 4 * 5),
    "ScaledDotProductAttention": (
        _of(ops.scaled_dot_product_attention, (2, 4, 3, 6), (2, 4, 5, 6), (2, 4, 5, 7)),
        (2 * 4) * 3 * 5 * (6 + 7),
    ),
    "ScaledDotProductAttention-one_head_of_keys": (
        _of(ops.scaled_dot_product_attention, (2, 4, 3, 6), (2, 1, 5, 6), (2, 1, 5, 7)),
        (2 * 4) * 3 * 5 * (6 + 7),
    ),
}
"""Makers of an op, and its multiply-accumulates: places of the result times what each is summed from."""


def types_made_by_openvino() -> frozenset[str]:
    """Op types that the functions of OpenVINO's opsets make, as they spell them."""
    found: set[str] = set()
    for version in range(1, 17):
        opset = importlib.import_module(f"openvino.opset{version}")
        for function in filter(inspect.isfunction, vars(opset).values()):
            found.update(re.findall(r'create\(\s*"(\w+)"', inspect.getsource(inspect.unwrap(function))))
    return frozenset(found)
