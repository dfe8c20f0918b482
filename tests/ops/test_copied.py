"""Every op on copies written out, met by real copies, gives the map that the definition gives."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest
from openvino import Node
from openvino import opset15 as ops
from openvino.utils.node_factory import NodeFactory

from fixtures.networks import Tensor, named, reshaped, transposed
from ovxai_convert.errors import RefusedError
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods import Method
from ovxai_convert.ops import TABLE
from ovxai_convert.ops.copying import UNKNOWN
from tests.ops.axis_cases import AXIS_CASES
from tests.ops.elementwise_cases import ELEMENTWISE_CASES
from tests.ops.heads import CHANNELS, COLUMNS, ROWS, Build, OpCase, Start, op_model, whole
from tests.running import check_raw_map, insert_branch

CASES = (*ELEMENTWISE_CASES, *AXIS_CASES)
NOT_IN_OPSET = frozenset({"RMS"})
"""Made only by transformations inside the runtime; no source file can hold it."""
COPIED = {kind for kind, row in TABLE.items() if row.copied is not UNKNOWN}


@pytest.mark.parametrize(
    ("case", "batch"),
    [
        (case, batch)
        for index, case in enumerate(CASES)
        for batch in ((1,) if case.one_sample else ((1, None), (2, None), (3, None))[index % 3])
        if batch or case.runs_dynamic
    ],
    ids=str,
)
def test_map_is_the_definition(case: OpCase, batch: int | None) -> None:
    model = op_model(case.build, batch)
    assert case.op in {node.get_type_name() for node in model.get_ordered_ops()}
    check_raw_map(model, "target")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_copies_that_differ_in_one_cell(case: OpCase) -> None:
    """The same ops on what is still compact, where an equation may hold."""
    check_raw_map(op_model(case.build, 1 if case.one_sample else 2, kernel=1), "target")


@pytest.mark.parametrize("op", sorted(COPIED - NOT_IN_OPSET))
def test_every_op_type_has_a_case(op: str) -> None:
    assert op in {case.op for case in CASES}


@pytest.mark.parametrize("op", sorted(NOT_IN_OPSET))
def test_ops_without_a_case_cannot_be_made(op: str) -> None:
    with pytest.raises(RuntimeError, match="Couldn't create operation"):
        NodeFactory("opset15").create(op, [], {})


def _per_sample_minimum(s: Start) -> Tensor:
    """Mixes samples: each sees the smallest value of all."""
    return ops.subtract(s.target, _op(ops.reduce_min(s.target, [0], True)))


def _op(node: Node) -> Node:
    return named(node, "op")


def _flat(s: Start) -> Node:
    return reshaped(s.target, [0, CHANNELS * ROWS * COLUMNS])


MIXING: Final[dict[str, Build]] = {
    "Softmax": lambda s: _op(ops.softmax(s.target, 0)),
    "CumSum": lambda s: _op(ops.cum_sum(s.target, np.int64(0))),
    "MVN": lambda s: _op(ops.mvn(s.target, whole(0, 2), True, 1e-3, "inside_sqrt")),
    "Slice": lambda s: _op(ops.slice(s.target, whole(-1), whole(-9), whole(-1), whole(0))),
    "Tile": lambda s: ops.slice(_op(ops.tile(s.target, whole(2, 1, 1, 1))), *map(whole, (0, 3, 1, 0))),
    "Split": lambda s: ops.concat(_op(ops.split(s.target, np.int64(0), 3)).outputs()[::-1], 0),
    "Pad": lambda s: ops.slice(
        _op(ops.pad(s.target, whole(1, 0, 0, 0), whole(0, 0, 0, 0), "edge")), *map(whole, (0, 3, 1, 0))
    ),
    "ReduceMin": _per_sample_minimum,
    "Gather": lambda s: _op(ops.gather(s.target, whole(2, 0, 1), np.int64(0))),
    "Concat": lambda s: ops.slice(_op(ops.concat([s.target, s.skip], 0)), *map(whole, (2, 5, 1, 0))),
    "StridedSlice": lambda s: _op(
        ops.strided_slice(s.target, whole(2), whole(-4), whole(-1), begin_mask=[0], end_mask=[0])
    ),
    "Reshape": lambda s: reshaped(_op(reshaped(s.target, [2, 144])), [3, CHANNELS, ROWS, COLUMNS]),
    "MatMul": lambda s: _op(ops.matmul(s.draw.numbers(3, 3), _flat(s), False, False)),
    "GroupConvolution": lambda s: transposed(
        _op(
            ops.group_convolution(
                transposed(s.target, [1, 0, 2, 3]),
                s.draw.numbers(3, 1, 1, 1, 1),
                [1, 1],
                [0, 0],
                [0, 0],
                [1, 1],
            )
        ),
        [1, 0, 2, 3],
    ),
    "Einsum": lambda s: ops.einsum(
        [_flat(s), _op(ops.einsum([_flat(s), _flat(s)], "nc,mc->nm"))], "nc,nm->mc"
    ),
    "ScatterNDUpdate": lambda s: _op(
        ops.scatter_nd_update(s.target, whole(2), s.draw.numbers(CHANNELS, ROWS, COLUMNS))
    ),
    "Roll": lambda s: _op(ops.roll(s.target, whole(1), whole(0))),
}
"""Heads in which samples meet: what an op does along the first axis it does within each copy."""


@pytest.mark.parametrize("op", MIXING)
def test_samples_that_meet(op: str) -> None:
    model = op_model(MIXING[op], 3)
    assert op in {node.get_type_name() for node in model.get_ordered_ops()}
    check_raw_map(model, "target")


def test_attention_of_samples_to_each_other() -> None:
    def build(s: Start) -> Tensor:
        flat = _flat(s)
        return ops.matmul(ops.tanh(ops.matmul(flat, flat, False, True)), flat, False, False)

    check_raw_map(op_model(build, 3), "target")


def test_sum_over_the_samples() -> None:
    """Each sample is added to the sum of all."""
    check_raw_map(op_model(lambda s: ops.add(s.target, ops.einsum([s.target], "nchw->chw")), 3), "target")


def refused(build: Build, batch: int) -> tuple[str, str | None]:
    """Reason and node of the refusal of a head."""
    with pytest.raises(RefusedError) as caught:
        insert_branch(op_model(build, batch), Request(Method.RECIPROCAM, "target"))
    (refusal,) = caught.value.refusals
    assert refusal.method == "reciprocam"
    return refusal.reason, refusal.node


def test_sizes_of_all_axes_are_refused() -> None:
    """The number of samples is among them."""

    def build(s: Start) -> Node:
        sizes, scales = whole(3, CHANNELS, 8, 3), ops.constant(np.ones(4, np.float32))
        inputs = [s.target.output(0), sizes.output(0), scales.output(0)]
        attributes = {"mode": "linear_onnx", "shape_calculation_mode": "sizes"}
        return _op(NodeFactory("opset4").create("Interpolate", inputs, attributes))

    assert refused(build, 3) == ("Interpolate works along axes that are not constant", "op")


def test_an_op_that_nothing_is_known_of_is_refused() -> None:
    def build(s: Start) -> Node:
        return _op(ops.reverse_sequence(s.target, whole(2, 3, 4), np.int64(0), np.int64(3)))

    assert refused(build, 3) == ("ReverseSequence is not known to keep copies apart", "op")


def test_slope_that_depends_on_the_target_is_refused() -> None:
    def build(s: Start) -> Tensor:
        slope = ops.squeeze(ops.slice(s.target, *map(whole, (0, 1, 1, 1))), whole(1))
        return _op(ops.prelu(s.target, ops.reduce_mean(slope, [1, 2], False)))

    assert refused(build, 1) == ("PRelu has parameters that depend on the target", "op")


def test_indices_that_count_over_the_batch_are_refused() -> None:
    def build(s: Start) -> Tensor:
        pooled = _op(ops.max_pool(s.target, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2], axis=0))
        return ops.multiply(pooled.output(0), ops.tanh(ops.convert(pooled.output(1), "f32")))

    assert refused(build, 3) == ("MaxPool gives indices that count over the whole batch", "op")
