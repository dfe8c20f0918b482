"""Where a model lies and what it is called: links, renamed files, unrelated files beside, names to choose."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import onnx
import pytest

from fixtures.broken_files import onnx_classifier, save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, ProofWarning, Sidecar, convert, read_sidecar
from tests.program.invocation import Convert, assert_one_error
from tests.special_networks import labelled


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """A converted model with labels."""
    return convert(save_ir(labelled(), tmp_path / "net.xml"), tmp_path / "out").xml


def renamed(xml: Path, stem: str, suffixes: tuple[str, ...] = (".xml", ".bin", ".json")) -> Path:
    folder = xml.parent.parent / "elsewhere" / "1"
    folder.mkdir(parents=True)
    for suffix in suffixes:
        shutil.copy(xml.with_suffix(suffix), folder / f"{stem}{suffix}")
    return folder / f"{stem}.xml"


def test_all_files_renamed(artifact: Path, photograph: Path, out: Path, run_explain: Convert) -> None:
    """It is what it was: hashes fit, and nothing is to be said."""
    xml = renamed(artifact, "model")
    outcome = run_explain(xml, photograph, "-o", out)
    assert outcome.exit_code == 0
    assert outcome.stderr == ""
    assert isinstance(read_sidecar(xml), Sidecar)
    assert read_sidecar(xml) == read_sidecar(artifact)
    assert Explainer(xml).doubts == ()


def test_without_the_sidecar(
    artifact: Path, photograph: Path, out: Path, run_explain: Convert, run_inspect: Convert
) -> None:
    xml = renamed(artifact, "model", (".xml", ".bin"))
    outcome = run_explain(xml, photograph, "-o", out, "-q", "--targets", "all")
    assert outcome.exit_code == 0
    assert outcome.stderr.splitlines() == [
        f"Warning: {xml}: no sidecar is beside it as 'model.json', so that its proof is not at hand; "
        "it is read by the description that stands in it"
    ]
    names = [f"photo_{each}.png" for each in ("bird", "cat", "dog")]
    assert sorted(path.name for path in out.iterdir()) == names
    description = read_sidecar(xml)
    assert not isinstance(description, Sidecar)
    assert description.labels == ("cat", "dog", "bird")
    with pytest.warns(ProofWarning, match="no sidecar is beside it as 'model.json'"):
        assert Explainer(xml).label_names == ("cat", "dog", "bird")
    assert "labels:   cat, dog, bird" in run_inspect(xml).stdout


@pytest.mark.parametrize("content", ['{"labels": ["a"]}', "[1, 2]", '{"schema_version": "1.0"}'])
def test_unrelated_file_under_the_sidecars_name(content: str, artifact: Path) -> None:
    xml = renamed(artifact, "model", (".xml", ".bin"))
    xml.with_suffix(".json").write_text(content, encoding="utf-8")
    with pytest.warns(ProofWarning, match="no sidecar is beside it"):
        Explainer(xml)


def test_sidecar_of_another_artifact(
    artifact: Path, tmp_path: Path, photograph: Path, out: Path, run_explain: Convert
) -> None:
    other = convert(save_ir(cnn(CnnSpec(seed=5)), tmp_path / "other.xml"), tmp_path / "out").xml
    xml = renamed(artifact, "model", (".xml", ".bin"))
    shutil.copy(other.with_suffix(".json"), xml.with_suffix(".json"))
    outcome = run_explain(xml, photograph, "-o", out, "-q", "--targets", "cat")
    assert outcome.exit_code == 0
    assert "'model.json' and its proof are of another file than 'model.xml'" in outcome.stderr


def test_model_that_says_nothing_of_itself(tmp_path: Path, run_explain: Convert, photograph: Path) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    with pytest.raises(Exception, match="no sidecar is beside it, and no description stands in it"):
        read_sidecar(path)


@pytest.mark.parametrize("linked", ["model", "model and weights", "folder"])
def test_links(
    linked: str, tmp_path: Path, out: Path, photograph: Path, run_convert: Convert, run_explain: Convert
) -> None:
    """As in the cache of a hub, where files are links to others that are named after their content."""
    (tmp_path / "blobs").mkdir()
    path = save_ir(cnn(CnnSpec()), tmp_path / "blobs" / "abc123.xml")
    (tmp_path / "snapshot").mkdir()
    link = tmp_path / "snapshot" / "net.xml"
    if linked == "folder":
        (tmp_path / "there").symlink_to(path.parent)
        link = tmp_path / "there" / "abc123.xml"
    else:
        link.symlink_to(path)
    if linked == "model and weights":
        weights = path.with_suffix(".bin").rename(tmp_path / "blobs" / "def456")
        link.with_suffix(".bin").symlink_to(weights)
    assert run_convert(link, "-o", out, "-q").exit_code == 0
    sidecar = read_sidecar(out / f"{link.stem}_xai.json")
    assert isinstance(sidecar, Sidecar)
    assert len(sidecar.source.files) == 2
    outcome = run_explain(link, photograph, "-o", tmp_path / "shown", "-q")
    assert outcome.exit_code == 0


def test_link_to_an_artifact(artifact: Path, tmp_path: Path, photograph: Path, run_explain: Convert) -> None:
    """Its sidecar is looked for under the link's own name."""
    link = tmp_path / "deployed.xml"
    link.symlink_to(artifact)
    outcome = run_explain(link, photograph, "-o", tmp_path / "shown", "-q")
    assert outcome.exit_code == 0
    assert "no sidecar is beside it as 'deployed.json'" in outcome.stderr
    link.with_suffix(".json").symlink_to(artifact.with_suffix(".json"))
    outcome = run_explain(link, photograph, "-o", tmp_path / "shown", "-q")
    assert (outcome.exit_code, outcome.stderr) == (0, "")


def test_link_that_leads_nowhere(tmp_path: Path, out: Path, run_convert: Convert) -> None:
    link = tmp_path / "net.xml"
    link.symlink_to(tmp_path / "gone.xml")
    assert_one_error(run_convert(link, "-o", out, "-q"), 3, "no such file")


def test_a_name_of_ones_own(onnx_model: Path, out: Path, photograph: Path, run_convert: Convert) -> None:
    assert run_convert(onnx_model, "-o", out, "-q", "--name", "Zoo v2").exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["Zoo v2.bin", "Zoo v2.json", "Zoo v2.xml"]
    assert json.loads((out / "Zoo v2.json").read_text())["model"]["xml"] == "Zoo v2.xml"
    assert Explainer(out / "Zoo v2.xml").doubts == ()


def test_two_models_of_one_stem_in_two_folders(tmp_path: Path, out: Path, run_convert: Convert) -> None:
    paths = []
    for folder in ("cats", "dogs"):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "model.onnx")
        onnx.save(onnx_classifier(), paths[-1])
    outcome = run_convert(*paths, "-o", out, "-q", "--name", "{folder}_{stem}")
    assert outcome.exit_code == 0
    assert sorted(path.name for path in out.glob("*.xml")) == ["cats_model.xml", "dogs_model.xml"]


def test_equal_files_are_written_under_equal_names(onnx_model: Path, tmp_path: Path) -> None:
    """Nothing in the model tells where it was written or what it is called."""
    one = convert(onnx_model, tmp_path / "one", name="a")
    other = convert(onnx_model, tmp_path / "other", name="b")
    assert one.xml.read_bytes() == other.xml.read_bytes()
