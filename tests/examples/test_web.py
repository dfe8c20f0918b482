"""``examples/web`` gives in a browser what the package gives; ONNX Runtime Web is installed once.

Required where OVXAI_REQUIRE_WEB=1, else these tests are skipped where npm is missing or cannot install it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from fixtures.fetch import fetch
from fixtures.planted_object import MODEL
from ovxai_convert import convert
from ovxai_convert.explain.explainer import Explainer
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.photographs.image_files import read_image
from ovxai_convert.photographs.preprocessing import FieldOfView
from ovxai_convert.pictures.rendering import enlarged
from tests.browser.devtools import Chromium
from tests.browser.seen import complaints
from tests.examples.cases import CASES, NORMALISED, Package, photograph
from tests.examples.onnx_cases import as_onnx, converted_as_onnx
from tests.examples.web_page import Page, installed, served
from tests.special_networks import perceptron


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is served."""
    with installed(tmp_path_factory.mktemp("web")) as folder, served(folder) as url:
        yield url


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small transformer with maps."""
    out = tmp_path_factory.mktemp("converted")
    return convert(MODEL, out, preprocessing="unit", output_format="onnx").onnx


@pytest.fixture
def page(chromium: Chromium, address: str) -> Iterator[Page]:
    """The page, opened anew on a wide window; what it complained of fails."""
    chromium.show(1280, 900)
    yield Page(chromium, address)
    assert complaints(chromium) == []


@pytest.mark.parametrize("with_sidecar", [False, True])
def test_class_and_map_are_those_of_the_package(
    with_sidecar: bool, page: Page, model: Path, tmp_path: Path
) -> None:
    photo = photograph(tmp_path, 501, 601) if with_sidecar else fetch("chelsea")
    found = page.explain(model, photo, *([model.with_suffix(".json")] if with_sidecar else []))
    expected = Package(model, tmp_path).gives(photo)
    np.testing.assert_array_equal(found["input"], expected.input[0])
    assert np.abs(found["map"].astype(int) - expected.map).max() <= 1
    assert np.ptp(expected.map) > 0, "a constant map says nothing"
    best = Explainer(model)(read_image(photo)[..., ::-1].copy(), colour="rgb")
    assert isinstance(best, Explanation)
    (prediction,) = best.predictions.values()
    assert found["index"] == prediction.label
    assert found["probability"] == pytest.approx(prediction.score, abs=1e-4)
    if with_sidecar:  # its sides are those of the canvas
        levels = enlarged(expected.map, (501, 601), FieldOfView(50, 0, 551, 501))
        assert np.isnan(found["levels"][:, [0, 49, 551, 600]]).all()
        apart = np.abs(found["levels"][:, 50:551] - levels[:, 50:551])
        assert apart.max() <= 2


@pytest.mark.parametrize("name", ["top_k", "batch of 3"])
def test_other_models(name: str, page: Page, tmp_path: Path) -> None:
    """A batch without a name or a fixed one, classes that an output names."""
    model, photo = converted_as_onnx(CASES[name], tmp_path), photograph(tmp_path, 97, 98)
    found = page.explain(model, photo)
    expected = Package(model, tmp_path).gives(photo)
    np.testing.assert_array_equal(found["input"], expected.input[0])
    assert np.abs(found["map"].astype(int) - expected.map).max() <= 1


def test_photograph_is_turned_upright(page: Page, model: Path, tmp_path: Path) -> None:
    photo = tmp_path / "lying.jpg"
    assert cv2.imwrite(str(photo), read_image(fetch("chelsea")))
    turned = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    header = b"\xff\xe1" + (len(turned) + 2).to_bytes(2, "big") + turned
    photo.write_bytes(b"\xff\xd8" + header + photo.read_bytes()[2:])
    found = page.explain(model, photo)
    expected = Package(model, tmp_path).gives(photo)
    assert np.abs(found["input"] - expected.input[0]).max() <= 2.01 / 255  # decoders differ by a level or two


def test_another_class_is_looked_at(page: Page, model: Path, tmp_path: Path) -> None:
    first = page.explain(model, fetch("chelsea"))
    heading = "document.getElementById('answer').textContent"
    assert page.browser.value(heading).startswith(f"class {first['index']}, ")
    before = page.browser.value("document.getElementById('overlay').toDataURL()")
    page.browser.click("#classes li:nth-child(2) input")
    second = page.shown()
    assert second["index"] != first["index"]
    assert second["probability"] <= first["probability"]
    assert page.browser.value(heading).startswith(f"class {second['index']}, ")
    assert page.browser.value("document.getElementById('overlay').toDataURL()") != before
    expected = Package(model, tmp_path).gives(fetch("chelsea"), str(second["index"]))
    assert np.abs(second["map"].astype(int) - expected.map).max() <= 1


def test_all_is_on_the_screen(page: Page, model: Path, tmp_path: Path) -> None:
    page.explain(model, fetch("chelsea"))
    named = "[...document.querySelectorAll('input')].every((each) => each.labels.length === 1)"
    assert page.browser.value(named)
    text = page.browser.value("document.querySelector('canvas').getAttribute('aria-label')")
    assert text.startswith("chelsea.png, coloured by what speaks for class ")
    for width, scheme in ((320, "light"), (390, "dark"), (1280, "light")):
        page.browser.show(width, 1400, scheme)
        assert page.browser.value("document.documentElement.scrollWidth") == width
        picture = page.browser.screenshot()
        assert cv2.imwrite(str(tmp_path / f"page{width}.png"), picture)
        assert (np.ptp(picture, axis=2) > 100).mean() > 0.03, "the overlay's colours are seen"


def test_what_cannot_be_done_is_said(page: Page, model: Path, tmp_path: Path) -> None:
    silent = convert(MODEL, tmp_path / "silent", output_format="onnx").onnx
    onnx.save(as_onnx(perceptron()), tmp_path / "black.onnx")
    black = convert(tmp_path / "black.onnx", tmp_path, preprocessing=NORMALISED, output_format="onnx").onnx
    deep, clear, text = tmp_path / "deep.png", tmp_path / "clear.png", tmp_path / "text.png"
    assert cv2.imwrite(str(deep), np.zeros((61, 43, 3), np.uint16))
    assert cv2.imwrite(str(clear), np.full((61, 43, 4), 99, np.uint8))
    text.write_text("no image")
    shown, converted = "The model took", "planted_object_xai.onnx"
    for field, file, words in (
        ("#model", MODEL, "planted_object.onnx is no converted model"),
        ("#model", text, "text.png is no ONNX file that can be read."),
        ("#model", silent, "The model does not say how a photograph becomes its input."),
        ("#model", black, "black_xai.onnx has no map: it is to be explained as a black box."),
        ("#model", model, "Choose a photograph."),
        ("#photo", text, "text.png cannot be read as an image."),
        ("#photo", deep, "deep.png has 16 bits a level, of which browsers give 8."),
        ("#photo", clear, "clear.png has transparent parts, whose levels browsers do not tell."),
        ("#photo", fetch("chelsea"), shown),
        ("#sidecar", silent.with_suffix(".json"), f"does not describe {converted} and was passed over."),
        ("#sidecar", text, f"text.png does not describe {converted} and was passed over."),
        ("#sidecar", model.with_suffix(".json"), "together. "),
    ):
        page.browser.choose(field, file)
        assert page.says(words), (words, page.status)
        assert page.browser.value("document.getElementById('result').hidden") == (shown not in page.status)
