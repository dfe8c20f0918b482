"""Every op as it is said in ONNX gives OpenVINO's numbers in ONNX Runtime, in every operator set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import helper
from openvino import Model, Output
from openvino import opset15 as ops

from ovxai_convert.emission.saying import said_in_onnx
from ovxai_convert.errors import Refusal
from ovxai_convert.onnx_graph.graph import NEWEST, OLDEST, OnnxGraph
from ovxai_convert.ops import TABLE
from ovxai_convert.ops.copying import UNKNOWN
from ovxai_convert.ops.in_onnx.call import onnx_type_of
from ovxai_convert.tensors.ports import extents
from tests.ops.heads import CHANNELS, OpCase, Start
from tests.ops.heads import whole as vector
from tests.ops.row_records import CASES, record
from tests.running import compile_f32, random_inputs

SINCE: Final = {
    "Acosh": 9, "Asinh": 9, "Atanh": 9, "Cosh": 9, "Sinh": 9, "Erf": 9, "Sign": 9, "IsNaN": 9,
    "Broadcast": 8, "FakeQuantize": 8,
    "IsFinite": 10, "IsInf": 10, "Mod": 10,
    "Equal": 11, "NotEqual": 11, "LessEqual": 11, "GreaterEqual": 11, "CumSum": 11, "Interpolate": 11,
    "ScatterNDUpdate": 11,
    "Einsum": 12,
    "DeformableConvolution": 19,
}  # fmt: skip
"""The first operator set of ops that the oldest ones cannot say."""
LATER: Final = {
    "Slice": 10,  # in steps
    "StridedSlice": 10,
    "Gather-neighbours_from_the_end": 11,
    "Gather-last_and_first": 11,
    "Gather-last_channel": 11,
    "ScaledDotProductAttention-truth_values": 9,
}
"""The same of single cases."""
NEVER: Final = {
    "AdaptiveAvgPool": "whose windows differ has no form in ONNX",
    "AdaptiveMaxPool": "whose windows differ has no form in ONNX",
    "BinaryConvolution": "has no form in ONNX",
    "DeformableConvolution": "that reads no zeros beside the map has no form in ONNX",
    "FakeConvert": "has no form in ONNX",
    "FakeConvert-per_channel": "has no form in ONNX",
    "ReverseSequence": "has no form in ONNX",
}
"""What no exporter makes of ONNX, and what it is refused with."""


def _even_windows(s: Start) -> Any:
    return ops.adaptive_avg_pool(s.target, vector(2, 3))


def _largest_of_even_windows(s: Start) -> Any:
    return ops.adaptive_max_pool(s.target, vector(2, 3), "i32").output(0)


def _deformed_with_zeros(s: Start) -> Any:
    offsets, weights = s.draw.convolution(s.skip, 8), s.draw.numbers(3, CHANNELS, 2, 2)
    return ops.deformable_convolution(
        s.target, offsets, weights, [1, 1], [0, 0], [1, 1], [1, 1], bilinear_interpolation_pad=True
    )


def _blocks_first(s: Start) -> Any:
    return ops.space_to_depth(s.target, "blocks_first", 2)


def _crd(s: Start) -> Any:
    return ops.depth_to_space(s.target, "depth_first", 2)


def _counted_channels(s: Start) -> Any:
    """0 to 3, up to a number that is computed."""
    zero = ops.reduce_sum(ops.multiply(s.target, np.float32(0)), vector(0, 1, 2, 3))
    count = ops.convert(ops.add(zero, np.float32(CHANNELS)), "i64")
    numbers = ops.range(ops.constant(np.int64(0)), count, ops.constant(np.int64(1)), "f32")
    return ops.add(s.target, ops.reshape(numbers, vector(1, CHANNELS, 1, 1), False))


def _smallest(s: Start) -> Any:
    best = ops.topk(ops.add(s.target, s.skip), np.int64(2), 1, "min", "value")
    return ops.add(best.output(0), ops.convert(best.output(1), "f32"))


def _tokens_by_sample(s: Start) -> Any:
    indices = ops.constant(np.array([[1, 0], [2, 3]], np.int64))
    return ops.gather(s.target, indices, np.int64(1), batch_dims=1)


def _whole_numbers_clamped(s: Start) -> Any:
    return ops.convert(ops.clamp(ops.convert(ops.multiply(s.target, np.float32(4)), "i64"), -1.5, 2.5), "f32")


def _all_but_one(s: Start) -> Any:
    return ops.strided_slice(
        s.target, vector(0, 0, 1), vector(0, 0, 4), vector(1, 1, 1),
        begin_mask=[0, 0, 0], end_mask=[0, 0, 0], new_axis_mask=[0, 1, 0], ellipsis_mask=[1, 0, 0],
    )  # fmt: skip


MORE: Final = (
    OpCase("AdaptiveAvgPool", _even_windows, "even"),
    OpCase("AdaptiveAvgPool", lambda s: ops.adaptive_avg_pool(s.target, vector(1, 1)), "whole"),
    OpCase("AdaptiveMaxPool", _largest_of_even_windows, "even"),
    OpCase("DeformableConvolution", _deformed_with_zeros, "zeros"),
    OpCase("SpaceToDepth", _blocks_first, "blocks_first"),
    OpCase("DepthToSpace", _crd, "depth_first"),
    OpCase("Range", _counted_channels),
    OpCase("TopK", _smallest, "smallest"),
    OpCase("Gather", _tokens_by_sample, "by_sample"),
    OpCase("Clamp", _whole_numbers_clamped, "whole_numbers"),
    OpCase("StridedSlice", _all_but_one, "rest"),
    OpCase("Gelu", lambda s: ops.gelu(s.target, "erf"), "erf"),
    OpCase(
        "Round", lambda s: ops.round(ops.multiply(s.target, np.float32(4)), "half_away_from_zero"), "away"
    ),
    OpCase("Round", lambda s: ops.round(_halves(s), "half_to_even"), "ties"),
    OpCase("Reshape", lambda s: ops.reshape(s.target, vector(0, 2, -1), True), "copied_extent"),
)
"""Forms that the cases of the other fields leave out."""
LATER_MORE: Final = {
    "DepthToSpace-depth_first": 11,
    "Gelu-erf": 9,
    "Round-away": 9,
    "TopK-smallest": 11,
    "Gather-by_sample": 12,
    "Clamp-whole_numbers": 12,
    "StridedSlice-rest": OLDEST,  # no step but one
    "Range": 11,
}


def _halves(s: Start) -> Any:
    """-2.5, -1.5, ... 2.5, of which each lies between two whole numbers."""
    return ops.subtract(ops.floor(ops.multiply(s.target, np.float32(2))), np.float32(0.5))


def since(case: OpCase) -> int:
    name = str(case)
    return {**LATER, **LATER_MORE}.get(name, SINCE.get(case.op, OLDEST))


def options() -> onnxruntime.SessionOptions:
    """One thread: a pool of them is dearer than such a model."""
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = 1
    return chosen


class Said:
    """A case, and its ops in ONNX in one operator set."""

    def __init__(self, case: OpCase) -> None:
        made = record(case)
        inside = set(made.made)
        read = [port for node in made.made for port in node.input_values()]
        entering = [port for port in read if port.get_node() not in inside]
        self.entering = [
            port for port in dict.fromkeys(entering) if port.get_node().get_type_name() != "Constant"
        ]
        outputs = [port for node in made.under_test for port in node.outputs()]
        self.outputs = [port for port in outputs if port.get_index() == 0 or port.get_target_inputs()]
        results = [ops.result(port) for port in (*self.entering, *self.outputs)]
        model = Model(results, made.model.get_parameters())
        found = compile_f32(model)(random_inputs(made.model))
        values = [np.array(found[index]) for index in range(len(results))]
        self.given, self.expected = values[: len(self.entering)], values[len(self.entering) :]

    def in_set(self, opset: int) -> onnx.ModelProto | Refusal:
        graph = OnnxGraph(opset, "case/")
        names = {port: f"given_{index}" for index, port in enumerate(self.entering)}
        said = said_in_onnx(self.outputs, graph, names.get)
        if isinstance(said, Refusal):
            return said
        outputs = [f"wanted_{index}" for index in range(len(said))]
        handed_on = [
            helper.make_node("Identity", [one], [other]) for one, other in zip(said, outputs, strict=True)
        ]
        return helper.make_model(
            helper.make_graph(
                [*graph.nodes, *handed_on],
                "case",
                [described(name, port) for port, name in names.items()],
                [described(name, port) for name, port in zip(outputs, self.outputs, strict=True)],
                list(graph.initializers.values()),
            ),
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=8,
        )

    def assert_same(self, model: onnx.ModelProto) -> None:
        onnx.checker.check_model(model, full_check=True)
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options(), providers=["CPUExecutionProvider"]
        )
        names = [each.name for each in session.get_inputs()]
        feed = {name: value for name, value in self.feed().items() if name in names}
        for actual, expected in zip(session.run(None, feed), self.expected, strict=True):
            assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
            np.testing.assert_allclose(actual.astype(float), expected.astype(float), 1e-4, 1e-5)

    def feed(self) -> dict[str, NDArray[Any]]:
        return {f"given_{index}": value for index, value in enumerate(self.given)}


def described(name: str, port: Output) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx_type_of(port), extents(port))


def forms_of(case: Said, sets: Sequence[int]) -> Iterator[tuple[int, onnx.ModelProto]]:
    """The first operator set of each form that the case takes."""
    seen = set()
    for opset in sets:
        model = case.in_set(opset)
        assert not isinstance(model, Refusal), f"operator set {opset}: {model}"
        text = str(model.graph)
        if text not in seen:
            seen.add(text)
            yield opset, model


NEWEST_RUN: Final = min(NEWEST, 23)
"""The last operator set that the ONNX Runtime of the tests knows well."""


@pytest.mark.parametrize("case", [each for each in (*CASES, *MORE) if str(each) not in NEVER], ids=str)
def test_numbers_are_openvinos_in_every_form(case: OpCase) -> None:
    said, first = Said(case), since(case)
    for opset, model in forms_of(said, range(first, NEWEST_RUN + 1)):
        try:
            onnx.checker.check_model(model, full_check=opset == first)
            said.assert_same(model)
        except Exception as error:
            raise AssertionError(f"in operator set {opset}: {error}") from error
    if first > OLDEST:
        refusal = said.in_set(first - 1)
        assert isinstance(refusal, Refusal)
        assert f"in {first} and later" in refusal.reason
        assert refusal.node


@pytest.mark.parametrize("case", [each for each in CASES if str(each) in NEVER], ids=str)
def test_what_has_no_form_is_refused(case: OpCase) -> None:
    refusal = Said(case).in_set(NEWEST)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == f"{case.op} {NEVER[str(case)]}"
    assert refusal.node


def test_every_op_that_can_be_rewritten_is_met() -> None:
    rewritten = {kind for kind, row in TABLE.items() if row.copied is not UNKNOWN} - {"RMS"}
    said = {case.op for case in (*CASES, *MORE) if str(case) not in NEVER}
    assert rewritten - said == {"BinaryConvolution", "FakeConvert"}


def test_a_wrong_form_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each case can fail: with another op under the same name, it does."""
    case = next(each for each in CASES if str(each) == "Sigmoid")
    original = OnnxGraph.add

    def wrong(graph: OnnxGraph, kind: str, *inputs: str, **attributes: Any) -> str:
        return original(graph, "Tanh" if kind == "Sigmoid" else kind, *inputs, **attributes)

    monkeypatch.setattr(OnnxGraph, "add", wrong)
    said = Said(case)
    with pytest.raises(AssertionError):
        said.assert_same(onnx.ModelProto.FromString(_proto(said).SerializeToString()))


def _proto(said: Said) -> onnx.ModelProto:
    model = said.in_set(13)
    assert not isinstance(model, Refusal)
    return model
