"""The branch in ONNX: maps equal to the definition in ONNX Runtime, whatever the file is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import openvino as ov
import pytest
from numpy.typing import NDArray

from ovxai_convert import RefusedError, UsageError, convert
from ovxai_convert.onnx_graph.graph import OLDEST
from tests import oracle
from tests.emission.files import CLASSES, SIZE, Network, images
from tests.oracle import Port

GRID = SIZE // 2
NEWEST_RUN = 23


def answers(path: Path, given: NDArray[Any]) -> dict[str, NDArray[Any]]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {session.get_inputs()[0].name: given}), strict=True))


def defined(source: Path, given: NDArray[Any], scores: str = "logits") -> NDArray[Any]:
    """Recipro-CAM of the source, ``[N, K, H, W]``, one run of OpenVINO per cell, in grey levels."""
    model = ov.Core().read_model(source)
    names = {
        name: node.get_friendly_name()
        for node in model.get_ops()
        for port in node.outputs()
        for name in port.get_names()
    }
    raw = oracle.reciprocam(model, Port(names["target"]), Port(names[scores]), "NCHW", {"x": given})
    return oracle.grey_levels(raw)


def assert_maps_are_defined(source: Path, converted: Path, given: NDArray[Any]) -> None:
    before, after = answers(source, given), answers(converted, given)
    assert [*after] == [*before, "saliency_map"]
    for name, value in before.items():
        assert value.tobytes() == after[name].tobytes(), name
    assert after["saliency_map"].dtype == np.uint8
    expected = defined(source, given.astype(np.float32))
    assert after["saliency_map"].shape == expected.shape == (len(given), CLASSES, GRID, GRID)
    assert np.abs(after["saliency_map"].astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.parametrize("opset", range(OLDEST, NEWEST_RUN + 1))
def test_in_every_operator_set(opset: int, tmp_path: Path) -> None:
    source = Network(opset).saved(tmp_path / "net.onnx")
    report = convert(source, tmp_path / "out", output_format="onnx")
    onnx.checker.check_model(str(report.onnx), full_check=True)
    assert_maps_are_defined(source, report.onnx, images(2))
    assert report.sidecar.onnx is not None
    assert report.sidecar.onnx.opset == opset
    assert report.sidecar.onnx.bytes_added < 16 * 1024


@pytest.mark.parametrize("opset", [7, 9])
def test_old_files_whose_weights_are_inputs(opset: int, tmp_path: Path) -> None:
    source = Network(opset, version=3).saved(tmp_path / "net.onnx")
    report = convert(source, tmp_path / "out", output_format="onnx")
    onnx.checker.check_model(str(report.onnx), full_check=True)
    assert_maps_are_defined(source, report.onnx, images(2))
    before, after = onnx.load(source).graph, onnx.load(report.onnx).graph
    assert list(after.input) == list(before.input)
    assert list(after.initializer) == list(before.initializer)


def test_older_operator_sets_are_refused(tmp_path: Path) -> None:
    source = Network(OLDEST - 1).saved(tmp_path / "net.onnx")
    with pytest.raises(RefusedError, match="is of operator set 6; those from 7 to"):
        convert(source, tmp_path / "out", output_format="onnx")
    assert not (tmp_path / "out").exists()


def test_op_without_a_form_in_the_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ovxai_convert.onnx_graph import graph

    real = graph._schema
    late = lambda kind, opset: None if kind == "Where" and opset < 20 else real(kind, opset)  # noqa: E731
    monkeypatch.setattr(graph, "_schema", late)
    source = Network(17).saved(tmp_path / "net.onnx")
    with pytest.raises(RefusedError, match=r"Where cannot be said in operator set 17, but in 20"):
        convert(source, tmp_path / "out", output_format="onnx")


def test_fixed_batch(tmp_path: Path) -> None:
    source = Network(batch=1).saved(tmp_path / "net.onnx")
    report = convert(source, tmp_path / "out", output_format="onnx")
    assert_maps_are_defined(source, report.onnx, images())
    shape = onnx.load(report.onnx).graph.output[-1].type.tensor_type.shape
    assert [axis.dim_value for axis in shape.dim] == [1, CLASSES, GRID, GRID]


def test_open_batch_keeps_its_name(tmp_path: Path) -> None:
    report = convert(Network().saved(tmp_path / "net.onnx"), tmp_path / "out", output_format="onnx")
    shape = onnx.load(report.onnx).graph.output[-1].type.tensor_type.shape
    assert shape.dim[0].dim_param == "N"
    for count in (1, 2, 3):
        assert answers(report.onnx, images(count))["saliency_map"].shape == (count, CLASSES, GRID, GRID)


def test_half_precision_stays_and_maps_are_computed_in_float32(tmp_path: Path) -> None:
    source = Network(dtype=np.float16).saved(tmp_path / "net.onnx")
    report = convert(source, tmp_path / "out", output_format="onnx")
    given = images(2, dtype=np.float16)
    before, after = answers(source, given), answers(report.onnx, given)
    assert before["scores"].tobytes() == after["scores"].tobytes()
    assert before["scores"].dtype == np.float16
    expected = defined(source, given)
    assert np.abs(after["saliency_map"].astype(int) - expected.astype(int)).max() <= 2


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_raw_maps_are_of_the_models_type(dtype: type[np.floating[Any]], tmp_path: Path) -> None:
    source = Network(dtype=dtype).saved(tmp_path / "net.onnx")
    report = convert(source, tmp_path / "out", output_format="onnx", embed_scaling=False)
    assert answers(report.onnx, images(1, dtype=dtype))["saliency_map"].dtype == dtype


def test_classes_best_and_features(tmp_path: Path) -> None:
    source = Network().saved(tmp_path / "net.onnx")
    whole = convert(source, tmp_path / "all", output_format="onnx")
    some = convert(source, tmp_path / "some", output_format="onnx", classes=[3, 1])
    best = convert(source, tmp_path / "best", output_format="onnx", top_k=2, feature_vector=True)
    given = images(2)
    maps = answers(whole.onnx, given)["saliency_map"]
    np.testing.assert_array_equal(answers(some.onnx, given)["saliency_map"], maps[:, [3, 1]])
    found = answers(best.onnx, given)
    assert [*found] == ["scores", "saliency_map", "saliency_classes", "feature_vector"]
    classes = found["saliency_classes"]
    np.testing.assert_array_equal(classes, np.argsort(-found["scores"], axis=1)[:, :2])
    np.testing.assert_array_equal(
        found["saliency_map"], np.take_along_axis(maps, classes[..., None, None], 1)
    )
    assert found["feature_vector"].shape == (2, 8)


def test_both_forms_have_one_description(tmp_path: Path) -> None:
    report = convert(Network().saved(tmp_path / "net.onnx"), tmp_path / "out", output_format="both")
    assert [path.name for path in report.models] == ["net_xai.xml", "net_xai.onnx"]
    metadata = {entry.key: entry.value for entry in onnx.load(report.onnx).metadata_props}
    embedded = ov.Core().read_model(report.xml).get_rt_info(["ovxai"]).astype(str)
    assert metadata["ovxai"] == embedded
    given = images(2)
    in_openvino = ov.compile_model(report.xml, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(given)
    difference = answers(report.onnx, given)["saliency_map"].astype(int) - in_openvino["saliency_map"]
    assert np.abs(difference).max() <= 1


def test_other_sources_are_told_what_to_do(tmp_path: Path) -> None:
    ov.save_model(ov.Core().read_model(Network().saved(tmp_path / "net.onnx")), tmp_path / "ir.xml")
    with pytest.raises(UsageError, match=r"only an ONNX file can be written as ONNX.*convert the ONNX file"):
        convert(tmp_path / "ir.xml", tmp_path / "out", output_format="onnx")
    assert not (tmp_path / "out").exists()


def test_source_is_never_written_over(tmp_path: Path) -> None:
    source = Network().saved(tmp_path / "net.onnx")
    content = source.read_bytes()
    with pytest.raises(UsageError, match="would be written over itself"):
        convert(source, tmp_path, output_format="onnx", name="net", force=True)
    assert source.read_bytes() == content
