"""Several class outputs: a map for each in one artifact, each held to its own head's definition."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

from fixtures.broken_files import save_ir
from fixtures.networks import Draw, named
from ovxai_convert import (
    ConversionReport,
    Explainer,
    Explanation,
    Method,
    ModelReadError,
    RefusedError,
    UsageError,
    convert,
    read_sidecar,
)
from ovxai_convert.inspection import inspect_model
from tests import oracle
from tests.endings import model_of, trunk
from tests.oracle import Port, assert_grey_levels_equal
from tests.program.invocation import Convert
from tests.running import CORE, compile_f32

NAMES = ("kind", "colour", "age")


def network(batch: int | None = 1) -> ov.Model:
    """Three heads behind one pooled map: four classes, three, and a number."""
    draw = Draw(12)
    image, _, pooled = trunk(batch, draw)
    heads = {
        name: named(draw.linear(pooled, count), f"{name}_scores")
        for name, count in zip(NAMES, (4, 3, 1), strict=True)
    }
    return model_of(heads, image)


def image(samples: int = 1) -> Any:
    return np.random.default_rng(3).normal(size=(samples, 3, 4, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_ir(network(), tmp_path_factory.mktemp("source") / "net.xml")


@pytest.fixture(scope="module")
def report(path: Path) -> ConversionReport:
    """Converted for two of the heads; tests that change its files take copies of them."""
    return convert(path, path.parent / "out", scores_output="kind,colour")


def copied(report: ConversionReport, folder: Path) -> tuple[Path, Path]:
    """The model and the sidecar of a copy."""
    copy = shutil.copytree(report.xml.parent, folder / "copy")
    return copy / report.xml.name, copy / report.sidecar_path.name


@pytest.mark.parametrize("batch", [1, 2, None])
@pytest.mark.parametrize("names", [("kind", "colour"), ("age", "kind", "colour")])
def test_each_map_is_its_heads(names: tuple[str, ...], batch: int | None, tmp_path: Path) -> None:
    model = network(batch)
    report = convert(save_ir(model, tmp_path / "net.xml"), tmp_path / "out", scores_output=list(names))
    assert report.sidecar.heads == names
    assert all(check.bit_exact for check in report.sidecar.verification.outputs)
    converted = CORE.read_model(report.xml)
    maps = [f"saliency_map_{name}" for name in names]
    assert [port.get_any_name() for port in converted.outputs] == [*NAMES, *maps]
    values = image(batch or 2)
    results = compile_f32(converted)([values])
    for name in names:
        expected = oracle.reciprocam(model, Port("target"), Port(f"{name}_scores"), "NCHW", {"image": values})
        assert_grey_levels_equal(results[f"saliency_map_{name}"], expected)


def test_a_wrong_heads_map_is_noticed(report: ConversionReport) -> None:
    """The test above can fail: two heads' maps are not alike."""
    results = compile_f32(CORE.read_model(report.xml))([image()])
    expected = oracle.reciprocam(network(), Port("target"), Port("colour_scores"), "NCHW", {"image": image()})
    with pytest.raises(AssertionError):
        assert_grey_levels_equal(results["saliency_map_kind"][:, :3], expected)


@pytest.mark.parametrize("names", ["kind, colour", "0,1"])
def test_commas_and_indices_name_several(
    names: str, path: Path, report: ConversionReport, tmp_path: Path
) -> None:
    assert convert(path, tmp_path / "out", scores_output=names).sidecar.heads == report.sidecar.heads


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"scores_output": "kind,kind"}, "the output 'kind' is named twice"),
        ({"scores_output": "kind,0"}, "the output 'kind' is named twice"),
        ({"scores_output": "kind,size"}, "no output named 'size'"),
        ({"scores_output": "kind,colour", "classes": [1]}, "classes are chosen of one class output"),
        ({"scores_output": "kind,colour", "top_k": 4}, "there are no 4 best classes: the model has 3"),
        ({"scores_output": "kind,colour", "labels": ["a", "b"]}, "2 labels fit none of the 2 class outputs"),
    ],
)
def test_what_does_not_fit(options: dict[str, Any], reason: str, path: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=reason):
        convert(path, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_what_is_added_for_each(path: Path, tmp_path: Path) -> None:
    report = convert(path, tmp_path / "out", scores_output="kind,colour", top_k=2, feature_vector=True)
    added = [port.get_any_name() for port in CORE.read_model(report.xml).outputs[len(NAMES) :]]
    maps = "saliency_map_kind", "saliency_map_colour"
    assert added == [maps[0], f"{maps[0]}_classes", "feature_vector", maps[1], f"{maps[1]}_classes"]
    (head,) = report.sidecar.more_heads
    assert head.saliency_classes is not None
    assert head.saliency_classes.name == f"{maps[1]}_classes"


def test_labels_go_to_the_head_that_they_fit(path: Path, tmp_path: Path) -> None:
    report = convert(path, tmp_path / "out", scores_output="kind,colour", labels=["red", "green", "blue"])
    assert report.sidecar.labels is None
    assert report.sidecar.more_heads[0].labels == ("red", "green", "blue")
    assert Explainer(report.xml, scores_output="colour").label_names == ("red", "green", "blue")


@pytest.mark.parametrize("sidecar", [True, False])
def test_either_head_is_explained(
    sidecar: bool, path: Path, report: ConversionReport, tmp_path: Path
) -> None:
    """Its own maps, those of a branch inserted now, and the black box are of the head in question."""
    xml, description = copied(report, tmp_path)
    if not sidecar:
        description.unlink()
    for name, count in (("kind", 4), ("colour", 3), (None, 4)):
        doubted = not sidecar or name is None
        with (
            pytest.warns(UserWarning, match="description that stands|those of the first")
            if doubted
            else nullcontext()
        ):
            explainer = Explainer(xml, scores_output=name)
        beside = Explainer(path, scores_output=name or "kind")
        found, expected = (each(image(), targets="all", colormap=False) for each in (explainer, beside))
        assert isinstance(found, Explanation)
        assert isinstance(expected, Explanation)
        assert found.predictions == expected.predictions
        assert len(found.targets) == count
        for target in found.targets:
            np.testing.assert_array_equal(found.raw[target], expected.raw[target])
        outside = explainer(image(), targets="all", explain_method=Method.RISE, num_masks=4)
        assert isinstance(outside, Explanation)
        assert outside.predictions.keys() == found.predictions.keys()


def test_a_head_without_a_map_is_refused(report: ConversionReport) -> None:
    with pytest.raises(UsageError, match="converted for 'kind', 'colour', and not for the output 'age'"):
        Explainer(report.xml, scores_output="age")


def test_one_of_them_without_a_branch(tmp_path: Path) -> None:
    """What was asked for by name is not left out in silence."""
    draw = Draw(12)
    parameter, target, pooled = trunk(1, draw)
    model = model_of({"kind": draw.linear(pooled, 4), "map": target}, parameter)
    with pytest.raises(RefusedError, match="output 'map'"):
        convert(save_ir(model, tmp_path / "net.xml"), tmp_path / "out", scores_output="kind,map")
    assert not (tmp_path / "out").exists()


def test_description_of_the_heads(report: ConversionReport, tmp_path: Path) -> None:
    assert read_sidecar(report.xml) == report.sidecar
    xml, description = copied(report, tmp_path)
    data = json.loads(description.read_text())
    data["more_heads"][0]["saliency_map"]["index"] = 0
    description.write_text(json.dumps(data))
    with pytest.raises(ModelReadError):
        read_sidecar(xml)


def test_reshaped(report: ConversionReport) -> None:
    assert [check.result for check in report.sidecar.reshapes] == ["proved"]
    model = CORE.read_model(report.xml)
    model.reshape([2, 3, 8, 6])
    values = np.random.default_rng(4).normal(size=(2, 3, 8, 6)).astype(np.float32)
    results = compile_f32(model)([values])
    assert results["saliency_map_colour"].shape == (2, 3, 8, 6)


def test_commands(path: Path, run_convert: Convert, run_inspect: Convert, tmp_path: Path) -> None:
    outcome = run_convert(path, "-o", tmp_path / "out", "--scores-output", "kind,colour")
    assert outcome.exit_code == 0, outcome.stderr
    assert "(and 'saliency_map_colour' by reciprocam)" in outcome.stdout
    shown = run_inspect(tmp_path / "out" / "net_xai.xml").stdout
    assert "head:     output 'colour', 3 classes" in shown
    unclear = run_inspect(path).stdout
    for name in NAMES:
        assert f"candidates for --target-layer with --scores-output {name}" in unclear
    assert inspect_model(path).refusal is not None
