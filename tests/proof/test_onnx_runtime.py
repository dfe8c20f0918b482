"""The proof in ONNX Runtime: what is wrong there alone is found, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ovxai_convert import OvxaiError, RefusedError, VerificationError, convert
from ovxai_convert.emission import branch
from ovxai_convert.emission.saying import said_in_onnx
from ovxai_convert.emission.source_graph import SourceGraph
from ovxai_convert.onnx_graph.graph import OnnxGraph
from ovxai_convert.proof import onnx_runtime
from ovxai_convert.proof.onnx_cut import OnnxCut
from ovxai_convert.proof.onnx_runtime import Arrays, Runtime
from tests.emission.files import Network, images


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Network().saved(tmp_path / "net.onnx")


def written(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir()) if out.exists() else []


def spoiled(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the converted file, and it alone, answer something else in ONNX Runtime."""
    real = Runtime.run

    def run(
        runtime: Runtime, session: Any, feed: Mapping[str, NDArray[Any]], names: Sequence[str] | None = None
    ) -> Arrays:
        found = real(runtime, session, feed, names)
        there = [output.name for output in session.get_outputs()]
        return change(found) if "saliency_map" in there else found

    monkeypatch.setattr(Runtime, "run", run)


def test_both_runtimes_are_recorded(source: Path, tmp_path: Path) -> None:
    report = convert(source, tmp_path / "out", output_format="onnx")
    assert report.sidecar.onnx is not None
    first, second = report.sidecar.onnx.runtimes
    assert first.runtime.startswith("OpenVINO 20")
    assert second.runtime.startswith("ONNX Runtime 1.")
    for run in (first, second):
        assert run.inputs == 3
        assert [(check.name, check.bit_exact) for check in run.outputs] == [("scores", True)]
        assert run.saliency_map is not None
        assert run.saliency_map.maps_compared > 0
        assert run.saliency_map.max_abs_diff <= 1


def test_map_that_is_wrong_there_alone(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoiled(lambda found: (found[0], 255 - found[1]), monkeypatch)
    with pytest.raises(VerificationError, match="the saliency map is wrong at cell"):
        convert(source, tmp_path / "out", output_format="both")
    assert written(tmp_path / "out") == []


def test_output_that_moves_there_alone(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoiled(lambda found: (found[0] + np.float32(1e-3), found[1]), monkeypatch)
    with pytest.raises(VerificationError, match="output 'scores' has moved by"):
        convert(source, tmp_path / "out", output_format="onnx")
    assert written(tmp_path / "out") == []


def test_least_movement_is_told(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoiled(lambda found: (np.nextafter(found[0], np.float32(2)), found[1]), monkeypatch)
    with pytest.raises(RefusedError, match="no place keeps the outputs bit-exact"):
        convert(source, tmp_path / "exact", output_format="onnx", exact=True)
    report = convert(source, tmp_path / "out", output_format="onnx")
    assert report.sidecar.onnx is not None
    checks = {run.runtime.split()[0]: run.outputs[0].bit_exact for run in report.sidecar.onnx.runtimes}
    assert checks == {"OpenVINO": True, "ONNX": False}
    assert any("as ONNX output 'scores' is not bit-exact in ONNX Runtime" in text for text in report.warnings)


def test_wrong_node_is_found_by_reading_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = OnnxGraph.add

    def wrong(graph: OnnxGraph, kind: str, *inputs: str, **attributes: Any) -> str:
        return real(graph, "ReduceMax" if kind == "ReduceMin" else kind, *inputs, **attributes)

    monkeypatch.setattr(OnnxGraph, "add", wrong)
    with pytest.raises(VerificationError, match="the saliency map is wrong"):
        convert(source, tmp_path / "out", output_format="onnx")
    assert written(tmp_path / "out") == []


def test_op_that_no_runtime_knows_is_found(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = said_in_onnx

    def said(wanted: Any, graph: OnnxGraph, known: Any) -> Any:
        names = real(wanted, graph, known)
        graph.nodes[0].domain = "nowhere"
        return names

    monkeypatch.setattr(branch, "said_in_onnx", said)
    with pytest.raises(OvxaiError, match="nowhere"):
        convert(source, tmp_path / "out", output_format="onnx")
    assert written(tmp_path / "out") == []


def test_rules_of_onnx_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An output whose extents are not what its nodes give: neither runtime minds."""
    real = branch._described

    def described(*given: Any) -> onnx.ValueInfoProto:
        information = real(*given)
        information.type.tensor_type.shape.dim[1].dim_value = 4
        return information

    monkeypatch.setattr(branch, "_described", described)
    source = Network(batch=1).saved(tmp_path / "net.onnx")
    with pytest.raises(VerificationError, match=r"breaks the rules of ONNX: .*dimension 1"):
        convert(source, tmp_path / "out", output_format="onnx")
    assert written(tmp_path / "out") == []


def test_without_the_runtime_that_is_told(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Runtime, "installed", staticmethod(lambda: False))
    report = convert(source, tmp_path / "out", output_format="onnx", reference="none")
    assert report.sidecar.onnx is not None
    assert [run.runtime.split()[0] for run in report.sidecar.onnx.runtimes] == ["OpenVINO"]
    (told,) = [text for text in report.warnings if "ONNX Runtime" in text]
    assert told == (
        "the ONNX file was run in OpenVINO and not in ONNX Runtime, which is not installed: "
        "pip install 'ovxai-convert[onnxruntime]'"
    )


def test_source_that_the_runtime_does_not_take_is_told(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Runtime.loaded

    def loaded(runtime: Runtime, model: Path | bytes, what: str, level: str = onnx_runtime.FUSED) -> Any:
        if what == "the source":
            raise VerificationError("ONNX Runtime does not take the source: no such op")
        return real(runtime, model, what, level)

    monkeypatch.setattr(Runtime, "loaded", loaded)
    report = convert(source, tmp_path / "out", output_format="onnx", reference="none")
    told = (
        "the ONNX file was run in OpenVINO and not in ONNX Runtime: ONNX Runtime does not take the source: no"
    )
    assert any(text.startswith(told) for text in report.warnings)


def chain(kinds: Sequence[str], weights: Mapping[str, NDArray[Any]] = {}) -> onnx.ModelProto:
    nodes = [helper.make_node(kind, [f"t{at}"], [f"t{at + 1}"]) for at, kind in enumerate(kinds)]
    shape: list[str | int | None] = ["N", 3, 4, 4]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "chain",
            [helper.make_tensor_value_info("t0", onnx.TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(f"t{len(kinds)}", onnx.TensorProto.FLOAT, shape)],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )


def test_a_cut_takes_in_what_passes_the_target_by(tmp_path: Path) -> None:
    """A skip from before the target enters the head by itself; constants come along."""
    model = chain(["Relu", "Sigmoid", "Tanh"])
    model.graph.node.append(helper.make_node("Add", ["t3", "t1"], ["sum"]))
    model.graph.node.append(helper.make_node("Constant", [], ["two"], value_float=2.0))
    model.graph.node.append(helper.make_node("Mul", ["sum", "two"], ["end"]))
    model.graph.output[0].name = "end"
    onnx.save(model, tmp_path / "net.onnx")
    cut = OnnxCut(SourceGraph(tmp_path / "net.onnx"), ["t2"], "end")
    assert cut.entering == ("t2", "t1")
    values = [np.full((1, 3, 4, 4), number, np.float32) for number in (0.5, 3.0)]
    head = onnx.load_from_string(cut.head(values))
    assert [node.op_type for node in head.graph.node] == ["Constant", "Tanh", "Add", "Mul"]
    runtime, feed = Runtime(), dict(zip(cut.entering, values, strict=True))
    (found,) = runtime.run(runtime.loaded(head.SerializeToString(), "it"), feed)
    np.testing.assert_allclose(found, 2 * (np.tanh(0.5) + 3.0), rtol=1e-6)


def test_weights_beside_come_into_a_head(tmp_path: Path) -> None:
    source = Network().with_weights_in(tmp_path / "net.onnx", "weights/net.bin")
    cut = OnnxCut(SourceGraph(source), ["target"], "logits")
    head = onnx.load_from_string(cut.head([images()[:, :1]]))
    whole = {each.name: each for each in Network().model().graph.initializer}
    assert [each.name for each in head.graph.initializer] == ["fc", "fb"]
    for each in head.graph.initializer:
        np.testing.assert_array_equal(numpy_helper.to_array(each), numpy_helper.to_array(whole[each.name]))
