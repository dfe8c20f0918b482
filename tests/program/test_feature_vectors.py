"""The feature vector: the mean of the target over its cells, proved, beside maps of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import ConversionReport, RefusedError, VerificationError, convert, read_sidecar
from ovxai_convert.insertion import heads
from ovxai_convert.insertion.insert import insert_branch
from ovxai_convert.insertion.request import Insertion
from tests import special_networks
from tests.oracle import Floats
from tests.program.invocation import Convert, assert_one_error
from tests.running import CORE, edit_output, random_inputs, run
from tests.transformers import VitSpec, transformer

NETWORKS: Final[dict[str, Callable[[], ov.Model]]] = {
    "mean-pooled": lambda: cnn(CnnSpec(batch=2)),
    "open batch": lambda: cnn(CnnSpec(batch=None)),
    "open size": lambda: cnn(CnnSpec(dynamic_size=True)),
    "channels last": lambda: cnn(CnnSpec(layout="NHWC")),
    "flattened": lambda: cnn(CnnSpec(head="flatten")),
    "tokens": lambda: special_networks.token_mean(1),
    "class token": lambda: transformer(VitSpec()),
    "tokens before and behind": lambda: transformer(VitSpec(before=2, after=1, batch=None)),
    "samples inside": lambda: transformer(VitSpec(samples_inside=True, batch=2)),
}


def in_half_precision(model: ov.Model) -> ov.Model:
    """The same with a target of float16."""
    target = target_of(model, "target")
    users = list(target.get_target_inputs())
    half = ops.convert(target, "f16")
    wide = ops.convert(half, "f32")
    half.set_friendly_name("half")
    for user in users:
        user.replace_source_output(wide.output(0))
    return model


def target_of(model: ov.Model, name: str) -> ov.Output:
    return next(node for node in model.get_ordered_ops() if node.get_friendly_name() == name).output(0)


def means_of_cells(path: Path, report: ConversionReport, inputs: dict[str, Floats]) -> Floats:
    """The definition: the source's own target, averaged over the cells in NumPy."""
    described = report.sidecar.target_layer
    assert described is not None
    model = CORE.read_model(path)
    model.add_results([ops.result(target_of(model, described.name))])
    values = run(model, inputs)[-1].astype(np.float64)
    layout = described.layout
    if report.sidecar.method == "vitreciprocam":
        assert report.sidecar.saliency_map is not None
        rows, columns = report.sidecar.saliency_map.shape[-2:]
        spec = NETWORKS_BEFORE.get(path.stem, 1)
        values = values.take(range(spec, spec + rows * columns), axis=layout.index("T"))
    axes = tuple(index for index, role in enumerate(layout) if role in "HWT")
    means: Floats = values.mean(axis=axes)
    return means


NETWORKS_BEFORE: Final = {"tokens before and behind": 2}
"""Tokens before the patches, where that is not one."""


OPTIONS: Final[tuple[dict[str, Any], ...]] = ({}, {"top_k": 2}, {"embed_scaling": False})
BESIDE: Final = [
    (name, options)
    for number, name in enumerate(NETWORKS)
    for place, options in enumerate(OPTIONS)
    if name in ("mean-pooled", "class token") or place == number % len(OPTIONS)
]
"""A vector of every network, and beside maps of every kind on one of each method."""


@pytest.mark.parametrize(("name", "options"), BESIDE, ids=str)
def test_it_is_the_mean_of_the_target(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    path = save_ir(NETWORKS[name](), tmp_path / f"{name}.xml")
    report = convert(path, tmp_path / "out", feature_vector=True, **options)
    converted = CORE.read_model(report.xml)
    inputs = random_inputs(converted, seed=3)
    found = run(converted, inputs)[-1]
    expected = means_of_cells(path, report, inputs)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * max(1, abs(expected).max()))
    assert np.ptp(found) > 1e-3
    told = report.sidecar.feature_vector
    assert told is not None
    assert (told.name, told.index, told.element_type) == ("feature_vector", len(converted.outputs) - 1, "f32")
    assert converted.outputs[-1].get_names() == {"feature_vector"}
    assert read_sidecar(report.sidecar_path) == report.sidecar


def test_beside_an_activation_map(tmp_path: Path) -> None:
    path = save_ir(cnn(CnnSpec()), tmp_path / "net.xml")
    report = convert(path, tmp_path / "out", feature_vector=True, method="activationmap")
    inputs = random_inputs(CORE.read_model(path))
    found = run(CORE.read_model(report.xml), inputs)[-1]
    np.testing.assert_allclose(found, means_of_cells(path, report, inputs), atol=1e-5)


def test_target_of_half_precision(tmp_path: Path) -> None:
    path = save_ir(in_half_precision(cnn(CnnSpec())), tmp_path / "net.xml")
    report = convert(path, tmp_path / "out", feature_vector=True, target_layer="half")
    inputs = random_inputs(CORE.read_model(path))
    found = run(CORE.read_model(report.xml), inputs)[-1]
    np.testing.assert_allclose(found, means_of_cells(path, report, inputs), atol=2e-3)


@pytest.mark.parametrize("mistake", ["scaled", "rolled", "one more token", "maximum"])
def test_a_wrong_one_is_found(mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edits: dict[str, Callable[[ov.Output], ov.Node]] = {
        "scaled": lambda port: ops.multiply(port, np.float32(1.001)),
        "rolled": lambda port: ops.roll(port, np.array(1), np.array(1)),
        "one more token": lambda port: ops.multiply(port, np.float32(13 / 12)),
        "maximum": lambda port: ops.maximum(port, ops.reduce_mean(port, np.array(1), keep_dims=True)),
    }

    def planted(*arguments: Any) -> Any:
        insertion = insert_branch(*arguments)
        assert isinstance(insertion, Insertion)
        edit_output(insertion.model, len(insertion.model.outputs) - 1, edits[mistake])
        return replace(insertion)

    monkeypatch.setattr(heads, "insert_branch", planted)
    model = transformer(VitSpec()) if mistake == "one more token" else cnn(CnnSpec())
    path = save_ir(model, tmp_path / "net.xml")
    with pytest.raises(VerificationError, match="the feature vector of sample 0 has "):
        convert(path, tmp_path / "out", feature_vector=True)
    assert not (tmp_path / "out").exists()


def test_model_that_has_one(tmp_path: Path, out: Path, run_convert: Convert) -> None:
    model = cnn(CnnSpec())
    target_of(model, "target").get_tensor().set_names({"feature_vector"})
    path = save_ir(model, tmp_path / "net.xml")
    command = [path, "-o", out, "-q", "--feature-vector"]
    assert_one_error(run_convert(*command), 4, "the model already has a tensor 'feature_vector'")


def test_no_branch_no_vector(tmp_path: Path, out: Path) -> None:
    """What is asked for is not left out in silence."""
    path = save_ir(special_networks.perceptron(), tmp_path / "net.xml")
    with pytest.raises(RefusedError):
        convert(path, out, feature_vector=True)
