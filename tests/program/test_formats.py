"""One network as ONNX, as FP32 IR and as FP16-compressed IR: one target, one map, and its own precision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import onnx
import openvino as ov
import pytest

from fixtures.broken_files import onnx_classifier, save_ir
from fixtures.networks import CnnSpec, Head, cnn
from ovxai_convert import convert
from ovxai_convert.artifact.sidecar import Sidecar
from tests.oracle import Floats, assert_maps_equal
from tests.running import CORE, random_inputs, run

Form = Literal["onnx", "fp32", "fp16"]
CHANNELS: Final = 512
FP16_BOUND: Final = 2**-11
"""Largest difference that FP16 weights make to a map about its mean, as a part of its range.

FP16 keeps 11 bits; on eight seeds 3e-4 at most was measured. The mean itself moves with the
rounded bias, which scaling to grey levels takes away.
"""
BIN_GROWTH: Final = 64 * 1024


@dataclass(frozen=True)
class Converted:
    """A source, its conversion without scaling, and what the two compute from the same inputs."""

    source: Path
    xml: Path
    sidecar: Sidecar
    raw_map: Floats


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[Form, Converted]:
    """A classifier of 4 x 512 x 27 weights in all forms."""
    folder = tmp_path_factory.mktemp("forms")
    paths: dict[Form, Path] = {
        "onnx": folder / "net.onnx",
        "fp32": folder / "fp32.xml",
        "fp16": folder / "fp16.xml",
    }
    onnx.save(onnx_classifier(channels=CHANNELS), paths["onnx"])
    model = CORE.read_model(paths["onnx"])
    save_ir(model, paths["fp32"])
    save_ir(model, paths["fp16"], compress_to_fp16=True)
    return {form: _convert(path) for form, path in paths.items()}


def _convert(path: Path) -> Converted:
    report = convert(path, path.parent / "out", embed_scaling=False)
    converted = CORE.read_model(report.xml)
    return Converted(path, report.xml, report.sidecar, run(converted, random_inputs(converted))[-1])


def centred(form: Converted) -> Floats:
    """Every map about its mean."""
    raw = form.raw_map.astype(np.float64)
    return np.asarray(raw - raw.mean(axis=(2, 3), keepdims=True), np.float32)


def constants(model: ov.Model) -> dict[str, str]:
    """Element types of all constants by name."""
    found = (node for node in model.get_ordered_ops() if node.get_type_name() == "Constant")
    return {node.get_friendly_name(): node.get_element_type().get_type_name() for node in found}


def test_all_forms_give_the_same_target_and_scores(forms: dict[Form, Converted]) -> None:
    assert len(forms) == 3
    for form in forms.values():
        assert form.sidecar.target_layer == forms["onnx"].sidecar.target_layer
        assert form.sidecar.scores == forms["onnx"].sidecar.scores
        assert form.sidecar.saliency_map == forms["onnx"].sidecar.saliency_map
    assert [forms[form].sidecar.source.format for form in ("onnx", "fp32", "fp16")] == ["onnx", "ir", "ir"]


def test_fp32_forms_give_the_same_map(forms: dict[Form, Converted]) -> None:
    np.testing.assert_array_equal(forms["fp32"].raw_map, forms["onnx"].raw_map)


def test_fp16_weights_give_nearly_the_same_map(forms: dict[Form, Converted]) -> None:
    assert not np.array_equal(forms["fp16"].raw_map, forms["onnx"].raw_map)
    assert_maps_equal(centred(forms["fp16"]), centred(forms["onnx"]), FP16_BOUND)


def test_the_bound_tells_other_weights(forms: dict[Form, Converted], tmp_path: Path) -> None:
    onnx.save(onnx_classifier(channels=CHANNELS, seed=1), tmp_path / "other.onnx")
    with pytest.raises(AssertionError, match="expected"):
        assert_maps_equal(centred(_convert(tmp_path / "other.onnx")), centred(forms["onnx"]), FP16_BOUND)


@pytest.mark.parametrize("form", ["onnx", "fp32", "fp16"])
def test_weights_keep_their_precision(form: Form, forms: dict[Form, Converted]) -> None:
    before = constants(CORE.read_model(forms[form].source))
    after = constants(CORE.read_model(forms[form].xml))
    weights = "f16" if form == "fp16" else "f32"
    kept = {name: kind for name, kind in after.items() if name in before and kind in ("f16", "f32")}
    assert len(kept) >= 4
    assert set(kept.values()) == {weights}
    assert ("f16" in after.values()) == (form == "fp16")


@pytest.mark.parametrize("form", ["fp32", "fp16"])
def test_weights_file_hardly_grows(form: Form, forms: dict[Form, Converted]) -> None:
    before = forms[form].source.with_suffix(".bin").stat().st_size
    after = forms[form].xml.with_suffix(".bin").stat().st_size
    assert before > 30_000
    assert 0 <= after - before <= 1024


def test_fp16_file_is_half_as_large(forms: dict[Form, Converted]) -> None:
    half, whole = (forms[form].xml.with_suffix(".bin").stat().st_size for form in ("fp16", "fp32"))
    assert half < 0.55 * whole


@pytest.mark.parametrize("head", ["gap", "flatten", "gap_conv1x1", "gmp", "fc_maps", "gap_mlp"])
def test_growth_does_not_depend_on_the_map(head: Head, tmp_path: Path) -> None:
    """A mask or tile of the mosaic would hold P * P or P * C * P numbers: P = 1024 here, 4 MiB or more."""
    path = save_ir(cnn(CnnSpec(head=head, height=64, width=64)), tmp_path / "net.xml")
    report = convert(path, tmp_path / "out")
    growth = report.xml.with_suffix(".bin").stat().st_size - path.with_suffix(".bin").stat().st_size
    assert 0 <= growth <= BIN_GROWTH
