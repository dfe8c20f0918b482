"""Converting a transformer on the command line: options, proof, sidecar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openvino as ov
import pytest

from ovxai_convert import convert
from ovxai_convert.artifact.parsing import read_sidecar_file
from ovxai_convert.errors import UsageError, VerificationError
from ovxai_convert.methods import vitreciprocam
from tests.program.invocation import Convert, but_unsaid
from tests.transformers import VitSpec, transformer


@pytest.fixture
def vit(tmp_path: Path) -> Path:
    """A transformer with registers as IR."""
    path = tmp_path / "vit.xml"
    ov.save_model(transformer(VitSpec(batch=None, before=3, attention="one_op")), path)
    return path


def test_default_parameters(vit: Path, tmp_path: Path, run_convert: Convert) -> None:
    outcome = run_convert(vit, "-o", tmp_path / "out")
    assert outcome.exit_code == 0, outcome.stderr
    assert but_unsaid(outcome.stderr.splitlines()) == [f"[1/1] {vit}: converting ..."]
    sidecar = read_sidecar_file(tmp_path / "out" / "vit_xai.json")
    assert sidecar.method == "vitreciprocam"
    assert sidecar.parameters == {"kernel": "gaussian", "class_token": "kept", "block": 1}
    assert sidecar.target_layer is not None
    assert (sidecar.target_layer.name, sidecar.target_layer.layout) == ("normed1", "NTC")
    assert sidecar.target_layer.shape == (-1, 15, 8)
    assert sidecar.saliency_map is not None
    assert sidecar.saliency_map.shape == (-1, 3, 3, 4)
    assert all(check.bit_exact for check in sidecar.verification.outputs)


def test_parameters_that_are_asked_for(vit: Path, tmp_path: Path, run_convert: Convert) -> None:
    options = ["--kernel", "single", "--class-token", "drop", "--block", "2", "--no-embed-scaling"]
    outcome = run_convert(vit, "--method", "vitreciprocam", *options, "-o", tmp_path / "out")
    assert outcome.exit_code == 0, outcome.stderr
    sidecar = read_sidecar_file(tmp_path / "out" / "vit_xai.json")
    assert sidecar.parameters == {"kernel": "single", "class_token": "dropped", "block": 2}
    assert sidecar.target_layer is not None
    assert sidecar.target_layer.name == "normed0"


@pytest.mark.parametrize("option", [("--kernel", "single"), ("--class-token", "keep"), ("--block", "1")])
@pytest.mark.parametrize("method", ["auto", "reciprocam", "activationmap"])
def test_options_of_another_method(
    option: tuple[str, str], method: str, vit: Path, tmp_path: Path, run_convert: Convert
) -> None:
    outcome = run_convert(vit, "--method", method, *option, "-o", tmp_path / "out")
    assert outcome.exit_code == 2
    assert f"{option[0]}: an option of --method vitreciprocam" in outcome.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "reciprocam", "block": 2}, "reciprocam has no option 'block'"),
        ({"method": "vitreciprocam", "block": 0}, "block: 0 is no whole number from 1 on"),
        ({"method": "vitreciprocam", "kernel": "round"}, "'round' is none of gaussian, single"),
        ({"method": "vitreciprocam", "class_token": "lose"}, "'lose' is none of keep, drop"),
    ],
)
def test_wrong_options_of_the_function(
    options: dict[str, Any], words: str, vit: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=words):
        convert(vit, tmp_path / "out", **options)


def test_no_such_block(vit: Path, tmp_path: Path, run_convert: Convert) -> None:
    outcome = run_convert(vit, "--method", "vitreciprocam", "--block", "3", "-o", tmp_path / "out")
    assert outcome.exit_code == 4
    assert "there are 2 transformer blocks, no block 3 from the end" in outcome.stderr


@pytest.mark.parametrize("masked", [{"kernel": "single"}, {"class_token": "drop"}])
def test_the_proof_sees_another_mask(
    masked: dict[str, str], vit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch that masks otherwise than was asked does not get through."""
    right = vitreciprocam.masked_tokens

    def other(values: Any, tokens: Any, cell: int, settings: Any) -> Any:
        return right(values, tokens, cell, {**settings, **masked})

    monkeypatch.setattr(vitreciprocam, "masked_tokens", other)
    with pytest.raises(VerificationError, match="the saliency map is wrong at cell"):
        convert(vit, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_inspection_shows_the_block(vit: Path, run_inspect: Convert) -> None:
    found = json.loads(run_inspect(vit, "--json").stdout)
    possible = {row["method"]: row["possible"] for row in found["methods"]}
    assert possible.items() >= {"reciprocam": False, "vitreciprocam": True, "activationmap": False}.items()
    (chosen,) = [row for row in found["candidates"] if row["chosen"]]
    assert (chosen["name"], chosen["layout"]) == ("normed1", "NTC")
    assert chosen["note"] == "transformer block 1 from the end (--block 1)"
    assert 0 < chosen["macs_share"] < 1
    assert found["refusal"] is None
