"""A model that the runtime does not compute alike twice is proved on one thread, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import convert
from ovxai_convert.artifact.ir import write_ir
from ovxai_convert.errors import VerificationError
from ovxai_convert.proof import comparison, execution
from ovxai_convert.proof.trial_inputs import Feed, first_trials
from tests.program.invocation import but_unsaid

Outputs = tuple[NDArray[Any], ...]
RUN = execution.run
FEEDS = len(first_trials(cnn(CnnSpec())))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.xml"
    write_ir(cnn(CnnSpec()), path)
    return path


def shifted_by(amount: Callable[[ov.CompiledModel], float]) -> Callable[[ov.CompiledModel, Feed], Outputs]:
    """A runtime whose scores are off by some amount."""

    def run(compiled: ov.CompiledModel, feed: Feed) -> Outputs:
        scores, *others = RUN(compiled, feed)
        return (scores + np.float32(amount(compiled)), *others)

    return run


def on_one_thread(compiled: ov.CompiledModel) -> bool:
    return int(compiled.get_property("INFERENCE_NUM_THREADS")) == 1


def test_it_is_proved_on_one_thread_and_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = count()
    monkeypatch.setattr(
        comparison, "run", shifted_by(lambda compiled: 0 if on_one_thread(compiled) else 0.01 * next(runs))
    )
    report = convert(path, path.parent / "out")
    assert report.sidecar.verification.device == "CPU, one thread"
    assert [check.bit_exact for check in report.sidecar.verification.outputs] == [True]
    (warning,) = but_unsaid(report.warnings)
    assert "proved on one thread" in warning


@pytest.mark.parametrize(
    ("wrong", "scores_move"),
    [(range(FEEDS), False), (range(10**6), True), (range(10**6), False)],
    ids=["at first", "while scores move later", "always"],
)
def test_a_map_that_is_wrong_on_several_threads(
    path: Path, monkeypatch: pytest.MonkeyPatch, wrong: range, scores_move: bool
) -> None:
    """Outputs were equal by chance; where all repeats itself, the map is wrong for another reason."""
    maps_made, scores_made = count(), count()

    def run(compiled: ov.CompiledModel, feed: Feed) -> Outputs:
        scores, *maps = RUN(compiled, feed)
        if on_one_thread(compiled):
            return (scores, *maps)
        later = next(scores_made) - 2 * FEEDS + 1 if scores_move else 0
        off = bool(maps) and next(maps_made) in wrong
        return (scores + np.float32(0.01 * max(0, later)), *(255 - each if off else each for each in maps))

    monkeypatch.setattr(comparison, "run", run)
    if len(wrong) > FEEDS and not scores_move:
        with pytest.raises(VerificationError, match="the saliency map is wrong"):
            convert(path, path.parent / "out")
        assert not (path.parent / "out").exists()
    else:
        report = convert(path, path.parent / "out")
        assert report.sidecar.verification.device == "CPU, one thread"
        assert [check.bit_exact for check in report.sidecar.verification.outputs] == [True]


def test_one_that_never_repeats_itself_is_not_proved(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = count()
    monkeypatch.setattr(comparison, "run", shifted_by(lambda _: 0.01 * next(runs)))
    with pytest.raises(VerificationError, match="gives other outputs each time that it runs"):
        convert(path, path.parent / "out")
    assert not (path.parent / "out").exists()


def test_a_steady_original_that_the_branch_moves_is_not_excused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "run", shifted_by(lambda compiled: 0.01 * (len(compiled.outputs) - 1)))
    with pytest.raises(VerificationError, match="has moved by"):
        convert(path, path.parent / "out")


def test_a_steady_model_runs_on_all_threads(path: Path) -> None:
    report = convert(path, path.parent / "out")
    assert report.sidecar.verification.device == "CPU"
    assert but_unsaid(report.warnings) == []
