"""Scripts as users of openvino-xai have them run with the package's name changed, on a real model."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnx
import openvino as ov
import pytest

from fixtures.efficientnet_lite0 import WEIGHTS, build
from fixtures.fetch import fetch, fetch_labels
from fixtures.torch_weights import read_legacy_checkpoint
from ovxai_convert import Explainer, Explanation, Method
from ovxai_convert.photographs.image_files import read_image
from tests.running import CORE, compile_f32

CAT, ESPRESSO, MUG = 285, 967, 504
"""Classes of ImageNet: Egyptian Mau, espresso, coffee mug."""
PLACES: Final = {"chelsea": (slice(75, 265), slice(95, 345)), "coffee": (slice(20, 285), slice(172, 410))}
"""Rows and columns of the cat's face and of the cup (without its saucer) in the photographs."""
IMPORTS: Final = """
import cv2
import numpy as np
import openvino as ov
from openvino.utils.data_helpers.wrappers import OVDict
import ovxai_convert as xai
from ovxai_convert.explainer import ExplainMode
"""
FUNCTIONS: Final = """
def preprocess_fn(x: np.ndarray) -> np.ndarray:
    return np.expand_dims(cv2.resize(src=x, dsize=(224, 224)), 0)


def postprocess_fn(x: OVDict):
    return x["logits"]
"""
FORMS: Final = """
model = ov.Core().read_model("path/to/model.xml")
explainers = [
    xai.Explainer(model=model, task=xai.Task.CLASSIFICATION),
    xai.Explainer(model="path/to/model.xml", task=xai.Task.CLASSIFICATION),
    xai.Explainer(model="model.onnx", task=xai.Task.CLASSIFICATION),
]
"""
PREPARED: Final = """
model = ov.Core().read_model("path/to/model.xml")
explainer = xai.Explainer(
    model,
    task=xai.Task.CLASSIFICATION,
    postprocess_fn=postprocess_fn,
)
image = cv2.imread("path/to/image.jpg")
preprocessed_image = np.expand_dims(cv2.resize(src=image, dsize=(224, 224)), 0)
explanation = explainer(
    preprocessed_image,
    target_explain_labels=TARGETS,
    overlay=True,
    original_input_image=image,
)
explanation.save("output_path", "name")
"""
AUTO: Final = """
model = ov.Core().read_model("path/to/model.xml")
explainer = xai.Explainer(
    model,
    task=xai.Task.CLASSIFICATION,
    preprocess_fn=preprocess_fn,
    postprocess_fn=postprocess_fn,
)
image = cv2.imread("path/to/image.jpg")
explanation = explainer(
    image,
    target_explain_labels=TARGETS,
)
explanation.save("output_path", "name")
"""
WHITEBOX: Final = """
model = ov.Core().read_model("path/to/model.xml")
explainer = xai.Explainer(
    model,
    task=xai.Task.CLASSIFICATION,
    preprocess_fn=preprocess_fn,
)
image = cv2.imread("path/to/image.jpg")
explanation = explainer(
    image,
    explain_mode=ExplainMode.WHITEBOX,
    # target_layer="last_conv_node_name",
    embed_scaling=True,
    explain_method=xai.Method.RECIPROCAM,
    label_names=LABELS,
    target_explain_labels=TARGETS,
    overlay=True,
)
explanation.save("output_path", "name")
"""
BLACKBOX: Final = """
model = ov.Core().read_model("path/to/model.xml")
explainer = xai.Explainer(
    model,
    task=xai.Task.CLASSIFICATION,
    preprocess_fn=preprocess_fn,
)
image = cv2.imread("path/to/image.jpg")
explanation = explainer(
    image,
    explain_mode=ExplainMode.BLACKBOX,
    target_explain_labels=TARGETS,
    # target_explain_labels=-1,
    overlay=True,
    num_masks=200,
)
explanation.save("output_path", "name")
"""
INSERT: Final = """
model = ov.Core().read_model("path/to/model.xml")
model_xai = xai.insert_xai(
    model=model,
    task=xai.Task.CLASSIFICATION,
    # target_layer="last_conv_node_name",
    embed_scaling=True,
    explain_method=xai.Method.RECIPROCAM,
)
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``model.onnx``, and ``path/to/model.xml`` that takes pixels as OpenCV reads them."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "path" / "to").mkdir(parents=True)
    onnx.save(build(read_legacy_checkpoint(fetch(WEIGHTS)), 1, fetch_labels(WEIGHTS)), folder / "model.onnx")
    steps = ov.preprocess.PrePostProcessor(CORE.read_model(folder / "model.onnx"))
    pixels = steps.input()
    pixels.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    pixels.tensor().set_color_format(ov.preprocess.ColorFormat.BGR)
    pixels.model().set_layout(ov.Layout("NCHW"))
    pixels.preprocess().convert_element_type(ov.Type.f32).convert_color(ov.preprocess.ColorFormat.RGB)
    pixels.preprocess().mean(127.0).scale(128.0)
    ov.save_model(steps.build(), folder / "path" / "to" / "model.xml", compress_to_fp16=False)
    return folder


@pytest.fixture(params=["chelsea", "coffee"])
def photograph(request: pytest.FixtureRequest) -> str:
    """Its name."""
    return str(request.param)


@pytest.fixture
def work(models: Path, photograph: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run a script in: the models, and a photograph as ``path/to/image.jpg``."""
    (tmp_path / "path" / "to").mkdir(parents=True)
    for name in ("model.onnx", "path/to/model.xml", "path/to/model.bin"):
        (tmp_path / name).symlink_to(models / name)
    assert cv2.imwrite(str(tmp_path / "path" / "to" / "image.jpg"), read_image(fetch(photograph)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(work: Path, script: str, **known: Any) -> dict[str, Any]:
    """Run a script as a program; its global names in the end."""
    path = work / "script.py"
    constants = "".join(f"{name} = {value!r}\n" for name, value in known.items())
    path.write_text(IMPORTS + FUNCTIONS + constants + script, encoding="utf-8")
    return runpy.run_path(str(path), run_name="__main__")


def targets_of(photograph: str) -> list[int]:
    """The class in the photograph, and one that is not the best there."""
    return [CAT, MUG] if photograph == "chelsea" else [ESPRESSO, CAT]


def assert_saved(work: Path, explanation: Explanation, names: list[str], shape: tuple[int, ...]) -> None:
    """A picture per class, no two alike."""
    assert sorted(each.name for each in (work / "output_path").iterdir()) == sorted(names)
    pictures = [read_image(work / "output_path" / name) for name in names]
    assert all(picture.shape == shape for picture in pictures)
    assert abs(pictures[0].astype(int) - pictures[1]).mean() > 3, "two classes have the same picture"
    for picture, saliency in zip(pictures, explanation.saliency_map.values(), strict=True):
        np.testing.assert_array_equal(picture, saliency)


def assert_seen_where_it_is(explanation: Explanation, photograph: str, shape: tuple[int, ...]) -> None:
    """The highest cell of the right class's map, as a place in the photograph, lies on what it shows."""
    saliency = explanation.raw[explanation.targets[0]]
    row, column = np.unravel_index(int(saliency.argmax()), saliency.shape)
    rows, columns = PLACES[photograph]
    assert rows.start <= (row + 0.5) * shape[0] / saliency.shape[0] < rows.stop
    assert columns.start <= (column + 0.5) * shape[1] / saliency.shape[1] < columns.stop


def test_forms_of_a_model(work: Path, photograph: str) -> None:
    explainers: list[Explainer] = ran(work, FORMS)["explainers"]
    pixels = cv2.resize(read_image(work / "path" / "to" / "image.jpg"), (224, 224))
    prepared = (pixels[..., ::-1].astype(np.float32) - 127) / 128
    for explainer, data in zip(explainers, (pixels, pixels, prepared), strict=True):
        found = explainer(data[np.newaxis], resize=False, colormap=False)
        assert isinstance(found, Explanation)
        assert found.method is Method.RECIPROCAM
        assert found.targets == targets_of(photograph)[:1]
        assert found.shape == (7, 7)


@pytest.mark.parametrize("script", [PREPARED, AUTO], ids=["prepared", "photograph"])
def test_auto_mode(script: str, work: Path, photograph: str) -> None:
    targets = targets_of(photograph)
    names = ran(work, script, TARGETS=targets)
    explanation, image = names["explanation"], names["image"]
    assert explanation.method is Method.RECIPROCAM
    assert_saved(work, explanation, [f"name_{target}.png" for target in targets], image.shape)
    assert_seen_where_it_is(explanation, photograph, image.shape)
    logits = compile_f32(CORE.read_model("path/to/model.xml"))([names["preprocess_fn"](image)])[0][0]
    assert int(logits.argmax()) == targets[0]
    for target in targets:
        assert explanation.predictions[target].score == pytest.approx(float(logits[target]), rel=1e-4)


def test_white_box_mode(work: Path, photograph: str) -> None:
    labels, targets = list(fetch_labels(WEIGHTS)), targets_of(photograph)
    wanted = [labels[target] for target in targets]
    names = ran(work, WHITEBOX, LABELS=labels, TARGETS=wanted)
    explanation, image = names["explanation"], names["image"]
    assert explanation.method is Method.RECIPROCAM
    assert explanation.targets == targets
    files = [f"name_{label.replace(' ', '_')}.png" for label in wanted]
    assert_saved(work, explanation, files, image.shape)
    assert_seen_where_it_is(explanation, photograph, image.shape)
    blended = abs(explanation.saliency_map[targets[0]].astype(int) - image)
    assert 0 < blended.mean() < 128, "the photograph is seen below the map"


def test_black_box_mode(work: Path, photograph: str) -> None:
    targets = targets_of(photograph)
    names = ran(work, BLACKBOX, TARGETS=targets)
    explanation, image = names["explanation"], names["image"]
    assert explanation.method is Method.RISE
    assert_saved(work, explanation, [f"name_{target}.png" for target in targets], image.shape)
    assert_seen_where_it_is(explanation, photograph, image.shape)


@pytest.mark.parametrize("photograph", ["chelsea"], indirect=True)
def test_branch_in_a_model_of_ones_own(work: Path, photograph: str) -> None:
    names = ran(work, INSERT)
    model_xai = names["model_xai"]
    assert [sorted(port.get_names()) for port in model_xai.outputs] == [["logits"], ["saliency_map"]]
    batch = names["preprocess_fn"](read_image(work / "path" / "to" / "image.jpg"))
    before, results = compile_f32(names["model"])([batch])[0], compile_f32(model_xai)([batch])
    assert results["logits"].tobytes() == before.tobytes()
    assert results["saliency_map"].shape == (1, 1000, 7, 7)
    assert results["saliency_map"].dtype == np.uint8
    explanation = ran(work, AUTO, TARGETS=[CAT])["explanation"]
    np.testing.assert_array_equal(results["saliency_map"][0, CAT], explanation.raw[CAT])
