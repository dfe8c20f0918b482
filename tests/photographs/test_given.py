"""Images as users have them: paths, Pillow's pictures, arrays in either order, and lists of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import cv2
import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, Draw, classifier, cnn, named
from ovxai_convert import Explainer, Explanation, ModelReadError, RefusedError, UsageError, convert
from ovxai_convert.explain.explanation import Layout
from ovxai_convert.explain.plan import ExplainMode
from ovxai_convert.explain.warned import PictureWarning, PreprocessingWarning
from ovxai_convert.photographs.given import checked_order
from ovxai_convert.photographs.hints import PreprocessingHints
from tests.photographs.test_image_files import turned
from tests.photographs.test_packed import SINGLE, camera
from tests.running import run
from tests.special_networks import labelled

PHOTOGRAPH: Final = cv2.resize(
    np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8), (42, 30), interpolation=cv2.INTER_CUBIC
)
"""Blue, green, red."""
OVERLAY: Final[dict[str, Any]] = {"overlay": True, "overlay_weight": 0.0, "overlay_prediction": False}


@dataclass
class Pillow:
    """What is asked of a picture of Pillow's."""

    pixels: Any
    mode: str
    orientation: int = 1
    converted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pixels = np.ascontiguousarray(self.pixels)  # which the interface points into

    @property
    def __array_interface__(self) -> Any:
        return self.pixels.__array_interface__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.pixels, dtype)

    def getexif(self) -> dict[int, int]:
        return {0x0112: self.orientation}

    def convert(self, mode: str) -> Any:
        self.converted.append(mode)
        bands = {"L": 1, "RGB": 3}[mode]
        return self.pixels[..., :bands] if bands == 3 else self.pixels[..., 0]


def told() -> ov.Model:
    """A network whose metadata say all of its preprocessing."""
    model = labelled()
    model.set_rt_info("255 255 255", ["model_info", "scale_values"])
    return model


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    """Of that network."""
    return Explainer(told())


def single(found: Explanation | list[Explanation]) -> Explanation:
    assert isinstance(found, Explanation)
    return found


def scores(found: Explanation | list[Explanation]) -> list[float]:
    return [prediction.score for prediction in single(found).predictions.values()]


def first(found: Explanation | list[Explanation]) -> Any:
    return next(iter(single(found).saliency_map.values()))


def test_path_is_read_as_by_the_command(explainer: Explainer, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    assert cv2.imwrite(str(path), PHOTOGRAPH)
    expected = explainer(PHOTOGRAPH, -1)
    for given in (path, str(path)):
        found = explainer(given, -1)
        assert scores(found) == scores(expected)
        np.testing.assert_array_equal(first(found), first(expected))
    with pytest.raises(ModelReadError, match="no such image"):
        explainer(tmp_path / "other.png")


@pytest.mark.parametrize("colour", ["bgr", "rgb"])
@pytest.mark.parametrize("where", ["explainer", "call"])
def test_arrays_in_either_order(colour: Any, where: str, explainer: Explainer) -> None:
    """The model gets the same; what comes back is in the order of what was given."""
    given = PHOTOGRAPH if colour == "bgr" else PHOTOGRAPH[..., ::-1]
    expected = explainer(PHOTOGRAPH, -1)
    if where == "explainer":
        found = Explainer(told(), colour=colour)(given, -1)
        shown = Explainer(told(), colour=colour)(given, **OVERLAY)
    else:
        found, shown = explainer(given, -1, colour=colour), explainer(given, colour=colour, **OVERLAY)
    assert scores(found) == scores(expected)
    assert single(found).colour == colour
    turned_back = first(found) if colour == "bgr" else first(found)[..., ::-1]
    np.testing.assert_array_equal(turned_back, first(expected))
    region = (first(shown) == given).all(axis=2)
    assert region.any()
    assert (first(explainer(PHOTOGRAPH, **OVERLAY)) == PHOTOGRAPH).all(axis=2).sum() == region.sum()
    wrong = explainer(given, -1, colour="rgb" if colour == "bgr" else "bgr")
    assert scores(wrong) != scores(expected)


@pytest.mark.parametrize("colour", ["RGB", "grey", "", None, 3])
def test_order_that_is_none(colour: Any) -> None:
    with pytest.raises(UsageError, match=r"colour is 'bgr', as OpenCV has it, or 'rgb'"):
        checked_order(colour)
    with pytest.raises(UsageError):
        Explainer(told(), colour=colour)


def test_files_have_the_right_colours_whatever_the_order(explainer: Explainer, tmp_path: Path) -> None:
    (bgr,) = single(explainer(PHOTOGRAPH, **OVERLAY)).save(tmp_path, "bgr")
    (rgb,) = single(explainer(PHOTOGRAPH[..., ::-1], colour="rgb", **OVERLAY)).save(tmp_path, "rgb")
    assert bgr.read_bytes() == rgb.read_bytes()


@pytest.mark.parametrize("colour", ["bgr", "rgb"])
def test_plots_have_the_right_colours_whatever_the_order(
    colour: Any, explainer: Explainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Matplotlib shows red, green, blue."""
    shown: list[Any] = []
    axis = SimpleNamespace(
        axis=lambda _: None, set_title=lambda _: None, imshow=lambda pixels, cmap: shown.append(pixels)
    )
    pyplot = SimpleNamespace(
        subplots=lambda *_, **__: (None, np.array([[axis]])), tight_layout=lambda: None, show=lambda: None
    )
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", pyplot)
    given = PHOTOGRAPH if colour == "bgr" else PHOTOGRAPH[..., ::-1]
    single(explainer(given, colour=colour, **OVERLAY)).plot()
    expected = first(explainer(PHOTOGRAPH, **OVERLAY))[..., ::-1]
    np.testing.assert_array_equal(shown[0], expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_of_pillows_is_upright_and_red_first(
    orientation: int, explainer: Explainer, tmp_path: Path
) -> None:
    path = tmp_path / "turned.jpg"
    path.write_bytes(turned(orientation))
    upright = cv2.imread(str(path))
    stored = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert upright is not None
    assert stored is not None
    picture = Pillow(stored[..., ::-1], "RGB", orientation)
    expected, found = explainer(upright, **OVERLAY), explainer(picture, **OVERLAY)
    assert single(found).colour == "rgb"
    np.testing.assert_array_equal(first(found)[..., ::-1], first(expected))
    assert scores(found) == scores(expected)


@pytest.mark.parametrize(
    ("mode", "bands", "converted"),
    [
        ("RGB", 3, []),
        ("L", 0, []),
        ("RGBA", 4, ["RGB"]),
        ("LA", 2, ["L"]),
        ("P", 3, ["RGB"]),
        ("CMYK", 4, ["RGB"]),
        ("1", 1, ["L"]),
    ],
)
def test_modes_of_pillow(mode: str, bands: int, converted: list[str], explainer: Explainer) -> None:
    stored = np.dstack([PHOTOGRAPH, PHOTOGRAPH[..., :1]])[..., :bands] if bands else PHOTOGRAPH[..., 0]
    picture = Pillow(stored, mode)
    found = explainer(picture, -1)
    assert picture.converted == converted
    grey = mode in ("L", "LA", "1")
    as_array = PHOTOGRAPH[..., :1].repeat(3, 2) if grey else PHOTOGRAPH[..., ::-1]
    assert scores(found) == scores(explainer(as_array, -1))


def test_deep_pictures_of_pillows(explainer: Explainer) -> None:
    deep = PHOTOGRAPH[..., 0].astype(np.uint16) << 4
    with pytest.warns(PictureWarning, match="look meant for 0 to 255"):
        of_pillow = scores(explainer(Pillow(deep, "I;16"), -1))
    with pytest.warns(PictureWarning, match="look meant for 0 to 255"):
        of_array = scores(explainer(deep, -1))
    assert of_pillow == of_array
    with pytest.warns(PictureWarning):
        assert scores(explainer(Pillow(deep.astype(np.int32), "I"), -1)) == of_array


def test_lists_give_lists_in_their_order(explainer: Explainer, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    assert cv2.imwrite(str(path), PHOTOGRAPH[::-1])
    images: Sequence[Any] = [PHOTOGRAPH, path, Pillow(PHOTOGRAPH[:20, ::-1], "RGB")]
    found = explainer(images, -1)
    assert isinstance(found, list)
    assert len(found) == 3
    assert [scores(each) for each in found] == [scores(explainer(each, -1)) for each in images]
    assert [each.shape for each in found] == [(30, 42, 3), (30, 42, 3), (20, 42, 3)]
    assert isinstance(explainer([PHOTOGRAPH]), list)
    assert isinstance(explainer((PHOTOGRAPH,)), list)
    assert isinstance(explainer(PHOTOGRAPH[np.newaxis]), Explanation)


@pytest.mark.parametrize(
    "data",
    [None, {}, object(), "abc.png", [[1, 2], [3]], [None], set()],
    ids=lambda data: type(data).__name__,
)
def test_what_is_no_image(data: Any, explainer: Explainer) -> None:
    with pytest.raises((UsageError, ModelReadError)) as caught:
        explainer(data)
    assert "\n" not in str(caught.value)


def test_order_of_bytes_does_not_matter(explainer: Explainer) -> None:
    deep = PHOTOGRAPH.astype(np.uint16)
    assert scores(explainer(deep.astype(">u2"), -1)) == scores(explainer(deep, -1))
    assert scores(explainer(deep, -1)) == pytest.approx(scores(explainer(PHOTOGRAPH, -1)), abs=0.02)


def test_numbers_in_lists_are_one_array() -> None:
    plain = Explainer(cnn(CnnSpec()))
    data = np.random.default_rng(0).standard_normal((10, 14, 3)).astype(np.float32)
    assert scores(plain(data.tolist(), -1)) == scores(plain(data, -1))


def test_what_becomes_an_array_is_taken_as_one(explainer: Explainer) -> None:
    class Tensor:
        def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
            return np.array(PHOTOGRAPH, dtype)

    assert scores(explainer(Tensor(), -1)) == scores(explainer(PHOTOGRAPH, -1))
    assert isinstance(explainer([Tensor(), Tensor()]), list)


def test_grey_and_transparent_arrays(explainer: Explainer) -> None:
    expected = scores(explainer(PHOTOGRAPH[..., :1].repeat(3, 2), -1))
    for grey in (PHOTOGRAPH[..., 0], PHOTOGRAPH[..., :1]):
        assert scores(explainer(grey, -1)) == expected
    clear = np.dstack([PHOTOGRAPH, PHOTOGRAPH[..., 0]])
    assert scores(explainer(clear, -1)) == scores(explainer(PHOTOGRAPH, -1))
    turned_round = np.dstack([PHOTOGRAPH[..., ::-1], PHOTOGRAPH[..., 0]])
    assert scores(explainer(turned_round, -1, colour="rgb")) == scores(explainer(PHOTOGRAPH, -1))


def test_function_of_the_user_gets_pictures_in_the_order_of_the_explainer(tmp_path: Path) -> None:
    path, given = tmp_path / "photo.png", []
    assert cv2.imwrite(str(path), PHOTOGRAPH)

    def function(picture: Any) -> Any:
        given.append(picture)
        return cv2.resize(picture, (14, 10)).transpose(2, 0, 1)[np.newaxis] / 255

    for colour, expected in (("bgr", PHOTOGRAPH), ("rgb", PHOTOGRAPH[..., ::-1])):
        own = Explainer(cnn(CnnSpec()), preprocess_fn=function, colour=colour)  # type: ignore[arg-type]
        given.clear()
        results = [own(each, **OVERLAY) for each in (path, Pillow(PHOTOGRAPH[..., ::-1], "RGB"), expected)]
        for picture in given:
            np.testing.assert_array_equal(picture, expected)
        for found, order in zip(results, (colour, "rgb", colour), strict=True):
            np.testing.assert_array_equal(
                first(found), PHOTOGRAPH if order == "bgr" else PHOTOGRAPH[..., ::-1]
            )


def test_what_nobody_says_is_assumed_and_told_of_files(tmp_path: Path) -> None:
    path, plain = tmp_path / "photo.png", Explainer(cnn(CnnSpec()))
    assert cv2.imwrite(str(path), PHOTOGRAPH)
    with (
        pytest.warns(PreprocessingWarning, match="nothing says how levels"),
        pytest.warns(PictureWarning, match="assumed, since nothing says it: colours rgb, resize crop"),
    ):
        found = plain(path)
    assert single(found).notes[0].startswith("assumed")


def test_nothing_is_warned_of_what_is_said(explainer: Explainer, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    assert cv2.imwrite(str(path), PHOTOGRAPH)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert single(explainer(path)).notes == ()


@pytest.mark.parametrize("bands", [2, 13])
def test_arrays_of_other_bands(bands: int) -> None:
    draw = np.random.default_rng(3)
    explained = Explainer(_of_bands(bands))
    data = draw.standard_normal((10, 14, bands)).astype(np.float32)
    expected = run(_of_bands(bands), {"image": data.transpose(2, 0, 1)[np.newaxis]})[0][0]
    powers = np.exp(expected - expected.max())
    found = explained(data, -1)
    np.testing.assert_allclose(scores(found), powers / powers.sum(), rtol=1e-4)
    assert single(found).layout is Layout.MULTIPLE_MAPS_PER_IMAGE_COLOR
    photograph = first(explained(data, original_input_image=PHOTOGRAPH, **OVERLAY))
    np.testing.assert_array_equal(photograph, PHOTOGRAPH)
    assert first(explained(data.transpose(2, 0, 1), **OVERLAY)).shape == (10, 14, 3)
    one, other = (first(explained(data, bands=each, **OVERLAY)) for each in ((1,), (2,)))
    assert (one != other).any()
    with pytest.raises(UsageError, match="counted from 1, and not 99"):
        explained(data, bands=(99,), **OVERLAY)


def test_picture_of_the_same_size_is_laid_under_the_same_part(explainer: Explainer) -> None:
    """The part that the model saw is the photograph's, whoever's picture is shown."""
    cropping = told()
    cropping.set_rt_info("crop", ["model_info", "resize_type"])
    cut = Explainer(cropping)
    shown = first(cut(PHOTOGRAPH, overlay=True, overlay_prediction=False))
    again = first(cut(PHOTOGRAPH, overlay=True, overlay_prediction=False, original_input_image=PHOTOGRAPH))
    np.testing.assert_array_equal(shown, again)


def test_camera_in_python() -> None:
    """A photograph, or data that are packed already; their picture is shown."""
    explained = Explainer(camera(SINGLE["nv12"]))
    photograph = np.random.default_rng(4).integers(0, 256, (5, 7, 3), np.uint8).repeat(2, 0).repeat(2, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = explained(photograph, -1)
    packed = cv2.cvtColor(photograph, cv2.COLOR_BGR2YUV_I420)
    packed[10:] = packed[10:].reshape(2, -1).T.reshape(5, 14)
    for data in (packed, packed[..., np.newaxis]):
        assert scores(explained(data, -1)) == scores(found)
        shown = first(explained(data, **OVERLAY))
        assert shown.shape == (10, 14, 3)
        assert abs(shown.astype(int) - photograph).max() <= 2
    with pytest.warns(PictureWarning, match="assumed, since nothing says it: resize crop"):
        explained(PHOTOGRAPH)
    with pytest.raises(RefusedError, match="rise: the input takes NV12, whose rows are not the picture's"):
        explained(photograph, explain_mode=ExplainMode.BLACKBOX)


def test_levels_that_are_said_in_python(tmp_path: Path) -> None:
    hints = PreprocessingHints(
        mean=(127.5,), scale=(127.5,), levels=(0.0, 4095.0), colour="bgr", resize="stretch"
    )
    artifact = convert(
        save_ir(cnn(CnnSpec()), tmp_path / "net.xml"), tmp_path / "out", preprocessing=hints
    ).xml
    explained = Explainer(artifact)
    deep = cv2.resize(PHOTOGRAPH, (14, 10)).astype(np.uint16) * 16
    sample = (deep.astype(np.float64) * 255 / 4095 - 127.5) / 127.5
    expected = run(cnn(CnnSpec()), {"image": sample.transpose(2, 0, 1)[np.newaxis].astype(np.float32)})[0][0]
    powers = np.exp(expected - expected.max())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(scores(explained(deep, -1)), powers / powers.sum(), rtol=1e-4)


def _of_bands(bands: int) -> ov.Model:
    draw = Draw(bands)
    image = ops.parameter([1, bands, 10, 14], np.float32, name="image")
    image.output(0).get_tensor().set_names({"image"})
    target = named(ops.relu(draw.convolution(image, 4, 3, 2)), "target")
    return classifier(named(draw.linear(ops.reduce_mean(target, [2, 3], False), 3), "scores"), [image])
