"""The coverage bench's own check of a conversion accepts a right map and sees a wrong one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import onnx
import openvino as ov
import pytest

from benchmarks.coverage import onnx_check
from benchmarks.coverage.check import check
from benchmarks.coverage.limited_process import Ended, Limits, run_limited
from benchmarks.coverage.outcomes import onnx_form
from benchmarks.coverage.results import Outcome
from fixtures.broken_files import onnx_classifier
from fixtures.networks import CnnSpec, cnn
from ovxai_convert.pipeline import convert
from tests.special_networks import subsampled_tokens
from tests.transformers import VitSpec, transformer

SECONDS = 0.05


def converted(model: ov.Model, folder: Path, method: str = "reciprocam") -> tuple[Path, Path]:
    """A model's file and the sidecar of its conversion."""
    source = folder / "model.xml"
    ov.save_model(model, source, compress_to_fp16=False)
    return source, convert(source, folder, method=method).sidecar_path


@pytest.mark.parametrize("method", ["reciprocam", "activationmap"])
@pytest.mark.parametrize("network", ["NCHW", "NHWC", "tokens", "open"])
def test_a_right_map_is_accepted(network: str, method: str, tmp_path: Path) -> None:
    models = {
        "NCHW": lambda: cnn(CnnSpec(batch=1)),
        "NHWC": lambda: cnn(CnnSpec(batch=1, layout="NHWC")),
        "tokens": lambda: subsampled_tokens(1),
        "open": lambda: cnn(CnnSpec(batch=None)),
    }
    found = check(*converted(models[network](), tmp_path, method), SECONDS)
    assert found.max_grey_diff is not None
    assert found.max_grey_diff <= 0.51, "half a grey level is rounding"
    assert (found.bit_exact, found.max_output_diff, found.varied_maps) == (True, 0.0, 1.0)
    assert found.cells == (6 if network == "tokens" else 35)


@pytest.mark.parametrize("method", ["reciprocam", "activationmap"])
def test_a_map_of_another_layer_is_not(method: str, tmp_path: Path) -> None:
    source, sidecar = converted(cnn(CnnSpec(batch=1)), tmp_path, method)
    content = json.loads(sidecar.read_text(encoding="utf-8"))
    content["target_layer"]["name"] = "block0"
    sidecar.write_text(json.dumps(content), encoding="utf-8")
    found = check(source, sidecar, SECONDS)
    assert found.max_grey_diff is not None
    assert found.max_grey_diff > 20


TRANSFORMERS: dict[str, VitSpec] = {
    "pre-norm": VitSpec(),
    "post-norm": VitSpec(norm="post"),
    "registers": VitSpec(before=2, after=1),
    "class attention": VitSpec(blocks=3, class_attention=1),
    "class and mean": VitSpec(head="class_and_mean"),
    "pooled values": VitSpec(pooling="before", attention="einsum"),
}


@pytest.mark.parametrize("form", TRANSFORMERS)
def test_a_right_map_of_tokens_is_accepted(form: str, tmp_path: Path) -> None:
    found = check(*converted(transformer(TRANSFORMERS[form]), tmp_path, "vitreciprocam"), SECONDS)
    assert found.max_grey_diff is not None
    assert found.max_grey_diff <= 0.51, "half a grey level is rounding"
    assert (found.bit_exact, found.varied_maps, found.cells) == (True, 1.0, 12)


@pytest.mark.parametrize(
    ("entry", "field", "value"),
    [
        ("target_layer", "name", "normed0"),
        ("parameters", "kernel", "single"),
        ("parameters", "class_token", "dropped"),
    ],
)
def test_a_map_of_other_tokens_is_not(entry: str, field: str, value: str, tmp_path: Path) -> None:
    source, sidecar = converted(transformer(VitSpec()), tmp_path, "vitreciprocam")
    content = json.loads(sidecar.read_text(encoding="utf-8"))
    content[entry][field] = value
    sidecar.write_text(json.dumps(content), encoding="utf-8")
    found = check(source, sidecar, SECONDS)
    assert found.max_grey_diff is not None
    assert found.max_grey_diff > 5


def test_what_is_no_token_is_not_guessed_at(tmp_path: Path) -> None:
    """Where the named tensor holds no patches, nothing is compared and nothing claimed."""
    source, sidecar = converted(transformer(VitSpec()), tmp_path, "vitreciprocam")
    content = json.loads(sidecar.read_text(encoding="utf-8"))
    content["target_layer"]["name"] = "scores"
    content["target_layer"]["layout"] = "TNC"
    sidecar.write_text(json.dumps(content), encoding="utf-8")
    found = check(source, sidecar, SECONDS)
    assert (found.cells, found.max_grey_diff) == (0, None)


def test_moved_outputs_are_seen(tmp_path: Path) -> None:
    source, sidecar = converted(cnn(CnnSpec(batch=1)), tmp_path)
    other = tmp_path / "other.xml"
    ov.save_model(cnn(CnnSpec(batch=1, seed=99)), other, compress_to_fp16=False)
    assert check(source, sidecar, SECONDS).bit_exact
    assert not check(other, sidecar, SECONDS).bit_exact


def in_both_forms(folder: Path) -> tuple[Path, Path]:
    """An ONNX file and the sidecar of its conversion to both forms."""
    source = folder / "model.onnx"
    onnx.save(onnx_classifier(), source)
    return source, convert(source, folder, output_format="both").sidecar_path


def test_a_file_that_stays_onnx_is_run_beside_its_source(tmp_path: Path) -> None:
    source, sidecar = in_both_forms(tmp_path)
    told = json.loads(sidecar.read_text(encoding="utf-8"))
    form = onnx_form(source, Ended(0, 1, 1, "", ""), sidecar, told, SECONDS)
    assert form.is_equal, form
    assert form.check is not None
    assert form.check.apart <= 1
    assert 0 < form.check.described < form.bytes_added
    assert form.nodes == told["onnx"]["nodes_added"]


def test_a_file_of_other_weights_is_seen(tmp_path: Path) -> None:
    _, sidecar = in_both_forms(tmp_path)
    other = tmp_path / "other.onnx"
    onnx.save(onnx_classifier(seed=99), other)
    xml, converted = sidecar.with_suffix(".xml"), sidecar.with_suffix(".onnx")
    found = onnx_check.check(other, xml, converted, SECONDS)
    assert (found.bit_exact, found.max_output_diff > 0) == (False, True)


def test_a_map_of_another_file_is_seen(tmp_path: Path) -> None:
    source, sidecar = in_both_forms(tmp_path)
    other = tmp_path / "other.onnx"
    onnx.save(onnx_classifier(seed=99), other)
    xml = convert(other, tmp_path / "out").xml
    found = onnx_check.check(source, xml, sidecar.with_suffix(".onnx"), SECONDS)
    assert found.apart > 20


def test_what_has_no_form_in_onnx_is_told(tmp_path: Path) -> None:
    ended = Ended(4, 1, 1, "", "Error: model.onnx: Round cannot be said in operator set 9\n")
    form = onnx_form(Path("model.onnx"), ended, tmp_path / "none.json", {}, SECONDS)
    assert (form.outcome, form.is_equal) == (Outcome.REFUSED, False)
    assert form.reason == "Round cannot be said in operator set 9"


@pytest.mark.parametrize(
    ("code", "limits", "reason"),
    [
        ("import time; time.sleep(60)", Limits(0.5, 2**33), "more than 0.5 s"),
        (
            "x = bytearray(300 * 2**20); import time; time.sleep(60)",
            Limits(50, 2**27),
            "more than 0.125 GiB of memory",
        ),
        ("raise SystemExit('no')", Limits(50, 2**33), "no"),
        ("import os; os.abort()", Limits(50, 2**33), "killed by signal 6"),
    ],
)
def test_processes_are_limited(code: str, limits: Limits, reason: str) -> None:
    ended = run_limited([sys.executable, "-c", code], limits)
    assert ended.reason == reason
    assert ended.exit_code != 0
    assert ended.seconds < 20
