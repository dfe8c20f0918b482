"""``--classes`` and ``--top-k``: classes by index or label, the sidecar, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

import ovxai_convert as xai
from tests.program.invocation import Convert, assert_one_error
from tests.special_networks import labelled


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """An IR whose three classes have labels."""
    path = tmp_path / "labelled.xml"
    ov.serialize(labelled(), path)
    return path


def _labels(model: Path, out: Path) -> tuple[str, ...]:
    labels = xai.convert(model, out / "all").sidecar.labels
    assert labels is not None
    return labels


def test_labels_and_indices_mean_the_same(model: Path, out: Path) -> None:
    labels = _labels(model, out)
    by_label = xai.convert(model, out / "label", classes=[labels[2], labels[0]]).sidecar
    by_index = xai.convert(model, out / "index", classes=["2", 0]).sidecar
    assert by_label == by_index
    assert by_label.saliency_map is not None
    assert by_label.saliency_map.classes == {"indices": [2, 0]}
    assert by_label.saliency_map.shape[1] == 2
    assert xai.read_sidecar(out / "index" / "labelled_xai.json") == by_index


def test_best_classes_have_an_output_that_names_them(model: Path, out: Path, run_convert: Convert) -> None:
    assert run_convert(model, "-o", out, "--top-k", 2).exit_code == 0
    sidecar = xai.read_sidecar(out / "labelled_xai.json")
    assert sidecar.saliency_map is not None
    assert sidecar.saliency_map.classes == {"top_k": 2, "indices_output": "saliency_classes"}
    written = ov.Core().read_model(out / "labelled_xai.xml")
    assert [sorted(port.get_names()) for port in written.outputs[-2:]] == [
        ["saliency_map"],
        ["saliency_classes"],
    ]
    assert sidecar.saliency_map.index == len(written.outputs) - 2
    assert len(sidecar.outputs) == len(written.outputs) - 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--classes", "3"], "no class 3: the model has 3, 0 to 2"),
        (["--classes", "1,1"], "class 1 is named twice"),
        (["--classes", "nonsense"], "no class labelled 'nonsense'"),
        (["--top-k", "4"], "there are no 4 best classes: the model has 3"),
        (["--top-k", "1", "--classes", "1"], "choose classes or the best ones, not both"),
    ],
    ids=" ".join,
)
def test_classes_that_cannot_be_meant(
    options: list[str], message: str, model: Path, out: Path, run_convert: Convert
) -> None:
    assert_one_error(run_convert(model, "-o", out, "-q", *options), 2, message)
    assert not out.exists()


def test_a_label_where_the_model_has_none(onnx_model: Path, out: Path, run_convert: Convert) -> None:
    outcome = run_convert(onnx_model, "-o", out, "-q", "--classes", "cat")
    assert_one_error(outcome, 2, "no class 'cat': the model has no labels; name classes by index")


def test_wrong_classes_are_not_written(model: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch that explains the worst classes under the name of the best fails the proof."""
    real = ops.topk

    def worst(data: ov.Output, k: ov.Output, axis: int, mode: str, sort: str, index_type: str) -> ov.Node:
        assert mode == "max"
        return real(data, k, axis, "min", sort, index_type)

    monkeypatch.setattr(ops, "topk", worst)
    with pytest.raises(xai.VerificationError, match="not those of the highest scores"):
        xai.convert(model, out, top_k=1)
    assert not out.exists()


def test_maps_of_chosen_classes_are_those_of_all(model: Path, out: Path) -> None:
    _labels(model, out)
    xai.convert(model, out / "some", classes=[2, 1])
    image = np.random.default_rng(3)
    every, some = (
        ov.Core().compile_model(out / name / "labelled_xai.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        for name in ("all", "some")
    )
    feed = [image.standard_normal(tuple(port.get_shape())).astype(np.float32) for port in every.inputs]
    np.testing.assert_array_equal(every(feed)["saliency_map"][:, [2, 1]], some(feed)["saliency_map"])
