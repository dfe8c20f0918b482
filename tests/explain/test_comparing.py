"""Comparing methods: curves by their definition, what is left out and why, and how all is shown."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import cv2
import numpy as np
import openvino as ov
import pytest

import ovxai_convert as xai
from fixtures.networks import CnnSpec, cnn
from fixtures.planted_object import HELD_OUT_SEED, MODEL, OBJECTS, planted_objects
from ovxai_convert import Explainer, Method, MethodComparison, RefusedError, SettingWarning, UsageError
from ovxai_convert.pictures.rendering import enlarged
from tests.pictures.test_display import decoded, pictures_in
from tests.running import CORE, compile_f32
from tests.special_networks import labelled, perceptron

IMAGE: Final = np.random.default_rng(0).standard_normal((10, 14, 3)).astype(np.float32)
STEPS: Final = 7


def scores_of(model: ov.Model, batch: Any) -> Any:
    logits = compile_f32(model)([batch])[0].astype(np.float64)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def slow_curves(model: ov.Model, saliency: Any, target: int) -> tuple[list[float], list[float]]:
    """Cover, and show, the pixels of IMAGE one after the other, the map's highest first."""
    smooth = enlarged(saliency, IMAGE.shape[:2])
    order = np.argsort(-smooth.ravel(), kind="stable")
    deleted: list[float] = []
    inserted: list[float] = []
    for step in range(STEPS + 1):
        count = int(np.rint(step * order.size / STEPS))
        rows, columns = np.unravel_index(order[:count], smooth.shape)
        gone, shown = IMAGE.copy(), np.zeros_like(IMAGE)
        gone[rows, columns] = 0
        shown[rows, columns] = IMAGE[rows, columns]
        for found, picture in ((deleted, gone), (inserted, shown)):
            found.append(scores_of(model, picture.transpose(2, 0, 1)[np.newaxis])[0, target])
    return deleted, inserted


def test_curves_are_those_of_the_definition() -> None:
    found = xai.compare(cnn(CnnSpec()), IMAGE, ["ReciproCAM", Method.RISE], 1, steps=STEPS, num_masks=30)
    assert (found.target, found.label, found.refusals) == (1, "class 1", ())
    expected = scores_of(cnn(CnnSpec()), IMAGE.transpose(2, 0, 1)[np.newaxis])[0, 1]
    assert found.score == pytest.approx(expected, rel=1e-4)
    assert [each.explanation.method for each in found.methods] == [Method.RECIPROCAM, Method.RISE]
    for each in found.methods:
        deleted, inserted = slow_curves(cnn(CnnSpec()), each.explanation.raw[1], 1)
        np.testing.assert_allclose(each.curves.deletion.scores, deleted, rtol=1e-3)
        np.testing.assert_allclose(each.curves.insertion.scores, inserted, rtol=1e-3)
        assert each.explanation.shape == (10, 14, 3)
    first, second = found.methods
    assert (first.curves.deletion.scores != second.curves.deletion.scores).any()
    assert found.chance.deletion.scores.shape == (STEPS + 1,)
    assert found.chance.deletion.scores[0] == pytest.approx(expected, rel=1e-4)


def test_all_methods_and_why_some_are_not_possible() -> None:
    found = xai.compare(cnn(CnnSpec()), IMAGE, steps=2, num_masks=5, num_iterations_per_kernel=2)
    shown = [each.explanation.method for each in found.methods]
    assert shown == [Method.RECIPROCAM, Method.ACTIVATIONMAP, Method.RISE, Method.AISE]
    assert [refusal.method for refusal in found.refusals] == ["vitreciprocam"]
    expected = scores_of(cnn(CnnSpec()), IMAGE.transpose(2, 0, 1)[np.newaxis])[0]
    assert found.target == int(expected.argmax())
    explainer = Explainer(cnn(CnnSpec()))
    assert explainer.why_not("vitreciprocam") == found.refusals
    assert explainer.why_not(Method.RECIPROCAM) == explainer.why_not("rise") == ()


def test_where_none_is_possible() -> None:
    model = perceptron()
    model.get_parameters()[0].set_layout(ov.Layout("NCHW"))
    with pytest.raises(RefusedError, match="no feature map"):
        xai.compare(model, np.ones((4, 6, 3), np.float32), ["reciprocam", "activationmap"])


def test_an_explainer_and_a_label() -> None:
    options: dict[str, Any] = {"preprocess_fn": lambda image: image[::2, ::2]}
    explainer = Explainer(labelled(), **options)
    large = IMAGE.repeat(2, axis=0).repeat(2, axis=1)
    found = xai.compare(explainer, large, ["reciprocam"], "bird", steps=2)
    assert (found.target, found.label) == (2, "bird")
    again = xai.compare(labelled(), large, ["reciprocam"], 2, steps=2, **options)
    np.testing.assert_array_equal(
        found.methods[0].curves.deletion.scores, again.methods[0].curves.deletion.scores
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"methods": []}, "no method is named"),
        ({"methods": ["banana"]}, "methods: no 'banana'"),
        ({"methods": ["auto"]}, "'auto' names none"),
        ({"target": 9}, "no class 9"),
        ({"target": "all"}, "for one class, and not for all"),
        ({"explain_mode": "blackbox"}, "explain_mode: name the methods instead"),
        ({"num_mask": 3}, "no setting 'num_mask'; did you mean"),
        ({"methods": ["rise"], "preset": "fast"}, "preset: no 'fast'"),
        ({"steps": 0}, "steps must be 1 to 140"),
    ],
    ids=str,
)
def test_what_does_not_exist_or_fit(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        xai.compare(cnn(CnnSpec()), IMAGE, **{"methods": ["reciprocam"], **options})


def test_one_image_and_one_explainer() -> None:
    with pytest.raises(UsageError, match="on one image, and not on 2"):
        xai.compare(cnn(CnnSpec()), np.stack([IMAGE, IMAGE]), ["reciprocam"])
    with pytest.raises(UsageError, match="device_name: options of the explainer, which is made already"):
        xai.compare(Explainer(cnn(CnnSpec())), IMAGE, ["reciprocam"], device_name="CPU")
    with pytest.raises(UsageError, match="the model: None is none"):
        xai.compare(None, IMAGE)


def test_settings_that_no_method_has_are_warned_of() -> None:
    with pytest.warns(SettingWarning, match="num_masks: without effect, since no method") as said:
        xai.compare(cnn(CnnSpec()), IMAGE, ["reciprocam"], steps=2, num_masks=5)
    assert said[0].filename == __file__


@pytest.fixture(scope="module")
def planted() -> MethodComparison:
    """Of the first held-out image, whose class one small object decides."""
    objects = planted_objects(HELD_OUT_SEED, 1)
    image = objects.images[0].transpose(1, 2, 0)
    explainer = Explainer(CORE.read_model(MODEL))
    explainer.label_names = tuple(OBJECTS)
    found = xai.compare(explainer, image, ["vitreciprocam", "activationmap", "rise"], num_masks=400, steps=24)
    assert found.target == objects.labels[0]
    return found


def test_a_map_that_points_at_the_object_is_better_than_chance(planted: MethodComparison) -> None:
    assert [each.explanation.method for each in planted.methods] == [Method.VITRECIPROCAM, Method.RISE]
    for each in planted.methods:
        assert each.curves.deletion.auc < planted.chance.deletion.auc - 0.1
        assert each.curves.insertion.auc > planted.chance.insertion.auc + 0.1


def test_as_text(planted: MethodComparison) -> None:
    lines = repr(planted).splitlines()
    assert lines[0] == f"Comparison of methods: {planted.label}, score {planted.score:.2f}"
    assert [line.split()[0] for line in lines[1:]] == ["vitreciprocam", "rise", "random", "not"]
    assert f"deletion {planted.methods[1].curves.deletion.auc:.3f}" in lines[2]
    assert lines[4].startswith("  not possible: no feature map")
    assert "Not possible: no feature map" in planted._repr_html_()


def test_as_html_and_picture(planted: MethodComparison) -> None:
    html = planted._repr_html_()
    pictures = pictures_in(html)
    assert len(pictures) == 2 + 2
    for each, picture in zip(planted.methods, pictures, strict=False):
        assert f"<bdi>{each.explanation.method_name}</bdi>" in html
        overlay = next(iter(each.explanation.saliency_map.values()))
        np.testing.assert_array_equal(picture[::4, ::4], overlay)
    np.testing.assert_array_equal(decoded(planted._repr_png_()), planted.picture())
    assert len(html) < 300_000


def test_as_files(planted: MethodComparison, tmp_path: Path) -> None:
    path = planted.save(tmp_path / "made" / "all.png")
    np.testing.assert_array_equal(cv2.imread(str(path)), planted.picture())
    page = planted.save(str(tmp_path / "all.html")).read_text(encoding="utf-8")
    assert planted._repr_html_() in page
    assert page.startswith("<!DOCTYPE html>")
    lossy = cv2.imread(str(planted.save(tmp_path / "all.JPG")))
    assert lossy is not None
    assert lossy.shape == planted.picture().shape
    for name in ("all", "all.gif", "all.pdf"):
        with pytest.raises(UsageError, match=r"is written as one of \.png, \.jpg"):
            planted.save(tmp_path / name)
    assert not (tmp_path / "all").exists()


class Drawn:
    """A matplotlib that notes what is drawn."""

    def __init__(self) -> None:
        self.images: list[Any] = []
        self.lines: list[str] = []
        self.titles: list[str] = []
        self.shown = 0

    def __getitem__(self, place: Any) -> Drawn:
        return self

    def add_gridspec(self, rows: int, columns: int) -> Drawn:
        return self

    def add_subplot(self, place: Any) -> Drawn:
        return self

    def imshow(self, image: Any) -> None:
        self.images.append(image)

    def plot(self, fractions: Any, scores: Any, label: str, linestyle: str, color: Any) -> None:
        assert fractions.shape == scores.shape
        assert max(color) <= 1
        self.lines.append(label)

    def set_title(self, title: str) -> None:
        self.titles.append(title)

    def ignored(self, *_: Any) -> None:
        pass

    axis = set_xlabel = legend = suptitle = ignored


def test_plot(planted: MethodComparison, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = Drawn()
    pyplot: Any = ModuleType("matplotlib.pyplot")
    vars(pyplot).update(figure=lambda figsize, layout: drawn, show=lambda: setattr(drawn, "shown", 1))
    monkeypatch.setitem(sys.modules, "matplotlib", SimpleNamespace(pyplot=pyplot))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", pyplot)
    planted.plot()
    assert drawn.shown == 1
    assert drawn.titles[:2] == ["vitreciprocam", "rise"]
    assert len(drawn.lines) == 2 * 3
    overlay = next(iter(planted.methods[0].explanation.saliency_map.values()))
    np.testing.assert_array_equal(drawn.images[0], overlay[..., ::-1])
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(UsageError, match="needs matplotlib"):
        planted.plot()
