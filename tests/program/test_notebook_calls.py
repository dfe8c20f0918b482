"""The calls of OpenVINO's three notebooks on explainable AI work with the package's name changed.

The collection openvino_notebooks has ``explainable-ai-1-basic``, ``-2-deep-dive`` and
``-3-map-interpretation``, written for openvino-xai 1.1.0. Here are the calls that they make, their arguments
and what they read of the results, on a small network that takes pixels as theirs do: red, green, blue,
``(N, H, W, C)``.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import cv2
import numpy as np
import openvino as ov
import pytest

import ovxai_convert as xai
from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, cnn
from tests.running import CORE, compile_f32

pytestmark = pytest.mark.filterwarnings(
    "ignore:nothing says:ovxai_convert.explain.warned.PreprocessingWarning"
)
ROWS, COLUMNS = 10, 14
LABELS: Final = ["background", "flat-coated_retriever", "Samoyed"]
ExplainMode: Final = importlib.import_module("ovxai_convert.explainer").ExplainMode
Explanation: Final = importlib.import_module("ovxai_convert.explainer.explanation").Explanation


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """The notebooks' folder."""
    folder = tmp_path / "artifacts"
    folder.mkdir()
    return folder


@pytest.fixture
def model_path(artifacts: Path) -> Path:
    return save_ir(cnn(CnnSpec(layout="NHWC", height=ROWS, width=COLUMNS)), artifacts / "v3-small.xml")


@pytest.fixture
def model(model_path: Path) -> ov.Model:
    return CORE.read_model(model=model_path)


@pytest.fixture
def image(tmp_path: Path) -> Any:
    """A photograph in red, green, blue, as the notebooks hold it."""
    path = tmp_path / "coco.png"
    rough = np.random.default_rng(2).integers(0, 256, (6, 9, 3), np.uint8)
    assert cv2.imwrite(str(path), cv2.resize(rough, (45, 30)))
    return cv2.cvtColor(np.asarray(cv2.imread(filename=str(path))), code=cv2.COLOR_BGR2RGB)


@pytest.fixture
def prepared(image: Any) -> Any:
    return np.expand_dims(cv2.resize(src=image, dsize=(COLUMNS, ROWS)), 0)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A matplotlib that notes what it is given: the pictures of each grid that was shown."""
    grids: list[Any] = []
    drawn: list[Any] = []

    class Axes:
        """Takes what axes take, and keeps the picture."""

        def imshow(self, picture: Any, **how: Any) -> None:
            drawn.append(picture)

        def axis(self, *given: Any) -> None:
            pass

        def set_title(self, *given: Any, **how: Any) -> None:
            pass

    def subplots(rows: int = 1, columns: int = 1, **options: Any) -> tuple[Axes, Any]:
        return Axes(), np.array([[Axes() for _ in range(columns)] for _ in range(rows)], object)

    def show() -> None:
        grids.append(list(drawn))
        drawn.clear()

    pyplot: Any = ModuleType("matplotlib.pyplot")
    vars(pyplot).update(subplots=subplots, tight_layout=lambda *given: None, show=show)
    monkeypatch.setitem(sys.modules, "matplotlib", SimpleNamespace(pyplot=pyplot))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", pyplot)
    return grids


def preprocess_fn(x: Any) -> Any:
    return np.expand_dims(cv2.resize(src=x, dsize=(COLUMNS, ROWS)), 0)


def postprocess_fn(x: Any) -> Any:
    return x[0]


def best_class(model: ov.Model, prepared: Any) -> Any:
    """As the first notebook finds it: NumPy's own integer."""
    return np.argmax(compile_f32(model)([prepared])[0])


def picture_of(folder: Path, start: str) -> Path:
    """The only picture whose name starts so."""
    (path,) = folder.glob(f"{start}*")
    read = cv2.imread(str(path))
    assert read is not None
    return path


def test_basic(model: ov.Model, prepared: Any, artifacts: Path, shown: list[Any]) -> None:
    index = best_class(model, prepared)
    explainer = xai.Explainer(model=model, task=xai.Task.CLASSIFICATION)
    explanation: Any = explainer(data=prepared, targets=index, label_names=LABELS, overlay=True)
    explanation.plot()
    explanation.save(artifacts)
    assert explanation.targets == [index]
    assert explanation.shape == (ROWS, COLUMNS, 3)
    assert [picture.shape for picture in shown[0]] == [(ROWS, COLUMNS, 3)]
    assert picture_of(artifacts, LABELS[int(index)]).stem == LABELS[int(index)]


def test_deep_dive_auto_mode(model: ov.Model, prepared: Any, artifacts: Path, shown: list[Any]) -> None:
    index = int(best_class(model, prepared))
    explainer = xai.Explainer(model=model, task=xai.Task.CLASSIFICATION)
    explanation: Any = explainer(prepared, targets=index, overlay=True)
    assert isinstance(explanation, Explanation)
    assert (explanation.targets, explanation.shape) == ([index], (ROWS, COLUMNS, 3))
    explanation.plot()
    assert len(shown[0]) == 1
    explanation.save(artifacts, "explain_auto_")
    assert picture_of(artifacts, "explain_auto_").stem.endswith(f"_{index}")
    every: Any = explainer(prepared, targets=-1)
    assert every.targets[:5] == every.targets[-5:] == [0, 1, 2]
    assert every.shape == (ROWS, COLUMNS, 3)


def test_deep_dive_functions(model: ov.Model, image: Any, prepared: Any) -> None:
    explainer = xai.Explainer(
        model=model, task=xai.Task.CLASSIFICATION, preprocess_fn=preprocess_fn, postprocess_fn=postprocess_fn
    )
    found: Any = explainer(image, targets=1)
    assert found.shape == image.shape
    same: Any = xai.Explainer(model=model, task=xai.Task.CLASSIFICATION)(prepared, targets=1)
    np.testing.assert_array_equal(found.raw[1], same.raw[1])


@pytest.mark.parametrize(
    ("how", "shape"),
    [
        ({"overlay": True, "original_input_image": ...}, (30, 45, 3)),
        ({"overlay": False}, (ROWS, COLUMNS, 3)),
        ({"resize": False, "colormap": False}, (5, 7)),
    ],
    ids=str,
)
def test_deep_dive_visualisation(
    how: dict[str, Any],
    shape: Any,
    model: ov.Model,
    image: Any,
    prepared: Any,
    artifacts: Path,
    shown: list[Any],
) -> None:
    given = {name: image if value is ... else value for name, value in how.items()}
    explainer = xai.Explainer(model=model, task=xai.Task.CLASSIFICATION)
    explanation: Any = explainer(prepared, targets=[2], **given)
    explanation.plot()
    explanation.save(artifacts, "colormap_")
    assert explanation.shape == shape
    assert [picture.shape for picture in shown[0]] == [shape]
    assert picture_of(artifacts, "colormap_").stem.endswith("_2")


def test_deep_dive_white_box(model: ov.Model, image: Any, prepared: Any) -> None:
    common: dict[str, Any] = {
        "model": model,
        "task": xai.Task.CLASSIFICATION,
        "preprocess_fn": preprocess_fn,
        "explain_method": xai.Method.RECIPROCAM,
    }
    explainer = xai.Explainer(explain_mode=ExplainMode.WHITEBOX, **common)
    model_xai = xai.insert_xai(
        model,
        task=xai.Task.CLASSIFICATION,
        explain_method=xai.Method.RECIPROCAM,
        target_layer="target",
        embed_scaling=True,
    )
    named = xai.Explainer(explain_mode=ExplainMode.AUTO, target_layer="target", embed_scaling=True, **common)
    expected = compile_f32(model_xai)([prepared.astype(np.float32)])["saliency_map"]
    assert "saliency_map" in model_xai.outputs[1].get_names()
    for each in (explainer, named):
        found: Any = each(image, targets=-1)
        np.testing.assert_array_equal(np.stack(list(found.raw.values())), expected[0])


@pytest.mark.parametrize("method", [None, xai.Method.RISE])
def test_deep_dive_black_box(
    method: Any, model: ov.Model, image: Any, artifacts: Path, shown: list[Any]
) -> None:
    """The second notebook names AISE the default; here that is RISE, which docs/migration.md says."""
    explainer = xai.Explainer(
        model=model,
        task=xai.Task.CLASSIFICATION,
        preprocess_fn=preprocess_fn,
        postprocess_fn=postprocess_fn,
        explain_mode=ExplainMode.BLACKBOX,
        explain_method=method,
    )
    explanation: Any = explainer(image, targets=1, overlay=True)
    explanation.plot()
    explanation.save(artifacts, "blackbox_aise_")
    assert explanation.method is xai.Method.RISE
    assert explanation.shape == image.shape
    assert [picture.shape for picture in shown[0]] == [image.shape]
    picture_of(artifacts, "blackbox_aise_")


def test_deep_dive_labels_and_activation_map(
    model: ov.Model, image: Any, artifacts: Path, shown: list[Any]
) -> None:
    common: dict[str, Any] = {
        "model": model,
        "task": xai.Task.CLASSIFICATION,
        "preprocess_fn": preprocess_fn,
        "explain_mode": ExplainMode.WHITEBOX,
    }
    explanation: Any = xai.Explainer(**common)(
        image, targets=["flat-coated_retriever", "Samoyed"], label_names=LABELS
    )
    explanation.save(artifacts, "label_names_")
    assert len(list(artifacts.glob("label_names_*"))) == 2
    for label in LABELS[1:]:
        picture_of(artifacts, f"label_names_*{label}")
    explainer = xai.Explainer(explain_method=xai.Method.ACTIVATIONMAP, **common)
    whole: Any = explainer(image, overlay=True)
    whole.plot()
    assert whole.saliency_map["per_image_map"].shape == image.shape
    assert len(shown[0]) == 1


def test_interpretation(model: ov.Model, image: Any, artifacts: Path) -> None:
    """Classes above a threshold, as arrays of indices and scores, and names of files that say both."""
    explainer = xai.Explainer(
        model=model,
        task=xai.Task.CLASSIFICATION,
        preprocess_fn=preprocess_fn,
        explain_mode=ExplainMode.WHITEBOX,
    )
    explanation: Any = explainer(image, targets=["Samoyed", "background"], label_names=LABELS)
    output = artifacts / "saliency_maps" / "multiple_images"
    explanation.save(output, "n02088364_5768_")
    assert len(list(output.glob("*"))) == 2
    logits = compile_f32(model)([preprocess_fn(image)])[0][0]
    scores = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    indices = np.argwhere(logits >= np.sort(logits)[-2]).flatten()
    assert len(indices) == 2
    explanation = explainer(image, targets=indices, label_names=LABELS, overlay=True)
    assert explanation.targets == indices.tolist()
    explanation.save(
        dir_path=artifacts / "use_case",
        prefix="n02088364_2019_gt_beagle_0.97_pr_",
        postfix="_",
        confidence_scores=dict(zip(indices, scores[indices], strict=True)),
    )
    stems = sorted(path.stem for path in (artifacts / "use_case").glob("*"))
    assert stems == sorted(
        f"n02088364_2019_gt_beagle_0.97_pr_{LABELS[index]}_{scores[index]:.2f}" for index in indices
    )


def test_arguments_by_place(model: ov.Model, image: Any, prepared: Any) -> None:
    """In the order of openvino-xai: targets, original_input_image, label_names, output_size, ..."""
    explainer = xai.Explainer(model, xai.Task.CLASSIFICATION)
    placed: Any = explainer(
        prepared, ["Samoyed"], image, LABELS, (20, 30), False, True, True, True, 0.3, False
    )
    named: Any = explainer.explain(
        data=prepared,
        targets=["Samoyed"],
        original_input_image=image,
        label_names=LABELS,
        output_size=(20, 30),
        overlay=True,
        overlay_weight=0.3,
        overlay_prediction=False,
    )
    assert placed.shape == (20, 30, 3)
    np.testing.assert_array_equal(placed.saliency_map[2], named.saliency_map[2])


def test_pictures_in_red_green_blue(model: ov.Model, image: Any) -> None:
    """As the notebooks hold them: what comes back is in their order, and files have their colours."""

    def of_rgb(x: Any) -> Any:
        return preprocess_fn(x)

    def of_bgr(x: Any) -> Any:
        return preprocess_fn(x[..., ::-1])

    rgb: Any = xai.Explainer(model, preprocess_fn=of_rgb, colour="rgb")(image, targets=1, overlay=True)
    bgr: Any = xai.Explainer(model, preprocess_fn=of_bgr)(image[..., ::-1], targets=1, overlay=True)
    np.testing.assert_array_equal(rgb.saliency_map[1], bgr.saliency_map[1][..., ::-1])


def test_prepared_pixels_are_warned_of(model: ov.Model, prepared: Any) -> None:
    explainer = xai.Explainer(model=model, task=xai.Task.CLASSIFICATION)
    with pytest.warns(xai.PreprocessingWarning, match="nothing says"):
        explainer(prepared, targets=1)
