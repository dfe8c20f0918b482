"""Models as the runtime takes them: in memory, from files, and as artifacts whose sidecar is held to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import openvino as ov
import pytest

from fixtures.broken_files import UNREADABLE, onnx_classifier, save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import ModelReadError, Refusal, Sidecar, UsageError, convert
from ovxai_convert.artifact.notes import UserNotes
from ovxai_convert.explain.loading import ScoresPlace, load_model
from ovxai_convert.inspection import inspect_model
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.model_api import hints_from_model_info
from ovxai_convert.source.answers import NO_ANSWER_HINTS, answer_of
from ovxai_convert.source.reading import sha256_of_file
from tests.answer_forms import Form
from tests.running import CORE
from tests.special_networks import labelled, two_class_outputs


def place(index: int, activation: str, classes: int) -> ScoresPlace:
    return ScoresPlace(index, classes, activation, answer_of(Form(activation, classes), NO_ANSWER_HINTS))


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """A converted model with labels and preprocessing."""
    path = save_ir(labelled(), tmp_path / "net.xml")
    hints = PreprocessingHints(colour="bgr", scale=(2.5,))
    return convert(path, tmp_path / "out", preprocessing=hints).xml


def spoil(xml: Path, change: Callable[[dict[str, Any]], None]) -> None:
    sidecar = xml.with_suffix(".json")
    data = json.loads(sidecar.read_text(encoding="utf-8"))
    change(data)
    sidecar.write_text(json.dumps(data), encoding="utf-8")


def without_description(xml: Path) -> None:
    """Take out what stands in a converted model, and let its sidecar fit again."""
    text = xml.read_text(encoding="utf-8")
    xml.write_text(re.sub(r"<ovxai value=.*/>", "", text), encoding="utf-8")
    digest = sha256_of_file(xml)
    spoil(xml, lambda data: data["model"].update(xml_sha256=digest))


def assert_unreadable(path: Path, begin: Path, text: str) -> None:
    with pytest.raises(ModelReadError) as caught:
        load_model(path)
    assert str(caught.value).startswith(f"{begin}: ")
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_model_in_memory() -> None:
    model = labelled()
    loaded = load_model(model)
    assert loaded.model is model
    assert loaded.description is None
    assert loaded.scores == place(0, "none", 3)
    assert loaded.labels == ("cat", "dog", "bird")
    assert loaded.hints == hints_from_model_info({"model_type": "Classification", "mean_values": "1 2 3"})


@pytest.mark.parametrize("as_text", [False, True])
def test_model_files(as_text: bool, tmp_path: Path) -> None:
    xml = save_ir(cnn(CnnSpec(ending="sigmoid")), tmp_path / "net.xml")
    onnx.save(onnx_classifier(metadata={"names": '["a", "b", "c"]'}), tmp_path / "net.onnx")
    loaded = [load_model(str(path) if as_text else path) for path in (xml, tmp_path / "net.onnx")]
    assert [each.scores for each in loaded] == [place(0, kind, 3) for kind in ("sigmoid", "softmax")]
    assert [each.labels for each in loaded] == [None, ("a", "b", "c")]
    assert [each.hints for each in loaded] == [NO_HINTS, NO_HINTS]


def test_model_whose_classes_are_not_clear() -> None:
    loaded = load_model(two_class_outputs())
    assert isinstance(loaded.scores, Refusal)
    assert "several outputs" in loaded.scores.reason
    assert loaded.labels is None


def test_artifact(artifact: Path) -> None:
    loaded = load_model(artifact)
    assert loaded.description is not None
    assert loaded.description.method == "reciprocam"
    assert loaded.scores == place(0, "none", 3)
    assert loaded.labels == ("cat", "dog", "bird")
    assert loaded.hints == PreprocessingHints(
        (10, 14), (1, 2, 3), (2.5,), "bgr", "stretch", "NCHW", interpolation="linear", rounded=True
    )
    assert loaded.model.outputs[-1].get_names() == {"saliency_map"}


def test_artifact_of_the_output_that_was_chosen(tmp_path: Path) -> None:
    path = save_ir(two_class_outputs(), tmp_path / "two.xml")
    report = convert(path, tmp_path / "out", scores_output="second")
    assert load_model(report.xml).scores == place(2, "none", 2)


@pytest.mark.parametrize("options", [{}, {"top_k": 2}, {"classes": [1]}], ids=str)
def test_original_of_an_artifact(options: dict[str, Any], tmp_path: Path) -> None:
    path = save_ir(labelled(), tmp_path / "net.xml")
    loaded = load_model(convert(path, tmp_path / "out", **options).xml)
    before = len(loaded.model.outputs)
    original = loaded.original()
    assert [port.get_names() for port in original.outputs] == [{"output"}]
    assert len(loaded.model.outputs) == before
    source = {node.get_friendly_name() for node in CORE.read_model(path).get_ordered_ops()}
    assert {node.get_friendly_name() for node in original.get_ordered_ops()} == source


@pytest.mark.parametrize("options", [{}, {"top_k": 2}], ids=str)
def test_converted_model_in_memory(options: dict[str, Any], tmp_path: Path) -> None:
    """Its added outputs are not taken for classes."""
    path = save_ir(labelled(), tmp_path / "net.xml")
    loaded = load_model(CORE.read_model(convert(path, tmp_path / "out", **options).xml))
    assert loaded.scores == place(0, "none", 3)


@pytest.mark.parametrize(("build", "text"), UNREADABLE, ids=[build.__name__ for build, _ in UNREADABLE])
def test_unreadable_model(build: Callable[[Path], Path], text: str, tmp_path: Path) -> None:
    path = build(tmp_path)
    assert_unreadable(path, path, text)


@pytest.mark.parametrize("suffix", [".xml", ".bin"])
def test_file_that_is_not_the_one_proved(suffix: str, artifact: Path) -> None:
    changed = artifact.with_suffix(suffix)
    content = changed.read_bytes()
    changed.write_bytes(content + b"\n" if suffix == ".xml" else content[:-1] + bytes([content[-1] ^ 1]))
    loaded = load_model(artifact)
    assert loaded.description is not None
    assert not isinstance(loaded.description, Sidecar)
    (doubt,) = loaded.doubts
    assert f"of another file than '{changed.name}'" in doubt
    changed.write_bytes(content)
    assert isinstance(load_model(artifact).description, Sidecar)
    assert load_model(artifact).doubts == ()


@pytest.mark.parametrize("suffix", [".xml", ".bin"])
def test_file_that_is_not_the_one_described(suffix: str, artifact: Path) -> None:
    """Nothing stands in the model, as in those that were written before it did."""
    without_description(artifact)
    changed = artifact.with_suffix(suffix)
    content = changed.read_bytes()
    changed.write_bytes(content + b"\n" if suffix == ".xml" else content[:-1] + bytes([content[-1] ^ 1]))
    assert_unreadable(artifact, changed, "not the file that its sidecar describes; convert the model again")
    changed.write_bytes(content)
    assert load_model(artifact).description is not None


def test_weights_under_another_name(artifact: Path) -> None:
    """Names are told for people; files are found by the model's own."""
    spoil(artifact, lambda data: data["model"].update(bin="other_xai.bin"))
    assert load_model(artifact).doubts == ()


@pytest.mark.parametrize("version", ["2.0", "3.1", "0.9"])
def test_sidecar_of_another_version(version: str, artifact: Path) -> None:
    spoil(artifact, lambda data: data.update(schema_version=version, brand_new=1))
    assert_unreadable(artifact, artifact.with_suffix(".json"), f"sidecar version {version} is not known here")


def test_spoiled_sidecar(artifact: Path) -> None:
    spoil(artifact, lambda data: data.pop("scores"))
    assert_unreadable(artifact, artifact.with_suffix(".json"), "not a valid sidecar")
    artifact.with_suffix(".json").write_text("{", encoding="utf-8")
    assert_unreadable(artifact, artifact.with_suffix(".json"), "no JSON")


def test_method_of_a_version_to_come(artifact: Path) -> None:
    without_description(artifact)
    spoil(artifact, lambda data: data.update(method="shapley"))
    own = load_model(artifact).own_map
    assert own is not None
    assert own.method is None
    assert own.saliency.output == "saliency_map"


def test_missing_sidecar(artifact: Path) -> None:
    artifact.with_suffix(".json").unlink()
    loaded = load_model(artifact)
    assert loaded.description is not None
    assert "no sidecar is beside it as 'net_xai.json'" in loaded.doubts[0]
    assert loaded.labels == ("cat", "dog", "bird")


def test_spoiled_sidecar_of_a_black_box(tmp_path: Path) -> None:
    """The model alone does not tell that it was converted; its sidecar claims to be one."""
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    xml = convert(path, tmp_path / "out", max_branch_memory=1).xml
    sidecar = load_model(xml).description
    assert sidecar is not None
    assert sidecar.mode == "blackbox"
    spoil(xml, lambda data: data.pop("scores"))
    assert_unreadable(xml, xml.with_suffix(".json"), "not a valid sidecar")


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", "no JSON", '["cat", "dog", "bird"]', '{"schema_version": "9"}', "[" * 100_000, "\udcff"],
    ids=lambda text: ascii(text[:12]),
)
def test_unrelated_file_beside_a_model(text: str, tmp_path: Path) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    path.with_suffix(".json").write_text(text, encoding="utf-8", errors="surrogateescape")
    loaded = load_model(path)
    assert loaded.description is None
    assert loaded.scores == place(0, "none", 3)


def test_artifact_beside_its_source_of_the_same_name(tmp_path: Path) -> None:
    """Its sidecar is of ``net.xml``; the ``net.onnx`` beside it stays what it was."""
    source = tmp_path / "net.onnx"
    onnx.save(onnx_classifier(), source)
    first = convert(source, tmp_path, name="{stem}")
    assert first.xml == tmp_path / "net.xml"
    assert load_model(source).description is None
    assert inspect_model(source).artifact is None
    assert load_model(first.xml).description == first.sidecar
    again = convert(source, tmp_path, name="{stem}", force=True)
    assert again.sidecar == first.sidecar


def test_numbers_of_model_info_that_are_none() -> None:
    model = cnn(CnnSpec())
    model.set_rt_info("a lot", ["model_info", "mean_values"])
    hints = load_model(model).hints
    assert isinstance(hints, UsageError)
    assert str(hints) == "model_info says 'a lot' of mean_values, which is no number"
    assert load_model(model, UserNotes(preprocessing=PreprocessingHints(mean=(1,)))).hints == NO_HINTS


def test_path_like_objects(artifact: Path) -> None:
    class Where:
        def __fspath__(self) -> str:
            return str(artifact)

    assert load_model(Where()).description is not None
    assert isinstance(load_model(ov.Core().read_model(artifact)).model, ov.Model)
