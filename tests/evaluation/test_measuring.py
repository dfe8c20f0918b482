"""What is measured of a photograph: every number by its definition, for every kind of map."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import openvino as ov
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert import Explainer, RefusedError, UsageError
from ovxai_convert.artifact.notes import UserNotes
from ovxai_convert.evaluation.annotations import ObjectBox
from ovxai_convert.evaluation.evaluated_models import evaluated_model
from ovxai_convert.evaluation.inquiry import Inquiry
from ovxai_convert.evaluation.measurements import Measurement
from ovxai_convert.evaluation.measuring import Measuring
from ovxai_convert.explain.baselines import centre_map, random_maps
from ovxai_convert.pictures.rendering import enlarged
from tests.evaluation import definitions
from tests.evaluation.cases import (
    HINTS,
    LABELS,
    SIZE,
    evaluated,
    picture,
    prepared,
    probabilities,
)

STEPS: Final = 7
INQUIRY: Final = Inquiry(("deletion", "insertion", "pointing", "adcc"), steps=STEPS, baselines=())
RISE: Final[dict[str, Any]] = {"num_masks": 60, "seed": 3}
BOXES: Final = [ObjectBox("cat", 1, 1, 6, 8), ObjectBox("dog", 5, 0, 14, 10), ObjectBox("lynx", 0, 0, 14, 10)]


def close(value: Any) -> Any:
    return pytest.approx(value, rel=1e-3, abs=1e-5)


def constantly(saliency: Any, _: Any) -> Any:
    """What makes the same map of every image."""
    return saliency


def by_name(rows: tuple[Measurement, ...], method: str | None = None) -> dict[str | None, Measurement]:
    return {row.metric: row for row in rows if method in (None, row.method)}


def canvas(cover: str) -> Any:
    pixels = picture()
    if cover == "blur":
        planes = prepared(pixels)
        return np.stack([cv2.GaussianBlur(plane, (0, 0), 5.0) for plane in planes])
    return prepared(np.zeros_like(pixels)) if cover == "black" else np.zeros_like(prepared(pixels))


def expected(explain: Any, target: int, cover: str) -> dict[str, Any]:
    """All measures of the map that a function makes of an image ``(C, H, W)``."""
    image, saliency = prepared(picture()), explain(prepared(picture()))
    under = canvas(cover)

    def score(each: Any) -> float:
        return float(probabilities(each)[target])

    deleted = definitions.curve(score, saliency, image, under, STEPS)
    inserted = definitions.curve(score, saliency, under, image, STEPS)
    row, column = np.unravel_index(int(saliency.argmax()), saliency.shape)
    box = BOXES[target]
    hit = box.left <= column + 0.5 <= box.right and box.top <= row + 0.5 <= box.bottom
    return {
        "deletion": definitions.area(deleted),
        "insertion": definitions.area(inserted),
        "pointing": float(hit),
        "curves": (deleted, inserted),
        **definitions.parts_of_adcc(score, explain, image, saliency, under),
    }


@pytest.mark.parametrize("cover", ["zero", "black", "blur"])
@pytest.mark.parametrize("method", ["reciprocam", "activationmap", "rise"])
def test_every_number_by_its_definition(method: str, cover: str, tmp_path: Path) -> None:
    model = evaluated(tmp_path, [method], **RISE)
    explainer = Explainer(cnn(CnnSpec()), explain_method=method, **(RISE if method == "rise" else {}))

    def explain(image: Any) -> Any:
        found: Any = explainer(np.asarray(image, np.float32), 1, colormap=False)
        (raw,) = found.raw.values()
        return enlarged(raw, SIZE)

    asked = Inquiry(**{**vars(INQUIRY), "cover": cover, "targets": "dog"})
    found = Measuring([model], asked).measured("photo.png", 0, {3: picture()}, BOXES)
    wanted = expected(explain, 1, cover)
    rows = by_name(found.rows)
    assert list(rows) == [
        "deletion",
        "insertion",
        "pointing",
        "adcc",
        "average_drop",
        "coherency",
        "complexity",
    ]
    for name, row in rows.items():
        assert row.value == close(wanted[str(name)]), name
        assert (row.path, row.method, row.label, row.class_index) == ("photo.png", method, "dog", 1)
        assert row.truth == "cat, dog"
        assert row.error is None
        assert row.score == close(probabilities(prepared(picture()))[1])
    for name, curve in zip(("deletion", "insertion"), wanted["curves"], strict=True):
        assert rows[name].curve == close(curve)
    if cover != "blur":
        assert abs(wanted["insertion"] - wanted["deletion"]) > 0.001, "a wrong order would be seen"


def test_wrong_maps_are_seen(tmp_path: Path) -> None:
    """What gives the comparison above its worth: the map of another class has other numbers."""
    model = evaluated(tmp_path)
    dog, bird = (
        by_name(
            Measuring([model], Inquiry(**{**vars(INQUIRY), "targets": target}))
            .measured("p", 0, {3: picture()}, BOXES)
            .rows
        )
        for target in ("dog", "bird")
    )
    for name in ("deletion", "insertion", "average_drop", "coherency", "complexity"):
        assert dog[name].value != close(bird[name].value), name


def test_baselines(tmp_path: Path) -> None:
    model = evaluated(tmp_path)
    asked = Inquiry(("deletion", "pointing", "adcc"), "cat", STEPS, random_maps=2, seed=5)
    found = Measuring([model], asked).measured("p", 11, {3: picture()}, BOXES).rows
    image = prepared(picture())

    def score(each: Any) -> float:
        return float(probabilities(each)[0])

    zeros = np.zeros_like(image)
    centre, random = by_name(found, "centre"), by_name(found, "random")
    middle = centre_map(SIZE)
    area = definitions.area(definitions.curve(score, middle, image, zeros, STEPS))
    assert centre["deletion"].value == close(area)
    parts = definitions.parts_of_adcc(score, lambda _: middle, image, middle, zeros)
    assert centre["adcc"].value == close(parts["adcc"])
    assert centre["coherency"].value == 1
    draws = random_maps(SIZE, 4, (5, 11))
    areas = [definitions.area(definitions.curve(score, draws[i], image, zeros, STEPS)) for i in (0, 2)]
    assert random["deletion"].value == close(np.mean(areas))
    pairs = [
        definitions.parts_of_adcc(score, partial(constantly, other), image, one, zeros)
        for one, other in (draws[:2], draws[2:])
    ]
    for name in ("adcc", "average_drop", "coherency", "complexity"):
        assert random[name].value == close(np.mean([pair[name] for pair in pairs]))
    assert random["pointing"].value == close(5 * 7 / 140), "the share of the box"
    assert random["deletion"].seconds is None
    other = Measuring([model], asked).measured("p", 12, {3: picture()}, BOXES).rows
    assert by_name(other, "random")["deletion"].value != random["deletion"].value


def test_classes_that_are_asked_for(tmp_path: Path) -> None:
    model = evaluated(tmp_path)
    best = int(probabilities(prepared(picture())).argmax())

    def labels(targets: str | None, truth: str | None = None, boxes: Any = None) -> list[str | None]:
        asked = Inquiry(("deletion",), targets, 2, baselines=())
        rows = Measuring([model], asked).measured("p", 0, {3: picture()}, boxes, truth).rows
        return [row.label for row in rows]

    assert labels(None) == [LABELS[best]]
    assert labels("bird,0") == ["bird", "cat"]
    assert labels("all") == list(LABELS)
    assert labels("truth", "Dog") == ["dog"]
    assert labels("truth", "photos", BOXES) == ["cat", "dog"], "boxes say more than folders"
    assert labels("truth", "bird", [ObjectBox("lynx", 0, 0, 5, 5)]) == ["bird"]
    with pytest.raises(UsageError, match="neither boxes nor its folder say"):
        labels("truth", "photos")
    with pytest.raises(UsageError, match="no class labelled 'lion'"):
        labels("lion")


@pytest.mark.parametrize(
    ("boxes", "any_box", "says"),
    [
        (None, False, "there are no boxes of this photograph"),
        (UsageError("drawn elsewhere"), False, "drawn elsewhere"),
        ([], False, "none of its boxes is of the class"),
        ([ObjectBox("dog", 0, 0, 9, 9)], False, "none of its boxes is of the class"),
        ([ObjectBox("cat", -5, -5, 0, 0)], False, "the model sees none of its boxes"),
        ([ObjectBox("dog", 0, 0, 9, 9)], True, None),
    ],
)
def test_boxes_that_are_not_there(boxes: Any, any_box: bool, says: str | None, tmp_path: Path) -> None:
    model = evaluated(tmp_path)
    asked = Inquiry(("pointing", "deletion"), "cat", 2, any_box=any_box)
    rows = Measuring([model], asked).measured("p", 0, {3: picture()}, boxes).rows
    assert len(rows) == 2 * 3
    for row in rows:
        if row.metric == "deletion" or says is None:
            assert row.value is not None
        else:
            assert row.value is None
            assert says in str(row.error)


def test_photograph_of_another_size_is_cut(tmp_path: Path) -> None:
    """A box is hit in the photograph's pixels, where the input shows a part of it."""
    model = evaluated(tmp_path, hints=replace(HINTS, resize="crop"))
    large = np.zeros((20, 42, 3), np.uint8)  # of which columns 7 to 35 are seen
    asked = Inquiry(("pointing",), "cat", baselines=("random", "centre"))
    cases = (
        (ObjectBox("cat", 19, 8, 23, 12), 4 / 140, 1.0),
        (ObjectBox("cat", 0, 0, 19, 20), 6 / 14, 0.0),
        (ObjectBox("cat", 0, 0, 7, 20), None, None),
        (ObjectBox("cat", 20.5, 9.5, 21.5, 10.5), None, None),
    )
    for box, chance, hit in cases:
        rows = Measuring([model], asked).measured("p", 0, {3: large}, [box]).rows
        assert by_name(rows, "random")["pointing"].value == (chance and pytest.approx(chance))
        pointed = by_name(rows, "centre")["pointing"]
        assert pointed.value == hit
        assert pointed.error == (
            None if hit is not None else "the model sees none of its boxes, or less than a pixel"
        )


def test_several_models(tmp_path: Path) -> None:
    first = evaluated(tmp_path, ["reciprocam"], name="a.xml")
    turned = evaluated(tmp_path, ["reciprocam", "activationmap"], labels=("bird", "cat", "dog"), name="b.xml")
    unnamed = evaluated(tmp_path, labels=None, name="c.xml", spec=CnnSpec(classes=2))
    asked = Inquiry(("deletion",), "cat,bird", 3, baselines=("centre",))
    measuring = Measuring([first, turned, unnamed], asked)
    rows = measuring.measured("p", 0, {3: picture()}).rows
    found = [(Path(str(row.model)).name, row.method, row.class_index, row.label) for row in rows]
    assert found == [
        ("a.xml", "reciprocam", 0, "cat"),
        ("a.xml", "centre", 0, "cat"),
        ("a.xml", "reciprocam", 2, "bird"),
        ("a.xml", "centre", 2, "bird"),
        ("b.xml", "reciprocam", 1, "cat"),
        ("b.xml", "activationmap", 1, "cat"),
        ("b.xml", "centre", 1, "cat"),
        ("b.xml", "reciprocam", 0, "bird"),
        ("b.xml", "activationmap", 0, "bird"),
        ("b.xml", "centre", 0, "bird"),
        ("c.xml", None, None, None),
    ]
    assert "c.xml has no class 'bird'" in str(rows[-1].error)
    assert [contender.method for contender in measuring.contenders] == [
        "reciprocam",
        "centre",
        "reciprocam",
        "activationmap",
        "centre",
        "reciprocam",
        "centre",
    ]


def test_layers_and_methods(tmp_path: Path) -> None:
    model = evaluated(tmp_path, ["all"], ["default", "block0"], **RISE)
    assert [(each.method, each.target_layer) for each in model.engines] == [
        ("reciprocam", None),
        ("reciprocam", "block0"),
        ("activationmap", None),
        ("activationmap", "block0"),
        ("rise", None),
        ("aise", None),
    ]
    assert {refusal.method for refusal in model.refusals} == {"vitreciprocam"}
    auto = evaluated(tmp_path, ["auto", "reciprocam"])
    assert [each.method for each in auto.engines] == ["reciprocam"], "it is the same"
    rows = Measuring([evaluated(tmp_path, layers=["default", "block0"])], INQUIRY)
    first, second = (
        row.value for row in rows.measured("p", 0, {3: picture()}, BOXES).rows if row.metric == "complexity"
    )
    assert first != second


@pytest.mark.parametrize(
    ("methods", "layers", "kind", "says"),
    [
        (["banana"], [], UsageError, "no 'banana'"),
        ([], [], UsageError, "none is named"),
        (["reciprocam"], ["nowhere"], UsageError, "nowhere"),
        (["vitreciprocam"], [], RefusedError, "vitreciprocam"),
        (["auto"], ["scores"], RefusedError, "scores"),
    ],
)
def test_what_cannot_be_measured(
    methods: list[str], layers: list[str], kind: type[Exception], says: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=says):
        evaluated(tmp_path, methods, layers)


def test_a_method_that_fails_leaves_the_others(tmp_path: Path) -> None:
    model = evaluated(tmp_path, ["activationmap", "reciprocam"])
    broken, whole = model.engines

    def fail(*_: Any) -> Any:
        raise UsageError("no map of this class")

    engines = {**model.engines, broken: replace(model.engines[broken], observe=fail)}
    rows = (
        Measuring([replace(model, engines=engines)], Inquiry(("deletion",), steps=2))
        .measured("p", 0, {3: picture()})
        .rows
    )
    assert [(row.method, row.metric, row.error) for row in rows] == [
        (broken.method, None, "no map of this class"),
        (whole.method, "deletion", None),
        ("random", "deletion", None),
        ("centre", "deletion", None),
    ]


def test_integers_as_input(tmp_path: Path) -> None:
    """A model that takes bytes: covered with 0, rounded where a map shows a part."""
    model = cnn(CnnSpec())
    steps = ov.preprocess.PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8)
    steps.input().preprocess().convert_element_type(ov.Type.f32).scale(64.0)
    path = tmp_path / "bytes.xml"
    ov.save_model(steps.build(), path, compress_to_fp16=False)
    hints = replace(HINTS, mean=(0.0,), scale=(1.0,))
    rated = evaluated_model(path, ["reciprocam"], (), UserNotes(LABELS, hints))
    rows = by_name(
        Measuring([rated], Inquiry(("deletion", "adcc"), "cat", STEPS, baselines=("centre",)))
        .measured("p", 0, {3: picture()})
        .rows,
        "centre",
    )
    image = picture()[..., ::-1].transpose(2, 0, 1)

    def score(each: Any) -> float:
        return float(probabilities(np.rint(each) / 64)[0])

    middle, zeros = centre_map(SIZE), np.zeros_like(image)
    area = definitions.area(definitions.curve(score, middle, image, zeros, STEPS))
    assert rows["deletion"].value == pytest.approx(area)
    drop = definitions.parts_of_adcc(score, lambda _: middle, image, middle, zeros)["average_drop"]
    assert rows["average_drop"].value == close(drop)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"metrics": ["insertion", "deletions"]}, "metrics has no 'deletions'; did you mean 'deletion'"),
        ({"metrics": []}, "metrics names none"),
        ({"baselines": ["center"]}, "baselines has no 'center'; did you mean 'centre'"),
        ({"cover": "white"}, "cover has no 'white'; there are zero, black, blur"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"random_maps": 0}, "random_maps must be at least 1"),
        ({"margin": -1}, "margin must not be negative"),
        ({"seed": -1}, "seed must not be negative"),
    ],
    ids=str,
)
def test_what_makes_no_sense(change: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Inquiry(**change)
