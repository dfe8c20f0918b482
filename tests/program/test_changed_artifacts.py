"""Converted models that something was done to: they give what they gave, and say what their proof lost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from fixtures import planted_object
from fixtures.broken_files import save_ir
from fixtures.efficientnet_lite0 import WEIGHTS, build
from fixtures.fetch import fetch, fetch_labels
from fixtures.networks import CnnSpec, cnn
from fixtures.photographs import load_rgb, preprocess
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert import (
    Explainer,
    Explanation,
    PreprocessingHints,
    ProofWarning,
    Sidecar,
    convert,
    read_sidecar,
)
from tests.changed import CHANGES, Change, reshaped, saved_again
from tests.likeness import Outputs, assert_alike, maps_of_best, outputs_of, rank_correlation
from tests.program.invocation import Convert
from tests.running import CORE

MEAN, SCALE = 127, 128
"""(x - 127) / 128 is exact in float32."""
SMALL: Final = CnnSpec(height=24, width=24, strides=(2, 2), classes=5)
NETWORKS: Final = ("convolutions", "class token", "EfficientNet-Lite0")


@dataclass(frozen=True)
class Converted:
    """An artifact, its source, and a photograph (blue, green, red) of its own size."""

    source: Path
    artifact: Path
    photograph: NDArray[np.uint8]

    @property
    def samples(self) -> NDArray[np.float32]:
        """Four prepared images: the photograph, turned three times."""
        pixels = [np.rot90(self.photograph[..., ::-1], turns) for turns in range(4)]
        batches = [preprocess(np.ascontiguousarray(each), each.shape[:2], MEAN, SCALE) for each in pixels]
        return np.concatenate(batches)

    @cached_property
    def answers(self) -> Outputs:
        """What the artifact itself makes of them."""
        return outputs_of(self.artifact, self.samples)

    @cached_property
    def explanation(self) -> Explanation:
        """And of the photograph, in Python."""
        found = Explainer(self.artifact)(self.photograph, targets="top1")
        assert isinstance(found, Explanation)
        return found


@pytest.fixture(scope="module")
def conversions() -> dict[str, Converted]:
    """The networks that were converted, by name: once each, in whatever order the tests are."""
    return {}


@pytest.fixture
def converted(
    request: pytest.FixtureRequest,
    conversions: dict[str, Converted],
    tmp_path_factory: pytest.TempPathFactory,
) -> Converted:
    """One of the networks, converted with a feature vector and all that is known of photographs."""
    if request.param not in conversions:
        conversions[request.param] = _converted(request.param, tmp_path_factory.mktemp("converted"))
    return conversions[request.param]


def _converted(name: str, folder: Path) -> Converted:
    if name == "EfficientNet-Lite0":
        source = folder / "source.onnx"
        onnx.save(build(read_legacy_checkpoint(fetch(WEIGHTS)), 1, fetch_labels(WEIGHTS)), source)
        photograph = load_rgb(fetch("chelsea"))[38:262, 113:337, ::-1]
    elif name == "class token":
        source = planted_object.MODEL
        image = planted_object.planted_objects(planted_object.HELD_OUT_SEED, 1).images[0]
        photograph = np.clip(image.transpose(1, 2, 0)[..., ::-1] * SCALE + MEAN, 0, 255).astype(np.uint8)
    else:
        model = cnn(SMALL)
        model.outputs[0].get_tensor().set_names({"logits"})
        source = save_ir(model, folder / "source.xml")
        photograph = np.random.default_rng(3).integers(0, 256, (24, 24, 3)).astype(np.uint8)
    hints = PreprocessingHints(mean=(MEAN,), scale=(SCALE,), colour="rgb", resize="stretch")
    report = convert(source, folder / "out", preprocessing=hints, feature_vector=True)
    return Converted(source, report.xml, np.ascontiguousarray(photograph))


def answers(changed: Path, converted: Converted) -> Outputs:
    """What a changed artifact makes of the four images; one that takes photographs gets those."""
    samples: NDArray[Any] = converted.samples
    if CORE.read_model(changed).inputs[0].get_element_type().to_string() == "u8":
        samples = np.rint(samples * SCALE + MEAN).astype(np.uint8).transpose(0, 2, 3, 1)
    return outputs_of(changed, samples)


for_networks = pytest.mark.parametrize("converted", NETWORKS, indirect=True)
EXACT: Final[dict[str, Change]] = {
    name: CHANGES[name] for name in ("all three files renamed", "renamed without the sidecar", "saved again")
}
ROUNDED: Final[dict[str, Change]] = {
    name: CHANGES[name] for name in ("reshaped to a batch of 4", "set_batch 4", "wrapped by PrePostProcessor")
}


@for_networks
@pytest.mark.parametrize("name", EXACT)
def test_files_carry_all_of_it(name: str, converted: Converted, tmp_path: Path) -> None:
    before, after = converted.answers, answers(EXACT[name](converted.artifact, tmp_path), converted)
    assert list(after) == ["logits", "saliency_map", "feature_vector"]
    assert all(np.array_equal(before[key], after[key]) for key in before)


@for_networks
@pytest.mark.parametrize("name", ROUNDED)
def test_other_batches_and_photographs_as_input(name: str, converted: Converted, tmp_path: Path) -> None:
    changed = ROUNDED[name](converted.artifact, tmp_path)
    assert_alike(converted.answers, answers(changed, converted))


@for_networks
def test_maps_of_turned_photographs_differ(converted: Converted) -> None:
    """What makes these comparisons worth something: one sample's answers do not pass for another's."""
    before = converted.answers
    assert all(np.ptp(shown) == 255 for shown in maps_of_best(before))
    for key in before:
        with pytest.raises(AssertionError, match=f"{key} moved"):
            assert_alike(before, {**before, key: np.roll(before[key], 1, axis=0)})


@for_networks
def test_half_precision(converted: Converted, tmp_path: Path) -> None:
    before = converted.answers
    after = answers(saved_again(converted.artifact, tmp_path, compress_to_fp16=True), converted)
    classes = before["logits"].argmax(1)
    assert after["logits"].argmax(1).tolist() == classes.tolist()
    pairs = list(zip(maps_of_best(before, classes), maps_of_best(after, classes), strict=True))
    assert min(rank_correlation(one, other) for one, other in pairs) > 0.99
    others = [rank_correlation(pairs[0][0], other) for _, other in pairs[1:]]
    assert max(others) < 0.99, "maps of two photographs pass for each other"


@pytest.mark.parametrize("converted", ["convolutions", "EfficientNet-Lite0"], indirect=True)
def test_another_size(converted: Converted, tmp_path: Path) -> None:
    """It gives what a source gives that was reshaped before it was converted."""
    rows, columns = converted.photograph.shape[:2]
    size = (rows + 32, columns - 8)
    changed = reshaped(converted.artifact, tmp_path / "after", size=size)
    source = reshaped(converted.source, tmp_path / "before", size=size)
    expected = convert(source, tmp_path / "out", feature_vector=True).xml
    samples = np.random.default_rng(1).standard_normal((2, 3, *size)).astype(np.float32)
    before, after = outputs_of(expected, samples), outputs_of(changed, samples)
    assert before["saliency_map"].shape[2:] != converted.answers["saliency_map"].shape[2:]
    assert_alike(before, after)


@pytest.mark.parametrize("converted", ["class token"], indirect=True)
def test_a_size_that_the_source_does_not_take(converted: Converted, tmp_path: Path) -> None:
    """Neither does the artifact: it fails, and gives no wrong map."""
    for path in (converted.source, converted.artifact):
        with pytest.raises(RuntimeError):
            outputs_of(
                reshaped(path, tmp_path / path.stem, size=(60, 48)), np.zeros((1, 3, 60, 48), np.float32)
            )


DOUBTS: Final[dict[str, tuple[str, ...]]] = {
    "all three files renamed": (),
    "renamed without the sidecar": ("no sidecar is beside it as 'renamed.json'",),
    "saved again": ("no sidecar is beside it as 'changed.json'",),
    "saved again in FP16": ("no sidecar is beside it as 'changed.json'",),
    "reshaped to a batch of 4": (
        "no sidecar is beside it",
        "3,{rows},{columns}], and is f32 [4,3,{rows},{columns}]",
    ),
    "set_batch 4": ("no sidecar is beside it", "3,{rows},{columns}], and is f32 [4,3,{rows},{columns}]"),
    "wrapped by PrePostProcessor": (
        "no sidecar is beside it",
        "3,{rows},{columns}], and is u8 [",
        "its preprocessing was told of another input, and is not obeyed",
    ),
}
"""What is said of an artifact after each change, in this order."""


def explained(run_explain: Convert, changed: Path, photograph: Path, out: Path) -> tuple[str, list[str]]:
    """The line of the one picture, from the class on, and the warnings."""
    outcome = run_explain(changed, photograph, "-o", out)
    assert outcome.exit_code == 0, outcome
    (line,) = outcome.stdout.splitlines()
    warned = [each for each in outcome.stderr.splitlines() if each.startswith("Warning: ")]
    return line.partition(": ")[2].rpartition(",")[0], warned


@pytest.fixture(scope="module")
def told() -> dict[Path, str]:
    """What ``ovxai-explain`` says of the artifacts that nothing was done to."""
    return {}


READ: Final = [
    *((name, "convolutions") for name in CHANGES),
    *((name, NETWORKS[1 + number % 2]) for number, name in enumerate(CHANGES)),
]
"""Every change on two networks: the programs read by the same code as Python does, on all three below."""


@pytest.mark.parametrize(("name", "converted"), READ, indirect=["converted"])
def test_the_programs_read_it(
    name: str,
    converted: Converted,
    told: dict[Path, str],
    run_explain: Convert,
    run_inspect: Convert,
    tmp_path: Path,
) -> None:
    photograph = tmp_path / "photo.png"
    assert cv2.imwrite(str(photograph), converted.photograph)
    changed = CHANGES[name](converted.artifact, tmp_path / "changed")
    if converted.artifact not in told:
        said, none = explained(run_explain, converted.artifact, photograph, tmp_path / "before")
        assert none == []
        told[converted.artifact] = said
    after, warned = explained(run_explain, changed, photograph, tmp_path / "after")
    assert after == told[converted.artifact], "the class, its score in two digits, and the method"
    rows, columns = converted.photograph.shape[:2]
    wanted = [each.format(rows=rows, columns=columns) for each in DOUBTS[name]]
    assert len(warned) == len(wanted)
    assert all(text in line for text, line in zip(wanted, warned, strict=True)), warned
    outcome = run_inspect(changed)
    assert outcome.exit_code == 0, outcome
    assert "converted by ovxai-convert" in outcome.stdout
    doubted = [line for line in outcome.stdout.splitlines() if line.startswith("not as proved: ")]
    inspected = [text for text in wanted if "preprocessing" not in text]
    assert len(doubted) == len(inspected)
    assert all(text in line for text, line in zip(inspected, doubted, strict=True)), doubted


@for_networks
@pytest.mark.parametrize("name", CHANGES)
def test_python_reads_it(name: str, converted: Converted, tmp_path: Path) -> None:
    changed = CHANGES[name](converted.artifact, tmp_path)
    described = read_sidecar(changed)
    whole = read_sidecar(converted.artifact)
    assert isinstance(described, Sidecar) == (name == "all three files renamed")
    assert (described.method, described.labels, described.scores) == (
        whole.method,
        whole.labels,
        whole.scores,
    )
    before = converted.explanation
    if DOUBTS[name]:
        with pytest.warns(ProofWarning) as caught:
            explainer = Explainer(changed)
        assert [str(each.message) for each in caught] == list(explainer.doubts)
    else:
        explainer = Explainer(changed)
        assert explainer.doubts == ()
    data = converted.photograph[..., ::-1] if name == "wrapped by PrePostProcessor" else converted.photograph
    after = explainer(data, targets="top1")
    assert isinstance(after, Explanation)
    assert list(after.predictions) == list(before.predictions)
    (one,), (other,) = before.raw.values(), after.raw.values()
    assert rank_correlation(one, other) > 0.99
