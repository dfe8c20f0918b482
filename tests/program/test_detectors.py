"""Detectors from the command line and from Python: converted, proved, inspected, explained, as boxes."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.planted_scenes import HELD_OUT_SEED, MODEL, OBJECTS, Scene, scenes
from ovxai_convert import AnswerWarning, Explainer, Explanation, Method, Task, convert
from ovxai_convert.artifact.ir import write_ir
from ovxai_convert.artifact.reading import read_sidecar
from ovxai_convert.artifact.sidecar import Sidecar
from ovxai_convert.errors import RefusedError, UsageError
from ovxai_convert.inspection import inspect_model
from tests.detectors import LABELS_OF_RAW, darknet, feed, queries, raw_anchors, two_stages
from tests.program.invocation import Convert
from tests.running import CORE

KINDS: Final = list(OBJECTS)
UNIT: Final[dict[str, Any]] = {"preprocessing": "unit"}
MAPS: Final[dict[str, Any]] = {"colour": "rgb", "colormap": False}


@pytest.fixture(scope="module")
def drawn() -> list[Scene]:
    """Scenes that training has not seen."""
    return scenes(HELD_OUT_SEED + 7, 40)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained detector, converted."""
    out = tmp_path_factory.mktemp("artifact")
    return convert(MODEL, out, **UNIT, feature_vector=True).xml


@pytest.fixture(scope="module")
def photograph(drawn: list[Scene], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene with several objects as a file, larger than the model's input and not as wide as high."""
    scene = max(drawn, key=lambda each: len(each.boxes))
    large = cv2.resize(scene.picture[..., ::-1], (256, 256), interpolation=cv2.INTER_NEAREST)
    path = tmp_path_factory.mktemp("photographs") / "scene.png"
    cv2.imwrite(str(path), large)
    return path


def single(found: Explanation | list[Explanation]) -> Explanation:
    assert isinstance(found, Explanation)
    return found


def highest(saliency: NDArray[Any]) -> tuple[float, float]:
    """The middle of the highest pixel: x and y."""
    row, column = np.unravel_index(int(saliency.argmax()), saliency.shape)
    return float(column) + 0.5, float(row) + 0.5


def lies_in(point: tuple[float, float], boxes: NDArray[Any]) -> bool:
    x, y = point
    left, top, right, bottom = np.asarray(boxes).reshape(-1, 4).T
    return bool(((left <= x) & (x <= right) & (top <= y) & (y <= bottom)).any())


def test_the_sidecar_tells_scales_and_how_scores_are_made(artifact: Path) -> None:
    told = read_sidecar(artifact)
    assert isinstance(told, Sidecar)
    assert told.task == "detection"
    assert told.method == "classprobabilitymap"
    assert told.labels == tuple(KINDS)
    assert told.detection is not None
    scales = [(scale.rows, scale.columns, scale.anchors) for scale in told.detection.scales]
    assert scales == [(16, 16, 1), (8, 8, 1)]
    assert (told.detection.activation, told.detection.objectness) == ("sigmoid", "none")
    assert told.detection.background is None
    assert told.saliency_map is not None
    assert told.saliency_map.shape == (-1, 3, 16, 16)
    assert all(check.bit_exact for check in told.verification.outputs)
    assert told.verification.saliency_map is not None
    assert told.verification.saliency_map.maps_compared > 0
    assert told.feature_vector is not None
    assert told.feature_vector.shape[1] > 1


def test_a_class_map_points_at_its_objects(artifact: Path, drawn: list[Scene]) -> None:
    explainer = Explainer(artifact)
    assert explainer.method is Method.DETCLASSPROBABILITYMAP
    hits = []
    for scene in drawn:
        found = single(explainer(scene.picture, "all", **MAPS))
        hits += [
            lies_in(highest(found.saliency_map[kind]), scene.boxes[scene.kinds == kind])
            for kind in set(scene.kinds.tolist())
        ]
    assert np.mean(hits) >= 0.95


def test_the_answer_is_the_classes_that_are_found(artifact: Path, drawn: list[Scene]) -> None:
    explainer, right = Explainer(artifact), 0
    for scene in drawn:
        found = single(explainer(scene.picture, **MAPS))
        right += set(found.targets) == set(scene.kinds.tolist())
        assert found.detections is not None
        for target in found.targets:
            labels = found.detections.labels[found.boxes[target]]
            assert set(labels.tolist()) <= {target}
    assert right >= 0.85 * len(drawn)


def test_boxes_are_in_pixels_of_the_photograph(artifact: Path, photograph: Path, drawn: list[Scene]) -> None:
    scene = max(drawn, key=lambda each: len(each.boxes))
    found = single(Explainer(artifact)(photograph))
    assert found.detections is not None
    for box in found.detections.boxes[:3]:
        apart = np.abs(scene.boxes * 2 - box).max(axis=1)
        assert apart.min() < 8


@pytest.mark.parametrize("method", [None, "aise"])
def test_a_box_is_explained_by_what_hides_it(drawn: list[Scene], method: str | None) -> None:
    settings: dict[str, Any] = {"num_iterations_per_kernel": 30} if method else {"num_masks": 400}
    explainer = Explainer(MODEL, explain_mode="blackbox", explain_method=method, **UNIT, **settings)
    assert explainer.method is (Method.AISE if method else Method.DRISE)
    hits = []
    for scene in drawn[:4]:
        found = single(explainer(scene.picture, boxes="top2", **MAPS))
        assert found.detections is not None
        assert found.targets == [f"box {number + 1}" for number in range(len(found.targets))]
        for target in found.targets:
            (number,) = found.boxes[target]
            hits.append(lies_in(highest(found.saliency_map[target]), found.detections.boxes[number]))
            prediction = found.prediction_of(target)
            assert prediction is not None
            assert found.label_of(target) == f"{KINDS[prediction.label]} {target}"
    assert np.mean(hits) >= (0.9 if method is None else 0.6)


def test_boxes_that_are_chosen(drawn: list[Scene]) -> None:
    scene = max(drawn, key=lambda each: len(each.boxes))
    explainer = Explainer(MODEL, explain_mode="blackbox", num_masks=4, **UNIT)
    assert single(explainer(scene.picture, boxes=[2, 1], **MAPS)).targets == ["box 2", "box 1"]
    kind = int(scene.kinds[0])
    of_class = single(explainer(scene.picture, kind, **MAPS))
    assert {of_class.label_of(target).split()[0] for target in of_class.targets} == {KINDS[kind]}
    with pytest.raises(UsageError, match="there is no box 99"):
        explainer(scene.picture, boxes="99", **MAPS)
    with pytest.raises(UsageError, match="neither numbers from 1 on, nor topN, nor all"):
        explainer(scene.picture, boxes="best", **MAPS)
    with pytest.raises(RefusedError, match=r"no box has a score of 0\.999999 or more"):
        single(
            Explainer(MODEL, explain_mode="blackbox", confidence_threshold=0.999999, num_masks=4, **UNIT)(
                np.zeros((128, 128, 3), np.uint8), **MAPS
            )
        )


def test_boxes_are_no_classifiers_and_no_branches(artifact: Path) -> None:
    picture = np.zeros((128, 128, 3), np.uint8)
    with pytest.raises(UsageError, match="boxes are explained as a black box"):
        Explainer(artifact, explain_mode="whitebox")(picture, boxes="all")


def test_a_function_may_read_the_boxes(drawn: list[Scene]) -> None:
    asked = []

    def postprocess(results: Any) -> tuple[Any, Any, Any]:
        asked.append(results)
        return np.array([[10, 20, 40, 60.0]]), np.array([0.9]), np.array([1])

    explainer = Explainer(MODEL, Task.DETECTION, postprocess_fn=postprocess, **UNIT)
    found = single(explainer(drawn[0].picture, **MAPS))
    assert asked
    assert found.targets == [1]
    assert found.detections is not None
    assert found.detections.boxes.tolist() == [[10, 20, 40, 60]]


def test_from_the_command_line(
    artifact: Path, photograph: Path, tmp_path: Path, run_explain: Convert
) -> None:
    table, out = tmp_path / "table.jsonl", tmp_path / "out"
    done = run_explain(artifact, photograph, "-o", out, "--table", table)
    assert done.exit_code == 0, done.stderr
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    assert {row["method"] for row in rows} == {"classprobabilitymap"}
    assert [row["label"] for row in rows] == [row["picture"].split("_")[1][:-4] for row in rows]
    for row in rows:
        assert 0 <= row["box_left"] < row["box_right"] <= 256.5
        assert 0 <= row["box_top"] < row["box_bottom"] <= 256.5
        picture = cv2.imread(str(out / row["picture"]))
        assert picture is not None
        top, left = round(row["box_top"]), round(row["box_left"]) + 6
        edge = picture[max(0, top - 1) : top + 3, left]
        assert edge.max() > 240, "a light line"
        assert edge.min() < 60, "and dark ones beside it"
    more = run_explain(artifact, photograph, "-o", out, "--boxes", "1", "--num-masks", "8")
    assert more.exit_code == 0, more.stderr
    assert "box 1, drise" in more.stdout


def test_an_inspection_shows_the_head(artifact: Path, run_inspect: Convert) -> None:
    found = inspect_model(MODEL)
    assert found.task == "detection"
    assert found.detection is not None
    assert [row.method for row in found.methods if row.possible] == ["classprobabilitymap"]
    said = run_inspect(MODEL).stdout
    assert "3 classes at every place, activation: sigmoid, objectness: none" in said
    assert "16 x 16 places, 1 anchor each, in '/Sigmoid'" in said
    assert "detection" in run_inspect(artifact).stdout


def test_classes_and_formats_as_of_classifiers(tmp_path: Path, drawn: list[Scene]) -> None:
    report = convert(MODEL, tmp_path, **UNIT, classes="cross", output_format="both", embed_scaling=False)
    told = report.sidecar
    assert told.saliency_map is not None
    assert told.saliency_map.classes == {"indices": [1]}
    assert told.onnx is not None
    assert {run.runtime.split()[0] for run in told.onnx.runtimes} == {"OpenVINO", "ONNX"}
    scene = next(each for each in drawn if 1 in each.kinds)
    by_ir, by_onnx = (single(Explainer(path)(scene.picture, 1, **MAPS)) for path in report.models)
    np.testing.assert_allclose(by_ir.raw[1], by_onnx.raw[1], atol=1e-5)


def test_layers_that_are_named(tmp_path: Path) -> None:
    layers = [f"/classes.{scale}/classes.{scale}.1/Conv" for scale in range(2)]
    report = convert(MODEL, tmp_path, **UNIT, target_layer=layers)
    assert report.sidecar.detection is not None
    assert [scale.layer for scale in report.sidecar.detection.scales] == layers
    whole = convert(MODEL, tmp_path / "whole", **UNIT)
    image = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
    one, other = (CORE.compile_model(each.xml, "CPU")(image)[-1] for each in (report, whole))
    assert np.abs(one.astype(int) - other).max() <= 1


@pytest.mark.parametrize("make", [darknet, raw_anchors])
def test_raw_heads_need_labels(make: Any, tmp_path: Path) -> None:
    path = tmp_path / "raw.xml"
    write_ir(make(1).model, path)
    with pytest.raises(RefusedError, match="--labels"):
        convert(path, tmp_path / "out", task="detection", **UNIT)
    report = convert(path, tmp_path / "out", task="detection", labels=list(LABELS_OF_RAW), **UNIT)
    assert report.sidecar.labels == LABELS_OF_RAW


def test_two_stages_and_queries_are_black_boxes(tmp_path: Path) -> None:
    path = tmp_path / "queries.xml"
    write_ir(queries(), path)
    report = convert(path, tmp_path / "out", labels=["a", "b", "c"], **UNIT)
    told = report.sidecar
    assert (told.mode, told.method, told.task, told.detection) == ("blackbox", "drise", "detection", None)
    assert "as those of a detector with queries do" in told.refusals[0].reason
    assert any("explained as a black box (drise)" in line for line in report.warnings)
    with pytest.raises(RefusedError, match="nor can its boxes be read: nothing tells how many classes"):
        convert(path, tmp_path / "other", **UNIT)
    with pytest.raises(RefusedError, match="as those of a detector with queries do"):
        convert(path, tmp_path / "other", labels=["a", "b", "c"], require_whitebox=True, **UNIT)
    path = tmp_path / "regions.xml"
    write_ir(two_stages(), path)
    with pytest.raises(RefusedError, match="two-stage"):
        convert(path, tmp_path / "other", **UNIT)


def test_tasks_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="reciprocam is for classification, and not for detection"):
        convert(MODEL, tmp_path, task="detection", method="reciprocam")
    with pytest.raises(RefusedError, match="this looks like a detector"):
        convert(MODEL, tmp_path, task="classification")
    with pytest.raises(UsageError, match="several layers are named; of a classifier one is masked"):
        convert(MODEL, tmp_path, task="classification", target_layer=["a", "b"])
    assert list(tmp_path.iterdir()) == []


def test_classes_are_shown_where_boxes_cannot_be_read() -> None:
    """Raw heads: the score of a class is its highest at any place, and no box is drawn."""
    detector = raw_anchors(1)
    labelled = detector.model.clone()
    labelled.set_rt_info(" ".join(LABELS_OF_RAW), ["model_info", "labels"])
    image = feed(detector)["image"]
    with pytest.warns(AnswerWarning, match="its maps are shown without boxes"):
        explainer = Explainer(labelled, Task.DETECTION, embed_scaling=False, activation="sigmoid")
    found = single(explainer(image, "all", resize=False, colormap=False))
    expected = 1 / (1 + np.exp(-detector.maps({"image": image})[0]))
    np.testing.assert_allclose([found.raw[index] for index in range(3)], expected, atol=1e-5)
    assert found.scores is not None
    np.testing.assert_allclose(found.scores, expected.max(axis=(1, 2)), atol=1e-5)
    assert found.detections is None
    assert found.boxes == {}
    with pytest.raises(RefusedError, match="no output has a known form of boxes"):
        explainer(image, boxes="all")


def test_an_explainer_of_boxes_can_be_pickled(drawn: list[Scene]) -> None:
    explainer = Explainer(MODEL, explain_mode="blackbox", num_masks=6, **UNIT)
    copy = pickle.loads(pickle.dumps(explainer))
    one, other = (single(each(drawn[0].picture, boxes="1", **MAPS)) for each in (explainer, copy))
    np.testing.assert_array_equal(one.raw["box 1"], other.raw["box 1"])
