"""A network that is no image classifier is refused with the reason, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from openvino import Model

from fixtures.broken_files import save_ir
from ovxai_convert import Explainer, ExplainMode, UsageError
from tests.answers_for_places import ANSWERS_FOR_PLACES, anchors_like_classes
from tests.other_tasks import OTHER_TASKS, comparison_of_images, embedder_by_name, landmarks
from tests.program.invocation import Convert, assert_one_error, snapshot

ALL = {**OTHER_TASKS, **{build: f"this looks like {what}" for build, what in ANSWERS_FOR_PLACES.items()}}
each_network = pytest.mark.parametrize(
    ("build", "reason"), ALL.items(), ids=[build.__name__ for build in ALL]
)


@each_network
@pytest.mark.parametrize("method", ["auto", "activationmap"])
def test_conversion_is_refused(
    method: str, build: Callable[[], Model], reason: str, tmp_path: Path, run_convert: Convert
) -> None:
    path = save_ir(build(), tmp_path / "net.xml")
    before = snapshot(tmp_path)
    asked = ["--method", method, *(["--task", "classification"] if method == "auto" else [])]
    outcome = run_convert(path, "-o", tmp_path / "out", "-q", *asked)
    assert_one_error(outcome, 4, reason)
    assert f"'ovxai-inspect {path}'" in outcome.errors[0]
    assert snapshot(tmp_path) == before


@each_network
def test_inspection_tells_the_reason(
    build: Callable[[], Model], reason: str, tmp_path: Path, run_inspect: Convert
) -> None:
    outcome = run_inspect(save_ir(build(), tmp_path / "net.xml"), "--task", "classification")
    assert outcome.exit_code == 0
    refused = [line for line in outcome.stdout.splitlines() if line.startswith("reciprocam: refused: ")]
    assert len(refused) == 1
    assert reason in refused[0]


@pytest.mark.parametrize("build", [landmarks, embedder_by_name])
def test_user_knows_better_than_the_name(
    build: Callable[[], Model], tmp_path: Path, run_convert: Convert
) -> None:
    """Where nothing but the output's name speaks against it, naming the output is enough."""
    path = save_ir(build(), tmp_path / "net.xml")
    outcome = run_convert(path, "-o", tmp_path / "out", "--scores-output", "0")
    assert outcome.exit_code == 0
    assert (tmp_path / "out" / "net_xai.json").is_file()


def test_map_of_one_of_two_images(tmp_path: Path, run_convert: Convert) -> None:
    model = comparison_of_images()
    layer = next(node for node in model.get_ordered_ops() if node.get_type_name() == "Tanh")
    path = save_ir(model, tmp_path / "net.xml")
    outcome = run_convert(path, "-o", tmp_path / "out", "--target-layer", layer.get_friendly_name())
    assert outcome.exit_code == 0


def test_explainer_asks_for_the_scores() -> None:
    with pytest.raises(
        UsageError, match="give a postprocess_fn: output 'landmarks' is named after landmarks"
    ):
        Explainer(landmarks(), explain_mode=ExplainMode.BLACKBOX)


@each_network
def test_explaining_is_refused_with_the_same_word(
    build: Callable[[], Model], reason: str, tmp_path: Path, photograph: Path, run_explain: Convert
) -> None:
    """As a black box too, where a class tensor is missing; the others have one, and no image."""
    path = save_ir(build(), tmp_path / "net.xml")
    before = snapshot(tmp_path)
    options = ["-o", tmp_path / "out", "-q", "--mode", "blackbox", "--task", "classification"]
    outcome = run_explain(path, photograph, *options)
    takes_no_image = reason.startswith(("no input takes an image", "the inputs meet"))
    assert_one_error(outcome, 2 if takes_no_image else 4, "input" if takes_no_image else reason)
    assert "_fn" not in outcome.stderr
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("build", ALL, ids=lambda build: build.__name__)
def test_what_looks_like_a_detector_is_taken_for_one(
    build: Callable[[], Model], tmp_path: Path, run_convert: Convert
) -> None:
    """And is then converted or not; of all others nothing is different."""
    path = save_ir(build(), tmp_path / "net.xml")
    outcome = run_convert(path, "-o", tmp_path / "out", "-q", "--reference", "none")
    if "this looks like a detector" not in ALL[build]:
        assert_one_error(outcome, 4, ALL[build])
    elif outcome.exit_code == 0:
        sidecar = json.loads((tmp_path / "out" / "net_xai.json").read_text(encoding="utf-8"))
        assert sidecar["task"] == "detection"
    else:
        assert outcome.exit_code == 4
        assert "this looks like" not in outcome.errors[0]


def test_anchors_may_be_named_as_classes(tmp_path: Path, run_convert: Convert) -> None:
    """Whoever names the output takes them for classes."""
    path = save_ir(anchors_like_classes(), tmp_path / "net.xml")
    outcome = run_convert(path, "-o", tmp_path / "out", "--scores-output", "classificators")
    assert "looks like" not in outcome.stderr
