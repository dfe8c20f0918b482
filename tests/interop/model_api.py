"""Model API beside this package: the same photographs, classes, scores, maps and feature vectors.

``combinations`` holds the reading of ``model_info`` to Model API's own on EfficientNet-Lite0, saved with
every pair of entries as IR and as ONNX; ``converted`` holds what Model API hands out of a converted model to
what OpenVINO gives for it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnx
import openvino as ov
from numpy.typing import NDArray

from fixtures.efficientnet_lite0 import IMAGE_SIZE, WEIGHTS, build
from fixtures.fetch import fetch, fetch_labels
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert import read_sidecar
from ovxai_convert.errors import OvxaiError, UsageError
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.photographs.image_files import Pixels, read_image
from ovxai_convert.source.answers import DEFAULT_THRESHOLD, answer_hints
from tests import oracle
from tests.interop.environments import MODEL_API
from tests.interop.model_info_cases import REFUSED, Case, combined
from tests.interop.networks import Network, networks, save_photograph
from tests.interop.rows import Row
from tests.likeness import outputs_of
from tests.running import CORE

CLOSE: Final = 0.01
"""By how much any class's score may differ: photographs are resized by OpenVINO there, by OpenCV here."""
CLOSE_IN_OWN_SIZE: Final = 0.001
"""Likewise for a photograph of the network's own size, which nobody resizes."""


OWN_SIZE: Final = "own size"


def combinations() -> Iterator[Row]:
    """One row per combination: read here as there."""
    labels = fetch_labels(WEIGHTS)
    cases = combined(labels)
    cases += [
        Case(f"{name}: refused", "xml", {"model_type": "Classification", **entries})
        for name, entries in REFUSED.items()
    ]
    with tempfile.TemporaryDirectory(prefix="ovxai-model-api-") as name:
        folder = Path(name)
        photographs = _photographs(folder)
        paths = _models(folder, cases)
        answers = ask(folder, [{"model": str(path), "photographs": photographs} for path in paths])
        for case, path, answer in zip(cases, paths, answers, strict=True):
            if case.name.endswith(": refused"):
                yield _refused(case, path, answer)
            else:
                yield _compared(case, path, answer, photographs)


def converted() -> Iterator[Row]:
    """What Model API hands out of both networks' artifacts, on an image of their own size."""
    with tempfile.TemporaryDirectory(prefix="ovxai-model-api-") as name:
        folder = Path(name)
        for network in networks(folder):
            photograph = folder / f"{network.source.stem}.png"
            save_photograph(network, photograph)
            request = {"model": str(network.artifact), "photographs": [str(photograph)]}
            (answer,) = ask(folder, [{**request, "arrays": str(folder / "arrays.npz")}])
            with np.load(folder / "arrays.npz") as arrays:
                yield _handed_out(network, read_image(photograph), answer, dict(arrays))


def _handed_out(
    network: Network, pixels: Pixels, answer: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Row:
    explainer = FileExplainer(network.artifact)
    inputs = explainer.preprocessing(pixels)
    ours = outputs_of(network.artifact, inputs)
    shown = explainer.explainer(pixels, targets="top1", resize=False, colormap=False)
    ((best, score),) = _scores(shown).items()
    ((label, text, theirs),) = answer["seen"][0]["labels"]
    names = explainer.explainer.label_names
    wrong = []
    if label != best or (names and text != "_".join(names[best].split())):
        wrong.append(f"class {best} here, {label} '{text}' there")
    if abs(score - theirs) > CLOSE_IN_OWN_SIZE:
        wrong.append(f"score {score:.4f} here, {theirs:.4f} there")
    if network.corners is None:
        described = read_sidecar(network.artifact)
        target, scores = described.target_layer, described.scores
        assert target is not None, "a white-box conversion has a target"
        raw = oracle.reciprocam(
            CORE.read_model(network.source),
            oracle.Port(target.name, target.port),
            oracle.Port(scores.node, scores.port),
            "NCHW",
            {described.inputs[0].name: inputs},
        )
        expected: NDArray[Any] = oracle.grey_levels(raw)
    else:
        expected = ours["saliency_map"]
    given = arrays["saliency_map"]
    if given.dtype != np.uint8 or given.shape != expected.shape:
        wrong.append(f"the map is {given.dtype} {given.shape}")
    elif abs(given.astype(np.int64) - expected).max() > 1 or not np.ptp(given):
        wrong.append("the map is another")
    if not np.allclose(arrays["feature_vector"], ours["feature_vector"], rtol=1e-4, atol=1e-4):
        wrong.append("the feature vector is another")
    found = f"{answer['kind']}: class {label} '{text}', score {theirs:.3f}, map and feature vector as here"
    return Row("Model API", network.name, "converted", found, "; ".join(wrong))


def ask(folder: Path, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Model API's answers to all requests."""
    (folder / "requests.json").write_text(json.dumps(requests), encoding="utf-8")
    MODEL_API.run("check_model_api.py", folder, "requests.json", "answers.json")
    answers: list[dict[str, Any]] = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    return answers


def _photographs(folder: Path) -> list[str]:
    """The photographs: lying, upright, and of the network's own size."""
    chelsea, coffee = (read_image(fetch(key)) for key in ("chelsea", "coffee"))
    shown = {
        "chelsea": chelsea,
        "coffee": coffee,
        "upright": cv2.rotate(coffee, cv2.ROTATE_90_CLOCKWISE),
        OWN_SIZE: cv2.resize(chelsea, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_AREA),
    }
    for name, pixels in shown.items():
        cv2.imwrite(str(folder / f"{name}.png"), pixels)
    return [str(folder / f"{name}.png") for name in shown]


def _models(folder: Path, cases: Sequence[Case]) -> list[Path]:
    """A file per case; weights lie there once."""
    plain = folder / "plain.onnx"
    proto = build(read_legacy_checkpoint(fetch(WEIGHTS)), 1)
    onnx.save(proto, plain, save_as_external_data=True, location="weights.data", size_threshold=1024)
    proto = onnx.load(plain, load_external_data=False)
    weights = folder / "plain.bin"
    ov.save_model(CORE.read_model(plain), folder / "plain.xml", compress_to_fp16=False)
    paths = []
    for index, case in enumerate(cases):
        path = folder / f"case{index}.{case.format}"
        if case.format == "onnx":
            del proto.metadata_props[:]
            onnx.helper.set_model_props(
                proto, {f"model_info {key}": value for key, value in case.entries.items()}
            )
            path.write_bytes(proto.SerializeToString())
        else:
            model = CORE.read_model(folder / "plain.xml")
            for key, value in case.entries.items():
                model.set_rt_info(value, ["model_info", key])
            ov.save_model(model, path, compress_to_fp16=False)
            path.with_suffix(".bin").unlink()
            os.link(weights, path.with_suffix(".bin"))
        paths.append(path)
    return paths


def _refused(case: Case, path: Path, answer: Mapping[str, Any]) -> Row:
    """What Model API does not take, or passes over, has to be refused here by its name."""
    theirs = f"refused: {answer['refused'][:60]}" if "refused" in answer else "passed over"
    word = case.name.split()[0].rstrip(":")
    try:
        FileExplainer(path)
        said = "taken"
    except OvxaiError as error:
        said = f"{error}"
    wrong = "" if word in said else f"not refused by its name: {said}"
    return _row(case, f"there {theirs}; here {said}", wrong)


def _compared(case: Case, path: Path, answer: Mapping[str, Any], photographs: Sequence[str]) -> Row:
    """Scores of all classes, the classes of the answer, and labels."""
    try:
        explainer = FileExplainer(path).explainer
    except UsageError as error:
        both = "refused" in answer
        return _row(case, f"refused by both: {error}" if both else "", "" if both else f"refused: {error}")
    if "refused" in answer:
        return _row(case, "taken", f"there {answer['refused']}")
    wrong, furthest = [], 0.0
    for photograph, seen in zip(photographs, answer["seen"], strict=True):
        pixels, name = read_image(Path(photograph)), Path(photograph).stem
        scores, answered = (
            _scores(explainer(pixels, targets=targets, resize=False, colormap=False))
            for targets in ("all", None)
        )
        there = np.array(seen["scores"])
        moved = float(abs(np.array([scores[index] for index in range(len(there))]) - there).max())
        furthest = max(furthest, moved)
        if name == OWN_SIZE and moved > CLOSE_IN_OWN_SIZE:
            wrong.append(f"{name}: scores differ by {moved:.4f}")
        best = max(scores, key=lambda index: scores[index])
        if there[best] + 2 * moved < there.max():
            wrong.append(f"{name}: class {best} here, {there.argmax()} there")
        theirs = {label for label, _, _ in seen["labels"]} or {best}
        odd = _odd(case, set(answered) ^ theirs, there, 2 * moved)
        if odd:
            wrong.append(f"{name}: the answer has classes {odd} only here, or only there")
        names = explainer.label_names
        for label, text, _ in seen["labels"]:
            if text and names and "_".join(names[label].split()) != "_".join(text.split()):
                wrong.append(f"{name}: class {label} is {names[label]} here, {text} there")
    if furthest > CLOSE:
        wrong.append(f"scores differ by more than {CLOSE}")
    return _row(case, f"all scores within {furthest:.4f}", "; ".join(wrong))


def _odd(case: Case, differing: set[int], scores: NDArray[np.float64], moved: float) -> list[int]:
    """Classes of one answer alone that are not as near to the border of an answer as scores differ anyway."""
    hints = answer_hints(case.entries)
    border = DEFAULT_THRESHOLD if hints.threshold is None else hints.threshold
    groups = hints.groups or ((0, len(scores)),)
    near = {index for index in differing if abs(scores[index] - border) <= moved}
    for first, behind in groups:
        tied = {index for index in differing if scores[index] + moved >= scores[first:behind].max()}
        near |= tied & set(range(first, behind))
    return sorted(differing - near)


def _scores(explanation: Explanation | list[Explanation]) -> dict[int, float]:
    assert isinstance(explanation, Explanation), "one photograph has one explanation"
    return {index: prediction.score for index, prediction in explanation.predictions.items()}


def _row(case: Case, found: str, wrong: str = "") -> Row:
    return Row("Model API", "EfficientNet-Lite0", case.name, found, wrong)
