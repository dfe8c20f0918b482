"""A branch that costs more than its model is written, and the user is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import convert
from ovxai_convert.artifact import conversion
from ovxai_convert.artifact.ir import write_ir
from tests.program.invocation import but_unsaid


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A network whose head, at its first map, runs two more strided blocks for every cell."""
    path = tmp_path / "model.xml"
    write_ir(cnn(CnnSpec(strides=(1, 2, 2), height=8, width=8)), path)
    return path


def test_a_dear_branch_is_said_with_what_helps(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "_EXPENSIVE_MACS", 1)
    (warning,) = but_unsaid(convert(path, path.parent / "out", target_layer="block0").warnings)
    assert "times the model's" in warning
    assert f"'ovxai-inspect {path}'" in warning
    assert "other layers (--target-layer)" in warning
    assert "other methods (--method)" in warning


def test_a_cheap_branch_needs_no_word(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "_EXPENSIVE_MACS", 1)
    assert but_unsaid(convert(path, path.parent / "out").warnings) == []


def test_nor_does_one_that_is_dear_only_beside_a_tiny_model(path: Path) -> None:
    assert but_unsaid(convert(path, path.parent / "out", target_layer="block0").warnings) == []
