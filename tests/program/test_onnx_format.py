"""ONNX in, ONNX out, from the shell: what is written, said, read again and refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, Explanation, ProofWarning, convert
from tests.emission.files import Network
from tests.program.invocation import Convert, assert_one_error, call_process


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Network().saved(tmp_path / "net.onnx")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    picture = np.random.default_rng(3).integers(0, 256, (40, 60, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), picture)
    return tmp_path / "photo.png"


def test_both_forms_are_named(source: Path, out: Path, run_convert: Convert) -> None:
    outcome = run_convert(source, "--format", "both", "-o", out, "--preprocess", "unit")
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith(f"{out / 'net_xai.xml'} and {out / 'net_xai.onnx'}: reciprocam at '")
    assert "; as ONNX equal in OpenVINO 20" in outcome.stdout
    assert "and ONNX Runtime 1." in outcome.stdout
    assert sorted(path.name for path in out.iterdir()) == [
        "net_xai.bin",
        "net_xai.json",
        "net_xai.onnx",
        "net_xai.xml",
    ]


def test_facts_name_the_file(source: Path, out: Path, run_convert: Convert) -> None:
    outcome = run_convert(source, "--format", "onnx", "-o", out, "--json", "-q", "--preprocess", "unit")
    facts = json.loads(outcome.stdout)
    assert (facts["xml"], facts["onnx"]) == (None, str(out / "net_xai.onnx"))
    assert facts["bit_exact"] is True
    assert sorted(path.name for path in out.iterdir()) == ["net_xai.json", "net_xai.onnx"]


def test_ir_is_told_what_to_do(tmp_path: Path, out: Path, run_convert: Convert) -> None:
    outcome = run_convert(save_ir(cnn(CnnSpec()), tmp_path / "net.xml"), "--format", "onnx", "-o", out, "-q")
    assert_one_error(outcome, 2, "only an ONNX file can be written as ONNX, and this is of the format ir")
    assert "convert the ONNX file that it was made from, or write IR (--format ir)" in outcome.stderr
    assert not out.exists()


def test_no_repository_of_onnx(source: Path, out: Path, run_convert: Convert) -> None:
    outcome = run_convert(source, "--format", "onnx", "--repository", "ovms", "-o", out)
    assert outcome.exit_code == 2
    assert "a model server's repository is written as IR" in outcome.stderr
    assert not out.exists()


def test_second_conversion_needs_force(source: Path, out: Path, run_convert: Convert) -> None:
    assert run_convert(source, "--format", "onnx", "-o", out).exit_code == 0
    before = (out / "net_xai.onnx").read_bytes()
    outcome = run_convert(source, "--format", "onnx", "-o", out, "-q")
    assert_one_error(outcome, 6, "exists already; --force replaces it")
    assert run_convert(source, "--format", "onnx", "-o", out, "--force").exit_code == 0
    assert (out / "net_xai.onnx").read_bytes() == before


def test_command_explains_with_it(source: Path, photo: Path, tmp_path: Path, out: Path) -> None:
    convert(source, out, output_format="onnx", preprocessing="unit", labels=list("abcde"))
    outcome = call_process(
        "ovxai-explain", [out / "net_xai.onnx", photo, "-o", tmp_path / "pictures", "--raw"]
    )
    assert outcome.exit_code == 0
    assert "reciprocam" in outcome.stdout
    assert len(list((tmp_path / "pictures").glob("photo_*.png"))) == 1
    outcome = call_process("ovxai-inspect", [out / "net_xai.onnx"])
    assert outcome.exit_code == 0
    assert "saliency_map" in outcome.stdout


def test_maps_are_those_of_the_ir(source: Path, photo: Path, out: Path) -> None:
    report = convert(source, out, output_format="both", preprocessing="unit")
    in_ir, in_onnx = (Explainer(path) for path in report.models)
    assert in_onnx.doubts == ()
    one, other = (each.explain(photo, targets="all", scaling=False) for each in (in_ir, in_onnx))
    assert isinstance(one, Explanation)
    assert isinstance(other, Explanation)
    assert one.method == other.method
    for index, map_ in one.saliency_map.items():
        assert np.abs(map_.astype(int) - other.saliency_map[index].astype(int)).max() <= 1


def test_doubts_where_the_file_was_changed(source: Path, out: Path, tmp_path: Path) -> None:
    report = convert(source, out, output_format="onnx", preprocessing="unit")
    alone = shutil.copy(report.onnx, tmp_path / "alone.onnx")
    with pytest.warns(ProofWarning):
        (doubt,) = Explainer(alone).doubts
    assert "no sidecar is beside it as 'alone.json'" in doubt
    report.onnx.write_bytes(report.onnx.read_bytes() + b"\x32\x01x")  # a note in its doc_string
    with pytest.warns(ProofWarning):
        (doubt,) = Explainer(report.onnx).doubts
    assert "'net_xai.json' and its proof are of another file than 'net_xai.onnx'" in doubt
