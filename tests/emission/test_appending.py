"""What an ONNX file holds is copied byte for byte; nodes, constants, outputs and metadata come behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx
import pytest
from onnx import helper

from ovxai_convert import ModelReadError, RefusedError, WriteError, convert, read_sidecar
from ovxai_convert.emission import appending
from ovxai_convert.emission.appending import write_appended
from tests.emission.files import Network, images
from tests.emission.test_branch import answers


def parts(model: onnx.ModelProto, field: str) -> list[bytes]:
    return [each.SerializeToString(deterministic=True) for each in getattr(model.graph, field)]


def test_graph_goes_on_where_it_ended(tmp_path: Path) -> None:
    source = Network().saved(tmp_path / "net.onnx")
    report = convert(source, tmp_path / "out", output_format="onnx", preprocessing="unit")
    before, after = onnx.load(source), onnx.load(report.onnx)
    for field in ("node", "initializer", "input", "output", "value_info"):
        old, new = parts(before, field), parts(after, field)
        assert new[: len(old)] == old, field
    assert parts(after, "input") == parts(before, "input")
    added = after.graph.node[len(before.graph.node) :]
    names = [name for node in added for name in (node.name, *node.output)]
    assert all(name.startswith("saliency_map") for name in names)
    more = after.graph.initializer[len(before.graph.initializer) :]
    assert all(each.name.startswith("saliency_map/") for each in more)
    assert [each.name for each in after.graph.output] == ["scores", "saliency_map"]
    for field in ("ir_version", "producer_name", "domain", "model_version", "doc_string"):
        assert getattr(after, field) == getattr(before, field)
    assert list(after.opset_import) == list(before.opset_import)
    assert list(after.metadata_props)[: len(before.metadata_props)] == list(before.metadata_props)
    assert {"author", "ovxai", "model_info model_type"} <= {entry.key for entry in after.metadata_props}


def test_bytes_stay_in_their_places(tmp_path: Path) -> None:
    """But for the length of the graph, the file begins and goes on as the source does."""
    source = Network().saved(tmp_path / "net.onnx")
    content = source.read_bytes()
    report = convert(source, tmp_path / "out", output_format="onnx")
    graph = onnx.load(source).graph.SerializeToString()
    assert content.count(graph) == 1
    start, written = content.index(graph), report.onnx.read_bytes()
    assert written.count(graph) == 1
    assert written[: start - 4] == content[: start - 4]
    assert written[written.index(graph) + len(graph) :].endswith(
        content[start + len(graph) :] + _metadata(report.onnx)
    )


def _metadata(path: Path) -> bytes:
    entries = [entry for entry in onnx.load(path).metadata_props if entry.key != "author"]
    return onnx.ModelProto(metadata_props=entries).SerializeToString()


def test_fields_in_any_order_are_read(tmp_path: Path) -> None:
    """A graph in two pieces with metadata between them, as protocol buffers allow."""
    model = Network().model()
    first, second = onnx.ModelProto(), onnx.ModelProto()
    first.CopyFrom(model)
    del first.graph.node[4:]
    second.graph.node.extend(model.graph.node[4:])
    source = tmp_path / "net.onnx"
    source.write_bytes(first.SerializeToString() + second.SerializeToString())
    report = convert(source, tmp_path / "out", output_format="onnx")
    given = images(2)
    assert answers(source, given)["scores"].tobytes() == answers(report.onnx, given)["scores"].tobytes()


def test_nothing_added_is_the_same_file(tmp_path: Path) -> None:
    source = Network().saved(tmp_path / "net.onnx")
    write_appended(source, tmp_path / "copy.onnx", onnx.GraphProto(), {})
    assert (tmp_path / "copy.onnx").read_bytes() == source.read_bytes()


def test_too_large_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Network().saved(tmp_path / "net.onnx")
    monkeypatch.setattr(appending, "_LARGEST", source.stat().st_size)
    with pytest.raises(WriteError, match="store the weights of the source as external data"):
        convert(source, tmp_path / "out", output_format="onnx")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("location", ["net.weights", "weights/net.bin"])
def test_weights_beside_stay_beside(location: str, tmp_path: Path) -> None:
    source = Network().with_weights_in(tmp_path / "net.onnx", location)
    report = convert(source, tmp_path / "out", output_format="both")
    there, here = tmp_path / location, tmp_path / "out" / location
    assert here.read_bytes() == there.read_bytes()
    assert here.stat().st_nlink == 1
    given = images(2)
    before, after = answers(source, given), answers(report.onnx, given)
    assert before["scores"].tobytes() == after["scores"].tobytes()
    assert report.sidecar.onnx is not None
    assert [each.file for each in report.sidecar.onnx.external] == [location]
    assert read_sidecar(report.onnx) == report.sidecar
    here.write_bytes(b"x" + here.read_bytes()[1:])
    assert read_sidecar(report.onnx) != report.sidecar  # by what stands in the model


def test_weights_in_the_folder_of_the_source_are_left_alone(tmp_path: Path) -> None:
    source = Network().with_weights_in(tmp_path / "net.onnx", "net.weights")
    content = (tmp_path / "net.weights").read_bytes()
    report = convert(source, tmp_path, output_format="onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "net.onnx",
        "net.weights",
        "net_xai.json",
        "net_xai.onnx",
    ]
    assert (tmp_path / "net.weights").read_bytes() == content
    assert "saliency_map" in answers(report.onnx, images())


def test_weights_of_others_are_not_replaced_unasked(tmp_path: Path) -> None:
    source = Network().with_weights_in(tmp_path / "net.onnx", "net.weights")
    out = tmp_path / "out"
    out.mkdir()
    (out / "net.weights").write_text("another's")
    with pytest.raises(WriteError, match=r"net.weights exists already"):
        convert(source, out, output_format="onnx")
    assert [path.name for path in out.iterdir()] == ["net.weights"]
    convert(source, out, output_format="onnx", force=True)
    assert (out / "net.weights").read_bytes() == (tmp_path / "net.weights").read_bytes()


def test_converted_file_is_known_under_any_name(tmp_path: Path) -> None:
    report = convert(Network().saved(tmp_path / "net.onnx"), tmp_path / "out", output_format="onnx")
    moved = shutil.copy(report.onnx, tmp_path / "moved.onnx")
    assert read_sidecar(moved).saliency_map == report.sidecar.saliency_map
    for path in (report.onnx, moved):
        with pytest.raises(RefusedError, match="it was converted already"):
            convert(path, tmp_path / "again", output_format="onnx")
    with pytest.raises(ModelReadError, match="no sidecar is beside it"):
        read_sidecar(tmp_path / "net.onnx")


@pytest.mark.parametrize("name", ["trunk", "head"])
def test_any_name_is_the_files_own(name: str, tmp_path: Path) -> None:
    """What the proof writes beside it takes nobody's place."""
    source = Network().saved(tmp_path / "net.onnx")
    report = convert(source, tmp_path / "out", output_format="onnx", name=name)
    assert [*answers(report.onnx, images())] == ["scores", "saliency_map"]
    assert sorted(path.name for path in report.onnx.parent.iterdir()) == [f"{name}.json", f"{name}.onnx"]


def test_network_without_a_branch_is_written_as_it_is(tmp_path: Path) -> None:
    model = Network().model()
    flat = helper.make_graph(
        [
            helper.make_node("Flatten", ["x"], ["f"]),
            helper.make_node("MatMul", ["f", "w"], ["scores"]),
        ],
        "flat",
        model.graph.input,
        model.graph.output,
        [onnx.numpy_helper.from_array(images(5).reshape(5, -1).T.copy(), "w")],
    )
    source = tmp_path / "flat.onnx"
    onnx.save(helper.make_model(flat, opset_imports=model.opset_import, ir_version=8), source)
    report = convert(source, tmp_path / "out", output_format="onnx")
    assert report.sidecar.mode == "blackbox"
    assert report.sidecar.onnx is not None
    assert report.sidecar.onnx.nodes_added == 0
    assert onnx.load(report.onnx).graph == onnx.load(source).graph
